import { BootParams, E820Type } from '../../../firmware-tables/linux/boot-params.js';
import { HvmMemmapEntry, HvmMemmapType, HvmStartInfo } from '../../../firmware-tables/pvh/start-info.js';
import { memoryTypeName, type MapEntry } from '../../firmware/index.js';
import type { GuestMemory } from '../../memory/guest-memory.js';
import { layout } from '../../memory/layout.js';
import type { MemoryRange } from './range.js';

export type { MemoryRange } from './range.js';

const pageBytes = 4096;
const nameOf = (names: Readonly<Record<string, number>>, value: number): string =>
  Object.entries(names).find(([, number]) => number === value)?.[0] ?? String(value);

/** The entries of GetMemoryMap. */
export const rangesOfEfi = (entries: readonly MapEntry[]): MemoryRange[] =>
  entries.map(({ start, pages, type }) => ({ start, end: start + pages * pageBytes, type: memoryTypeName(type) }));

/** The memory map of hvm_start_info, out of guest memory at the entry; version 0 has none. Xen public/arch-x86/hvm/start_info.h. */
export function rangesOfPvh(memory: GuestMemory): MemoryRange[] {
  const info = HvmStartInfo.decode(memory.readPhysical(layout.hvmStartInfo, HvmStartInfo.size));
  return Array.from({ length: info.version === 0 ? 0 : info.memmap_entries }, (_, i) => {
    const at = Number(info.memmap_paddr) + i * HvmMemmapEntry.size;
    const { addr, size, type } = HvmMemmapEntry.decode(memory.readPhysical(at, HvmMemmapEntry.size));
    return { start: Number(addr), end: Number(addr) + Number(size), type: nameOf(HvmMemmapType, type) };
  });
}

/** The e820 table of boot_params, out of guest memory at the entry. Linux Documentation/arch/x86/zero-page.rst. */
export function rangesOfLinux64(memory: GuestMemory): MemoryRange[] {
  const params = BootParams.decode(memory.readPhysical(layout.linuxBootParams, BootParams.size));
  return params.e820_table.slice(0, params.e820_entries).map(({ addr, size, type }) => ({
    start: Number(addr),
    end: Number(addr) + Number(size),
    type: nameOf(E820Type, type),
  }));
}
