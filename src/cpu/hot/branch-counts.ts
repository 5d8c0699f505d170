/** How often the cold tier has come to a block and taken a branch, from the counters that it keeps. */
import type { Block } from '../blocks.js';
import * as L from '../state-layout.js';
import type { ResolvedInstruction } from './records.js';

/** Address of a block's entry in the block index; undefined while another block has its place. */
export function indexEntry(view: DataView, { physical, record }: Block): number | undefined {
  const entry = L.BLOCK_INDEX + (((physical ^ (physical >>> 15)) & (L.BLOCK_ENTRIES - 1)) << L.BLOCK_ENTRY_SHIFT);
  return view.getUint32(entry + L.BLOCK_RECORD, true) === record ? entry : undefined;
}

export class BranchCounts {
  /** Arrivals at blocks that hot code has taken over: what the counters said when it did. */
  private readonly frozen = new Map<Block, number>();

  constructor(
    private readonly view: DataView,
    private readonly find: (linear: bigint, mode: number) => Block | undefined,
  ) {}

  /** Look-ups that led to the block; branches that are linked to it count with the branch. */
  arrivals(block: Block): number {
    return this.frozen.get(block) ?? this.lookUps(block);
  }

  private lookUps(block: Block): number {
    const entry = indexEntry(this.view, block);
    return entry === undefined ? 0 : this.view.getUint32(entry + L.BLOCK_COUNT, true);
  }

  /** How often a direct conditional branch was taken. */
  taken({ record, immediate, linkable }: ResolvedInstruction, mode: number): number {
    if (linkable) return this.view.getUint32(record + L.REC_OP1, true);
    const target = this.find(immediate, mode);
    return target === undefined ? 0 : this.arrivals(target);
  }

  freeze(block: Block): void {
    if (!this.frozen.has(block)) this.frozen.set(block, this.lookUps(block));
  }

  /** The block is cold again: it has to become hot anew. */
  restart(block: Block): void {
    this.frozen.delete(block);
    const entry = indexEntry(this.view, block);
    if (entry !== undefined) this.view.setUint32(entry + L.BLOCK_COUNT, 0, true);
  }

  restartBranch({ record, linkable }: ResolvedInstruction): void {
    if (linkable) this.view.setUint32(record + L.REC_OP1, 0, true);
  }

  clear(): void {
    this.frozen.clear();
  }
}
