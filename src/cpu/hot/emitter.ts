/**
 * Compiles a region: registers in locals, flags computed only where something looks at them, loads and stores straight
 * to RAM through the TLB. Whatever is not plain leaves in front of the instruction with exact state (STATUS_COLD).
 */
import { carryOf, carryOfForm, conditionOf, conditionOfForm, flagNodes, type FlagsForm } from '../ir/flags.js';
import type { Statement } from '../ir/lifter.js';
import { operators, type Node } from '../ir/nodes.js';
import * as L from '../state-layout.js';
import { FunctionWriter, type ValueType } from '../wasm/encoder.js';
import { isHot, type Region, type RegionBlock } from './region.js';
import type { ResolvedInstruction } from './records.js';

const GPRS = 16;
const loadOpcode: Readonly<Record<number, number>> = { 8: 0x31, 16: 0x33, 32: 0x35, 64: 0x29 };
const storeOpcode: Readonly<Record<number, number>> = { 8: 0x3c, 16: 0x3d, 32: 0x3e, 64: 0x37 };
const V128_LOAD = 0xfd00;
const V128_STORE = 0xfd0b;
const PAGE_MASK = ~0xfffn;

export interface HotFunction {
  readonly body: Uint8Array;
}

export class RegionEmitter {
  private readonly f = new FunctionWriter(1); // parameter 0: position of the block to enter

  private readonly gpr = Array.from({ length: GPRS }, () => this.f.local('i64'));
  private readonly flagsResult = this.f.local('i64');
  private readonly flagsAux = this.f.local('i64');
  private readonly budget = this.f.local('i32');
  private readonly next = 0;
  private readonly rip = this.f.local('i64');
  private readonly status = this.f.local('i32');
  private readonly touched = new Set<number>();
  private readonly written = new Set<number>();
  private readonly blockLabels: number[] = [];
  private dispatchLabel = 0;
  private exitLabel = 0;
  private selfLabel = 0;
  /** The operation whose flags are current; undefined: they are in flagsResult and flagsAux. */
  private form: FlagsForm | undefined;
  private current!: { position: number; index: number; count: number; instruction: ResolvedInstruction };
  private locals: Node[] = [];
  private readonly pools = new Map<ValueType, { locals: number[]; used: number }>();

  constructor(
    private readonly region: Region,
    private readonly functionIndex: (name: string) => number,
    private readonly tlbMask: number,
    private readonly user: boolean,
  ) {}

  emit(): HotFunction {
    const { f, region } = this;
    const count = region.blocks.length;
    this.exitLabel = f.block();
    this.dispatchLabel = f.loop();
    for (let i = count - 1; i >= 0; i--) this.blockLabels[i] = f.block();
    f.get(this.next);
    f.brTable(this.blockLabels.slice(0, count), this.blockLabels[0] ?? 0);
    region.blocks.forEach((block, position) => {
      f.end();
      this.block(block, position);
    });
    f.end(); // dispatch
    f.end(); // exit
    this.epilogue();
    const prologue = this.prologue();
    return { body: f.bodyWithPrologue(prologue) };
  }

  private prologue(): FunctionWriter {
    const p = new FunctionWriter(1);
    for (const register of this.touched) {
      p.i32(0);
      p.memory(0x29, L.RAX + 8 * register);
      p.set(this.gpr[register] ?? 0);
    }
    for (const [local, address] of [
      [this.flagsResult, L.FLAGS_RESULT],
      [this.flagsAux, L.FLAGS_AUX],
    ] as const) {
      p.i32(0);
      p.memory(0x29, address);
      p.set(local);
    }
    p.i32(0);
    p.memory(0x28, L.BUDGET);
    p.set(this.budget);
    return p;
  }

