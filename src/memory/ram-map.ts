/** Where guest RAM lies: from guest-physical 0 on, and what does not lie there from 4 GiB on. Addresses are bytes. */
import type { GuestMemory } from './guest-memory.js';
import { layout } from './layout.js';

/** What of GuestMemory says where RAM lies. */
export type RamSizes = Pick<GuestMemory, 'ramBytes' | 'lowRamBytes'>;

/** Guest-physical bytes from `start` up to, not including, `end`. */
export interface RamRange {
  readonly start: number;
  readonly end: number;
}

const lowBytes = ({ ramBytes, lowRamBytes = ramBytes }: RamSizes): number => Math.min(lowRamBytes, ramBytes);

/** One or two ranges, ascending. */
export function ramRanges(ram: RamSizes): readonly RamRange[] {
  const low = lowBytes(ram);
  const high = ram.ramBytes - low;
  const below = { start: 0, end: low };
  return high === 0 ? [below] : [below, { start: layout.highRam, end: layout.highRam + high }];
}

/** The address behind the last byte of RAM. */
export function ramEnd(ram: RamSizes): number {
  return ramRanges(ram).at(-1)?.end ?? 0;
}

/** Whether all of a range is RAM. */
export function isRam(ram: RamSizes, { start, end }: RamRange): boolean {
  return ramRanges(ram).some((range) => range.start <= start && end <= range.end);
}

/** How many bytes of RAM lie below an address of RAM: its place where all of RAM is one array. undefined outside. */
export function ramOffset(ram: RamSizes, address: number): number | undefined {
  const low = lowBytes(ram);
  if (address < 0) return undefined;
  if (address < low) return address;
  const high = address - layout.highRam;
  return high >= 0 && high < ram.ramBytes - low ? low + high : undefined;
}

/** The guest-physical address of a place in that array. */
export function ramAddress(ram: RamSizes, offset: number): number {
  const low = lowBytes(ram);
  return offset < low ? offset : layout.highRam + offset - low;
}
