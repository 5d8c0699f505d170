import { grouped } from '../numbers.js';
import { bar, barTable } from './bars.js';
import { doorName, figure, legend, onDemand, table } from './figure.js';
import { counted, percent, slug } from './figures-text.js';
import { html, type Content, type Markup } from './markup.js';
import type { JoinedCoverage } from '../../probe/probes/coverage.js';
import { switcher } from './switcher.js';

type Scope = JoinedCoverage['scopes'][number];

const functionsOnPaper = 40;

/** What the doors execute in common, what one alone does, and where their paths join. */
export function coveragePicture(coverage: JoinedCoverage): Markup {
  const { doors, refused, scopes } = coverage;
  if (refused !== undefined) return html`<p>The doors cannot be compared: ${refused}.</p>`;
  if (scopes.length === 0) return html`<p>There is nothing to compare: it takes two doors of the same kernel.</p>`;
  return html`
    ${joins(coverage)}
    ${figure(
      html`Different instructions of the kernel, its file and the firmware's gates, told by where they were linked. User
      space, modules and code that the kernel makes are left out.`,
      html`${switcher(
        'coverage-scope',
        'Which part of the run',
        scopes.map((scope) => ({ label: scope.scope, body: chart(doors, scope) })),
      )}
      ${legend([
        ['fill-common', 'every door'],
        ...(doors.length > 2 ? [['fill-some', 'several doors'] as const] : []),
        ...doors.map((door) => [`fill-${door} hatched`, html`${doorName(door)} alone`] as const),
      ])}`,
    )}
    ${scopes.flatMap((scope) => (scope.functions === undefined ? [] : [functionsOf(doors, scope)]))}
  `;
}

function joins({ joins: all }: JoinedCoverage): Content {
  if (all.length === 0) return undefined;
  return html`<ul class="plain">
    ${all.map(
      ({ door, at, instructions }) =>
        html`<li>
          ${doorName(door)}
          ${
            at === undefined || instructions === undefined
              ? 'meets code that no other door executes up to start_kernel itself.'
              : html`joins the others at <code>${at}</code>, after ${counted(instructions, 'instruction')}: from there
                  to start_kernel it meets no code that they do not execute as well.`
          }
        </li>`,
    )}
  </ul>`;
}

const parts = (
  doors: readonly string[],
  { common, some, only }: { readonly common: number; readonly some: number; readonly only: readonly number[] },
) => [
  { value: common, class: 'fill-common', title: `every door: ${grouped(common)}` },
  { value: some, class: 'fill-some', title: `several doors: ${grouped(some)}` },
  ...doors.map((door, i) => ({
    value: only[i] ?? 0,
    class: `fill-${door} hatched`,
    title: `${door} alone: ${grouped(only[i] ?? 0)}`,
  })),
];

function chart(doors: readonly string[], { scope, all, common, some, only, subsystems }: Scope): Markup {
  const whole = { common: common.addresses, some: some.addresses, only: only.map(({ addresses }) => addresses) };
  const total = (one: { common: number; some: number; only: readonly number[] }): number =>
    one.common + one.some + one.only.reduce((sum, count) => sum + count, 0);
  const rows = [...subsystems].sort((a, b) => total(b) - total(a));
  const longest = Math.max(1, ...rows.map(total));
  const weighted = doors.map(
    (door, i) =>
      html`<li>
        ${doorName(door)}: ${percent(common.executions[i] ?? 0, all.executions[i] ?? 0)} of what it executes is code of
        every door, ${percent(only[i]?.executions[i] ?? 0, all.executions[i] ?? 0)} its own.
      </li>`,
  );
  return html`
    <p>
      ${counted(all.addresses, 'instruction')} in ${counted(all.functions, 'function')}:
      ${percent(common.addresses, all.addresses)} are executed behind every
      door${doors.map((door, i) => `, ${percent(only[i]?.addresses ?? 0, all.addresses)} behind ${door} alone`)}.
    </p>
    <div class="whole">${bar(parts(doors, whole), all.addresses)}</div>
    <ul class="plain">
      ${weighted}
    </ul>
    ${barTable(
      `Instructions in common by subsystem, ${scope}`,
      ['subsystem', 'instructions', 'every door', ...doors.map((door) => html`${doorName(door)} alone`)],
      rows.map((row) => ({
        head: row.subsystem,
        cells: [
          { text: grouped(total(row)), parts: parts(doors, row) },
          { text: grouped(row.common), parts: [] },
          ...doors.map((_, i) => ({ text: grouped(row.only[i] ?? 0), parts: [] })),
        ],
      })),
      longest,
    )}
  `;
}

/** `subsystem, function, common, some, only by door ...`, those with most code of one door alone first. */
export const coverageRows = (scope: Scope): readonly (readonly (string | number)[])[] =>
  Object.entries(scope.functions ?? {})
    .flatMap(([subsystem, own]) =>
      Object.entries(own).map(([name, [common = 0, some = 0, ...rest]]) => {
        const only = rest.slice(0, rest.length / 2);
        return { row: [name, subsystem, common, some, ...only], alone: only.reduce((sum, count) => sum + count, 0) };
      }),
    )
    .sort((a, b) => b.alone - a.alone)
    .map(({ row }) => row);

function functionsOf(doors: readonly string[], scope: Scope): Markup {
  const rows = coverageRows(scope);
  const shown = rows.slice(0, functionsOnPaper);
  const columns = ['every door', 'several', ...doors.map((door) => html`${doorName(door)} alone`)];
  return html`<div class="finder" data-finder="rows-coverage-${slug(scope.scope)}">
    ${onDemand(
      `${grouped(rows.length)} functions ${scope.scope}`,
      html`<label class="find" hidden>Name or subsystem <input type="search" autocomplete="off" /></label>
        <p class="found aside" aria-live="polite">
          The ${grouped(shown.length)} with most code that one door alone executes.
        </p>
        ${table(
          `Instructions of functions, ${scope.scope}`,
          ['function', 'subsystem', ...columns],
          shown.map(([name, subsystem, ...counts]) => [
            html`<code>${name}</code>`,
            subsystem,
            ...counts.map((count) => grouped(Number(count))),
          ]),
          { numbers: true, hidden: true },
        )}`,
    )}
  </div>`;
}
