import { MemoryType, pageBytes } from '../../../firmware-tables/uefi/memory-descriptor.js';
import { memoryTypeName, type MapEntry } from '../../firmware/index.js';
import { rangesOfMap, type GuestMap } from '../../memory/guest-map.js';
import type { ProvidedMemory } from '../../memory/provided.js';
import type { RamSizes } from '../../memory/ram-map.js';
import type { HeldMemory } from './result.js';

/** Types of pages that are the firmware's at the entry; those of the second list stay so behind ExitBootServices. */
const heldAtEntry: readonly number[] = [
  MemoryType.EfiLoaderData, // command lines of modules; what a guest allocates itself comes later
  MemoryType.EfiBootServicesCode,
  MemoryType.EfiBootServicesData,
  MemoryType.EfiRuntimeServicesCode,
  MemoryType.EfiRuntimeServicesData,
  MemoryType.EfiACPIReclaimMemory,
  MemoryType.EfiACPIMemoryNVS,
];
const heldForGood: readonly number[] = heldAtEntry.slice(3);

/** What belongs to the guest however it came into its memory. */
const ofTheGuest: ReadonlySet<string> = new Set(['image', 'modules']);

interface HeldPage {
  readonly owner: string;
  readonly type: string;
}

/** Pages by number, with who has them. */
export type HeldPages = ReadonlyMap<number, HeldPage>;

/** Each page of what is provided, by owner; what shares a page with tables is theirs. */
function owners({ structures, occupied }: ProvidedMemory): Map<number, string> {
  const found = new Map<number, string>();
  const claim = (address: number, bytes: number, owner: string): void => {
    for (let page = Math.floor(address / pageBytes); page * pageBytes < address + bytes; page++) found.set(page, owner);
  };
  for (const { address, bytes, owner } of occupied) claim(address, bytes, owner);
  for (const { address, bytes, provider } of structures) if (provider !== 'xen') claim(address, bytes, 'tables');
  return found;
}

/** At the entry of an image through EFI. */
export function heldByFirmware(entries: readonly MapEntry[], provided: ProvidedMemory): HeldPages {
  const owned = owners(provided);
  const held = new Map<number, HeldPage>();
  for (const { type, start, pages } of entries) {
    if (!heldAtEntry.includes(type)) continue;
    for (let page = start / pageBytes; page < start / pageBytes + pages; page++) {
      const isAcpi = type === MemoryType.EfiACPIReclaimMemory || type === MemoryType.EfiACPIMemoryNVS;
      const owner = isAcpi ? 'ACPI' : (owned.get(page) ?? 'tables');
      if (!ofTheGuest.has(owner)) held.set(page, { owner, type: memoryTypeName(type) });
    }
  }
  return held;
}

/** Of those pages, which the map of ExitBootServices keeps from the guest. */
export function stillHeld(held: HeldPages, entries: readonly MapEntry[]): HeldPages {
  const kept = new Map<number, HeldPage>();
  for (const { type, start, pages } of entries) {
    if (!heldForGood.includes(type)) continue;
    for (let page = start / pageBytes; page < start / pageBytes + pages; page++) {
      const before = held.get(page);
      if (before !== undefined) kept.set(page, { ...before, type: memoryTypeName(type) });
    }
  }
  return kept;
}

/** Through a door without firmware: what it laid out, and the ACPI tables. `ram` pages are the guest's once it has read them. */
export function heldByLoader(provided: ProvidedMemory, ram: RamSizes, map: GuestMap): HeldPages {
  const ranges = rangesOfMap(ram, map, true);
  const held = new Map<number, HeldPage>();
  for (const { start, end, kind } of ranges) {
    if (kind !== 'acpi') continue;
    for (let page = Math.floor(start / pageBytes); page * pageBytes < end; page++)
      held.set(page, { owner: 'ACPI', type: 'ACPI' });
  }
  for (const [page, owner] of owners(provided)) {
    const range = ranges.find(({ start, end }) => page * pageBytes >= start && page * pageBytes < end);
    if (ofTheGuest.has(owner) || held.has(page)) continue;
    held.set(page, { owner, type: range?.kind === 'ram' ? 'RAM' : 'reserved' });
  }
  return held;
}

/** Xen's special pages, which no EFI map calls the firmware's. */
export function withSpecialPages(held: HeldPages, { occupied }: ProvidedMemory): HeldPages {
  const all = new Map(held);
  for (const { owner, address, bytes } of occupied) {
    if (owner !== 'special pages') continue;
    for (let page = address / pageBytes; page * pageBytes < address + bytes; page++)
      all.set(page, { owner, type: 'reserved' });
  }
  return all;
}

/** What the guest is never given back. */
export const withoutRam = (held: HeldPages): HeldPages => new Map([...held].filter(([, { type }]) => type !== 'RAM'));

/** Sums, by owner and type, largest first. */
export function heldMemory(held: HeldPages): HeldMemory[] {
  const sums = new Map<string, HeldMemory>();
  for (const { owner, type } of held.values()) {
    const key = `${owner}\n${type}`;
    sums.set(key, { owner, type, bytes: (sums.get(key)?.bytes ?? 0) + pageBytes });
  }
  return [...sums.values()].sort(
    (a, b) => b.bytes - a.bytes || (`${a.owner}${a.type}` < `${b.owner}${b.type}` ? -1 : 1),
  );
}

export const totalHeld = (held: readonly HeldMemory[]): number => held.reduce((sum, { bytes }) => sum + bytes, 0);
