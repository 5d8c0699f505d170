import { MemoryType, pageBytes } from '../../../firmware-tables/uefi/memory-descriptor.js';
import { FirmwareError } from '../errors.js';
import type { MemoryRegion } from './memory-map.js';
import type { MemoryOverrides } from '../profiles.js';

/** The first memory map, made as troublesome as the overrides ask for. Throws FirmwareError. */
export function troubledRegions(regions: readonly MemoryRegion[], overrides: MemoryOverrides): readonly MemoryRegion[] {
  const { 'memory:lowest': lowest = 0, 'memory:fragments': fragments = 0 } = overrides;
  const ramEnd = Math.max(0, ...regions.map(({ end }) => end));
  if (lowest >= ramEnd) {
    throw new FirmwareError(
      `no RAM below 0x${lowest.toString(16)} leaves nothing of 0x${ramEnd.toString(16)} bytes: give the machine more memory`,
    );
  }
  const raised = regions.flatMap((region) => withoutLow(region, lowest));
  return fragments === 0 ? raised : strewn(raised, fragments);
}

function withoutLow(region: MemoryRegion, lowest: number): MemoryRegion[] {
  if (region.type !== MemoryType.EfiConventionalMemory || region.start >= lowest) return [region];
  const reserved = { ...region, end: Math.min(region.end, lowest), type: MemoryType.EfiReservedMemoryType };
  return region.end > lowest ? [reserved, { ...region, start: lowest }] : [reserved];
}

/** Reserved pages at equal distances in the upper half of RAM, so that the lower half still has room for a kernel. */
function strewn(regions: readonly MemoryRegion[], count: number): MemoryRegion[] {
  const ramBytes = regions.reduce((sum, { start, end }) => sum + end - start, 0);
  const from = Math.ceil(ramBytes / 2 / pageBytes) * pageBytes;
  const distance = Math.floor((ramBytes - from) / (count + 1) / pageBytes) * pageBytes;
  if (distance < 2 * pageBytes) {
    throw new FirmwareError(
      `${String(count)} fragments do not fit into the upper half of 0x${ramBytes.toString(16)} bytes of RAM: take fewer, or give the machine more memory`,
    );
  }
  let result = [...regions];
  for (let n = 1; n <= count; n++) {
    const start = addressAt(regions, from + n * distance);
    result = result.flatMap((region) => punched(region, start));
  }
  return result;
}

/** The address that has so many bytes of RAM below it; the regions are all of RAM. */
function addressAt(regions: readonly MemoryRegion[], offset: number): number {
  let left = offset;
  for (const { start, end } of regions) {
    if (left < end - start) return start + left;
    left -= end - start;
  }
  return Infinity;
}

function punched(region: MemoryRegion, start: number): MemoryRegion[] {
  const end = start + pageBytes;
  if (region.type !== MemoryType.EfiConventionalMemory || start < region.start || end > region.end) return [region];
  return [
    { ...region, end: start },
    { ...region, start, end, type: MemoryType.EfiReservedMemoryType },
    { ...region, start: end },
  ].filter((part) => part.end > part.start);
}
