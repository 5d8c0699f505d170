/**
 * A region: blocks that lead to one another often, which become one function of hot code. A direct call is followed into
 * the callee, whose blocks are copied for that call, so that its return leads straight back.
 */
import type { Block } from '../blocks.js';
import type { Signature } from '../wasm/encoder.js';
import { HOT_POSITION_BITS } from '../state-layout.js';
import type { BlockBody, ResolvedInstruction } from './records.js';
import type { RegionCounters } from './region-counters.js';
import type { BranchCounts } from './branch-counts.js';

export interface RegionBlock {
  readonly block: Block;
  /** Every one of them is hot. */
  readonly instructions: readonly ResolvedInstruction[];
  /** Behind the last instruction: `cold` stands in front of one that only the cold tier performs. */
  readonly end: { readonly kind: 'through' | 'cold'; readonly address: bigint };
  /** Position in the region of what a direct branch of an instruction leads to, by the instruction's index. */
  readonly targets: ReadonlyMap<number, number>;
  readonly through: number | undefined;
  /** Where the return of an inlined call leads. */
  readonly returnTo: { readonly address: bigint; readonly position: number | undefined } | undefined;
}

export interface Region {
  readonly blocks: readonly RegionBlock[];
  /** Positions that the region may be entered at; the first is the block that became hot. */
  readonly entries: readonly number[];
  /** Mode of all its code: MODE_* bits. */
  readonly mode: number;
  readonly instructions: number;
}

/** What is fixed for the whole region. */
export interface RegionContext {
  /** Index in the module of an imported function: of the core, or of the cold module. */
  functionIndex(name: string, signature: Signature): number;
  /** TLB entries - 1. */
  readonly tlbMask: number;
  /** Code at CPL 3. */
  readonly user: boolean;
  /** For an observing processor: counts executions, and the core learns which record is executed. */
  readonly counters: RegionCounters | undefined;
}

export interface RegionLimits {
  readonly instructions: number;
  readonly depth: number; // calls within calls
  /** Branches taken less often are left to the cold tier. */
  readonly rare: number;
}

/** One call that was followed; the root is what was entered from outside. */
interface Call {
  readonly id: number;
  readonly parent: Call | undefined;
  readonly callee: bigint;
  readonly returnAddress: bigint;
  readonly depth: number;
}

interface Candidate {
  readonly key: string;
  readonly block: Block;
  readonly call: Call;
  readonly weight: number;
}

interface Chosen {
  readonly candidate: Candidate;
  readonly instructions: readonly ResolvedInstruction[];
  readonly end: RegionBlock['end'];
  readonly targets: Map<number, string>;
  through: string | undefined;
  returnTo: { address: bigint; key: string } | undefined;
}

const PAGE_SHIFT = 12n;
const keyOf = (call: Call, address: bigint): string => `${String(call.id)} ${String(address)}`;

export class RegionFormer {
  private readonly chosen = new Map<string, Chosen>();
  private readonly waiting = new Map<string, Candidate>();
  private readonly entries = new Set<string>();
  /** Guest-physical address by linear page: a region takes a page for mapped at one place, and checks when it gets there. */
  private readonly pages = new Map<bigint, number>();
  private instructions = 0;
  private calls = 0;

  constructor(
    private readonly findOn: (linear: bigint, mode: number, page?: number) => Block | undefined,
    private readonly bodyOf: (block: Block) => BlockBody,
    private readonly counts: BranchCounts,
    private readonly limits: RegionLimits,
  ) {}

  /**
   * The region around a block; undefined when hot code cannot even begin there. Blocks that are `wanted` for themselves
   * become entries of it where it holds them.
   */
  form(head: Block, wanted: ReadonlySet<Block>): Region | undefined {
    const root: Call = { id: this.calls++, parent: undefined, callee: head.linear, returnAddress: 0n, depth: 0 };
    this.offer(root, head, this.counts.arrivals(head));
    this.entries.add(keyOf(root, head.linear));
    while (this.waiting.size > 0 && this.instructions < this.limits.instructions) this.choose(this.best());
    if (!this.chosen.has(keyOf(root, head.linear))) return undefined;
    for (const [key, { candidate }] of this.chosen) {
      if (candidate.call === root && wanted.has(candidate.block)) this.entries.add(key);
    }
    return this.resolved(head.mode);
  }

  private find(linear: bigint, mode: number): Block | undefined {
    return this.findOn(linear, mode, this.pages.get(linear >> PAGE_SHIFT));
  }

  private offer(call: Call, block: Block | undefined, weight: number): void {
    if (block === undefined || block.secondPage !== undefined) return;
    const key = keyOf(call, block.linear);
    if (this.chosen.has(key)) return;
    const known = this.waiting.get(key);
    if (known === undefined || known.weight < weight) this.waiting.set(key, { key, block, call, weight });
  }

  private best(): Candidate {
    let best: Candidate | undefined;
    for (const candidate of this.waiting.values()) {
      if (best === undefined || candidate.weight > best.weight) best = candidate;
    }
    if (best === undefined) throw new Error('nothing waits');
    this.waiting.delete(best.key);
    return best;
  }

