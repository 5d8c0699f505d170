import { grouped } from '../numbers.js';
import type { Run } from './comparison-data.js';
import { doorName, figure, legend, onDemand, table } from './figure.js';
import { short } from './figures-text.js';
import { html, type Content, type Markup } from './markup.js';
import { milestonesOf } from './milestones.js';
import { linearScale, logScale, type Scale } from './scale.js';
import { unpackingOf as unpackedBy, type Unpacking } from './unpacking.js';
import { switcher } from './switcher.js';
import { stretchesOf, stretchLegend } from './stretches.js';

const bandTop = 30;
const bandHeight = 30;
const laneHeight = 98;
/** Marks of a kind that are nearer than this, in percent of the width, are one. */
const nearest = { call: 0.12, hypercall: 0.4 };

/** The doors over each other, on both scales; the page shows one of them, paper both. */
export function timeLine(runs: readonly Run[]): Markup {
  const unpacking = runs.map(unpackedBy);
  const end = Math.max(...runs.map(({ instructions }) => instructions));
  const first = Math.min(
    ...runs.flatMap((run) => stretchesOf(run).map(({ to }) => to)).filter((instructions) => instructions > 0),
  );
  const milestones = milestonesOf(runs);
  const draw = (scale: Scale): Markup =>
    html`<p class="axis-name">instructions retired</p>
      ${svgOf(runs, unpacking, { first, end, scale })}`;
  const caption = html`Each door from its entry to its end. Lines above a band are firmware calls, lines below it
  hypercalls; a numbered mark is a line of the console, listed below. Marks without room for a number are in the table
  alone. In the hatched stretch the kernel is unpacked.`;
  return figure(
    caption,
    html`
      ${switcher('scale', 'Scale of the time line', [
        { label: 'logarithmic', class: 'scale-log', body: draw(logScale(first, end)) },
        { label: 'linear', class: 'scale-linear', body: draw(linearScale(end)) },
      ])}
      ${legend([...stretchLegend, ['unpacking', 'unpacking the kernel'], ['mark-call', 'firmware call'], ['mark-hypercall', 'hypercall']])}
      ${onDemand(
        'The same as tables',
        html`${phaseTable(runs)} ${milestones.length > 0 && milestoneTable(runs, milestones)}`,
      )}
    `,
  );
}

function svgOf(
  runs: readonly Run[],
  unpacking: readonly (Unpacking | undefined)[],
  { first, end, scale }: { readonly first: number; readonly end: number; readonly scale: Scale },
): Markup {
  const height = runs.length * laneHeight + 24;
  const description = runs
    .map(
      (run) =>
        `${run.door}: ${stretchesOf(run)
          .map(({ title, to }) => `${title} to ${short(to)}`)
          .join(', ')}`,
    )
    .join('; ');
  return html`<svg
    class="lanes"
    width="100%"
    height="${height}"
    data-scale="${scale.name}"
    data-from="${first}"
    data-end="${end}"
    role="img"
    aria-label="Time line. ${description}"
  >
    ${scale.ticks.map(
      ({ at, label }, i) =>
        html`<line class="grid" x1="${at}%" x2="${at}%" y1="4" y2="${height - 20}" />
          <text class="tick" x="${at}%" y="${height - 5}" ${anchor(at, i === 0)}>${label}</text>`,
    )}
    ${runs.map((run, lane) => laneOf(run, runs, unpacking[lane], scale, lane * laneHeight))}
    <line class="cursor" x1="0" x2="0" y1="4" y2="${height - 20}" visibility="hidden" />
  </svg>`;
}

const anchor = (at: number, isFirst: boolean): Content =>
  isFirst || at < 2 ? html` text-anchor="start"` : at > 97 ? html` text-anchor="end"` : html` text-anchor="middle"`;

