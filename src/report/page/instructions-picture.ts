import { grouped } from '../numbers.js';
import { barTable, type BarCell } from './bars.js';
import { doorName, figure, legend, onDemand, table } from './figure.js';
import { percent, short } from './figures-text.js';
import {
  byFunction,
  byMode,
  bySubsystem,
  scopes,
  stretchesUpTo,
  wholeOf,
  type Scope,
  type Sum,
} from './instruction-sums.js';
import { html, type Content, type Markup } from './markup.js';
import type { Instructions } from '../../probe/probes/instructions.js';
import { switcher } from './switcher.js';

/** What a door executed. */
export interface Executed {
  readonly door: string;
  readonly record: Instructions;
}

type Columns = readonly { readonly door: string; readonly stretches: Instructions['stretches'] | undefined }[];

/** Functions that paper shows; on a screen all can be looked for. */
const functionsOnPaper = 40;

/** Instructions by subsystem, mode and function, for three parts of the run, with unpacking and without. */
export function instructionsPicture(doors: readonly Executed[]): Markup {
  const panes = scopes.flatMap((scope) => {
    const columns = doors.map(({ door, record }) => ({ door, stretches: stretchesUpTo(record, scope) }));
    if (columns.every(({ stretches }) => stretches === undefined)) return [];
    const unpacks = columns.some(({ stretches = [] }) => wholeOf(stretches).unpacking > 0);
    return [
      { label: scope.name, body: chart(scope, columns, true) },
      ...(unpacks ? [{ label: `${scope.name}, without unpacking`, body: chart(scope, columns, false) }] : []),
    ];
  });
  return html`
    ${figure(
      html`Instructions retired by the guest, by the subsystem to which a function's name belongs; each bar is measured
      by the longest one of its picture. The hatched part unpacks the kernel, which behind PVH the host has done.`,
      html`${switcher('instructions-scope', 'Which part of the run', panes)}
      ${legend([['hatched', 'unpacking the kernel']])}`,
    )}
    <h3>By mode of the processor</h3>
    ${modeTable(doors)}
    <h3>By function</h3>
    ${functionFinder(doors)}
  `;
}

function chart(scope: Scope, columns: Columns, withUnpacking: boolean): Markup {
  const sums = columns.map(({ stretches }) => stretches && bySubsystem(stretches));
  const value = ({ instructions, unpacking }: Sum): number => instructions - (withUnpacking ? 0 : unpacking);
  const weight = (name: string): number =>
    Math.max(...sums.map((column) => value(column?.get(name) ?? { instructions: 0, unpacking: 0 })));
  const names = [...new Set(sums.flatMap((column) => [...(column?.keys() ?? [])]))].sort(
    (a, b) => weight(b) - weight(a),
  );
  const cell = (sum: Sum | undefined, door: string): BarCell | undefined => {
    if (sum === undefined) return undefined;
    const own = sum.instructions - sum.unpacking;
    return {
      text: html`<span title="${grouped(value(sum))}">${short(value(sum))}</span>`,
      parts: [
        { value: own, class: `fill-${door}`, title: `${grouped(own)} instructions` },
        ...(withUnpacking
          ? [{ value: sum.unpacking, class: `fill-${door} hatched`, title: `unpacking: ${grouped(sum.unpacking)}` }]
          : []),
      ],
    };
  };
  return barTable(
    `Instructions by subsystem, ${scope.name}${withUnpacking ? '' : ', without unpacking'}`,
    ['subsystem', ...columns.map(({ door }) => doorName(door))],
    [
      ...names.map((name) => ({
        head: name,
        cells: columns.map(({ door }, i) => cell(sums[i]?.get(name), door)),
      })),
      {
        head: 'all',
        class: 'sum',
        cells: columns.map(({ stretches }) =>
          stretches === undefined ? undefined : { text: grouped(value(wholeOf(stretches))), parts: [] },
        ),
      },
    ],
    Math.max(...names.map(weight)),
  );
}

function modeTable(doors: readonly Executed[]): Markup {
  const groups = scopes.flatMap((scope) => {
    const columns = doors.map(({ record }) => stretchesUpTo(record, scope));
    if (columns.every((stretches) => stretches === undefined)) return [];
    const modes = columns.map((stretches) => stretches && byMode(stretches));
    const names = [...new Set(modes.flatMap((column) => [...(column?.keys() ?? [])]))];
    return names.map((name): Content[] => [
      html`${scope.name}: ${name}`,
      ...modes.map((column, i) => {
        const count = column?.get(name)?.instructions;
        const whole = columns[i] && wholeOf(columns[i]).instructions;
        return count === undefined || whole === undefined ? '-' : `${grouped(count)} (${percent(count, whole)})`;
      }),
    ]);
  });
  return table('Instructions by mode', ['', ...doors.map(({ door }) => doorName(door))], groups, {
    numbers: true,
    hidden: true,
  });
}

/** A table that the page's script fills as the reader looks for functions; without it, the first ones. */
function functionFinder(doors: readonly Executed[]): Markup {
  const columns = doors.map(({ record }) => byFunction(record.stretches));
  const keys = functionKeys(doors);
  const shown = keys.slice(0, functionsOnPaper);
  return html`<div class="finder" data-finder="rows-instructions">
    ${onDemand(
      `${grouped(keys.length)} functions`,
      html`<label class="find" hidden>Name or subsystem <input type="search" autocomplete="off" /></label>
        <p class="found aside" aria-live="polite">The ${grouped(shown.length)} with most instructions.</p>
        ${table(
          'Functions by instructions',
          ['function', 'subsystem', ...doors.map(({ door }) => doorName(door))],
          shown.map((key) => {
            const [subsystem = '', name = ''] = key.split('\n');
            return [
              html`<code>${name}</code>`,
              subsystem,
              ...columns.map((column) => {
                const count = column.get(key);
                return count === undefined ? '-' : grouped(count);
              }),
            ];
          }),
          { numbers: true, hidden: true },
        )}`,
    )}
  </div>`;
}

const functionKeys = (doors: readonly Executed[]): readonly string[] => {
  const columns = doors.map(({ record }) => byFunction(record.stretches));
  const weight = new Map<string, number>();
  for (const column of columns)
    for (const [key, count] of column) weight.set(key, Math.max(weight.get(key) ?? 0, count));
  return [...weight.keys()].sort((a, b) => (weight.get(b) ?? 0) - (weight.get(a) ?? 0));
};

/** For the script: subsystem, function, and a column a door; null where the door does not execute it. */
export function functionRows(doors: readonly Executed[]): readonly (readonly (string | number | null)[])[] {
  const columns = doors.map(({ record }) => byFunction(record.stretches));
  return functionKeys(doors).map((key) => {
    const [subsystem = '', name = ''] = key.split('\n');
    return [name, subsystem, ...columns.map((column) => column.get(key) ?? null)];
  });
}
