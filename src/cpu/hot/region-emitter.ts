/** Compiles a region to the body of one function; its parameter is the position among the region's entries. */
import type { FlagsForm } from '../ir/flags.js';
import type { Node } from '../ir/nodes.js';
import * as L from '../state-layout.js';
import type { FunctionBody, Signature } from '../wasm/encoder.js';
import { I32_LOAD, I32_STORE, I64_LOAD, I64_STORE } from '../wasm/opcodes.js';
import { addendSlot } from './expected-addends.js';
import { InstructionEmitter } from './instruction-emitter.js';
import { unseenFlags, type ResolvedInstruction } from './records.js';
import { registerBit, type RegisterUse } from './register-locals.js';
import type { Region, RegionBlock, RegionContext } from './region.js';
import { structure, type Part } from './structure.js';

const PAGE_MASK = ~0xfffn;
const WAY = 0; // parameter: which entry; later: which header of a loop that has several

/** How to get to a block from where the code stands. */
interface Place {
  readonly label: number;
  /** What WAY has to be on arrival; undefined where there is no choice. */
  readonly way: number | undefined;
}

/** (entry: i32) => STATUS_JUMP or STATUS_COLD, with the guest's state in memory. */
export class RegionEmitter extends InstructionEmitter {
  private readonly budget = this.f.local('i32');
  private readonly rip = this.f.local('i64');
  private readonly status = this.f.local('i32');
  private readonly epoch = this.f.local('i32');
  private readonly places: Place[] = [];
  /** Blocks that are dispatched to by number: entries, then headers of loops that have several. */
  private readonly ways: number[];
  /** What the flags follow from where a block begins, as far as all ways there agree. */
  private readonly arriving: (FlagsForm | 'several' | undefined)[] = [];
  /** Blocks that are entered from outside, or that a loop comes back to. */
  private readonly entered: Set<number>;
  private jumpLabel = 0;
  private coldLabel = 0;
  private current!: RegionBlock;
  /** Instructions of the current block that are charged but not yet executed, the one at hand included. */
  private ahead = 0;
  /** Counters of the current block's ways out, by how many instructions are left then. */
  private readonly sites = new Map<number, number>();

  constructor(
    private readonly region: Region,
    context: RegionContext,
  ) {
    super(context, usedBy(region));
    this.ways = [...region.entries];
    this.entered = new Set(region.entries);
  }

  /** The function's encoded body. */
  emit(): FunctionBody {
    const { f, region } = this;
    this.prologue();
    const done = f.block();
    this.coldLabel = f.block();
    this.jumpLabel = f.block();
    const successors = region.blocks.map(({ targets, through, returnTo }) =>
      [...targets.values(), through, returnTo?.position].filter((position) => position !== undefined),
    );
    this.sequence(structure(successors, region.entries), region.entries);
    f.end(); // jump
    f.i32(L.STATUS_JUMP);
    f.set(this.status);
    f.br(done);
    f.end(); // cold
    f.i32(L.STATUS_COLD);
    f.set(this.status);
    f.end(); // done
    this.epilogue();
    return f.body();
  }

  private prologue(): void {
    const { f } = this;
    this.registers.load();
    this.addends.load();
    this.flags.takeOver();
    f.i32(0);
    f.memory(I32_LOAD, L.BUDGET);
    f.set(this.budget);
  }

  private epilogue(): void {
    const { f } = this;
    this.registers.store();
    this.flags.handOver();
    f.i32(0);
    f.get(this.rip);
    f.memory(I64_STORE, L.RIP);
    f.i32(0);
    f.get(this.budget);
    f.memory(I32_STORE, L.BUDGET);
    f.get(this.status);
  }

  /**
   * Emits parts one behind the other; `entered` blocks are reached from in front. Within a loop those are its headers, and
   * whoever goes to one of them from here on begins the loop again, at `again`.
   */
  private sequence(list: readonly Part[], entered: readonly number[], again?: number): void {
    const { f } = this;
    for (let i = list.length - 1; i >= 0; i--) {
      const part = list[i];
      const label = f.block();
      if (part?.kind === 'block') this.places[part.block] = { label, way: undefined };
      else if (part !== undefined) this.placeHeaders(part.headers, label);
    }
    if (entered.length > 1 || !startsWith(list[0], entered[0])) this.dispatch(entered);
    if (again !== undefined) this.placeHeaders(entered, again);
    for (const part of list) {
      f.end();
      if (part.kind === 'block') this.block(part.block);
      else {
        for (const header of part.headers) this.entered.add(header);
        const label = f.loop();
        this.sequence(part.body, part.headers, label);
        f.end();
      }
    }
  }