  private epilogue(): void {
    const { f } = this;
    const store = (address: number, local: number): void => {
      f.i32(0);
      f.get(local);
      f.memory(0x37, address);
    };
    for (const register of this.written) store(L.RAX + 8 * register, this.gpr[register] ?? 0);
    store(L.FLAGS_RESULT, this.flagsResult);
    store(L.FLAGS_AUX, this.flagsAux);
    store(L.RIP, this.rip);
    f.i32(0);
    f.get(this.budget);
    f.memory(0x36, L.BUDGET);
    f.get(this.status);
  }

  private block({ block, body }: RegionBlock, position: number): void {
    const { f } = this;
    const all = body.instructions;
    const last = all.at(-1);
    const cutsShort = last !== undefined && !isHot(last);
    const hot = cutsShort ? all.slice(0, -1) : all;
    this.form = undefined;
    this.selfLabel = f.loop();
    f.get(this.budget);
    f.i32(hot.length);
    f.op(0x48); // lt_s
    f.if();
    this.exit(block.linear, L.STATUS_COLD);
    f.end();
    this.charge(-hot.length);
    hot.forEach((instruction, index) => {
      this.current = { position, index, count: hot.length, instruction };
      this.pools.forEach((pool) => (pool.used = 0));
      this.locals = [];
      for (const statement of instruction.lifter.statements) this.statement(statement);
    });
    if (cutsShort) this.exit(last.address, L.STATUS_COLD);
    else if (body.fallThrough === undefined) this.exit(last?.nextRip ?? block.linear, L.STATUS_JUMP);
    else this.goTo(body.fallThrough, last?.address ?? block.linear);
    f.end();
  }

  private charge(instructions: number): void {
    if (instructions === 0) return;
    const { f } = this;
    f.get(this.budget);
    f.i32(instructions);
    f.op(0x6a);
    f.set(this.budget);
  }

  /** Leaves the region for `rip`; flags are put where the epilogue stores them from. */
  private exit(rip: bigint, status: number): void {
    const { f } = this;
    this.materialise();
    f.i64(rip);
    f.set(this.rip);
    f.i32(status);
    f.set(this.status);
    f.br(this.exitLabel);
  }

  /** In the middle of an instruction: nothing of it is visible yet, so the cold tier does all of it. */
  private leave(): void {
    const { index, count, instruction } = this.current;
    this.charge(count - index);
    this.exit(instruction.address, L.STATUS_COLD);
  }

  /** Puts the flags of the current form into their locals, at this place in the code. */
  private materialise(): void {
    if (this.form === undefined) return;
    const { f } = this;
    const { result, aux } = flagNodes(this.form, (value) => this.bind(value));
    this.node(aux);
    this.node(result);
    f.set(this.flagsResult);
    f.set(this.flagsAux);
  }

  /** Goes to a linear address: within the region when its block is here and its page is mapped as it was, else out. */
  private goTo(target: bigint, from: bigint): void {
    const { f, region } = this;
    const position = region.byAddress.get(target);
    const found = position === undefined ? undefined : region.blocks[position];
    if (position === undefined || found === undefined) {
      this.exit(target, L.STATUS_JUMP);
      return;
    }
    const form = this.form;
    this.materialise();
    this.form = undefined;
    if ((target & PAGE_MASK) !== (from & PAGE_MASK)) {
      // As the cold tier's look-up: the fetch TLB must have the page, at the place the block was translated from.
      const fetch = this.user ? L.TLB_FETCH_USER : L.TLB_FETCH_SUPERVISOR;
      const entry = fetch + (Number((target >> 12n) & BigInt(this.tlbMask)) << L.TLB_ENTRY_SHIFT);
      f.i32(0);
      f.memory(0x29, entry + L.TLB_TAG_READ);
      f.i64(target & PAGE_MASK);
      f.op(0x52); // ne
      f.i32(0);
      f.memory(0x28, entry + L.TLB_PHYSICAL);
      f.i32(found.block.physical & ~0xfff);
      f.op(0x47, 0x72); // ne, or
      f.if();
      this.exit(target, L.STATUS_JUMP);
      f.end();
    }
    if (position === this.current.position) f.br(this.selfLabel);
    else if (position > this.current.position) f.br(this.blockLabels[position] ?? 0);
    else {
      f.i32(position);
      f.set(this.next);
      f.br(this.dispatchLabel);
    }
    this.form = form;
  }

