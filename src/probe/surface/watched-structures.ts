import type { ProvidedMemory, ProvidedStructure } from '../../memory/provided.js';
import type { SurfaceStructure } from '../surface-result.js';
import type { ReadSites } from './read-sites.js';
import { StructureCounts } from './structure-counts.js';

/** An access of the guest to bytes that are watched. Addresses are guest-physical. */
export interface Access {
  readonly physical: number;
  readonly bytes: number;
  readonly write: boolean;
  /** Guest-linear. */
  readonly instruction: bigint;
}

/** Whoever tells of accesses: EmulatedProcessor.addWatcher(). What is no RAM it leaves out. */
export interface RamWatcher {
  onWatched: ((access: Access) => void) | undefined;
  watch(physical: number, bytes: number): void;
  unwatch(physical: number, bytes: number): void;
}

/**
 * Watches every structure that was provided, and counts who reads what of it. A store of the guest ends the watch of the
 * bytes that it stores, but for what it shares with Xen.
 */
export class WatchedStructures {
  private readonly all: StructureCounts[] = [];
  /** Those that are there now, by address. */
  private live: StructureCounts[] = [];

  constructor(
    private readonly watcher: RamWatcher,
    private readonly sites: ReadSites,
    private readonly phase: () => string,
  ) {
    watcher.onWatched = (access) => {
      this.accessed(access);
    };
  }

  /** From now on everything that is there and that will come is watched. */
  follow(provided: ProvidedMemory): void {
    for (const structure of provided.structures) this.add(structure);
    provided.onStructure = (structure) => {
      this.add(structure);
    };
    provided.onEnd = ({ address, bytes }, why) => {
      this.end(address, bytes, why);
    };
  }

  add(structure: ProvidedStructure): void {
    const { address, bytes } = structure;
    if (bytes === 0) return;
    this.end(address, bytes, 'replaced');
    const counts = new StructureCounts(structure, this.phase());
    this.all.push(counts);
    this.live.push(counts);
    this.live.sort((a, b) => a.structure.address - b.structure.address);
    this.watcher.watch(address, bytes);
  }

  /** Whatever lies in a range is no longer there. */
  end(address: number, bytes: number, why: string): void {
    const gone = this.live.filter(({ structure }) => overlaps(structure, address, bytes));
    if (gone.length === 0) return;
    this.live = this.live.filter((counts) => !gone.includes(counts));
    for (const counts of gone) {
      counts.ended = why;
      this.watcher.unwatch(counts.structure.address, counts.structure.bytes);
    }
  }

  /** An access to memory that may be watched; `physical` may also lie outside RAM. */
  accessed({ physical, bytes, write, instruction }: Access): void {
    const first = this.firstEndingBehind(physical);
    for (let i = first; i < this.live.length; i++) {
      const counts = this.live[i];
      if (counts === undefined || counts.structure.address >= physical + bytes) return;
      const { structure } = counts;
      const start = Math.max(physical, structure.address);
      const length = Math.min(physical + bytes, structure.address + structure.bytes) - start;
      if (!write) counts.read(this.sites.of(instruction), start - structure.address, length);
      else {
        const shared = structure.provider === 'xen';
        counts.write(start - structure.address, length, shared);
        if (!shared) this.watcher.unwatch(start, length);
      }
    }
  }

  results(): SurfaceStructure[] {
    return this.all.map((counts) => counts.result());
  }

  /** Structures do not overlap, so their ends ascend as their beginnings do. */
  private firstEndingBehind(physical: number): number {
    let low = 0;
    let high = this.live.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const { address, bytes } = this.live[middle]!.structure;
      if (address + bytes <= physical) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

const overlaps = (structure: ProvidedStructure, address: number, bytes: number): boolean =>
  structure.address < address + bytes && address < structure.address + structure.bytes;
