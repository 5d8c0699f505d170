/** Turns expression nodes into WebAssembly; where operands, registers and flags come from is each tier's own. */
import type { FunctionWriter, Signature } from '../wasm/encoder.js';
import { operators, type Node } from './nodes.js';

export abstract class NodeEmitter {
  protected constructor(protected readonly f: FunctionWriter) {}

  /** Emits code that leaves the node's value on the stack. */
  protected node(n: Node): void {
    const { f } = this;
    const { source } = n;
    switch (source.kind) {
      case 'constant':
        f.i64(source.value);
        return;
      case 'constant32':
        f.i32(source.value);
        return;
      case 'constant128':
        f.op(0xfd, 0x0c);
        for (let bit = 0n; bit < 128n; bit += 8n) f.byte(Number((source.value >> bit) & 0xffn));
        return;
      case 'local':
        this.local(source.index);
        return;
      case 'hostLocal':
        f.get(source.index);
        return;
      case 'operator':
        for (const argument of source.arguments) this.node(argument);
        f.op(...operators[source.name].code);
        return;
      case 'shuffle':
        for (const argument of source.arguments) this.node(argument);
        f.op(0xfd, 0x0d, ...source.lanes);
        return;
      case 'call':
        for (const argument of source.arguments) this.node(argument);
        f.call(
          this.functionIndex(source.name, { parameters: source.arguments.map(({ type }) => type), results: [n.type] }),
        );
        return;
      case 'register':
        this.generalRegister(source.register, source.bits);
        return;
      case 'operand':
        this.operand(source.operand, source.bits);
        return;
      case 'vectorRegister':
        this.operand(source.operand, 128);
        return;
      case 'state':
        this.state(source.address, source.bits);
        return;
      case 'immediate':
        this.immediate();
        return;
      case 'nextRip':
        this.nextRip();
        return;
      case 'offset':
        this.offset();
        return;
      case 'effectiveAddress':
        this.offset();
        this.addSegmentBase();
        return;
      case 'condition':
        this.node(this.condition(source.code));
        return;
      case 'carry':
        this.node(this.carry());
        return;
      case 'flagsResult':
        this.flagsResult();
        return;
      case 'flagsAux':
        this.flagsAux();
        return;
    }
  }

  /** Index of a core function in the module at hand. */
  protected abstract functionIndex(name: string, signature: Signature): number;
  /** A local of the definition. */
  protected abstract local(index: number): void;
  /** A general register by its number, zero-extended from its low bits. */
  protected abstract generalRegister(register: number, bits: number): void;
  /** The register operand: 8 to 64 bits zero-extended, or a vector of 128. */
  protected abstract operand(operand: number, bits: number): void;
  protected abstract state(address: number, bits: number): void;
  protected abstract immediate(): void;
  protected abstract nextRip(): void;
  /** Effective address without the segment base. */
  protected abstract offset(): void;
  /** Adds the segment base to the i64 on the stack. */
  protected abstract addSegmentBase(): void;
  protected abstract condition(code: number): Node;
  protected abstract carry(): Node;
  protected abstract flagsResult(): void;
  protected abstract flagsAux(): void;
}
