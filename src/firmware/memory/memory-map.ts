import { MemoryAttribute, MemoryType, pageBytes } from '../../../firmware-tables/uefi/memory-descriptor.js';

/** A range of guest-physical pages of one type. `start` and `end` are bytes, page aligned; `end` is exclusive. */
export interface MemoryRegion {
  readonly start: number;
  readonly end: number;
  readonly type: number; // EFI_MEMORY_TYPE
  /** Handed out by AllocatePages, so FreePages may take it back. */
  readonly allocated: boolean;
}

/** An entry of GetMemoryMap. `attribute` is EFI_MEMORY_*. */
export interface MapEntry {
  readonly type: number;
  readonly start: number; // guest-physical
  readonly pages: number;
  readonly attribute: bigint;
}

/**
 * Who owns which page of RAM. Allocation is first fit from the top, so that low memory, where kernels want to be, stays
 * whole. UEFI 2.10 section 7.2.
 */
export class MemoryMap {
  private regions: readonly MemoryRegion[];
  /** MapKey: another number after each change. */
  key = 1;

  /** `regions` are sorted and do not overlap. */
  constructor(regions: readonly MemoryRegion[]) {
    this.regions = regions;
  }

  /** The entries of GetMemoryMap: sorted by address, neighbours of the same type merged. */
  entries(): MapEntry[] {
    const result: { type: number; start: number; end: number }[] = [];
    for (const { start, end, type } of this.regions) {
      const last = result.at(-1);
      if (last?.end === start && last.type === type) last.end = end;
      else result.push({ start, end, type });
    }
    return result.map(({ start, end, type }) => ({
      type,
      start,
      pages: (end - start) / pageBytes,
      attribute: attributeOf(type),
    }));
  }

  /** The type of the page at a guest-physical address; undefined where the map says nothing. */
  typeAt(address: number): number | undefined {
    return this.regions.find((region) => region.start <= address && address < region.end)?.type;
  }

  /** Highest free run of `pages` whose last byte is at most `lastByte`. undefined when there is none. */
  findFree(pages: number, lastByte = Number.MAX_SAFE_INTEGER): number | undefined {
    const size = pages * pageBytes;
    for (const region of this.regions.toReversed()) {
      if (region.type !== MemoryType.EfiConventionalMemory) continue;
      const end = Math.min(region.end, Math.floor((lastByte + 1) / pageBytes) * pageBytes);
      if (end - size >= region.start) return end - size;
    }
    return undefined;
  }

  /** Lowest free run of `pages` at or above `floor`, at a multiple of `alignment` bytes. */
  findFreeAbove(pages: number, floor: number, alignment: number): number | undefined {
    const size = pages * pageBytes;
    for (const region of this.regions) {
      if (region.type !== MemoryType.EfiConventionalMemory) continue;
      const start = Math.ceil(Math.max(region.start, floor) / alignment) * alignment;
      if (start + size <= region.end) return start;
    }
    return undefined;
  }

  /** True when every page of the range has a region for which `holds`. */
  every(start: number, pages: number, holds: (region: MemoryRegion) => boolean): boolean {
    const end = start + pages * pageBytes;
    let at = start;
    for (const region of this.regions) {
      if (region.end <= at) continue;
      if (region.start > at || !holds(region)) return false;
      at = region.end;
      if (at >= end) return true;
    }
    return at >= end;
  }

  isFree(start: number, pages: number): boolean {
    return this.every(start, pages, (region) => region.type === MemoryType.EfiConventionalMemory);
  }

  /** Gives the range a type. The caller has checked that it may. */
  set(start: number, pages: number, type: number, allocated: boolean): void {
    const end = start + pages * pageBytes;
    const kept: MemoryRegion[] = [];
    for (const region of this.regions) {
      if (region.start < start) kept.push({ ...region, end: Math.min(region.end, start) });
      if (region.end > end) kept.push({ ...region, start: Math.max(region.start, end) });
    }
    kept.push({ start, end, type, allocated });
    kept.sort((a, b) => a.start - b.start);
    this.regions = merged(kept);
    this.key++;
  }

  /** A change that no region shows (a pool allocation within its pages); the key moves all the same. */
  touch(): void {
    this.key++;
  }

  save(): { regions: readonly MemoryRegion[]; key: number } {
    return { regions: this.regions.map((region) => ({ ...region })), key: this.key };
  }

  restore(state: { regions: readonly MemoryRegion[]; key: number }): void {
    this.regions = state.regions.map((region) => ({ ...region }));
    this.key = state.key;
  }
}

function merged(regions: readonly MemoryRegion[]): MemoryRegion[] {
  const result: MemoryRegion[] = [];
  for (const region of regions) {
    const last = result.at(-1);
    if (last?.end === region.start && last.type === region.type && last.allocated === region.allocated) {
      result[result.length - 1] = { ...last, end: region.end };
    } else {
      result.push(region);
    }
  }
  return result;
}

/** EFI_MEMORY_* of a type: RAM can be cached in every way; run-time types need a mapping after ExitBootServices. */
function attributeOf(type: number): bigint {
  const { UC, WC, WT, WB, RUNTIME } = MemoryAttribute;
  if (type === MemoryType.EfiReservedMemoryType) return UC;
  const ram = UC | WC | WT | WB;
  const runtime = type === MemoryType.EfiRuntimeServicesCode || type === MemoryType.EfiRuntimeServicesData;
  return runtime ? ram | RUNTIME : ram;
}
