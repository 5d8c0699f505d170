import { MemoryType, pageBytes } from '../../../firmware-tables/uefi/memory-descriptor.js';
import type { MemoryMap } from './memory-map.js';

interface Block {
  readonly address: number;
  readonly size: number; // bytes, a multiple of 16
}

interface Run {
  readonly start: number;
  readonly pages: number;
  readonly type: number;
  used: Block[]; // sorted by address
}

/** AllocatePool and FreePool over pages of the memory map; its books are kept outside guest memory. UEFI 2.10 section 7.2.4. */
export class Pool {
  private runs: Run[] = [];

  constructor(private readonly map: MemoryMap) {}

  /** Guest-physical address, a multiple of 16; undefined when memory is exhausted. */
  allocate(type: number, bytes: number): number | undefined {
    const size = Math.max(16, Math.ceil(bytes / 16) * 16);
    for (const run of this.runs) {
      if (run.type !== type) continue;
      const address = gapIn(run, size);
      if (address === undefined) continue;
      this.use(run, { address, size });
      return address;
    }
    const pages = Math.ceil(size / pageBytes);
    const start = this.map.findFree(pages);
    if (start === undefined) return undefined;
    this.map.set(start, pages, type, false);
    const run: Run = { start, pages, type, used: [] };
    this.runs.push(run);
    this.use(run, { address: start, size });
    return start;
  }

  /** False when nothing was allocated at that address. A run without blocks goes back to the map. */
  free(address: number): boolean {
    const run = this.runs.find((candidate) => candidate.used.some((block) => block.address === address));
    if (!run) return false;
    run.used = run.used.filter((block) => block.address !== address);
    this.map.touch();
    if (run.used.length === 0) {
      this.runs = this.runs.filter((other) => other !== run);
      this.map.set(run.start, run.pages, MemoryType.EfiConventionalMemory, false);
    }
    return true;
  }

  private use(run: Run, block: Block): void {
    run.used.push(block);
    run.used.sort((a, b) => a.address - b.address);
    this.map.touch();
  }

  save(): readonly Run[] {
    return structuredCopy(this.runs);
  }

  restore(runs: readonly Run[]): void {
    this.runs = structuredCopy(runs);
  }
}

export type PoolState = ReturnType<Pool['save']>;

function structuredCopy(runs: readonly Run[]): Run[] {
  return runs.map((run) => ({ ...run, used: run.used.map((block) => ({ ...block })) }));
}

function gapIn(run: Run, size: number): number | undefined {
  let at = run.start;
  for (const block of run.used) {
    if (block.address - at >= size) return at;
    at = block.address + block.size;
  }
  return run.start + run.pages * pageBytes - at >= size ? at : undefined;
}
