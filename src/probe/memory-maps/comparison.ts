import type { MemoryRange } from './range.js';

/** A stretch of memory in which no door's map changes its type, with what each door says; undefined: not in its map. */
export interface ComparedRange {
  readonly start: number;
  readonly end: number; // exclusive
  readonly types: readonly (string | undefined)[];
  /** Why the doors differ here; undefined when they say the same in their own words. */
  readonly why: string | undefined;
}

/** What a type means to a kernel, whatever the specification calls it. */
type Meaning = 'free' | 'boot services' | 'loader' | 'runtime' | 'acpi' | 'reserved' | 'absent';

function meaningOf(type: string | undefined): Meaning {
  if (type === undefined) return 'absent';
  if (/^(RAM|ram|EfiConventionalMemory)$/.test(type)) return 'free';
  if (/^EfiBootServices/.test(type)) return 'boot services';
  if (/^EfiLoader/.test(type)) return 'loader';
  if (/^EfiRuntimeServices/.test(type)) return 'runtime';
  if (/acpi/i.test(type)) return 'acpi';
  return 'reserved';
}

const reasons: readonly (readonly [Meaning, Meaning, string])[] = [
  [
    'boot services',
    'free',
    "the firmware's own while boot services last, free afterwards; the other door has no firmware",
  ],
  [
    'loader',
    'free',
    'the image and its modules: EFI says where they lie; the other door leaves that to hvm_start_info or boot_params',
  ],
  ['runtime', 'free', 'runtime services and the tables stay for good; the other door has none'],
  ['reserved', 'absent', "a PC's hole below 1 MiB: one map names it, the other leaves it out; no RAM either way"],
  ['reserved', 'free', 'one door keeps it from the guest, the other gives it away'],
  [
    'acpi',
    'free',
    "configuration tables that the kernel's own EFI stub allocated and installed; no other door has them",
  ],
  ['acpi', 'absent', 'one map names the ACPI tables, the other leaves them out'],
];

function whyDifferent(meanings: readonly Meaning[]): string | undefined {
  const distinct = [...new Set(meanings)];
  if (distinct.length <= 1) return undefined;
  const known = reasons.filter(([a, b]) => distinct.includes(a) && distinct.includes(b));
  return known.length > 0 ? known.map(([, , why]) => why).join('; ') : `unexplained: ${distinct.join(' against ')}`;
}

/** Lays memory maps over each other. Neighbours that read the same are one range. */
export function compareMaps(maps: readonly (readonly MemoryRange[])[]): ComparedRange[] {
  const edges = [...new Set(maps.flat().flatMap(({ start, end }) => [start, end]))].sort((a, b) => a - b);
  const result: ComparedRange[] = [];
  edges.forEach((start, i) => {
    const end = edges[i + 1];
    if (end === undefined) return;
    const types = maps.map((map) => map.find((range) => range.start <= start && start < range.end)?.type);
    if (types.every((type) => type === undefined)) return;
    const last = result.at(-1);
    if (last?.end === start && last.types.every((type, column) => type === types[column])) {
      result[result.length - 1] = { ...last, end };
    } else {
      result.push({ start, end, types, why: whyDifferent(types.map(meaningOf)) });
    }
  });
  return result;
}
