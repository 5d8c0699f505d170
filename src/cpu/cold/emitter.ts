/** Turns an instruction's statements into WebAssembly whose operands come from an instruction record at run time. */
import { carryOf, conditionOf, flagNodes } from '../ir/flags.js';
import type { Lifter, Statement } from '../ir/lifter.js';
import { NodeEmitter } from '../ir/node-emitter.js';
import type { Node } from '../ir/nodes.js';
import * as L from '../state-layout.js';
import type { FunctionWriter } from '../wasm/encoder.js';
import { I32_LOAD, I64_LOAD, loadOpcode, storeOpcode } from '../wasm/opcodes.js';
import type { ColdContext } from './context.js';

const flagsResult: Node = { type: 'i64', source: { kind: 'flagsResult' } };
const flagsAux: Node = { type: 'i64', source: { kind: 'flagsAux' } };

export class ColdEmitter extends NodeEmitter {
  private locals: number[] = [];

  constructor(
    f: FunctionWriter,
    private readonly context: ColdContext,
  ) {
    super(f);
  }

  emit(lifter: Lifter): void {
    this.locals = lifter.localTypes.map((type) => this.context.local(type));
    this.statements(lifter.statements);
  }

  private statements(list: readonly Statement[]): void {
    for (const statement of list) this.statement(statement);
  }

  private localOf(local: number): number {
    const index = this.locals[local];
    if (index === undefined) throw new Error(`local ${String(local)} was not declared`);
    return index;
  }

  private statement(s: Statement): void {
    const { f, context } = this;
    switch (s.kind) {
      case 'let':
        this.node(s.value);
        f.set(this.localOf(s.local));
        return;
      case 'setOperand':
        this.field(I32_LOAD, L.REC_OP0 + 4 * s.operand);
        this.registerValue(s.value, s.bits);
        return;
      case 'setVector':
        this.field(I32_LOAD, L.REC_OP0 + 4 * s.operand);
        this.node(s.value);
        f.memory(storeOpcode(128), 0);
        return;
      case 'setRegister':
        f.i32(L.RAX + 8 * s.register);
        this.registerValue(s.value, s.bits);
        return;
      case 'setState':
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
      case 'flags': {
        const { result, aux } = flagNodes(s.form, (value) => this.bind(value));
        const kept = this.bind(aux);
        f.i32(0);
        this.node(result);
        f.memory(0x37, L.FLAGS_RESULT);
        f.i32(0);
        this.node(kept);
        f.memory(0x37, L.FLAGS_AUX);
        return;
      }
      case 'if':
        this.node(s.condition);
        f.if();
        this.statements(s.then);
        if (s.else.length > 0) {
          f.else();
          this.statements(s.else);
        }
        f.end();
        return;
      case 'jump':
        this.jumpTo(s.target);
        return;
      case 'jumpIf':
        this.node(s.condition);
        f.if();
        this.jumpTo(s.target);
        f.end();
        return;
      case 'raise':
        f.i32(s.vector);
        f.i32(s.errorCode ?? 0);
        f.i32(s.errorCode === undefined ? 0 : 1);
        f.call(context.functionIndex('raise'));
        f.op(0x1a); // drop
        context.fault();
        return;
      case 'helper':
      case 'rareHelper':
        context.beforeCall();
        f.get(context.record);
        f.call(context.functionIndex(s.name));
        context.afterCall();
        context.status();
        return;
    }
  }

  private bind(value: Node): Node {
    const local = this.context.local(value.type);
    this.node(value);
    this.f.set(local);
    this.locals.push(local);
    return { type: value.type, source: { kind: 'local', index: this.locals.length - 1 } };
  }

  /** The address is on the stack; stores a register's new value as its width wants it. */
  private registerValue(value: Node, bits: number): void {
    this.node(value);
    if (bits === 32) {
      this.f.i64(0xffff_ffffn);
      this.f.op(0x83);
    }
    this.f.memory(bits === 8 ? 0x3c : bits === 16 ? 0x3d : 0x37, 0);
  }