function laneOf(run: Run, runs: readonly Run[], unpacked: Unpacking | undefined, scale: Scale, y: number): Markup {
  const { calls, hypercalls } = run.probes.calls ?? { calls: [], hypercalls: [] };
  const top = y + bandTop;
  const bottom = top + bandHeight;
  const bar = (from: number, to: number): { readonly x: number; readonly width: number } => {
    const x = scale.place(from);
    return { x, width: Math.max(0.15, Math.round((scale.place(to) - x) * 1000) / 1000) };
  };
  const door = runs.indexOf(run);
  return html`<g>
    <text class="lane-name door-${run.door}" x="0" y="${y + 16}">${run.door}</text>
    ${stretchesOf(run).map(({ kind, title, from, to }) => {
      const { x, width } = bar(from, to);
      return html`<svg x="${x}%" y="${top}" width="${width}%" height="${bandHeight}">
        <rect class="stretch-${kind}" width="100%" height="100%">
          <title>${title}: ${grouped(to - from)} instructions, ${grouped(from)} to ${grouped(to)}</title>
        </rect>
        ${width > 4 && html`<text class="in-band" x="5" y="19">${title}</text>`}
      </svg>`;
    })}
    ${unpacked && unpackingOf(unpacked, bar(unpacked.from, unpacked.to), top)}
    ${marks(calls, scale, nearest.call).map(
      ({ at, one, count }) =>
        html`<line class="mark-call" x1="${at}%" x2="${at}%" y1="${top - 11}" y2="${top - 1}"
          ><title>
            ${one.name} at ${grouped(one.instructions)}${count > 1 ? ` and ${String(count - 1)} more calls` : ''}
          </title></line
        >`,
    )}
    ${marks(hypercalls, scale, nearest.hypercall).map(
      ({ at, one, count }) =>
        html`<line class="mark-hypercall" x1="${at}%" x2="${at}%" y1="${bottom + 1}" y2="${bottom + 8}"
          ><title>
            ${one.name} at ${grouped(one.instructions)}${count > 1 ? ` and ${String(count - 1)} more hypercalls` : ''}
          </title></line
        >`,
    )}
    ${milestoneMarks(runs, door, scale, bottom)}
    <rect class="hit" data-lane="${run.door}" x="0" y="${y}" width="100%" height="${laneHeight}" />
  </g>`;
}

const unpackingOf = ({ from, to }: Unpacking, { x, width }: { x: number; width: number }, top: number): Markup =>
  html`<rect class="unpacking" x="${x}%" y="${top}" width="${width}%" height="${bandHeight}"
    ><title>unpacking: ${grouped(to - from)} instructions</title></rect
  >`;

/** One mark for neighbours that would lie on each other. */
function marks<Event extends { readonly instructions: number }>(
  events: readonly Event[],
  scale: Scale,
  apart: number,
): readonly { readonly at: number; readonly one: Event; readonly count: number }[] {
  const result: { at: number; one: Event; count: number }[] = [];
  for (const one of events) {
    const at = scale.place(one.instructions);
    const last = result.at(-1);
    if (last !== undefined && at - last.at < apart) last.count++;
    else result.push({ at, one, count: 1 });
  }
  return result;
}

/** Numbers under the band; one that would cover the last goes a line down, one that would cover that too is left out. */
function milestoneMarks(runs: readonly Run[], door: number, scale: Scale, bottom: number): readonly Content[] {
  const taken = [-10, -10];
  return milestonesOf(runs).map(({ title, passed }, i) => {
    const one = passed[door];
    if (one === undefined) return undefined;
    const at = scale.place(one.instructions);
    const row = taken.findIndex((place) => at - place >= 1.8);
    if (row < 0) return undefined;
    taken[row] = at;
    return html`<text class="milestone" x="${at}%" y="${bottom + 20 + row * 12}" ${anchor(at, false)}
      >${i + 1}<title>${title} at ${grouped(one.instructions)}: ${one.text}</title></text
    >`;
  });
}

/** The points of all runs; one that some runs lack stands behind the one that it followed. */
function pointsOf(runs: readonly Run[]): readonly string[] {
  const names: string[] = [];
  for (const { phases } of runs) {
    let at = 0;
    for (const { name } of phases) {
      const known = names.indexOf(name);
      if (known < 0) names.splice(at, 0, name);
      at = (known < 0 ? at : known) + 1;
    }
  }
  return names;
}

function phaseTable(runs: readonly Run[]): Markup {
  const names = pointsOf(runs);
  const before = (run: Run, name: string): string => {
    const phase = run.phases.find((candidate) => candidate.name === name);
    return phase === undefined ? '-' : grouped(phase.instructions);
  };
  return table(
    'Instructions before each phase',
    ['phase', ...runs.map(({ door }) => doorName(door))],
    [
      ...names.map((name) => [name.replace(/^symbol:/, ''), ...runs.map((run) => before(run, name))]),
      ['the end', ...runs.map(({ instructions }) => grouped(instructions))],
      ['how it ended', ...runs.map(({ outcome }) => outcome)],
    ],
    { numbers: true },
  );
}

const milestoneTable = (runs: readonly Run[], milestones: ReturnType<typeof milestonesOf>): Markup =>
  table(
    'Lines of the console, and instructions before them',
    ['line', ...runs.map(({ door }) => doorName(door))],
    milestones.map(({ title, passed }, i) => [
      `${String(i + 1)}. ${title}`,
      ...passed.map((one) => (one === undefined ? '-' : grouped(one.instructions))),
    ]),
    { numbers: true },
  );
