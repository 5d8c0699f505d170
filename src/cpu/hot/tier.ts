/** The hot tier: compiles regions when their first blocks have run often enough, and drops them when code changes. */
import type { ProcessorArtifacts } from '../artifacts.js';
import type { Block, BlockStore } from '../blocks.js';
import { HOT_CAPACITY } from '../cold/limits.js';
import { SeededRandom } from '../seeded-random.js';
import type { ExecutionCounts } from '../execution-counts.js';
import * as L from '../state-layout.js';
import { BranchCounts, indexEntry } from './branch-counts.js';
import { compileRegions, type HotModuleHost } from './hot-module.js';
import { RecordReader, type BlockBody } from './records.js';
import type { RegionCounters } from './region-counters.js';
import { RegionFormer, type Region, type RegionLimits } from './region.js';

/**
 * Arrivals after which a block is compiled. For tests: `random` draws a new number after each compilation, from a seed
 * ('random': SEED).
 */
export type CompileAfter = number | 'never' | 'random' | { readonly random: number };
export const DEFAULT_COMPILE_AFTER = 30_000;
const NEVER = 0xffff_ffff;
const RANDOM_LIMIT = 700;
const SEED = 7;
const MOST_LOSSES = 8;
const BATCH = 64;
/** A block that has come to its threshold this many times does not wait for a batch. */
const URGENT = 3;
const MAX_INSTRUCTIONS = 100;
const MAX_DEPTH = 1;
/** A branch taken this many times less often than a block must run to be hot is rare. */
const RARE = 32;

export interface HotStatistics {
  regions: number;
  instructions: number;
  bytes: number;
  dropped: number;
  modules: number;
  milliseconds: number;
}

interface Compiled {
  readonly region: Region;
  readonly slot: number;
  counters?: RegionCounters | undefined;
}

interface Table {
  set(index: number, value: unknown): void;
}

export class HotTier {
  readonly statistics: HotStatistics = {
    regions: 0,
    instructions: 0,
    bytes: 0,
    dropped: 0,
    modules: 0,
    milliseconds: 0,
  };
  private readonly view: DataView;
  private readonly reader: RecordReader;
  private readonly counts: BranchCounts;
  private readonly byBlock = new Map<Block, Set<Compiled>>();
  /** Bodies of blocks that regions are made of; a block may be part of several. */
  private readonly bodies = new WeakMap<Block, BlockBody>();
  private readonly waiting = new Set<Block>();
  private readonly batch: number;
  private readonly free: number[] = [];
  private nextSlot: number;
  /** How often hot code was lost to a store, by guest-physical start of the block that was written. */
  private readonly losses = new Map<number, number>();
  /** Draws the thresholds, when they are random. */
  private readonly random: SeededRandom | undefined;
  private limits: RegionLimits = { instructions: MAX_INSTRUCTIONS, depth: MAX_DEPTH, rare: 1 };

  constructor(
    private readonly artifacts: ProcessorArtifacts,
    private readonly host: Omit<HotModuleHost, 'tlbMask' | 'counters'>,
    private readonly table: Table,
    private readonly blocks: BlockStore,
    private readonly compileAfter: CompileAfter,
    private readonly executions?: ExecutionCounts,
  ) {
    this.view = new DataView(host.memory.buffer);
    this.reader = new RecordReader(host.memory, artifacts);
    this.counts = new BranchCounts(this.view, (linear, mode) => this.blocks.findLinear(linear, mode));
    this.nextSlot = artifacts.hotBase;
    if (compileAfter === 'random') this.random = new SeededRandom(SEED);
    else if (typeof compileAfter === 'object') this.random = new SeededRandom(compileAfter.random);
    // Where a test wants early compilation it wants it at once.
    this.batch = typeof compileAfter === 'number' && compileAfter > RANDOM_LIMIT ? BATCH : 1;
    this.setThreshold();
  }

  private setThreshold(): void {
    const { compileAfter, random } = this;
    const fixed = typeof compileAfter === 'number' ? compileAfter : NEVER;
    const threshold = random === undefined ? fixed : 1 + Number(random.next64() % BigInt(RANDOM_LIMIT));
    this.view.setUint32(L.HOT_THRESHOLD, threshold, true);
    this.view.setUint32(L.HOT_URGENT, threshold === NEVER ? NEVER : threshold * URGENT, true);
    this.limits = { ...this.limits, rare: Math.max(1, Math.floor(threshold / RARE)) };
  }

  /** The block has become hot: it will be compiled with the next batch. */
  request(block: Block): void {
    if (this.isCompiled(block) || this.keepsChanging(block)) return;
    const urgent = this.waiting.has(block);
    this.waiting.add(block);
    if (urgent || this.waiting.size >= this.batch) this.compileWaiting();
  }

  /** Something waits to be compiled: the processor comes back soon. */
  get isWaiting(): boolean {
    return this.waiting.size > 0;
  }

  /** Compiles what waits, as one module. */
  compileWaiting(): void {
    if (this.waiting.size === 0) return;
    const start = performance.now();
    const compiled: Compiled[] = [];
    this.executions?.makeRoom();
    for (const block of this.waiting) {
      if (!block.valid || this.isCompiled(block)) continue; // it may have become an entry of a region of this batch
      if (this.executions?.hasRoom(compiled.length) === false) break;
      const slot = this.takeSlot();
      if (slot === undefined) break;
      const region = new RegionFormer(this.find, this.bodyOf, this.counts, this.limits).form(block, this.waiting);
      if (region === undefined) {
        this.free.push(slot);
        continue;
      }
      const one = { region, slot };
      compiled.push(one);
      this.takeOver(one);
    }
    this.waiting.clear();
    if (compiled.length > 0) this.install(compiled);
    this.statistics.milliseconds += performance.now() - start;
    if (this.random !== undefined) this.setThreshold();
  }