  private choose(candidate: Candidate): void {
    const { block, call, weight, key } = candidate;
    const page = block.physical & ~0xfff;
    const linearPage = block.linear >> PAGE_SHIFT;
    if ((this.pages.get(linearPage) ?? page) !== page) return;
    this.pages.set(linearPage, page);
    const { instructions: all, fallThrough } = this.bodyOf(block);
    const length = hotLength(all);
    if (length === 0) return;
    const last = all[length - 1];
    const next = all[length];
    const instructions = all.slice(0, length);
    const cold = next !== undefined;
    const address = next?.address ?? fallThrough ?? last?.nextRip ?? block.linear;
    const targets = new Map<number, string>();
    const chosen: Chosen = {
      candidate,
      instructions,
      end: { kind: cold ? 'cold' : 'through', address },
      targets,
      through: undefined,
      returnTo: undefined,
    };
    this.chosen.set(key, chosen);
    this.instructions += length;
    let remaining = Math.max(weight, this.counts.arrivals(block));
    instructions.forEach((instruction, index) => {
      const { transfer } = instruction.shape;
      if (transfer === 'none') return;
      if (transfer === 'return') {
        if (call.parent !== undefined) {
          chosen.returnTo = { address: call.returnAddress, key: keyOf(call.parent, call.returnAddress) };
          this.offer(call.parent, this.find(call.returnAddress, block.mode), remaining);
        }
        return;
      }
      if (transfer === 'branch') {
        const taken = this.counts.taken(instruction, block.mode);
        if (taken >= this.limits.rare) this.follow(chosen, call, index, instruction.immediate, taken);
        remaining = Math.max(remaining - taken, remaining / 16);
        return;
      }
      if (transfer === 'jump') this.follow(chosen, call, index, instruction.immediate, remaining);
      if (transfer === 'call' || transfer === 'indirectCall') {
        // The callee may come back to here from other code, too.
        if (call.parent === undefined) {
          const site = this.find(instruction.nextRip, block.mode);
          this.offer(call, site, remaining);
          this.entries.add(keyOf(call, instruction.nextRip));
        }
        if (transfer === 'call') this.followCall(chosen, call, index, instruction, remaining);
      }
    });
    if (length === all.length && fallThrough !== undefined && !endsFlow(last)) {
      chosen.through = keyOf(call, fallThrough);
      this.offer(call, this.find(fallThrough, block.mode), remaining);
    }
  }

  private follow(from: Chosen, call: Call, index: number, address: bigint, weight: number): void {
    from.targets.set(index, keyOf(call, address));
    this.offer(call, this.find(address, from.candidate.block.mode), weight);
  }

  private followCall(from: Chosen, call: Call, index: number, site: ResolvedInstruction, weight: number): void {
    if (call.depth >= this.limits.depth || weight < this.limits.rare) return;
    const callee = site.immediate;
    for (let outer: Call | undefined = call; outer !== undefined; outer = outer.parent) {
      if (outer.callee === callee) return;
    }
    const block = this.find(callee, from.candidate.block.mode);
    if (block === undefined) return;
    const inner: Call = {
      id: this.calls++,
      parent: call,
      callee,
      returnAddress: site.nextRip,
      depth: call.depth + 1,
    };
    from.targets.set(index, keyOf(inner, callee));
    this.offer(inner, block, weight);
  }

  /** Where a block runs into the beginning of another one, it ends: decoded blocks overlap, those of a region do not. */
  private withoutOverlap(chosen: Chosen): Chosen {
    const { instructions, candidate, targets } = chosen;
    const { call } = candidate;
    const end = instructions.findIndex(({ address }, index) => index > 0 && this.chosen.has(keyOf(call, address)));
    const next = instructions[end];
    if (next === undefined) return chosen;
    return {
      candidate,
      instructions: instructions.slice(0, end),
      end: { kind: 'through', address: next.address },
      targets: new Map([...targets].filter(([index]) => index < end)),
      through: keyOf(call, next.address),
      returnTo: undefined,
    };
  }

  /** Replaces keys by positions. */
  private resolved(mode: number): Region {
    const positions = new Map([...this.chosen.keys()].map((key, position) => [key, position]));
    let count = 0;
    const blocks = [...this.chosen.values()].map((chosen): RegionBlock => {
      const { candidate, instructions, end, targets, through, returnTo } = this.withoutOverlap(chosen);
      const { block } = candidate;
      count += instructions.length;
      const inside = new Map<number, number>();
      for (const [index, key] of targets) {
        const position = positions.get(key);
        if (position !== undefined) inside.set(index, position);
      }
      return {
        block,
        instructions,
        end,
        targets: inside,
        through: through === undefined ? undefined : positions.get(through),
        returnTo: returnTo && { address: returnTo.address, position: positions.get(returnTo.key) },
      };
    });
    const entries = [...this.entries].flatMap((key) => positions.get(key) ?? []).slice(0, 1 << HOT_POSITION_BITS);
    return { blocks, entries, mode, instructions: count };
  }
}

/** How many instructions of a block are hot code. */
function hotLength(all: readonly ResolvedInstruction[]): number {
  // A helper that ends a block may change how code is fetched, or the mode.
  return all.at(-1)?.shape.byHelper === true ? all.length - 1 : all.length;
}

const endsFlow = (last: ResolvedInstruction | undefined): boolean =>
  last !== undefined && last.shape.transfer !== 'none' && last.shape.transfer !== 'branch';
