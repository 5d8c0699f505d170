/**
 * What an instruction definition writes: a list of statements over nodes. A definition is run once per shape to make
 * the cold handler, and once per decoded instruction to make hot code; both read the same statements.
 */
import type { ValueType } from '../wasm/encoder.js';
import { FLAGS_SYSTEM, RAX } from '../state-layout.js';
import type { FlagsForm } from './flags.js';
import { constant, op, signExtend, truncate, type Node } from './nodes.js';

export type Statement =
  | { readonly kind: 'let'; readonly local: number; readonly value: Node }
  | { readonly kind: 'setOperand'; readonly operand: number; readonly bits: number; readonly value: Node }
  | { readonly kind: 'setVector'; readonly operand: number; readonly value: Node }
  | { readonly kind: 'setRegister'; readonly register: number; readonly bits: number; readonly value: Node }
  | { readonly kind: 'setState'; readonly address: number; readonly bits: number; readonly value: Node }
  | {
      readonly kind: 'load';
      readonly local: number;
      readonly address: Node;
      readonly bits: number;
      readonly stack: boolean; // a fault is #SS(0) where it would be #GP(0)
      readonly host?: number; // i32 local: set for a read-modify-write, which loads with write permission
      readonly aligned?: boolean; // 128 bits only: #GP(0) when misaligned
    }
  | {
      readonly kind: 'store';
      readonly address: Node;
      readonly value: Node;
      readonly bits: number;
      readonly stack: boolean;
      readonly host?: number; // the local of the load that this store completes
      readonly aligned?: boolean;
    }
  | { readonly kind: 'flags'; readonly form: FlagsForm }
  | { readonly kind: 'if'; readonly condition: Node; readonly then: Statement[]; readonly else: Statement[] }
  | { readonly kind: 'jump'; readonly target: Node } // absolute linear address
  | { readonly kind: 'jumpIf'; readonly condition: Node; readonly target: Node }
  | { readonly kind: 'raise'; readonly vector: number; readonly errorCode?: number }
  | { readonly kind: 'helper'; readonly name: string } // core function (record) => status; always the last statement
  | { readonly kind: 'rareHelper'; readonly name: string }; // the same, so rare that hot code leaves for it

/** What is known of an operand when its shape is. */
export interface OperandShape {
  readonly kind: 'register' | 'memory' | 'immediate' | 'vector' | 'fixed' | 'branch' | 'other';
  readonly bits: number;
  /** Number of a fixed general register (AL, EAX, CL ...). */
  readonly register?: number;
}

const GENERAL_PROTECTION = 13;

const R = { rax: 0, rcx: 1, rdx: 2, rbx: 3, rsp: 4, rbp: 5, rsi: 6, rdi: 7 } as const;
export type RegisterName = keyof typeof R;

export class Lifter {
  readonly statements: Statement[] = [];
  private sink = this.statements;
  readonly localTypes: ValueType[] = [];
  /** Operands whose read-modify-write is open: operand -> i32 local with the host address. */
  private readonly open = new Map<number, { host: number; address: Node }>();
  private address: Node | undefined;
  /** The definition looked at `long`: 64-bit and legacy code need handlers of their own. */
  dependsOnMode = false;

  constructor(
    readonly operands: readonly OperandShape[],
    private readonly isLong: boolean,
  ) {}

  /** True for 64-bit code: the stack pointer is RSP, otherwise ESP. */
  get long(): boolean {
    this.dependsOnMode = true;
    return this.isLong;
  }

  /** Width of operand 0 in bits: the operand size of most instructions. */
  get bits(): number {
    return this.shape(0).bits;
  }

  shape(operand: number): OperandShape {
    const shape = this.operands[operand];
    if (shape === undefined) throw new Error(`instruction has no operand ${String(operand)}`);
    return shape;
  }

  newLocal(type: ValueType): number {
    this.localTypes.push(type);
    return this.localTypes.length - 1;
  }

  /** Evaluates now and keeps the value. */
  let(value: Node): Node {
    const local = this.newLocal(value.type);
    this.sink.push({ kind: 'let', local, value });
    return { type: value.type, source: { kind: 'local', index: local } };
  }

  /** Linear address of the memory operand, segment base included. */
  effectiveAddress(): Node {
    this.address ??= this.let({ type: 'i64', source: { kind: 'effectiveAddress' } });
    return this.address;
  }

  isMemory(operand: number): boolean {
    return this.shape(operand).kind === 'memory';
  }

