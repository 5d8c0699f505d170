/** Compiles a region to the body of one function; its parameter is the position of the block to enter. */
import type { Node } from '../ir/nodes.js';
import * as L from '../state-layout.js';
import { FunctionWriter } from '../wasm/encoder.js';
import { I32_LOAD, I32_STORE, I64_LOAD, I64_STORE } from '../wasm/opcodes.js';
import { InstructionEmitter } from './instruction-emitter.js';
import type { ResolvedInstruction } from './records.js';
import { isHot, type Region, type RegionBlock, type RegionContext } from './region.js';

const PAGE_MASK = ~0xfffn;
const ENTRY = 0; // parameter: position of the block to go to

/** (position: i32) => STATUS_JUMP or STATUS_COLD, with RIP and BUDGET stored. */
export class RegionEmitter extends InstructionEmitter {
  private readonly budget = this.f.local('i32');
  private readonly rip = this.f.local('i64');
  private readonly status = this.f.local('i32');
  private readonly blockLabels: number[] = [];
  private dispatchLabel = 0;
  private exitLabel = 0;
  private selfLabel = 0;
  private current!: { position: number; index: number; count: number; instruction: ResolvedInstruction };

  constructor(
    private readonly region: Region,
    context: RegionContext,
  ) {
    super(context);
  }

  protected get instruction(): ResolvedInstruction {
    return this.current.instruction;
  }

  /** The function's encoded body. */
  emit(): Uint8Array {
    const { f, region } = this;
    const count = region.blocks.length;
    this.exitLabel = f.block();
    this.dispatchLabel = f.loop();
    for (let i = count - 1; i >= 0; i--) this.blockLabels[i] = f.block();
    f.get(ENTRY);
    f.brTable(this.blockLabels.slice(0, count), this.blockLabels[0] ?? 0);
    region.blocks.forEach((block, position) => {
      f.end();
      this.block(block, position);
    });
    f.end(); // dispatch
    f.end(); // exit
    this.epilogue();
    const prologue = this.prologue();
    return f.bodyWithPrologue(prologue);
  }

  private prologue(): FunctionWriter {
    const p = new FunctionWriter(1);
    for (const register of this.touched) {
      p.i32(0);
      p.memory(I64_LOAD, L.RAX + 8 * register);
      p.set(this.gpr[register] ?? 0);
    }
    for (const [local, address] of [
      [this.flagsResultLocal, L.FLAGS_RESULT],
      [this.flagsAuxLocal, L.FLAGS_AUX],
    ] as const) {
      p.i32(0);
      p.memory(I64_LOAD, address);
      p.set(local);
    }
    p.i32(0);
    p.memory(I32_LOAD, L.BUDGET);
    p.set(this.budget);
    return p;
  }

  private epilogue(): void {
    const { f } = this;
    const store = (address: number, local: number): void => {
      f.i32(0);
      f.get(local);
      f.memory(I64_STORE, address);
    };
    for (const register of this.written) store(L.RAX + 8 * register, this.gpr[register] ?? 0);
    store(L.FLAGS_RESULT, this.flagsResultLocal);
    store(L.FLAGS_AUX, this.flagsAuxLocal);
    store(L.RIP, this.rip);
    f.i32(0);
    f.get(this.budget);
    f.memory(I32_STORE, L.BUDGET);
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
      this.wholeInstruction();
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
  protected leave(): void {
    const { index, count, instruction } = this.current;
    this.charge(count - index);
    this.exit(instruction.address, L.STATUS_COLD);
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
      const fetch = this.context.user ? L.TLB_FETCH_USER : L.TLB_FETCH_SUPERVISOR;
      const entry = fetch + (Number((target >> 12n) & BigInt(this.context.tlbMask)) << L.TLB_ENTRY_SHIFT);
      f.i32(0);
      f.memory(I64_LOAD, entry + L.TLB_TAG_READ);
      f.i64(target & PAGE_MASK);
      f.op(0x52); // ne
      f.i32(0);
      f.memory(I32_LOAD, entry + L.TLB_PHYSICAL);
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
      f.set(ENTRY);
      f.br(this.dispatchLabel);
    }
    this.form = form;
  }

  /** A direct branch, or an indirect one that is compared with the return addresses of the region's calls. */
  protected jump(target: Node): void {
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
}