  private jumpTo(target: Node): void {
    if (target.source.kind === 'immediate') {
      this.context.jumpDirect();
      return;
    }
    this.f.i32(0);
    this.node(target);
    this.f.memory(0x37, L.RIP);
    this.context.jump();
  }

  /** 1 for the stack itself, else whether the record's memory operand lies in the stack segment. */
  private stackFlag(stack: boolean): void {
    const { f } = this;
    if (stack) {
      f.i32(1);
      return;
    }
    f.get(this.context.record);
    f.memory(0x2d, L.REC_FLAGS);
    f.i32(L.REC_STACK_SEGMENT);
    f.op(0x71);
  }

  /** Leaves the instruction when the slow path has raised a fault. */
  private checkFault(): void {
    const { f } = this;
    f.i32(0);
    f.memory(0x28, L.FAULT_PENDING);
    f.if();
    this.context.fault();
    f.end();
  }

  /**
   * Address and TLB entry into fresh locals, then the comparison of the wanted tag on the stack: 1 when the access
   * may go straight to RAM.
   */
  private probe(address: Node, bytes: number, tag: number): { address: number; entry: number } {
    const { f, context } = this;
    const addressLocal = context.local('i64');
    const entry = context.local('i32');
    this.node(address);
    f.tee(addressLocal);
    f.i64(12n);
    f.op(0x88, 0xa7); // shr_u, wrap
    f.i32(0);
    f.memory(0x28, L.TLB_MASK);
    f.op(0x71); // and
    f.i32(L.TLB_ENTRY_SHIFT);
    f.op(0x74); // shl
    f.i32(0);
    f.memory(0x28, L.TLB_DATA);
    f.op(0x6a); // add
    f.tee(entry);
    f.memory(0x29, tag);
    f.get(addressLocal);
    if (bytes > 1) {
      f.i64(BigInt(bytes - 1));
      f.op(0x7c);
    }
    f.i64(-0x1000n);
    f.op(0x83, 0x51); // and, eq
    return { address: addressLocal, entry };
  }

  private hostAddress(address: number, entry: number): void {
    const { f } = this;
    f.get(address);
    f.op(0xa7);
    f.get(entry);
    f.memory(0x28, L.TLB_ADDEND);
    f.op(0x6a);
  }

  private load(s: Extract<Statement, { kind: 'load' }>): void {
    const { f, context } = this;
    const bytes = s.bits / 8;
    const forWrite = s.host !== undefined;
    const probed = this.probe(s.address, bytes, forWrite ? L.TLB_TAG_WRITE : L.TLB_TAG_READ);
    this.requireAlignment(s, probed.address);
    f.if();
    this.hostAddress(probed.address, probed.entry);
    if (s.host !== undefined) f.tee(this.localOf(s.host));
    f.memory(loadOpcode(s.bits), 0);
    f.set(this.localOf(s.local));
    f.else();
    context.beforeCall();
    f.get(probed.address);
    if (bytes === 16) {
      f.i32(s.aligned ? 1 : 0);
      this.stackFlag(s.stack);
      f.call(context.functionIndex('load128Slow'));
      context.afterCall();
      this.checkFault();
      f.i32(0);
      f.memory(loadOpcode(128), L.SCRATCH);
    } else {
      f.i32(bytes);
      this.stackFlag(s.stack);
      f.call(context.functionIndex(forWrite ? 'loadForWriteSlow' : 'loadSlow'));
      context.afterCall();
      if (s.host !== undefined) {
        f.i32(0);
        f.set(this.localOf(s.host));
      }
      f.set(this.localOf(s.local));
      this.checkFault();
      f.get(this.localOf(s.local));
    }
    f.set(this.localOf(s.local));
    f.end();
  }

  /** With the tag comparison on the stack: a misaligned 128-bit access that must be aligned takes the slow path. */
  private requireAlignment(s: { readonly aligned?: boolean }, address: number): void {
    if (s.aligned !== true) return;
    const { f } = this;
    f.get(address);
    f.i64(15n);
    f.op(0x83, 0x50, 0x71); // and, eqz, and
  }