  private placeHeaders(headers: readonly number[], label: number): void {
    for (const header of headers) {
      this.places[header] = { label, way: headers.length > 1 ? this.wayTo(header) : undefined };
    }
  }

  private wayTo(block: number): number {
    const known = this.ways.indexOf(block);
    return known >= 0 ? known : this.ways.push(block) - 1;
  }

  /** Emits: to the entered block that WAY names. */
  private dispatch(entered: readonly number[]): void {
    const { f } = this;
    const labelOf = (block: number | undefined): number => this.places[block ?? 0]?.label ?? 0;
    const fallback = labelOf(entered[0]);
    const table = new Array<number>(this.ways.length).fill(fallback);
    for (const block of entered) table[this.wayTo(block)] = labelOf(block);
    f.get(WAY);
    f.brTable(table, fallback);
  }

  private block(position: number): void {
    const { f, context } = this;
    const block = this.region.blocks[position];
    if (block === undefined) throw new Error('no such block');
    const { instructions, end } = block;
    this.current = block;
    const arriving = this.arriving[position];
    this.flags.form = arriving === 'several' || this.entered.has(position) ? undefined : arriving;
    this.arriving[position] = 'several'; // who comes from here on comes back
    this.ahead = instructions.length;
    f.get(this.budget);
    f.i32(instructions.length);
    f.op(0x6b); // sub
    f.tee(this.budget);
    f.i32(0);
    f.op(0x48); // lt_s
    f.hint(false);
    f.if();
    this.charge(instructions.length);
    this.exit(block.block.linear, this.coldLabel);
    f.end();
    this.sites.clear();
    if (context.counters !== undefined) this.count(context.counters.executed(...recordsOf(instructions, 0)));
    const unseen = unseenFlags(instructions);
    instructions.forEach((instruction, index) => {
      this.flags.unseen = unseen[index] ?? false;
      this.ahead = instructions.length - index;
      this.index = index;
      this.emitInstruction(instruction);
    });
    this.flags.unseen = false;
    const last = instructions.at(-1);
    if (last !== undefined && last.shape.transfer !== 'none' && last.shape.transfer !== 'branch') return;
    if (end.kind === 'cold') this.exit(end.address, this.coldLabel);
    else this.goTo(block.through, end.address, last?.address ?? end.address);
  }

  private index = 0;

  private charge(instructions: number): void {
    if (instructions === 0) return;
    const { f } = this;
    f.get(this.budget);
    f.i32(instructions);
    f.op(0x6a); // add
    f.set(this.budget);
  }

  /** Takes back the charge for the last instructions of the block, which hot code leaves in front of. */
  private takeBack(instructions: number): void {
    this.charge(instructions);
    this.countLeft(instructions);
  }

  /** Counts that the last instructions of the block are not executed after all. */
  private countLeft(instructions: number): void {
    const { counters } = this.context;
    if (counters === undefined || instructions === 0) return;
    let site = this.sites.get(instructions);
    if (site === undefined) {
      const all = this.current.instructions;
      site = counters.takenBack(...recordsOf(all, all.length - instructions));
      this.sites.set(instructions, site);
    }
    this.count(site);
  }

  private count(counter: number): void {
    const { f } = this;
    f.i32(0);
    f.i32(0);
    f.memory(I32_LOAD, counter);
    f.i32(1);
    f.op(0x6a); // add
    f.memory(I32_STORE, counter);
  }

  private exit(rip: bigint, label: number): void {
    const { f } = this;
    f.i64(rip);
    f.set(this.rip);
    f.br(label);
  }

  protected leave(): void {
    this.takeBack(this.ahead);
    this.exit(this.instruction.address, this.coldLabel);
  }

