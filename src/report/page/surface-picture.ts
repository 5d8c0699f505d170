import { grouped } from '../numbers.js';
import { doorName, figure, legend, onDemand, table } from './figure.js';
import { counted, percent } from './figures-text.js';
import { fieldGrid, heatSteps } from './field-grid.js';
import { html, type Content, type Markup } from './markup.js';
import type { SurfaceRecord, SurfaceStructure, SurfaceTotals } from '../../probe/surface/result.js';
import { switcher } from './switcher.js';

/** What a door's guest read of what it was given. */
export interface DoorSurface {
  readonly door: string;
  readonly record: SurfaceRecord;
}

/** Totals by what they count, in the order of the table. */
const totals: readonly (readonly [name: keyof SurfaceTotals, title: string, of?: keyof SurfaceTotals])[] = [
  ['services', 'services called'],
  ['serviceCalls', 'calls of them'],
  ['lookups', 'protocols and GUIDs asked for'],
  ['lookupsFound', '... found'],
  ['configurationTables', 'configuration tables'],
  ['configurationTablesCompared', '... whose GUID was read'],
  ['configurationTablesTaken', '... whose pointer was taken'],
  ['variables', 'variables asked for'],
  ['variablesFound', '... found'],
  ['hypercalls', 'hypercalls, different ones'],
  ['hypercallCalls', '... calls of them'],
  ['hypercallArgumentBytes', '... bytes of their structures'],
  ['structures', 'structures given'],
  ['structuresRead', '... read', 'structures'],
  ['fields', 'fields given'],
  ['fieldsRead', '... read', 'fields'],
  ['fieldsSwept', '... only copied, summed or swept', 'fields'],
  ['fieldsWritten', '... written', 'fields'],
  ['bytes', 'bytes given'],
  ['bytesRead', '... read by whomever', 'bytes'],
  ['bytesFieldRead', '... read as fields', 'bytes'],
  ['memoryDescriptors', 'memory descriptors given'],
  ['memoryDescriptorsRead', '... read', 'memoryDescriptors'],
];

/** The heat map of each door, and the totals side by side. */
export function surfacePicture(doors: readonly DoorSurface[]): Markup {
  const steps = heatSteps.map((step, i) => {
    const next = heatSteps[i + 1];
    return [
      `heat-${String(i + 1)}`,
      next === undefined
        ? `${String(step)} reads and more`
        : next - step === 1
          ? String(step)
          : `${String(step)} to ${String(next - 1)}`,
    ] as const;
  });
  return html`
    <h3>In figures</h3>
    ${table(
      'The ABI surface of each door',
      ['', ...doors.map(({ door }) => doorName(door))],
      totals
        .filter(([name]) => doors.some(({ record }) => record.totals[name] > 0))
        .map(([name, title, of]) => [
          title,
          ...doors.map(({ record }) => {
            const value = record.totals[name];
            const whole = of === undefined ? undefined : record.totals[of];
            return whole === undefined || whole === 0 ? grouped(value) : `${grouped(value)} (${percent(value, whole)})`;
          }),
        ]),
      { numbers: true, hidden: true },
    )}
    <h3>Field by field</h3>
    ${figure(
      html`Every structure that the guest was given, 16 bytes a row, each field as wide as it has bytes, the colour by
      how often it was read. Hatched: never read. Dotted: only copied, summed or swept over, which tells nothing of the
      field. A small square: the guest wrote it.`,
      html`${switcher(
        'surface-door',
        'Which door',
        doors.map(({ door, record }) => ({ label: door, body: mapOf(record) })),
      )}
      ${legend([
        ['heat-0 hatched', 'never read'],
        ['heat-swept', 'copied, summed, swept'],
        ...steps.map(([name, text], i) => [name, i === 0 ? `read ${text}` : text] as const),
        ['heat-padding', 'padding'],
      ])}`,
      true,
    )}
    ${listsOf(doors)}
  `;
}

const providers: Readonly<Record<string, string>> = {
  firmware: 'EFI firmware',
  loader: 'what the door itself lays out',
  acpi: 'ACPI tables',
  xen: 'Xen',
};

function mapOf({ structures }: SurfaceRecord): Markup {
  const known = Object.keys(providers);
  const groups = [...new Set([...known, ...structures.map(({ provider }) => provider)])].filter((provider) =>
    structures.some((one) => one.provider === provider),
  );
  return html`${groups.map(
    (provider) =>
      html`<h4>${providers[provider] ?? provider}</h4>
        <div class="structures">${structures.filter((one) => one.provider === provider).map(structureOf)}</div>`,
  )}`;
}

function structureOf(structure: SurfaceStructure): Markup {
  const { name, bytes, fields, ended, phase } = structure;
  const real = fields.filter(({ padding }) => padding !== true);
  const read = real.filter(({ fieldReads }) => fieldReads > 0).length;
  const notes = [
    counted(bytes, 'byte'),
    read === 0 && real.every(({ reads }) => reads === 0)
      ? 'never read'
      : `${grouped(read)} of ${counted(real.length, 'field')} read`,
    ...(phase === 'set-up' ? [] : [`since ${phase}`]),
    ...(ended === undefined ? [] : [ended]),
  ];
  return html`<section class="structure">
    <h5>${name}</h5>
    <p class="aside">${notes.join(', ')}</p>
    ${fieldGrid(structure)}
  </section>`;
}

/** What was called and asked for, as tables on demand. */
function listsOf(doors: readonly DoorSurface[]): Content {
  return doors.map(({ door, record }) => {
    const { services, hypercalls, lookups, configurationTables, variables } = record;
    const lists: Content[] = [
      services.length > 0 &&
        table(
          'Services',
          ['service', 'calls'],
          services.map(({ name, calls }) => [name, grouped(calls)]),
          { numbers: true },
        ),
      lookups.length > 0 &&
        table(
          'Protocols and GUIDs that it asked for',
          ['GUID', 'by', 'calls', 'found'],
          lookups.map(({ guid, service, calls, found }) => [
            html`<code>${guid}</code>`,
            service,
            grouped(calls),
            grouped(found),
          ]),
        ),
      configurationTables.length > 0 &&
        table(
          'Entries of the configuration table',
          ['GUID', 'installed by', 'reads of the GUID', 'reads of the pointer'],
          configurationTables.map(({ guid, by, guidReads, pointerReads }) => [
            html`<code>${guid}</code>`,
            by,
            grouped(guidReads),
            grouped(pointerReads),
          ]),
        ),
      variables.length > 0 &&
        table(
          'Variables',
          ['variable', 'vendor', 'by', 'calls', 'found'],
          variables.map(({ name, guid, service, calls, found }) => [
            name,
            html`<code>${guid}</code>`,
            service,
            grouped(calls),
            grouped(found),
          ]),
        ),
      hypercalls.length > 0 &&
        table(
          'Hypercalls',
          ['hypercall', 'calls', 'bytes of structures'],
          hypercalls.map(({ name, calls, argumentBytes }) => [
            name,
            grouped(calls),
            argumentBytes === undefined ? '-' : grouped(argumentBytes),
          ]),
          { numbers: true },
        ),
    ];
    return lists.some((list) => list !== false)
      ? onDemand(html`What ${doorName(door)} called and asked for`, lists)
      : undefined;
  });
}
