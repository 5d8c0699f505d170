import type { TakenAtDoor } from '../probe.js';
import type { Section } from '../section.js';
import type { SurfaceJoined, SurfaceRecord, SurfaceTotals } from './result.js';

const rows: readonly (readonly [string, (totals: SurfaceTotals) => string])[] = [
  ['services called', ({ services, serviceCalls }) => calls(services, serviceCalls)],
  ['protocols looked for', ({ lookups, lookupsFound }) => of(lookupsFound, lookups, 'found')],
  [
    'configuration tables',
    ({ configurationTablesTaken, configurationTables }) => of(configurationTablesTaken, configurationTables, 'taken'),
  ],
  ['variables asked for', ({ variables, variablesFound }) => of(variablesFound, variables, 'found')],
  ['hypercalls', ({ hypercalls, hypercallCalls }) => calls(hypercalls, hypercallCalls)],
  ['  bytes of their structures', ({ hypercallArgumentBytes }) => figure(hypercallArgumentBytes)],
  ['structures', ({ structures, structuresRead }) => of(structuresRead, structures, 'read')],
  ['  their fields', ({ fields, fieldsRead }) => of(fieldsRead, fields, 'read')],
  ['  copied or summed only', ({ fieldsSwept }) => figure(fieldsSwept)],
  ['  stored to by the guest', ({ fieldsWritten }) => figure(fieldsWritten)],
  ['  their bytes', ({ bytes, bytesRead }) => of(bytesRead, bytes, 'read')],
  ['  memory descriptors', (totals) => of(totals.memoryDescriptorsRead, totals.memoryDescriptors, 'read')],
];

const figure = (value: number): string => (value === 0 ? '-' : String(value));
const calls = (different: number, all: number): string =>
  all === 0 ? '-' : `${String(different)} in ${String(all)} calls`;
const of = (part: number, all: number, what: string): string =>
  all === 0 ? '-' : `${String(part)} of ${String(all)} ${what}`;

/** Side by side in figures, then structure by structure. */
export function surfaceSections(
  doors: readonly TakenAtDoor<SurfaceRecord>[],
  { structures }: SurfaceJoined,
): readonly Section[] {
  const names = doors.map(({ door }) => door);
  return [
    {
      title: 'the interface as the guest uses it',
      note: 'Bytes that firmware, hypervisor or loader laid out for the guest: which it read as fields, which it only copied or summed.',
      table: {
        columns: ['', ...names],
        rows: rows.map(([title, cell]) => [title, ...doors.map(({ taken }) => cell(taken.totals))]),
      },
    },
    {
      title: 'structures, fields read of fields there',
      detail: true,
      table: {
        columns: ['', ...names],
        rows: structures.map(({ name, doors: read }) => [
          name,
          ...read.map((one) => (one === null ? '-' : `${String(one.fieldsRead)} of ${String(one.fields)}`)),
        ]),
      },
    },
  ];
}
