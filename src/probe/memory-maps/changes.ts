import type { MemoryRange } from './range.js';

/** How a memory map became another: at entry `at`, `removed` entries gave way to `added`. */
export interface MapChange {
  readonly at: number;
  readonly removed: number;
  readonly added: readonly MemoryRange[];
}

const same = (a: MemoryRange | undefined, b: MemoryRange | undefined): boolean =>
  a !== undefined && b !== undefined && a.start === b.start && a.end === b.end && a.type === b.type;

/** What lies between the entries that both maps begin with and those that both end with; undefined for equal maps. */
export function mapChange(before: readonly MemoryRange[], after: readonly MemoryRange[]): MapChange | undefined {
  let at = 0;
  while (same(before[at], after[at])) at++;
  if (at === before.length && at === after.length) return undefined;
  const shorter = Math.min(before.length, after.length);
  let end = 0;
  while (end < shorter - at && same(before.at(-1 - end), after.at(-1 - end))) end++;
  return { at, removed: before.length - at - end, added: after.slice(at, after.length - end) };
}

/** The map after a change. */
export const changedMap = (map: readonly MemoryRange[], { at, removed, added }: MapChange): readonly MemoryRange[] => [
  ...map.slice(0, at),
  ...added,
  ...map.slice(at + removed),
];
