/**
 * Emits the instructions of hot code: registers in locals, flags kept as the operation that made them, loads and stores
 * straight to RAM through the TLB. Whatever is not plain leaves in front of the instruction.
 */
import { carryOf, carryOfForm, conditionOf, conditionOfForm } from '../ir/flags.js';
import { fold } from '../ir/fold.js';
import type { Statement } from '../ir/lifter.js';
import { NodeEmitter } from '../ir/node-emitter.js';
import { constant, constant32, type Node } from '../ir/nodes.js';
import { storeFlagsSignature } from '../cold/store-flags.js';
import * as L from '../state-layout.js';
import { FunctionWriter, type Signature, type ValueType } from '../wasm/encoder.js';
import { I32_STORE, loadOpcode, storeOpcode } from '../wasm/opcodes.js';
import { ExpectedAddends, addendSlot } from './expected-addends.js';
import { emitHostAddress, fillSignature } from './host-address.js';
import { PendingFlags } from './pending-flags.js';
import type { ResolvedInstruction } from './records.js';
import { RegisterLocals, isGeneral, type RegisterUse } from './register-locals.js';
import type { RegionContext } from './region.js';
import { isVector } from './vector-locals.js';

export abstract class InstructionEmitter extends NodeEmitter {
  protected readonly registers: RegisterLocals;
  protected readonly addends: ExpectedAddends;
  protected readonly flags: PendingFlags;
  protected instruction!: ResolvedInstruction;
  /** Values of the definition's locals. */
  private locals: (Node | undefined)[] = [];
  private readonly pools: Record<ValueType, { readonly locals: number[]; used: number }>;

  protected constructor(
    protected readonly context: RegionContext,
    use: RegisterUse & { readonly addends: number },
  ) {
    super(new FunctionWriter(1)); // parameter 0: what to enter
    this.registers = new RegisterLocals(this.f, use);
    this.addends = new ExpectedAddends(this.f, use.addends);
    this.flags = new PendingFlags(this.f, () => context.functionIndex('storeFlags', storeFlagsSignature));
    const pool = (): { locals: number[]; used: number } => ({ locals: [], used: 0 });
    this.pools = { i32: pool(), i64: pool(), f32: pool(), f64: pool(), v128: pool() };
  }

  /** Emits: leave in front of the instruction; nothing of it is visible yet, so the cold tier does all of it. */
  protected abstract leave(): void;
  /** Emits: a function of the core performs the instruction; registers and flags are in memory before and after. */
  protected abstract helper(name: string): void;
  /** Emits: the instruction is done, go to the target. */
  protected abstract jump(target: Node): void;

  /** Emits a whole instruction. */
  protected emitInstruction(instruction: ResolvedInstruction): void {
    this.instruction = instruction;
    this.locals = [];
    const { pools } = this;
    pools.i32.used = pools.i64.used = pools.f32.used = pools.f64.used = pools.v128.used = 0;
    for (const statement of instruction.shape.statements) this.statement(statement);
  }

  private statement(s: Statement): void {
    const { f } = this;
    switch (s.kind) {
      case 'let':
        this.assign(s.local, s.value);
        return;
      case 'setOperand':
        this.setRegister(this.operandAddress(s.operand), s.bits, s.value);
        return;
      case 'setRegister':
        this.setRegister(L.RAX + 8 * s.register, s.bits, s.value);
        return;
      case 'setVector':
        this.setVector(this.operandAddress(s.operand), s.value);
        return;
      case 'setState':
        if (isGeneral(s.address)) {
          this.setRegister(s.address, s.bits, s.value);
          return;
        }
        f.i32(s.address);
        this.node(s.value);
        f.memory(storeOpcode(s.bits), 0);
        return;
      case 'load':
        this.load(s);
        return;
      case 'store':
        this.store(s);
        return;
      case 'flags':
        this.flags.set(s.form, this.push);
        return;
      case 'if':
        this.branch(s);
        return;
      case 'jump':
        this.jump(s.target);
        return;
      case 'jumpIf': {
        this.node(s.condition);
        const { form } = this.flags;
        f.if();
        this.jump(s.target);
        f.end();
        this.flags.form = form;
        return;
      }
      case 'raise':
      case 'rareHelper':
        this.leave();
        return;
      case 'helper':
        this.helper(s.name);
        return;
    }
  }

