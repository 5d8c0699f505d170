/** What the guest is told of its physical addresses: RAM, ACPI tables, reserved ranges. Every door writes it in its own form. */
import { layout } from './layout.js';
import { ramRanges, type RamRange, type RamSizes } from './ram-map.js';

/** What a platform puts beside RAM. */
export interface GuestMap {
  /** 640 KiB to 1 MiB is no RAM of the guest's, as on a PC; otherwise RAM is one range from 0 on. */
  readonly hole: boolean;
  /** The ACPI tables, in the hole or above RAM. */
  readonly acpi: RamRange;
  /** Reserved ranges above RAM and below 4 GiB, ascending. */
  readonly reserved: readonly RamRange[];
}

export interface MapRange extends RamRange {
  readonly kind: 'ram' | 'acpi' | 'reserved';
}

const range = (start: number, bytes: number): RamRange => ({ start, end: start + bytes });

/** The PC's hole with the tables in it. */
export const pcMap: GuestMap = {
  hole: true,
  acpi: range(layout.acpiTables, layout.acpiTablesBytes),
  reserved: [],
};

/** Xen's special pages: type 2 in the map that libxl writes. */
export const specialPagesRange = range(layout.specialPages, layout.specialPagesBytes);

/** What libxl gives to a PVH domain. Xen tools/libs/light/libxl_x86.c, as measured on Xen 4.17. */
export const xenMap: GuestMap = {
  hole: false,
  acpi: range(layout.xenAcpi, layout.xenAcpiBytes),
  reserved: [specialPagesRange],
};

/** Everything that is told, ascending and without overlaps; the tables and their range only where there are `tables`. */
export function rangesOfMap(ram: RamSizes, map: GuestMap, tables: boolean): readonly MapRange[] {
  const { lowMemoryEnd, highMemoryStart } = layout;
  const reserved = (start: number, end: number): MapRange => ({ start, end, kind: 'reserved' });
  const acpi: readonly MapRange[] = tables ? [{ ...map.acpi, kind: 'acpi' }] : [];
  const inHole = acpi.filter(({ end }) => end <= highMemoryStart);
  const hole: readonly MapRange[] = map.hole
    ? [
        reserved(lowMemoryEnd, inHole[0]?.start ?? highMemoryStart),
        ...inHole,
        reserved(inHole[0]?.end ?? highMemoryStart, highMemoryStart),
      ]
    : [];
  const usable: readonly MapRange[] = ramRanges(ram).flatMap(({ start, end }) =>
    map.hole && start < highMemoryStart
      ? [
          { start, end: Math.min(end, lowMemoryEnd), kind: 'ram' },
          { start: highMemoryStart, end, kind: 'ram' },
        ]
      : [{ start, end, kind: 'ram' }],
  );
  const above = acpi.filter(({ end }) => end > highMemoryStart);
  const rest = map.reserved.map(({ start, end }) => reserved(start, end));
  return [...usable, ...hole, ...above, ...rest]
    .filter(({ start, end }) => end > start)
    .sort((a, b) => a.start - b.start);
}