  private readonly bodyOf = (block: Block): BlockBody => {
    let body = this.bodies.get(block);
    if (body === undefined) this.bodies.set(block, (body = this.reader.body(block.record)));
    return body;
  };

  private takeSlot(): number | undefined {
    const end = this.artifacts.hotBase + HOT_CAPACITY;
    return this.free.pop() ?? (this.nextSlot < end ? this.nextSlot++ : undefined);
  }

  private readonly find = (linear: bigint, mode: number, page?: number): Block | undefined => {
    const block = this.blocks.findLinear(linear, mode, page);
    return block === undefined || this.keepsChanging(block) ? undefined : block;
  };

  /** Text that is patched again and again stays cold: compiling it anew each time would cost more than it gains. */
  private keepsChanging(block: Block): boolean {
    return (this.losses.get(block.physical) ?? 0) >= MOST_LOSSES;
  }

  private isCompiled(block: Block): boolean {
    return this.view.getUint16(block.record + L.REC_HANDLER, true) === this.artifacts.pseudo.hot;
  }

  private install(compiled: readonly Compiled[]): void {
    const { functions, counters, bytes } = compileRegions(
      compiled.map(({ region }) => region),
      { ...this.host, tlbMask: this.view.getUint32(L.TLB_MASK, true), counters: this.executions?.pool },
    );
    compiled.forEach((one, i) => {
      this.table.set(one.slot, functions[i]);
      this.statistics.instructions += one.region.instructions;
      const counted = counters[i];
      if (counted === undefined) return;
      one.counters = counted;
      this.executions?.compiled(counted);
    });
    this.statistics.regions += compiled.length;
    this.statistics.modules++;
    this.statistics.bytes += bytes;
  }

  /** The dispatch loop goes to the region's function at its entries, as far as no other region has them. */
  private takeOver(compiled: Compiled): void {
    const { region, slot } = compiled;
    for (const { block } of region.blocks) {
      const known = this.byBlock.get(block);
      if (known === undefined) this.byBlock.set(block, new Set([compiled]));
      else known.add(compiled);
    }
    region.entries.forEach((position, way) => {
      const block = region.blocks[position]?.block;
      if (block === undefined || this.isCompiled(block)) return;
      this.counts.freeze(block);
      const { record } = block;
      this.view.setUint16(record + L.REC_COLD_HANDLER, this.view.getUint16(record + L.REC_HANDLER, true), true);
      this.view.setUint16(record + L.REC_HANDLER, this.artifacts.pseudo.hot, true);
      this.view.setUint32(hotFunction(block), (slot << L.HOT_POSITION_BITS) | way, true);
      this.onIndex(block);
    });
  }

  /** The dispatch loop finds hot code with the look-up, too. */
  onIndex(block: Block): void {
    const entry = indexEntry(this.view, block);
    if (entry === undefined) return;
    const hot = this.isCompiled(block) ? this.view.getUint32(hotFunction(block), true) : 0;
    this.view.setUint32(entry + L.BLOCK_HOT, hot, true);
  }

  private slotOf(block: Block): number {
    return this.view.getUint32(hotFunction(block), true) >>> L.HOT_POSITION_BITS;
  }

  /** A block is about to be dropped: the regions that contain it go. */
  onDrop(block: Block): void {
    const affected = this.byBlock.get(block);
    if (affected === undefined) return;
    this.losses.set(block.physical, (this.losses.get(block.physical) ?? 0) + 1);
    for (const compiled of [...affected]) this.remove(compiled);
  }

  private remove(compiled: Compiled): void {
    const { region, slot } = compiled;
    for (const { block, instructions } of region.blocks) {
      const known = this.byBlock.get(block);
      known?.delete(compiled);
      if (known?.size === 0) this.byBlock.delete(block);
      // What is left of it may become hot again.
      for (const instruction of instructions) this.counts.restartBranch(instruction);
    }
    for (const position of region.entries) {
      const block = region.blocks[position]?.block;
      if (block === undefined || !this.isCompiled(block) || this.slotOf(block) !== slot) continue;
      const { record } = block;
      this.view.setUint16(record + L.REC_HANDLER, this.view.getUint16(record + L.REC_COLD_HANDLER, true), true);
      this.onIndex(block);
      this.counts.restart(block);
    }
    this.table.set(slot, null);
    this.free.push(slot);
    if (compiled.counters !== undefined) this.executions?.drop(compiled.counters);
    this.statistics.dropped++;
    this.nextEpoch();
  }

  /** Hot code that has called a helper finds that it may be gone, and so does who comes by the jump cache. */
  private nextEpoch(): void {
    for (const epoch of [L.HOT_EPOCH, L.JUMP_EPOCH]) {
      this.view.setUint32(epoch, (this.view.getUint32(epoch, true) + 1) >>> 0, true);
    }
  }

  /** Every block is gone. */
  clear(): void {
    const slots = new Set([...this.byBlock.values()].flatMap((set) => [...set].map(({ slot }) => slot)));
    for (const slot of slots) this.table.set(slot, null);
    this.nextEpoch();
    this.byBlock.clear();
    this.waiting.clear();
    this.counts.clear();
    this.free.length = 0;
    this.nextSlot = this.artifacts.hotBase;
  }

  /** As new: which code keeps changing is forgotten, too. */
  forget(): void {
    this.clear();
    this.losses.clear();
  }
}

/** Where the dispatch loop finds which function to enter, and how. */
const hotFunction = ({ record }: Block): number => L.HOT_FUNCTIONS + 4 * ((record - L.RECORDS) / L.RECORD_BYTES);