  /** Value of an operand, zero-extended to 64 bits (a vector for XMM operands); immediates sign-extended by decoding. */
  read(operand: number): Node {
    const shape = this.shape(operand);
    switch (shape.kind) {
      case 'register':
        return this.let({ type: 'i64', source: { kind: 'operand', operand, bits: shape.bits } });
      case 'fixed':
        return this.let({ type: 'i64', source: { kind: 'register', register: shape.register ?? 0, bits: shape.bits } });
      case 'memory':
        return shape.bits === 128
          ? this.load128(this.effectiveAddress(), false)
          : this.load(this.effectiveAddress(), shape.bits);
      case 'vector':
        return this.let({ type: 'v128', source: { kind: 'vectorRegister', operand } });
      case 'immediate':
      case 'branch':
      case 'other':
        return { type: 'i64', source: { kind: 'immediate' } };
    }
  }

  /** Like read, for an operand that write() will replace: memory is checked for writing first. */
  readForWrite(operand: number): Node {
    const shape = this.shape(operand);
    if (shape.kind !== 'memory') return this.read(operand);
    const address = this.effectiveAddress();
    return this.loadForWrite(operand, address, shape.bits);
  }

  /** Read-modify-write of an explicit address; `key` pairs it with its storeBack. */
  loadForWrite(key: number, address: Node, bits: number, stack = false): Node {
    const host = this.newLocal('i32');
    const local = this.newLocal('i64');
    this.sink.push({ kind: 'load', local, address, bits, stack, host });
    this.open.set(key, { host, address });
    return { type: 'i64', source: { kind: 'local', index: local } };
  }

  storeBack(key: number, value: Node, bits: number): void {
    const open = this.open.get(key);
    if (open === undefined) throw new Error('storeBack without loadForWrite');
    this.sink.push({ kind: 'store', address: open.address, value, bits, stack: false, host: open.host });
  }

  write(operand: number, value: Node): void {
    const shape = this.shape(operand);
    switch (shape.kind) {
      case 'register':
        this.sink.push({ kind: 'setOperand', operand, bits: shape.bits, value });
        return;
      case 'fixed':
        this.setRegister(shape.register ?? 0, shape.bits, value);
        return;
      case 'vector':
        this.sink.push({ kind: 'setVector', operand, value });
        return;
      case 'memory':
        if (this.open.has(operand)) this.storeBack(operand, value, shape.bits);
        else if (shape.bits === 128) this.store128(this.effectiveAddress(), value, false);
        else this.store(this.effectiveAddress(), value, shape.bits);
        return;
      default:
        throw new Error(`operand ${String(operand)} cannot be written`);
    }
  }

  load(address: Node, bits: number, stack = false): Node {
    const local = this.newLocal('i64');
    this.sink.push({ kind: 'load', local, address, bits, stack });
    return { type: 'i64', source: { kind: 'local', index: local } };
  }

  store(address: Node, value: Node, bits: number, stack = false): void {
    this.sink.push({ kind: 'store', address, value, bits, stack });
  }

  load128(address: Node, aligned: boolean): Node {
    const local = this.newLocal('v128');
    this.sink.push({ kind: 'load', local, address, bits: 128, stack: false, aligned });
    return { type: 'v128', source: { kind: 'local', index: local } };
  }

  store128(address: Node, value: Node, aligned: boolean): void {
    this.sink.push({ kind: 'store', address, value, bits: 128, stack: false, aligned });
  }

  register(name: RegisterName, bits: number): Node {
    return this.let({ type: 'i64', source: { kind: 'register', register: R[name], bits } });
  }

  /** Writes a general register: 32-bit writes clear the upper half, narrower ones keep the rest. */
  setRegister(register: RegisterName | number, bits: number, value: Node): void {
    this.sink.push({
      kind: 'setRegister',
      register: typeof register === 'number' ? register : R[register],
      bits,
      value,
    });
  }

  /** AH, CH, DH or BH of register number 0 to 3. */
  registerHigh(register: number): Node {
    return this.state(RAX + register * 8 + 1, 8);
  }

  setRegisterHigh(register: number, value: Node): void {
    this.setState(RAX + register * 8 + 1, value, 8);
  }

  state(address: number, bits = 64): Node {
    return this.let({ type: 'i64', source: { kind: 'state', address, bits } });
  }

  setState(address: number, value: Node, bits = 64): void {
    this.sink.push({ kind: 'setState', address, bits, value });
  }

  nextRip(): Node {
    return { type: 'i64', source: { kind: 'nextRip' } };
  }

  // Stack. Nothing moves before the access has succeeded.

  private get stackBits(): number {
    return this.long ? 64 : 32;
  }

  push(value: Node, bits: number): void {
    const pointer = this.let(truncate(op.sub(this.register('rsp', this.stackBits), bits / 8), this.stackBits));
    this.store(pointer, value, bits, true);
    this.setRegister('rsp', this.stackBits, pointer);
  }

  /** A call's push: the slot is probed before the target is checked, and written after. */
  pushReturn(value: Node, bits: number, target: Node): void {
    const pointer = this.let(truncate(op.sub(this.register('rsp', this.stackBits), bits / 8), this.stackBits));
    const key = -1;
    this.loadForWrite(key, pointer, bits, true);
    this.requireCanonical(target);
    this.storeBack(key, value, bits);
    this.setRegister('rsp', this.stackBits, pointer);
  }