  private readonly push = (value: Node): void => {
    this.node(value);
  };
  private readonly constantLocal = (index: number): bigint | undefined => {
    const source = this.locals[index]?.source;
    return source?.kind === 'constant' ? BigInt.asUintN(64, source.value) : undefined;
  };

  private known(value: Node): bigint | undefined {
    return fold(value, this.instruction.immediate, this.constantLocal);
  }

  /** A conditional part of an instruction. */
  private branch(s: Extract<Statement, { kind: 'if' }>): void {
    const { f, flags } = this;
    const known = this.known(s.condition);
    if (known !== undefined) {
      this.part(known === 0n ? s.else : s.then);
      return;
    }
    this.node(s.condition);
    const { form } = flags;
    if (s.then[0]?.kind === 'raise') f.hint(false);
    f.if();
    this.part(s.then);
    const then = flags.form;
    flags.form = form;
    if (s.else.length > 0) {
      f.else();
      this.part(s.else);
    }
    f.end();
    if (leaves(s.else)) flags.form = then;
    else if (!leaves(s.then) && flags.form !== then) flags.form = undefined;
  }

  /** What is prepared for a helper that hot code never calls is left out. */
  private part(statements: readonly Statement[]): void {
    if (leaves(statements)) this.leave();
    else for (const statement of statements) this.statement(statement);
  }

  private setVector(address: number, value: Node): void {
    const { f } = this;
    if (isVector(address)) {
      this.node(value);
      this.registers.vectors.set(address);
      return;
    }
    f.i32(address); // an MMX register
    this.node(value);
    f.memory(storeOpcode(128), 0);
  }

  private setRegister(address: number, bits: number, value: Node): void {
    this.registers.set(address, bits, () => {
      this.node(value);
    });
  }

  // Locals.

  private fresh(type: ValueType): number {
    const pool = this.pools[type];
    return (pool.locals[pool.used++] ??= this.f.local(type));
  }

  private assign(local: number, value: Node): void {
    const known = this.known(value);
    if (known === undefined) this.locals[local] = this.bind(value);
    else this.locals[local] = value.type === 'i32' ? constant32(Number(known)) : constant(known);
  }

  protected bind(value: Node): Node {
    const index = this.fresh(value.type);
    this.node(value);
    this.f.set(index);
    return { type: value.type, source: { kind: 'hostLocal', index } };
  }

  // Memory.

  /** Leaves the host address in an i32 local, or leaves the region. */
  private translate(address: Node, bytes: number, write: boolean, aligned: boolean): number {
    const { f } = this;
    const linear = this.fresh('i64');
    const entry = this.fresh('i32');
    const host = this.fresh('i32');
    const tlb = this.context.user ? L.TLB_USER : L.TLB_SUPERVISOR;
    this.node(address);
    f.set(linear);
    if (aligned) {
      // Before the translation, which would fill the TLB: #GP comes first.
      f.get(linear);
      f.i64(15n);
      f.op(0x83, 0xa7);
      f.if();
      this.leave();
      f.end();
    }
    emitHostAddress(f, {
      linear,

      entry,
      host,
      tlb,
      tag: write ? L.TLB_TAG_WRITE : L.TLB_TAG_READ,
      mask: this.context.tlbMask,
      bytes,
      expected: this.addends,
      slot: addendSlot(this.instruction),
      beforeFill: () => {
        this.tellRecord();
      },
      fill: this.functionIndex(write ? 'hotWrite' : 'hotRead', fillSignature),
      leave: () => {
        this.leave();
      },
    });
    return host;
  }

  /** Emits: this is the instruction that is executed; in front of every call that a device may hear of. */
  protected tellRecord(): void {
    if (this.context.counters === undefined) return;
    const { f } = this;
    f.i32(0);
    f.i32(this.instruction.record);
    f.memory(I32_STORE, L.CURRENT_RECORD);
  }

