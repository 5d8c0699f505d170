/** The arithmetic flags of hot code: the values they follow from stay in locals until somebody asks for a flag. */
import { FLAG_KINDS, RAW, formOfKind, keptValues, kindOf } from '../ir/flag-kinds.js';
import { flagNodes, type FlagsForm } from '../ir/flags.js';
import type { Node } from '../ir/nodes.js';
import * as L from '../state-layout.js';
import type { FunctionWriter } from '../wasm/encoder.js';
import { I32_LOAD, I32_STORE, I64_LOAD, I64_STORE } from '../wasm/opcodes.js';

export class PendingFlags {
  private readonly kind: number;
  private readonly a: number;
  private readonly b: number;
  private readonly result: number;
  private readonly values: { readonly a: Node; readonly b: Node; readonly result: Node };
  private readonly forms: FlagsForm[];
  /** What the locals hold at this place in the code; undefined where several ways meet. */
  form: FlagsForm | undefined;
  /** Nobody will see the flags that are set next: they are not made. */
  unseen = false;

  constructor(
    private readonly f: FunctionWriter,
    private readonly storeFlags: () => number,
  ) {
    this.kind = f.local('i32');
    this.a = f.local('i64');
    this.b = f.local('i64');
    this.result = f.local('i64');
    const node = (index: number): Node => ({ type: 'i64', source: { kind: 'hostLocal', index } });
    this.values = { a: node(this.a), b: node(this.b), result: node(this.result) };
    this.forms = Array.from({ length: FLAG_KINDS }, (_, kind) => formOfKind(kind, this.values));
  }

  /** Emits: the flags are those of memory. Answers how they are kept then. */
  load(): FlagsForm {
    const { f } = this;
    f.i32(0);
    f.memory(I64_LOAD, L.FLAGS_RESULT);
    f.set(this.result);
    f.i32(0);
    f.memory(I64_LOAD, L.FLAGS_AUX);
    f.set(this.a);
    f.i32(RAW);
    f.set(this.kind);
    const raw: FlagsForm = formOfKind(RAW, this.values);
    this.form = raw;
    return raw;
  }

  /** Emits: the flags are those that the hot function before has left, pending perhaps. */
  takeOver(): void {
    const { f } = this;
    this.load();
    f.i32(0);
    f.memory(I64_LOAD, L.PENDING_B);
    f.set(this.b);
    f.i32(0);
    f.memory(I32_LOAD, L.PENDING_KIND);
    f.set(this.kind);
    this.form = undefined;
  }

  /** Emits: the next hot function may take them over; the dispatch loop settles them for everybody else. */
  handOver(): void {
    const { f } = this;
    for (const [local, opcode, address] of [
      [this.result, I64_STORE, L.FLAGS_RESULT],
      [this.a, I64_STORE, L.FLAGS_AUX],
      [this.b, I64_STORE, L.PENDING_B],
      [this.kind, I32_STORE, L.PENDING_KIND],
    ] as const) {
      f.i32(0);
      f.get(local);
      f.memory(opcode, address);
    }
  }

  /** Emits: new flags. `emit` puts a node on the stack; every value is there before the first local changes. */
  set(form: FlagsForm, emit: (value: Node) => void): void {
    if (this.unseen) return;
    const { f } = this;
    const kept = keptValues(form);
    const { a, b, result } = kept;
    if (a !== undefined) emit(a);
    if (b !== undefined) emit(b);
    if (result !== undefined) emit(result);
    if (result !== undefined) f.set(this.result);
    if (b !== undefined) f.set(this.b);
    if (a !== undefined) f.set(this.a);
    const kind = kindOf(form);
    f.i32(kind);
    f.set(this.kind);
    this.form = this.forms[kind];
  }

  /** The form at this place; where it is not known, the values of FLAGS_RESULT and FLAGS_AUX are made first. */
  known(): FlagsForm {
    if (this.form !== undefined) return this.form;
    const { f } = this;
    f.get(this.kind);
    f.if();
    this.callStore();
    const raw = this.load();
    f.end();
    return raw;
  }

  /** FLAGS_RESULT and FLAGS_AUX as they would be now. */
  both(bind: (value: Node) => Node): { result: Node; aux: Node } {
    const form = this.known();
    if (form.kind === 'raw') return form;
    const { result, aux } = flagNodes(form, bind);
    return { result: bind(result), aux: bind(aux) };
  }

  /** Emits: FLAGS_RESULT and FLAGS_AUX in memory are right, and nothing is pending there from the function before. */
  store(): void {
    const { f } = this;
    f.get(this.kind);
    f.if();
    this.callStore();
    f.else();
    f.i32(0);
    f.get(this.result);
    f.memory(I64_STORE, L.FLAGS_RESULT);
    f.i32(0);
    f.get(this.a);
    f.memory(I64_STORE, L.FLAGS_AUX);
    f.end();
    f.i32(0);
    f.i32(RAW);
    f.memory(I32_STORE, L.PENDING_KIND);
  }

  private callStore(): void {
    const { f } = this;
    f.get(this.kind);
    f.get(this.a);
    f.get(this.b);
    f.get(this.result);
    f.call(this.storeFlags());
  }
}