  /** Pops a value and releases `extra` more bytes; `check` may still fault. */
  pop(bits: number, extra: Node = constant(0), check: (value: Node) => void = () => undefined): Node {
    const pointer = this.register('rsp', this.stackBits);
    const value = this.load(pointer, bits, true);
    check(value);
    this.setRegister('rsp', this.stackBits, truncate(op.add(op.add(pointer, bits / 8), extra), this.stackBits));
    return value;
  }

  // Flags.

  flags(form: FlagsForm): void {
    this.sink.push({ kind: 'flags', form });
  }

  get flagsResult(): Node {
    return { type: 'i64', source: { kind: 'flagsResult' } };
  }

  get flagsAux(): Node {
    return { type: 'i64', source: { kind: 'flagsAux' } };
  }

  /** CF as 0 or 1 (i64). */
  carry(): Node {
    return { type: 'i64', source: { kind: 'carry' } };
  }

  /** OF as 0 or 1 (i64). */
  overflow(): Node {
    const aux = this.let(this.flagsAux);
    return op.shr(op.xor(aux, op.shl(aux, 1)), 63);
  }

  /** Changes CF alone. `carry` is 0 or 1. */
  setCarry(carry: Node): void {
    const aux = this.let(this.flagsAux);
    const change = this.let(op.and(op.xor(op.shl(carry, 63), aux), 1n << 63n));
    this.flags({ kind: 'raw', result: this.flagsResult, aux: op.xor(aux, op.or(change, op.shr(change, 1))) });
  }

  /** Flags of a + 1 or a - 1 with CF kept; `carry` is the CF to keep (0 or 1). */
  incrementFlags(kind: 'add' | 'sub', a: Node, result: Node, carry: Node): void {
    const bits = this.bits;
    // The sign changes against the direction of the step exactly when it overflows; AF when the low nibble wraps.
    const flipped = kind === 'add' ? op.and(op.xor(a, -1), result) : op.and(a, op.xor(result, -1));
    const overflow = op.and(op.shr(flipped, bits - 1), 1);
    const adjust = op.shr(op.and(op.xor(a, result), 0x10), 1);
    const aux = op.or(op.or(op.shl(carry, 63), op.shl(op.xor(carry, overflow), 62)), adjust);
    this.flags({ kind: 'raw', result: signExtend(result, bits), aux });
  }

  /** Changes CF and OF, keeps the others. Both are 0 or 1. */
  setCarryOverflow(carry: Node, overflow: Node): void {
    const cf = this.let(carry);
    const cleared = op.and(this.flagsAux, ~(3n << 62n));
    const aux = op.or(cleared, op.or(op.shl(cf, 63), op.shl(op.xor(cf, overflow), 62)));
    this.flags({ kind: 'raw', result: this.flagsResult, aux });
  }

  /** The condition of a Jcc, SETcc or CMOVcc by its 4-bit encoding (Intel SDM volume 1, appendix B). */
  condition(code: number): Node {
    return { type: 'i32', source: { kind: 'condition', code } };
  }

  /** DF as a node: nonzero when set. */
  direction(): Node {
    return op.and(this.state(FLAGS_SYSTEM), 0x400);
  }

  // Control.

  when(condition: Node, then: () => void, otherwise: () => void = () => undefined): void {
    const statement: Statement = { kind: 'if', condition, then: [], else: [] };
    const outer = this.sink;
    outer.push(statement);
    this.sink = statement.then;
    then();
    this.sink = statement.else;
    otherwise();
    this.sink = outer;
  }

  jump(target: Node): void {
    this.sink.push({ kind: 'jump', target });
  }

  jumpIf(condition: Node, target: Node): void {
    this.sink.push({ kind: 'jumpIf', condition, target });
  }

  /** A fault, with an error code where the vector has one. */
  raise(vector: number, errorCode?: number): void {
    this.sink.push({ kind: 'raise', vector, ...(errorCode === undefined ? {} : { errorCode }) });
  }

  /** #GP(0) when a near branch of 64-bit code would leave the canonical addresses. Intel SDM volume 2, JMP. */
  requireCanonical(target: Node): void {
    if (!this.long) return;
    const canonical = op.sar(op.shl(target, 16), 16);
    this.when(op.ne(canonical, target), () => {
      this.raise(GENERAL_PROTECTION, 0);
    });
  }

  /** The core does it all: an exported function (record) => status. */
  helper(name: string): void {
    this.sink.push({ kind: 'helper', name });
  }

  /** The same where the definition's other ways are the usual ones: hot code leaves, the cold tier calls. */
  rareHelper(name: string): void {
    this.sink.push({ kind: 'rareHelper', name });
  }
}