  private store(s: Extract<Statement, { kind: 'store' }>): void {
    const { f } = this;
    const bytes = s.bits / 8;
    if (s.host !== undefined) {
      const host = this.localOf(s.host);
      const value = this.bind(s.value);
      f.get(host);
      f.if();
      f.get(host);
      this.node(value);
      f.memory(storeOpcode(s.bits), 0);
      f.else();
      this.node(s.address);
      this.storeSlow(value, bytes, s);
      f.end();
      return;
    }
    const value = this.bind(s.value);
    const probed = this.probe(s.address, bytes, L.TLB_TAG_WRITE);
    this.requireAlignment(s, probed.address);
    f.if();
    this.hostAddress(probed.address, probed.entry);
    this.node(value);
    f.memory(storeOpcode(s.bits), 0);
    f.else();
    f.get(probed.address);
    this.storeSlow(value, bytes, s);
    f.end();
  }

  /** The linear address is on the stack. */
  private storeSlow(value: Node, bytes: number, s: { readonly stack: boolean; readonly aligned?: boolean }): void {
    const { f, context } = this;
    context.beforeCall();
    if (bytes === 16) {
      f.i32(0);
      this.node(value);
      f.memory(storeOpcode(128), L.SCRATCH);
      f.i32(s.aligned ? 1 : 0);
      this.stackFlag(s.stack);
      f.call(context.functionIndex('store128Slow'));
    } else {
      this.node(value);
      f.i32(bytes);
      this.stackFlag(s.stack);
      f.call(context.functionIndex('storeSlow'));
    }
    context.afterCall();
    this.checkFault();
  }

  // Where nodes take their values from: the record at hand and the state in memory.

  protected functionIndex(name: string): number {
    return this.context.functionIndex(name);
  }

  protected local(index: number): void {
    this.f.get(this.localOf(index));
  }

  protected generalRegister(register: number, bits: number): void {
    this.state(L.RAX + 8 * register, bits);
  }

  protected operand(operand: number, bits: number): void {
    this.field(I32_LOAD, L.REC_OP0 + 4 * operand);
    this.f.memory(loadOpcode(bits), 0);
  }

  protected state(address: number, bits: number): void {
    this.f.i32(0);
    this.f.memory(loadOpcode(bits), address);
  }

  protected immediate(): void {
    this.field(I64_LOAD, L.REC_IMMEDIATE);
  }

  protected nextRip(): void {
    this.field(I64_LOAD, L.REC_NEXT_RIP);
  }

  /** ((base + (index << scale) + displacement) << shift) >>> shift. */
  protected offset(): void {
    const { f } = this;
    this.field(I32_LOAD, L.REC_BASE);
    f.memory(I64_LOAD, 0);
    this.field(I32_LOAD, L.REC_INDEX);
    f.memory(I64_LOAD, 0);
    this.field(loadOpcode(8), L.REC_SCALE);
    f.op(0x86, 0x7c);
    this.field(0x34, L.REC_DISPLACEMENT); // i64.load32_s
    f.op(0x7c);
    this.field(loadOpcode(8), L.REC_SHIFT);
    f.op(0x86);
    this.field(loadOpcode(8), L.REC_SHIFT);
    f.op(0x88);
  }

  protected addSegmentBase(): void {
    this.field(I32_LOAD, L.REC_SEGMENT);
    this.f.memory(I64_LOAD, 0);
    this.f.op(0x7c);
  }

  protected condition(code: number): Node {
    return conditionOf(code, flagsResult, flagsAux);
  }

  protected carry(): Node {
    return carryOf(flagsAux);
  }

  protected flagsResult(): void {
    this.state(L.FLAGS_RESULT, 64);
  }

  protected flagsAux(): void {
    this.state(L.FLAGS_AUX, 64);
  }

  /** A field of the record. */
  private field(opcode: number, offset: number): void {
    this.f.get(this.context.record);
    this.f.memory(opcode, offset);
  }
}
