import { grouped, percent } from '../../report/numbers.js';
import { modeNames } from '../code/executed-code.js';
import type { TakenAtDoor } from '../probe.js';
import type { Section } from '../section.js';
import type { Instructions, InstructionStretch } from '../probes/instructions.js';

type Doors = readonly TakenAtDoor<Instructions>[];
type Counts = ReadonlyMap<string, number>;

const functionsShown = 20;

/** The instructions of several doors side by side, for people. */
export function instructionSections(doors: Doors): Section[] {
  if (doors.length === 0) return [];
  return [
    totals(doors),
    byMode(doors),
    { ...longMode(doors), detail: true },
    { ...bySubsystem(doors), detail: true },
    { ...stretches(doors), detail: true },
    { ...functions(doors), detail: true },
    { ...controlWrites(doors), detail: true },
  ];
}

/** Sums over all stretches by some key. */
function sums(
  taken: Instructions,
  read: (stretch: InstructionStretch) => readonly (readonly [string, number])[],
): Counts {
  const all = new Map<string, number>();
  for (const stretch of taken.stretches)
    for (const [key, count] of read(stretch)) all.set(key, (all.get(key) ?? 0) + count);
  return all;
}

const columnsOf = (doors: Doors): string[] => ['', ...doors.map(({ door }) => door)];
const cell = (count: number | undefined): string => (count === undefined ? '-' : grouped(count));

/** A row for each key, those with most behind each other first; the last row is the sum. */
function table(
  doors: Doors,
  read: (stretch: InstructionStretch) => readonly (readonly [string, number])[],
): string[][] {
  const columns = doors.map(({ taken }) => sums(taken, read));
  const weight = (key: string): number => Math.max(...columns.map((column) => column.get(key) ?? 0));
  const keys = [...new Set(columns.flatMap((column) => [...column.keys()]))].sort((a, b) => weight(b) - weight(a));
  return [
    ...keys.map((key) => [key, ...columns.map((column) => cell(column.get(key)))]),
    ['all', ...doors.map(({ taken }) => grouped(taken.total))],
  ];
}

function totals(doors: Doors): Section {
  const unpacking = ({ unpacking }: Instructions): number => unpacking?.instructions ?? 0;
  const row = (title: string, read: (taken: Instructions) => string): string[] => [
    title,
    ...doors.map(({ taken }) => read(taken)),
  ];
  const until = (taken: Instructions, point: string): number | undefined => {
    const at = taken.stretches.findIndex(({ to }) => to === point);
    return at < 0 ? undefined : taken.stretches.slice(0, at + 1).reduce((sum, one) => sum + one.instructions, 0);
  };
  const pair = (title: string, read: (taken: Instructions) => number | undefined): string[][] => [
    row(title, (taken) => cell(read(taken))),
    row('  without unpacking', (taken) => {
      const count = read(taken);
      return count === undefined ? '-' : grouped(count - unpacking(taken));
    }),
  ];
  const isThere = ([, ...cells]: readonly string[]): boolean => cells.some((text) => text !== '-');
  const rows = [
    row('unpacking the kernel', (taken) => grouped(unpacking(taken))),
    ...pair('up to start_kernel', (taken) => until(taken, 'start_kernel')),
    ...pair('up to user space', (taken) => until(taken, 'user-space')),
    ...pair('in all', ({ total }) => total),
  ];
  return {
    title: 'instructions, with unpacking and without',
    table: { columns: columnsOf(doors), numbers: true, rows: rows.filter(isThere) },
    lines: doors.map(({ door, taken }) =>
      taken.unpacking === undefined
        ? `${door}: the guest unpacks no kernel; where there is one to unpack, the host does`
        : `${door}: the kernel is unpacked ${taken.unpacking.where}`,
    ),
  };
}

function byMode(doors: Doors): Section {
  const rows = table(doors, ({ modes }) => Object.entries(modes));
  const order = (name = ''): number => (modeNames as readonly string[]).indexOf(name);
  const [all = [], ...modes] = [...rows].reverse();
  return {
    title: 'instructions by mode of the processor',
    table: {
      columns: columnsOf(doors),
      numbers: true,
      rows: [...modes.sort((a, b) => order(a[0]) - order(b[0])), all],
    },
  };
}

function bySubsystem(doors: Doors): Section {
  const read = ({ functions: bySub }: InstructionStretch): (readonly [string, number])[] =>
    Object.entries(bySub).map(([name, counts]) => [name, Object.values(counts).reduce((sum, count) => sum + count, 0)]);
  return {
    title: 'instructions by subsystem',
    note: "A kernel function's subsystem is told by its name; `other` is what no rule knows.",
    table: { columns: columnsOf(doors), numbers: true, rows: table(doors, read) },
  };
}

function functions(doors: Doors): Section {
  const rows = table(doors, ({ functions: bySub }) => Object.values(bySub).flatMap((counts) => Object.entries(counts)));
  const shown = rows.slice(0, -1).slice(0, functionsShown);
  return {
    title: `the ${String(shown.length)} functions with most instructions, of ${String(rows.length - 1)}`,
    table: { columns: columnsOf(doors), numbers: true, rows: shown },
    lines: ['All of them are in the JSON result.'],
  };
}

function stretches(doors: Doors): Section {
  return {
    title: 'instructions from point to point',
    table: {
      columns: ['door', 'from', 'to', 'instructions', 'unpacking', 'of all'],
      rows: doors.flatMap(({ door, taken }) =>
        taken.stretches.map(({ from, to, instructions, unpacking }) => [
          door,
          from,
          to,
          grouped(instructions),
          grouped(unpacking),
          percent(instructions, taken.total),
        ]),
      ),
    },
  };
}

function longMode(doors: Doors): Section {
  return {
    title: 'who switches to 64-bit mode',
    note: 'Page tables behind CR3 at each point: pages of 4 KiB, and how many of them were no page tables before.',
    table: {
      columns: ['door', 'at', 'pages', 'new', 'code that ran since the point before'],
      rows: doors.flatMap(({ door, taken }) =>
        taken.longMode.pageTables.map(({ at, pages, fresh, by }) => [
          door,
          at,
          grouped(pages),
          grouped(fresh),
          by.join(', '),
        ]),
      ),
    },
    lines: doors.flatMap(({ door, taken }) =>
      taken.longMode.modes.map(({ until, instructions }) => {
        const counts = Object.entries(instructions).map(([mode, count]) => `${grouped(count)} ${mode}`);
        return `${door}, up to ${until}: ${counts.join('; ')}`;
      }),
    ),
  };
}

function controlWrites(doors: Doors): Section {
  return {
    title: 'writes of control registers up to start_kernel',
    table: {
      columns: ['door', 'register', 'times', 'by'],
      rows: doors.flatMap(({ door, taken }) =>
        taken.longMode.controlWrites.map(({ register, name, subsystem, times }) => [
          door,
          register,
          grouped(times),
          name === subsystem ? name : `${name} (${subsystem})`,
        ]),
      ),
    },
  };
}
