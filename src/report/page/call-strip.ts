import { grouped } from '../numbers.js';
import { groupOf, hypercallGroup, sectionText } from './call-groups.js';
import { callsInOrder, succeeded, type FoldedHypercalls, type StripCall } from './call-order.js';
import type { Run } from './comparison-data.js';
import { doorName, onDemand, table } from './figure.js';
import { counted } from './figures-text.js';
import { html, type Content, type Markup } from './markup.js';

const phaseTitles: Readonly<Record<string, string>> = {
  entry: 'from the entry',
  'exit-boot-services': 'after ExitBootServices',
  'kernel-entry': 'in the startup code',
  start_kernel: 'in the kernel',
  'user-space': 'with user space',
};

/** A door's calls as cells of the same width, by phase; each leads to its row of the table. */
export function callStrip(run: Run): Markup {
  const all = callsInOrder(run.probes.calls);
  const { moreCalls = 0, moreHypercalls = 0 } = run.probes.calls ?? {};
  if (all.length === 0) {
    return html`<div class="strip" data-door="${run.door}">
      <h3>${doorName(run.door)}</h3>
      <p>It asks nobody for anything: no firmware call, no hypercall from the entry to the end.</p>
    </div>`;
  }
  const phases = [...new Set(all.map(({ phase }) => phase))];
  return html`<div class="strip" data-door="${run.door}">
    <h3>${doorName(run.door)} <span class="aside">${summary(run)}</span></h3>
    <div class="cells" role="group" aria-label="Calls by ${run.door}: arrow keys go from one to the next">
      ${phases.map(
        (phase) =>
          html`<div class="phase">
            <p>${phaseTitles[phase] ?? phase}</p>
            <div class="run-of-cells">${all.map((call, i) => call.phase === phase && cell(run.door, call, i))}</div>
          </div>`,
      )}
    </div>
    ${
      moreCalls + moreHypercalls > 0 &&
      html`<p class="aside">
        ${counted(moreCalls, 'later firmware call')} and ${counted(moreHypercalls, 'later hypercall')} are only counted.
      </p>`
    }
  </div>`;
}

function summary({ probes: { calls } }: Run): string {
  const { calls: made = [], hypercalls = [], moreCalls = 0, moreHypercalls = 0 } = calls ?? {};
  return [
    ...(made.length > 0 ? [counted(made.length + moreCalls, 'firmware call')] : []),
    ...(hypercalls.length > 0 ? [counted(hypercalls.length + moreHypercalls, 'hypercall')] : []),
  ].join(', ');
}

function cell(door: string, call: StripCall, index: number): Markup {
  const group = call.kind === 'call' ? groupOf(call.name) : hypercallGroup;
  const text = call.kind === 'folded' ? call.name : `${call.name}: ${call.status}`;
  const looks = [
    'cell',
    `group-${group.name}`,
    ...(succeeded(call) ? [] : ['failed']),
    ...(call.kind === 'folded' ? ['folded'] : []),
  ];
  return html`<a
    class="${looks.join(' ')}"
    href="#call-${door}-${index}"
    data-call="${index}"
    tabindex="${index === 0 ? 0 : -1}"
    title="${text}"
    aria-label="${index + 1}: ${text}"
    >${call.kind === 'folded' ? `${group.letter} ×${String(call.count)}` : group.letter}</a
  >`;
}

const pairs = (record: Readonly<Record<string, string | readonly string[]>>): Content =>
  Object.entries(record).map(
    ([name, value]) =>
      html`<div>
        <span class="name">${name}</span> <code>${typeof value === 'string' ? value : value.join('\n')}</code>
      </div>`,
  );

/** All calls of a door with everything that is known of them: what the strip leads to, and what paper has. */
export function callTable(run: Run): Markup {
  const all = callsInOrder(run.probes.calls);
  return onDemand(
    html`All calls by ${doorName(run.door)} as a table`,
    table(
      `Calls by ${run.door}`,
      ['', 'instructions', 'call', 'arguments', 'results', 'status', 'called by'],
      all.map((call, i) => [
        html`<a id="call-${run.door}-${i}" class="anchor">${i + 1}</a>`,
        html`<span class="number">${grouped(call.instructions)}</span>`,
        ...(call.kind === 'folded' ? foldedCells(call) : callCells(call)),
      ]),
      { class: 'calls' },
    ),
  );
}

const callCells = (call: Exclude<StripCall, FoldedHypercalls>): readonly Content[] => [
  html`<strong>${call.name}</strong><br /><span class="aside"
      >${call.kind === 'call' ? sectionText(call.section) : `hypercall ${String(call.number)}`}</span
    >`,
  html`<div class="pairs">${pairs(call.args)}</div>`,
  html`<div class="pairs">${pairs(call.results)}</div>`,
  html`<span class="${succeeded(call) ? 'good' : 'bad'}">${call.status}</span>`,
  html`<code>${call.from ?? call.caller}</code>`,
];

const times = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .sort((a, b) => b[1] - a[1])
    .map(([name, count]) => `${name} ×${String(count)}`)
    .join(', ');

const foldedCells = ({ name, operations, callers, last }: FoldedHypercalls): readonly Content[] => [
  html`<strong>${name}</strong><br /><span class="aside">to instruction ${grouped(last)}</span>`,
  times(operations),
  '',
  '',
  html`<code>${times(callers)}</code>`,
];
