/** storeFlags(kind, a, b, result): writes FLAGS_RESULT and FLAGS_AUX of flags that hot code has left pending. */
import { FLAG_KINDS, formOfKind, type FlagValues } from '../ir/flag-kinds.js';
import { flagNodes } from '../ir/flags.js';
import { NodeEmitter } from '../ir/node-emitter.js';
import type { Node } from '../ir/nodes.js';
import * as L from '../state-layout.js';
import { FunctionWriter, type FunctionBody, type Signature } from '../wasm/encoder.js';
import { I32_LOAD, I32_STORE, I64_LOAD, I64_STORE } from '../wasm/opcodes.js';

export const storeFlagsSignature: Signature = { parameters: ['i32', 'i64', 'i64', 'i64'], results: [] };

const local = (index: number): Node => ({ type: 'i64', source: { kind: 'hostLocal', index } });
const KIND = 0;
const parameters: FlagValues = { a: local(1), b: local(2), result: local(3) };

export function storeFlagsBody(): FunctionBody {
  return new StoreFlags().emit();
}

/** settleFlags(): what a hot function has left pending becomes FLAGS_RESULT and FLAGS_AUX. */
export const settleFlagsSignature: Signature = { parameters: [], results: [] };

export function settleFlagsBody(storeFlags: number): FunctionBody {
  const f = new FunctionWriter(0);
  f.i32(0);
  f.memory(I32_LOAD, L.PENDING_KIND);
  f.i32(0);
  f.memory(I64_LOAD, L.FLAGS_AUX);
  f.i32(0);
  f.memory(I64_LOAD, L.PENDING_B);
  f.i32(0);
  f.memory(I64_LOAD, L.FLAGS_RESULT);
  f.call(storeFlags);
  f.i32(0);
  f.i32(0);
  f.memory(I32_STORE, L.PENDING_KIND);
  return f.body();
}

class StoreFlags extends NodeEmitter {
  constructor() {
    super(new FunctionWriter(storeFlagsSignature.parameters.length));
  }

  emit(): FunctionBody {
    const { f } = this;
    const labels = Array.from({ length: FLAG_KINDS }, () => 0);
    for (let kind = FLAG_KINDS - 1; kind >= 0; kind--) labels[kind] = f.block();
    f.get(KIND);
    f.brTable(labels, labels[0] ?? 0);
    for (let kind = 0; kind < FLAG_KINDS; kind++) {
      f.end();
      const { result, aux } = flagNodes(formOfKind(kind, parameters), (value) => this.bind(value));
      f.i32(0);
      this.node(result);
      f.memory(I64_STORE, L.FLAGS_RESULT);
      f.i32(0);
      this.node(aux);
      f.memory(I64_STORE, L.FLAGS_AUX);
      f.return();
    }
    return f.body();
  }

  private bind(value: Node): Node {
    const index = this.f.local(value.type);
    this.node(value);
    this.f.set(index);
    return { type: value.type, source: { kind: 'hostLocal', index } };
  }

  // A form refers to the parameters alone.
  private never(): never {
    throw new Error('flags are made of the kept values alone');
  }
  protected functionIndex = (): never => this.never();
  protected local = (): never => this.never();
  protected generalRegister = (): never => this.never();
  protected operand = (): never => this.never();
  protected state = (): never => this.never();
  protected immediate = (): never => this.never();
  protected nextRip = (): never => this.never();
  protected offset = (): never => this.never();
  protected addSegmentBase = (): never => this.never();
  protected condition = (): never => this.never();
  protected carry = (): never => this.never();
  protected flagsResult = (): never => this.never();
  protected flagsAux = (): never => this.never();
}