  private load(s: Extract<Statement, { kind: 'load' }>): void {
    const { f } = this;
    const bytes = s.bits / 8;
    const host = this.translate(s.address, bytes, s.host !== undefined, s.aligned === true);
    const type: ValueType = bytes === 16 ? 'v128' : 'i64';
    const value = this.fresh(type);
    f.get(host);
    f.memory(loadOpcode(s.bits), 0);
    f.set(value);
    this.locals[s.local] = { type, source: { kind: 'hostLocal', index: value } };
    if (s.host !== undefined) this.locals[s.host] = { type: 'i32', source: { kind: 'hostLocal', index: host } };
  }

  private store(s: Extract<Statement, { kind: 'store' }>): void {
    const { f } = this;
    const bytes = s.bits / 8;
    const opcode = storeOpcode(s.bits);
    if (s.host !== undefined) {
      const host = this.locals[s.host];
      if (host === undefined) throw new Error('a store without its load');
      this.node(host);
      this.node(s.value);
      f.memory(opcode, 0);
      return;
    }
    const value = this.bind(s.value);
    const host = this.translate(s.address, bytes, true, s.aligned === true);
    f.get(host);
    this.node(value);
    f.memory(opcode, 0);
  }

  // Where nodes take their values from: locals and constants.

  protected functionIndex(name: string, signature: Signature): number {
    return this.context.functionIndex(name, signature);
  }

  protected local(index: number): void {
    const local = this.locals[index];
    if (local === undefined) throw new Error(`local ${String(index)} has no value`);
    this.node(local);
  }

  protected generalRegister(register: number, bits: number): void {
    this.registers.get(L.RAX + 8 * register, bits);
  }

  protected operand(operand: number, bits: number): void {
    const address = this.operandAddress(operand);
    if (isVector(address)) this.registers.vectors.get(address);
    else if (bits === 128) {
      this.f.i32(address); // an MMX register
      this.f.memory(loadOpcode(128), 0);
    } else this.registers.get(address, bits);
  }

  private operandAddress(operand: number): number {
    return this.instruction.operands[operand as 0 | 1];
  }

  protected state(address: number, bits: number): void {
    if (isGeneral(address)) {
      this.registers.get(address, bits);
      return;
    }
    this.f.i32(0);
    this.f.memory(loadOpcode(bits), address);
  }

  protected immediate(): void {
    this.f.i64(this.instruction.immediate);
  }

  protected nextRip(): void {
    this.f.i64(this.instruction.nextRip);
  }

  protected addSegmentBase(): void {
    const { segment } = this.instruction;
    if (segment === L.ZERO) return;
    this.f.i32(0);
    this.f.memory(loadOpcode(64), segment);
    this.f.op(0x7c);
  }

  protected condition(code: number): Node {
    const form = this.flags.known();
    return conditionOfForm(code, form) ?? conditionOf(code, ...this.flagValues());
  }

  protected carry(): Node {
    return carryOfForm(this.flags.known()) ?? carryOf(this.flagValues()[1]);
  }

  protected flagsResult(): void {
    this.node(this.flagValues()[0]);
  }

  protected flagsAux(): void {
    this.node(this.flagValues()[1]);
  }

  /** FLAGS_RESULT and FLAGS_AUX as they would be now; bind() leaves a value that is being emitted alone. */
  private flagValues(): [Node, Node] {
    const { result, aux } = this.flags.both((value) => this.bind(value));
    return [result, aux];
  }

  protected offset(): void {
    const { f } = this;
    const { base, index, scale, shift, displacement, constantBase } = this.instruction;
    const fixed = BigInt.asUintN(64, (constantBase ?? 0n) + BigInt(displacement));
    let parts = 0;
    if (constantBase === undefined && base !== L.ZERO) {
      this.registers.get(base, 64);
      parts++;
    }
    if (index !== L.ZERO) {
      this.registers.get(index, 64);
      if (scale > 0) {
        f.i64(BigInt(scale));
        f.op(0x86);
      }
      if (parts++ > 0) f.op(0x7c);
    }
    if (fixed !== 0n || parts === 0) {
      f.i64(fixed);
      if (parts > 0) f.op(0x7c);
    }
    if (shift !== 0) {
      f.i64((1n << BigInt(64 - shift)) - 1n);
      f.op(0x83);
    }
  }
}

/** The statements end with what hot code leaves to the cold tier; nothing in front of it counts. */
const leaves = (statements: readonly Statement[]): boolean => {
  const last = statements.at(-1)?.kind;
  return last === 'raise' || last === 'rareHelper';
};
