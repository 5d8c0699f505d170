/** The hot tier: compiles regions when their entries have run often enough, and drops them when their code changes. */
import type { ProcessorArtifacts } from '../artifacts.js';
import type { Block, BlockStore } from '../blocks.js';
import { HOT_CAPACITY } from '../cold/limits.js';
import { SeededRandom } from '../seeded-random.js';
import * as L from '../state-layout.js';
import { ModuleWriter } from '../wasm/encoder.js';
import { RegionEmitter } from './region-emitter.js';
import { RecordReader } from './records.js';
import { formRegion, type Region } from './region.js';

/** Entries after which a block is compiled; 'random' draws a new number after each compilation (seeded), for tests. */
export type CompileAfter = number | 'never' | 'random';
export const DEFAULT_COMPILE_AFTER = 100_000;
const NEVER = 0xffff_ffff;
const RANDOM_LIMIT = 700;
const MOST_LOSSES = 8;

export interface HotStatistics {
  regions: number;
  instructions: number;
  bytes: number;
  dropped: number;
  milliseconds: number;
}

interface Compiled {
  readonly region: Region;
  readonly slot: number;
}

interface Table {
  set(index: number, value: unknown): void;
}

export class HotTier {
  readonly statistics: HotStatistics = { regions: 0, instructions: 0, bytes: 0, dropped: 0, milliseconds: 0 };
  private readonly view: DataView;
  private readonly reader: RecordReader;
  private readonly byBlock = new Map<Block, Compiled>();
  private readonly free: number[] = [];
  private nextSlot: number;
  /** How often hot code was lost to a store, by guest-physical start of the block that was written. */
  private readonly losses = new Map<number, number>();
  private readonly random = new SeededRandom(7);

  constructor(
    private readonly memory: WebAssembly.Memory,
    private readonly artifacts: ProcessorArtifacts,
    private readonly core: Record<string, unknown>,
    private readonly table: Table,
    private readonly blocks: BlockStore,
    private readonly compileAfter: CompileAfter,
  ) {
    this.view = new DataView(memory.buffer);
    this.reader = new RecordReader(memory, artifacts);
    this.nextSlot = artifacts.hotBase;
    this.setThreshold();
  }

  private setThreshold(): void {
    const { compileAfter } = this;
    const threshold =
      compileAfter === 'never'
        ? NEVER
        : compileAfter === 'random'
          ? 1 + Number(this.random.next64() % BigInt(RANDOM_LIMIT))
          : compileAfter;
    this.view.setUint32(L.HOT_THRESHOLD, threshold, true);
  }

  /** The block has become hot: compiles the region that starts with it. */
  compile(block: Block): void {
    if (this.isCompiled(block) || this.keepsChanging(block)) return;
    const slot =
      this.free.pop() ?? (this.nextSlot < this.artifacts.hotBase + HOT_CAPACITY ? this.nextSlot++ : undefined);
    if (slot === undefined) return;
    const region = formRegion(block, (linear, mode) => this.freeBlock(linear, mode), this.reader);
    if (region === undefined) {
      this.free.push(slot);
      return;
    }
    const start = performance.now();
    this.install(region, slot);
    this.statistics.milliseconds += performance.now() - start;
    if (this.compileAfter === 'random') this.setThreshold();
  }

  /** A decoded block that belongs to no region yet. */
  private freeBlock(linear: bigint, mode: number): Block | undefined {
    const block = this.blocks.findLinear(linear, mode);
    return block === undefined || this.isCompiled(block) || this.keepsChanging(block) ? undefined : block;
  }

  /** Text that is patched again and again stays cold: compiling it anew each time would cost more than it gains. */
  private keepsChanging(block: Block): boolean {
    return (this.losses.get(block.physical) ?? 0) >= MOST_LOSSES;
  }

  private isCompiled(block: Block): boolean {
    return this.view.getUint16(block.record + L.REC_HANDLER, true) === this.artifacts.pseudo.hot;
  }

  private install(region: Region, slot: number): void {
    const module = new ModuleWriter();
    const imports = new Map<string, number>();
    const emitter = new RegionEmitter(region, {
      // The one function of the module calls imports alone, so that they may be added while it is emitted.
      functionIndex: (name, signature) => {
        const index = imports.get(name) ?? module.import('core', name, signature);
        imports.set(name, index);
        return index;
      },
      tlbMask: this.view.getUint32(L.TLB_MASK, true),
      user: (region.entry.mode & L.MODE_USER) !== 0,
    });
    const body = emitter.emit();
    const index = module.declare({ parameters: ['i32'], results: ['i32'] });
    module.define(index, body);
    module.export('f', index);
    const bytes = module.encode(1);
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
      env: { memory: this.memory },
      core: this.core,
    });
    this.table.set(slot, instance.exports['f']);
    const compiled: Compiled = { region, slot };
    region.blocks.forEach(({ block: { record }, block }, position) => {
      // Every block is an entry: the dispatch loop passes its position.
      this.view.setUint16(record + L.REC_COLD_HANDLER, this.view.getUint16(record + L.REC_HANDLER, true), true);
      this.view.setUint16(record + L.REC_HANDLER, this.artifacts.pseudo.hot, true);
      const entry = (slot << L.HOT_POSITION_BITS) | position;
      this.view.setUint32(L.HOT_FUNCTIONS + 4 * ((record - L.RECORDS) / L.RECORD_BYTES), entry, true);
      this.byBlock.set(block, compiled);
    });
    this.statistics.regions++;
    this.statistics.instructions += region.blocks.reduce((sum, { body }) => sum + body.instructions.length, 0);
    this.statistics.bytes += bytes.length;
  }

  /** A block is about to be dropped: the region that contains it goes. */
  onDrop(block: Block): void {
    const compiled = this.byBlock.get(block);
    if (compiled === undefined) return;
    this.losses.set(block.physical, (this.losses.get(block.physical) ?? 0) + 1);
    for (const { block: member } of compiled.region.blocks) {
      const { record } = member;
      if (this.isCompiled(member)) {
        this.view.setUint16(record + L.REC_HANDLER, this.view.getUint16(record + L.REC_COLD_HANDLER, true), true);
      }
      this.byBlock.delete(member);
    }
    this.table.set(compiled.slot, null);
    this.free.push(compiled.slot);
    this.statistics.dropped++;
  }

  /** Every block is gone. */
  clear(): void {
    for (const { slot } of new Set(this.byBlock.values())) this.table.set(slot, null);
    this.byBlock.clear();
    this.free.length = 0;
    this.nextSlot = this.artifacts.hotBase;
  }
}
