import { MemoryType, pageBytes } from '../../../firmware-tables/uefi/memory-descriptor.js';
import type { MemoryMap } from './memory-map.js';

interface Block {
  readonly address: number;
  readonly size: number; // bytes, a multiple of 16
}

/** A block was handed out or given back. */
export interface PoolChange {
  readonly kind: 'allocated' | 'freed';
  readonly address: number; // guest-physical
  /** As many as were asked for; when freed, as many as the block has. */
  readonly bytes: number;
  readonly type: number; // EFI_MEMORY_TYPE
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
  /** Told of each change when it is made. */
  onChange: ((change: PoolChange) => void) | undefined;

  /** `redZone`: so many bytes on both sides of each block belong to nobody; a multiple of 16. */
  constructor(
    private readonly map: MemoryMap,
    private readonly redZone = 0,
  ) {}

  /** Guest-physical address, a multiple of 16; undefined when memory is exhausted. */
  allocate(type: number, bytes: number): number | undefined {
    const address = this.place(type, Math.max(16, Math.ceil(bytes / 16) * 16));
    if (address !== undefined) this.onChange?.({ kind: 'allocated', address, bytes, type });
    return address;
  }

  private place(type: number, size: number): number | undefined {
    const { redZone } = this;
    for (const run of this.runs) {
      if (run.type !== type) continue;
      const address = gapIn(run, size, redZone);
      if (address === undefined) continue;
      this.use(run, { address, size });
      return address;
    }
    const pages = Math.ceil((size + 2 * redZone) / pageBytes);
    const start = this.map.findFree(pages);
    if (start === undefined) return undefined;
    this.map.set(start, pages, type, false);
    const run: Run = { start, pages, type, used: [] };
    this.runs.push(run);
    const address = start + redZone;
    this.use(run, { address, size });
    return address;
  }

  /** False when nothing was allocated at that address. A run without blocks goes back to the map. */
  free(address: number): boolean {
    const run = this.runs.find((candidate) => candidate.used.some((block) => block.address === address));
    if (!run) return false;
    const { size } = run.used.find((block) => block.address === address) ?? { size: 0 };
    run.used = run.used.filter((block) => block.address !== address);
    this.map.touch();
    if (run.used.length === 0) {
      this.runs = this.runs.filter((other) => other !== run);
      this.map.set(run.start, run.pages, MemoryType.EfiConventionalMemory, false);
    }
    this.onChange?.({ kind: 'freed', address, bytes: size, type: run.type });
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

function gapIn(run: Run, size: number, redZone: number): number | undefined {
  let at = run.start + redZone;
  for (const block of run.used) {
    if (block.address - at >= size + redZone) return at;
    at = block.address + block.size + redZone;
  }
  return run.start + run.pages * pageBytes - at >= size + redZone ? at : undefined;
}
