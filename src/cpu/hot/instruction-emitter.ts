/**
 * Emits the instructions of hot code: registers in locals, flags kept as the operation that made them, loads and stores
 * straight to RAM through the TLB. Whatever is not plain leaves in front of the instruction.
 */
import { carryOf, carryOfForm, conditionOf, conditionOfForm, flagNodes, type FlagsForm } from '../ir/flags.js';
import type { Statement } from '../ir/lifter.js';
import { NodeEmitter } from '../ir/node-emitter.js';
import type { Node } from '../ir/nodes.js';
import * as L from '../state-layout.js';
import { FunctionWriter, type Signature, type ValueType } from '../wasm/encoder.js';
import { loadOpcode, storeOpcode } from '../wasm/opcodes.js';
import { emitHostAddress, fillSignature } from './host-address.js';
import type { ResolvedInstruction } from './records.js';
import type { RegionContext } from './region.js';

const GPRS = 16;

export abstract class InstructionEmitter extends NodeEmitter {
  protected readonly gpr = Array.from({ length: GPRS }, () => this.f.local('i64'));
  protected readonly flagsResultLocal = this.f.local('i64');
  protected readonly flagsAuxLocal = this.f.local('i64');
  /** General registers that the region reads or writes, and those that it writes. */
  protected readonly touched = new Set<number>();
  protected readonly written = new Set<number>();
  private readonly flagLocals = Array.from({ length: 6 }, () => this.f.local('i64'));
  private flagSet = 0;
  /** The operation whose flags are current; undefined: they are in flagsResultLocal and flagsAuxLocal. */
  protected form: FlagsForm | undefined;
  protected abstract readonly instruction: ResolvedInstruction;
  private locals: Node[] = [];
  private readonly pools = new Map<ValueType, { locals: number[]; used: number }>();

  protected constructor(protected readonly context: RegionContext) {
    super(new FunctionWriter(1)); // parameter 0: position of the block to enter
  }

  /** Emits: leave in front of the instruction; nothing of it is visible yet, so the cold tier does all of it. */
  protected abstract leave(): void;
  /** Emits: the instruction is done, go to the target. */
  protected abstract jump(target: Node): void;

  /** Emits a whole instruction, which is `this.instruction`. */
  protected wholeInstruction(): void {
    this.pools.forEach((pool) => (pool.used = 0));
    this.locals = [];
    for (const statement of this.instruction.lifter.statements) this.statement(statement);
  }

  /** Puts the flags of the current form into their locals, at this place in the code. */
  protected materialise(): void {
    if (this.form === undefined) return;
    const { f } = this;
    const { result, aux } = flagNodes(this.form, (value) => this.bind(value));
    this.node(aux);
    this.node(result);
    f.set(this.flagsResultLocal);
    f.set(this.flagsAuxLocal);
  }