  private statement(s: Statement): void {
    const { f } = this;
    switch (s.kind) {
      case 'let':
        this.assign(s.local, s.value);
        return;
      case 'setOperand':
        this.setRegister(this.current.instruction.operands[s.operand as 0 | 1], s.bits, s.value);
        return;
      case 'setRegister':
        this.setRegister(L.RAX + 8 * s.register, s.bits, s.value);
        return;
      case 'setVector':
        f.i32(this.current.instruction.operands[s.operand as 0 | 1]);
        this.node(s.value);
        f.memory(V128_STORE, 0);
        return;
      case 'setState':
        if (isGeneral(s.address)) {
          this.setRegister(s.address, s.bits, s.value);
          return;
        }
        f.i32(s.address);
        this.node(s.value);
        f.memory(storeOpcode[s.bits] ?? 0x37, 0);
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
        const form = this.form;
        this.node(s.condition);
        f.if();
        const { index, count, instruction } = this.current;
        this.charge(count - index - 1);
        this.goTo(instruction.immediate, instruction.address);
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
    const keep = (value: Node): Node => this.keep(value);
    if (form.kind === 'raw') {
      const aux = keep(form.aux);
      this.form = { kind: 'raw', result: keep(form.result), aux };
    } else if (form.kind === 'logic') this.form = { ...form, result: keep(form.result) };
    else this.form = { ...form, a: keep(form.a), b: keep(form.b), result: keep(form.result) };
  }

  /** A direct branch, or an indirect one that is compared with the return addresses of the region's calls. */
  private jump(target: Node): void {
    const { f } = this;
    const { index, count, instruction } = this.current;
    this.charge(count - index - 1);
    if (target.source.kind === 'immediate') {
      this.goTo(instruction.immediate, instruction.address);
      return;
    }
    const value = this.bind(target);
    for (const site of this.returnSites()) {
      this.node(value);
      f.i64(site);
      f.op(0x51);
      f.if();
      this.goTo(site, instruction.address);
      f.end();
    }
    this.materialise();
    this.node(value);
    f.set(this.rip);
    f.i32(L.STATUS_JUMP);
    f.set(this.status);
    f.br(this.exitLabel);
  }

  /** Addresses behind the region's direct calls, as far as their blocks are part of it. */
  private returnSites(): bigint[] {
    const sites = this.region.blocks.flatMap(({ body }) => {
      const last = body.instructions.at(-1);
      const calls = last?.lifter.statements.some(({ kind }) => kind === 'store') ?? false;
      const jumps = last?.lifter.statements.some(({ kind }) => kind === 'jump') ?? false;
      return last !== undefined && calls && jumps && this.region.byAddress.has(last.nextRip) ? [last.nextRip] : [];
    });
    return [...new Set(sites)].slice(0, 4);
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

  private bind(value: Node): Node {
    const index = this.fresh(value.type);
    this.node(value);
    this.f.set(index);
    return { type: value.type, source: { kind: 'hostLocal', index } };
  }

  /** A copy that outlives the instruction: flags may be asked for much later. */
  private keep(value: Node): Node {
    const index = this.f.local('i64');
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
    const tlb = this.user ? L.TLB_USER : L.TLB_SUPERVISOR;
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
    f.get(linear);
    f.i64(12n);
    f.op(0x88, 0xa7);
    f.i32(this.tlbMask);
    f.op(0x71);
    f.i32(L.TLB_ENTRY_SHIFT);
    f.op(0x74);
    f.tee(entry);
    f.memory(0x29, tlb + (write ? L.TLB_TAG_WRITE : L.TLB_TAG_READ));
    f.get(linear);
    if (bytes > 1) {
      f.i64(BigInt(bytes - 1));
      f.op(0x7c);
    }
    f.i64(PAGE_MASK);
    f.op(0x83, 0x51);
    f.if('i32');
    f.get(linear);
    f.op(0xa7);
    f.get(entry);
    f.memory(0x28, tlb + L.TLB_ADDEND);
    f.op(0x6a);
    f.else();
    f.get(linear);
    f.i32(bytes);
    f.call(this.functionIndex(write ? 'hotWrite' : 'hotRead'));
    f.end();
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
    f.memory(bytes === 16 ? V128_LOAD : (loadOpcode[s.bits] ?? 0x29), 0);
    f.set(value);
    this.locals[s.local] = { type, source: { kind: 'hostLocal', index: value } };
    if (s.host !== undefined) this.locals[s.host] = { type: 'i32', source: { kind: 'hostLocal', index: host } };
  }

  private store(s: Extract<Statement, { kind: 'store' }>): void {
    const { f } = this;
    const bytes = s.bits / 8;
    const opcode = bytes === 16 ? V128_STORE : (storeOpcode[s.bits] ?? 0x37);
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

  // Nodes.

  private node(n: Node): void {
    const { f } = this;
    const { source } = n;
    const { instruction } = this.current;
    switch (source.kind) {
      case 'constant':
        f.i64(source.value);
        return;
      case 'constant32':
        f.i32(source.value);
        return;
      case 'local': {
        const local = this.locals[source.index];
        if (local === undefined) throw new Error(`local ${String(source.index)} has no value`);
        this.node(local);
        return;
      }
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
        f.call(this.functionIndex(source.name));
        return;
      case 'register':
        this.getRegister(L.RAX + 8 * source.register, source.bits);
        return;
      case 'operand':
        this.getRegister(instruction.operands[source.operand as 0 | 1], source.bits);
        return;
      case 'vectorRegister':
        f.i32(instruction.operands[source.operand as 0 | 1]);
        f.memory(V128_LOAD, 0);
        return;
      case 'state':
        if (isGeneral(source.address)) {
          this.getRegister(source.address, source.bits);
          return;
        }
        f.i32(0);
        f.memory(loadOpcode[source.bits] ?? 0x29, source.address);
        return;
      case 'immediate':
        f.i64(instruction.immediate);
        return;
      case 'nextRip':
        f.i64(instruction.nextRip);
        return;
      case 'offset':
        this.offset();
        return;
      case 'effectiveAddress':
        this.offset();
        if (instruction.segment !== L.ZERO) {
          f.i32(0);
          f.memory(0x29, instruction.segment);
          f.op(0x7c);
        }
        return;
      case 'condition':
        this.node(
          (this.form && conditionOfForm(source.code, this.form)) ?? conditionOf(source.code, ...this.flagValues()),
        );
        return;
      case 'carry':
        this.node((this.form && carryOfForm(this.form)) ?? carryOf(this.flagValues()[1]));
        return;
      case 'flagsResult':
        this.node(this.flagValues()[0]);
        return;
      case 'flagsAux':
        this.node(this.flagValues()[1]);
        return;
    }
  }

  /** FLAGS_RESULT and FLAGS_AUX as they would be now. */
  private flagValues(): [Node, Node] {
    if (this.form === undefined) {
      return [
        { type: 'i64', source: { kind: 'hostLocal', index: this.flagsResult } },
        { type: 'i64', source: { kind: 'hostLocal', index: this.flagsAux } },
      ];
    }
    // Only asked for inside a value that is being emitted: bind() stores to a local and leaves the stack alone.
    const { result, aux } = flagNodes(this.form, (value) => this.bind(value));
    return [this.bind(result), this.bind(aux)];
  }

  private offset(): void {
    const { f } = this;
    const { base, index, scale, shift, displacement, constantBase } = this.current.instruction;
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