  protected helper(name: string): void {
    const { f, registers, flags } = this;
    const behind = this.ahead - 1; // charged instructions that come after it
    registers.store();
    flags.store();
    f.i32(0);
    f.get(this.budget);
    f.i32(behind);
    f.op(0x6a); // add: the core sees what is left when this instruction alone is charged
    f.memory(I32_STORE, L.BUDGET);
    this.tellRecord();
    f.i32(0);
    f.memory(I32_LOAD, L.HOT_EPOCH);
    f.set(this.epoch);
    f.i32(this.instruction.record);
    f.call(this.functionIndex(name, helperSignature));
    f.tee(this.status);
    f.hint(false);
    f.if();
    f.i32(0);
    f.i32(this.instruction.record);
    f.memory(I32_STORE, L.LEAVE_RECORD);
    this.countLeft(behind);
    f.get(this.status);
    f.return();
    f.end();
    registers.load();
    flags.load();
    f.i32(0);
    f.memory(I32_LOAD, L.BUDGET);
    f.i32(behind);
    f.op(0x6b); // sub
    f.tee(this.budget);
    f.i32(0);
    f.op(0x48); // lt_s: time has become short
    f.i32(0);
    f.memory(I32_LOAD, L.HOT_EPOCH);
    f.get(this.epoch);
    f.op(0x47, 0x72); // ne, or: this very code may be gone
    f.hint(false);
    f.if();
    this.takeBack(behind);
    this.exit(this.instruction.nextRip, this.jumpLabel);
    f.end();
  }

  /** Goes to a linear address: within the region when its page is still mapped as it was, else out. */
  private goTo(position: number | undefined, target: bigint, from: bigint): void {
    const { f } = this;
    const found = position === undefined ? undefined : this.region.blocks[position];
    const place = position === undefined ? undefined : this.places[position];
    if (found === undefined || place === undefined) {
      this.exit(target, this.jumpLabel);
      return;
    }
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
      f.hint(false);
      f.if();
      this.exit(target, this.jumpLabel);
      f.end();
    }
    if (position !== undefined) {
      const { form } = this.flags;
      const known = this.arriving[position];
      this.arriving[position] = known === undefined || known === form ? (form ?? 'several') : 'several';
    }
    if (place.way !== undefined) {
      f.i32(place.way);
      f.set(WAY);
    }
    f.br(place.label);
  }

  protected jump(target: Node): void {
    const { f, instruction, current } = this;
    this.takeBack(this.ahead - 1);
    if (target.source.kind === 'immediate') {
      this.goTo(current.targets.get(this.index), instruction.immediate, instruction.address);
      return;
    }
    this.node(target);
    f.set(this.rip);
    const { returnTo } = current;
    if (instruction.shape.transfer === 'return' && returnTo?.position !== undefined) {
      f.get(this.rip);
      f.i64(returnTo.address);
      f.op(0x51); // eq
      f.if();
      this.goTo(returnTo.position, returnTo.address, instruction.address);
      f.end();
    }
    f.br(this.jumpLabel);
  }
}

const helperSignature: Signature = { parameters: ['i32'], results: ['i32'] };

/** The records of a block's instructions from one on: the first, and the one behind the last. */
function recordsOf(instructions: readonly ResolvedInstruction[], from: number): [number, number] {
  const first = instructions[from];
  if (first === undefined) throw new Error('no such instruction');
  return [first.record, first.record + (instructions.length - from) * L.RECORD_BYTES];
}

/** The registers and the expected addends that the code uses, as bits. */
function usedBy(region: Region): RegisterUse & { readonly addends: number } {
  let addends = 0;
  let used = 0;
  let written = 0;
  for (const { instructions } of region.blocks) {
    for (const instruction of instructions) {
      const { shape, operands, base, index } = instruction;
      if (shape.accessesMemory) addends |= 1 << addendSlot(instruction);
      const bits = operands.map(registerBit);
      used |= shape.registers | registerBit(base) | registerBit(index);
      written |= shape.written;
      bits.forEach((bit, operand) => {
        used |= bit;
        if (shape.writtenOperands & (1 << operand)) written |= bit;
      });
    }
  }
  return { used, written, addends };
}

function startsWith(part: Part | undefined, block: number | undefined): boolean {
  if (part === undefined) return false;
  return part.kind === 'block' ? part.block === block : part.headers.length === 1 && part.headers[0] === block;
}