  /** Emits one statement of the instruction at hand. */
  protected statement(s: Statement): void {
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
        f.i32(this.operandAddress(s.operand));
        this.node(s.value);
        f.memory(storeOpcode(128), 0);
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
        this.setFlags(s.form);
        return;
      case 'if':
        this.branch(s);
        return;
      case 'jump':
        this.jump(s.target);
        return;
      case 'jumpIf': {
        const { form } = this;
        this.node(s.condition);
        f.if();
        this.jump(s.target);
        f.end();
        this.form = form;
        return;
      }
      case 'raise':
        this.leave();
        return;
      case 'helper':
        throw new Error('a helper does not belong into hot code');
    }
  }

  /** A conditional part of an instruction: the flags are brought to their locals on every way through. */
  private branch(s: Extract<Statement, { kind: 'if' }>): void {
    const { f } = this;
    const setsFlags = [...s.then, ...s.else].some(({ kind }) => kind === 'flags');
    if (setsFlags) {
      this.materialise();
      this.form = undefined;
    }
    const before = this.form;
    this.node(s.condition);
    f.if();
    for (const statement of s.then) this.statement(statement);
    if (setsFlags) this.materialise();
    this.form = before;
    if (s.else.length > 0) {
      f.else();
      for (const statement of s.else) this.statement(statement);
      if (setsFlags) this.materialise();
      this.form = before;
    }
    f.end();
  }

  private setFlags(form: FlagsForm): void {
    this.flagSet ^= 1;
    const keep = (value: Node, position: number): Node => this.keep(value, position);
    if (form.kind === 'raw') {
      const aux = keep(form.aux, 1);
      this.form = { kind: 'raw', result: keep(form.result, 0), aux };
    } else if (form.kind === 'logic') this.form = { ...form, result: keep(form.result, 0) };
    else this.form = { ...form, a: keep(form.a, 1), b: keep(form.b, 2), result: keep(form.result, 0) };
  }

  // Registers.

  private touch(register: number): number {
    this.touched.add(register);
    return this.gpr[register] ?? 0;
  }

  /** Writes the register whose (low) byte is at this state address. */
  private setRegister(address: number, bits: number, value: Node): void {
    const { f } = this;
    const register = (address - L.RAX) >> 3;
    const high = (address & 7) === 1;
    const local = this.touch(register);
    this.written.add(register);
    if (bits === 64 || bits === 32) {
      this.node(value);
      if (bits === 32) {
        f.i64(0xffff_ffffn);
        f.op(0x83);
      }
      f.set(local);
      return;
    }
    const mask = bits === 16 ? 0xffffn : 0xffn;
    const shift = high ? 8n : 0n;
    this.node(value);
    f.i64(mask);
    f.op(0x83);
    if (high) {
      f.i64(shift);
      f.op(0x86);
    }
    f.get(local);
    f.i64(~(mask << shift));
    f.op(0x83, 0x84);
    f.set(local);
  }

  private getRegister(address: number, bits: number): void {
    const { f } = this;
    f.get(this.touch((address - L.RAX) >> 3));
    if (bits === 64) return;
    if ((address & 7) === 1) {
      f.i64(8n);
      f.op(0x88);
    }
    f.i64((1n << BigInt(bits)) - 1n);
    f.op(0x83);
  }

  // Locals.

  private fresh(type: ValueType): number {
    const pool = this.pools.get(type) ?? { locals: [], used: 0 };
    this.pools.set(type, pool);
    return (pool.locals[pool.used++] ??= this.f.local(type));
  }

  private assign(local: number, value: Node): void {
    const index = this.fresh(value.type);
    this.node(value);
    this.f.set(index);
    this.locals[local] = { type: value.type, source: { kind: 'hostLocal', index } };
  }

  protected bind(value: Node): Node {
    const index = this.fresh(value.type);
    this.node(value);
    this.f.set(index);
    return { type: value.type, source: { kind: 'hostLocal', index } };
  }

  /**
   * A copy that outlives the instruction: flags may be asked for much later. Two sets take turns, because the new form may
   * be made of the old one; more locals would cost the baseline compiler at every branch.
   */
  private keep(value: Node, position: number): Node {
    const index = this.flagLocals[this.flagSet * 3 + position] ?? 0;
    this.node(value);
    this.f.set(index);
    return { type: 'i64', source: { kind: 'hostLocal', index } };
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
      tlb,
      tag: write ? L.TLB_TAG_WRITE : L.TLB_TAG_READ,
      mask: this.context.tlbMask,
      bytes,
      fill: this.functionIndex(write ? 'hotWrite' : 'hotRead', fillSignature),
    });
    f.tee(host);
    f.op(0x45);
    f.if();
    this.leave();
    f.end();
    return host;
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
    this.getRegister(L.RAX + 8 * register, bits);
  }

  protected operand(operand: number, bits: number): void {
    const address = this.operandAddress(operand);
    if (bits === 128) {
      this.f.i32(address);
      this.f.memory(loadOpcode(128), 0);
    } else this.getRegister(address, bits);
  }

  private operandAddress(operand: number): number {
    return this.instruction.operands[operand as 0 | 1];
  }

  protected state(address: number, bits: number): void {
    if (isGeneral(address)) {
      this.getRegister(address, bits);
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
    return (this.form && conditionOfForm(code, this.form)) ?? conditionOf(code, ...this.flagValues());
  }

  protected carry(): Node {
    return (this.form && carryOfForm(this.form)) ?? carryOf(this.flagValues()[1]);
  }

  protected flagsResult(): void {
    this.node(this.flagValues()[0]);
  }

  protected flagsAux(): void {
    this.node(this.flagValues()[1]);
  }

  /** FLAGS_RESULT and FLAGS_AUX as they would be now. */
  private flagValues(): [Node, Node] {
    if (this.form === undefined) {
      return [
        { type: 'i64', source: { kind: 'hostLocal', index: this.flagsResultLocal } },
        { type: 'i64', source: { kind: 'hostLocal', index: this.flagsAuxLocal } },
      ];
    }
    // Asked for inside a value that is being emitted: bind() stores to a local and leaves the stack alone.
    const { result, aux } = flagNodes(this.form, (value) => this.bind(value));
    return [this.bind(result), this.bind(aux)];
  }

  protected offset(): void {
    const { f } = this;
    const { base, index, scale, shift, displacement, constantBase } = this.instruction;
    const fixed = BigInt.asUintN(64, (constantBase ?? 0n) + BigInt(displacement));
    let parts = 0;
    if (constantBase === undefined && base !== L.ZERO) {
      this.getRegister(base, 64);
      parts++;
    }
    if (index !== L.ZERO) {
      this.getRegister(index, 64);
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

const isGeneral = (address: number): boolean => address >= L.RAX && address < L.RAX + 8 * GPRS;
