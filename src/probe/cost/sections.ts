import type { CodeLines, CostJoined, CostRecord, HeldMemory } from './result.js';
import type { TakenAtDoor } from '../probe.js';
import type { Section } from '../section.js';

type Doors = readonly TakenAtDoor<CostRecord>[];

const kibibytes = (bytes: number): string => `${String(bytes / 1024)} KiB`;
const figure = (value: number | null): string => (value === null ? '-' : String(value));

/** A line a name that occurs at any door, a column a door. */
function byName<One>(
  doors: Doors,
  list: (taken: CostRecord) => readonly One[],
  name: (one: One) => string,
  cell: (ones: readonly One[]) => string,
): string[][] {
  const names = [...new Set(doors.flatMap(({ taken }) => list(taken).map(name)))];
  return names.map((wanted) => [
    `  ${wanted}`,
    ...doors.map(({ taken }) => {
      const found = list(taken).filter((one) => name(one) === wanted);
      return found.length === 0 ? '-' : cell(found);
    }),
  ]);
}

const heldRows = (doors: Doors, list: (taken: CostRecord) => readonly HeldMemory[]): string[][] =>
  byName(
    doors,
    list,
    ({ owner }) => owner,
    (held) => kibibytes(held.reduce((sum, { bytes }) => sum + bytes, 0)),
  );

const lineRows = (doors: Doors, list: (taken: CostRecord) => readonly CodeLines[]): string[][] =>
  byName(
    doors,
    list,
    ({ name }) => name,
    (counted) => String(counted.reduce((sum, { lines, behind }) => sum + (behind ?? lines), 0)),
  );

/** Memory, tables and code, then owners and services one by one. */
export function costSections(doors: Doors, { doors: together }: CostJoined): readonly Section[] {
  const row = (title: string, cell: (one: CostJoined['doors'][number]) => string): string[] => [
    title,
    ...together.map(cell),
  ];
  const columns = ['', ...doors.map(({ door }) => door)];
  const services = lineRows(doors, ({ code }) => code.services ?? []);
  return [
    {
      title: 'what a door costs',
      note: 'Guest memory that the hypervisor holds, lines of its code (without blank lines and comments), bytes of the code in the guest for this door (of EFI and linux64 with the decompressor, which no symbol tells apart).',
      table: {
        columns,
        rows: [
          row('held at the entry', ({ heldAtEntry }) => kibibytes(heldAtEntry)),
          row('  never given back', ({ heldAfter }) => kibibytes(heldAfter)),
          row('bytes of tables', ({ tableBytes }) => String(tableBytes)),
          row('lines of code', ({ lines }) => figure(lines)),
          row('bytes of code in the guest', ({ stubBytes }) => figure(stubBytes)),
        ],
        numbers: true,
      },
    },
    {
      title: 'what a door costs, one by one',
      detail: true,
      table: {
        columns,
        rows: [
          ['held at the entry, by owner'],
          ...heldRows(doors, ({ memory }) => memory.entry),
          ['never given back, by owner'],
          ...heldRows(doors, ({ memory }) => memory.after),
          ['lines of code, by folder'],
          ...lineRows(doors, ({ code }) => code.door ?? []),
          ...(services.length === 0 ? [] : [['lines of code behind each service'], ...services]),
        ],
        numbers: true,
      },
      lines: doors.flatMap(({ door, taken }) =>
        taken.stub.map(({ what, bytes, by }) => `${door}: ${what}: ${String(bytes)} bytes, by ${by}`),
      ),
    },
  ];
}
