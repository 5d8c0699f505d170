import type { ComparisonResult } from '../comparison.js';
import { callGroups } from './call-groups.js';
import type { DoorScrub } from './call-panel.js';
import { callsInOrder } from './call-order.js';
import { callStrip, callTable } from './call-strip.js';
import { joinedOf, type Run } from './comparison-data.js';
import { coveragePicture } from './coverage-picture.js';
import { detectionPart } from './detection.js';
import { doorName, figure, legend, onDemand, table, type Part } from './figure.js';
import { counted } from './figures-text.js';
import { instructionsPicture, type Executed } from './instructions-picture.js';
import { html, type Content, type Markup } from './markup.js';
import { memoryPicture } from './memory-picture.js';
import { sectionMarkup } from './sections.js';
import { surfacePicture } from './surface-picture.js';
import { timeLine } from './time-line.js';

/** Probes that have a part of their own, by which sections of theirs stand open in it; the others are there on demand. */
const pictured: Readonly<Record<string, RegExp | undefined>> = {
  'memory-maps': undefined,
  calls: undefined,
  'console-lines': undefined,
  instructions: /^who switches to 64-bit mode$/,
  coverage: undefined,
  surface: undefined,
};

export const scrubOf = ({ door, probes: { calls, 'console-lines': said } }: Run): DoorScrub => ({
  door,
  ...(calls?.memoryMap === undefined ? {} : { memoryMap: calls.memoryMap }),
  calls: callsInOrder(calls),
  lines: said?.lines ?? [],
});

/** The parts of the page: pictures first, then what probes say that have none. */
export function comparisonParts(result: ComparisonResult, runs: readonly Run[]): readonly Part[] {
  return [
    {
      id: 'time-line',
      title: 'Time line',
      lead: 'How long is the way through each door, and what happens on it?',
      body: timeLine(runs),
    },
    {
      id: 'calls',
      title: 'Calls',
      lead: 'What does the guest ask of the firmware and the hypervisor, one call after the other?',
      body: callsBody(runs),
    },
    {
      id: 'memory',
      title: 'Memory maps',
      lead: 'What is the guest told of its memory, and what does it go on with?',
      body: memoryPicture(runs, joinedOf(result)['memory-maps']),
    },
    ...instructionParts(result, runs),
    ...coverageParts(result),
    ...surfaceParts(result, runs),
    ...otherParts(result),
    ...detectionPart(runs),
    { id: 'console', title: 'Console', lead: 'What did the guest print?', body: runs.map(consoleOf) },
  ];
}

export const executedBy = (runs: readonly Run[]): readonly Executed[] =>
  runs.flatMap(({ door, probes: { instructions } }) =>
    instructions === undefined ? [] : [{ door, record: instructions }],
  );

function instructionParts(result: ComparisonResult, runs: readonly Run[]): readonly Part[] {
  const executed = executedBy(runs);
  if (executed.length === 0) return [];
  return [
    {
      id: 'instructions',
      title: 'Instructions',
      lead: 'What does the guest execute, and in which mode of the processor?',
      body: html`${instructionsPicture(executed)} ${sectionsOf(result, 'instructions')}`,
    },
  ];
}

function coverageParts(result: ComparisonResult): readonly Part[] {
  const { coverage } = joinedOf(result);
  if (coverage === undefined) return [];
  return [
    {
      id: 'coverage',
      title: 'Coverage',
      lead: 'How much of what is executed do the doors have in common, and where do their paths join?',
      body: html`${coveragePicture(coverage)} ${sectionsOf(result, 'coverage')}`,
    },
  ];
}

function surfaceParts(result: ComparisonResult, runs: readonly Run[]): readonly Part[] {
  const doors = runs.flatMap(({ door, probes: { surface } }) =>
    surface === undefined ? [] : [{ door, record: surface }],
  );
  if (doors.length === 0) return [];
  return [
    {
      id: 'surface',
      title: 'ABI surface',
      lead: 'Which of the bytes that it is given does the guest read, and whom does it ask for more?',
      body: html`${surfacePicture(doors)} ${sectionsOf(result, 'surface')}`,
    },
  ];
}

function callsBody(runs: readonly Run[]): Markup {
  const known = runs.filter(({ probes }) => probes.calls !== undefined);
  if (known.length === 0) return html`<p>The result has no list of calls: it was made without that probe.</p>`;
  return html`
    ${figure(
      html`Each cell is a call, in the guest's order; its letter says what for. Cells with a dashed edge did not
      succeed; of many hypercalls, those that repeat an earlier one share a cell. Choose one to see its arguments, who
      called, and the memory map at that moment.`,
      html`${known.map(callStrip)}
        ${legend(callGroups.map(({ name, letter, title }) => [`group-${name}`, html`<b>${letter}</b> ${title}`] as const))}
        <div class="panel" id="call-panel" hidden></div>`,
    )}
    ${countTable('Firmware services', runs, ({ services }) => services)}
    ${countTable('Hypercalls', runs, ({ hypercalls = [] }) => hypercalls)}
    ${known.filter(({ probes }) => (probes.calls?.calls.length ?? 0) + (probes.calls?.hypercalls.length ?? 0) > 0).map(callTable)}
  `;
}

/** How often each door's guest called what, and what came back. */
function countTable(title: string, runs: readonly Run[], read: (run: Run) => Run['services']): Content {
  const names = [...new Set(runs.flatMap((run) => read(run).map(({ name }) => name)))];
  if (names.length === 0) return undefined;
  const cell = (run: Run, name: string): string => {
    const count = read(run).find((one) => one.name === name);
    if (count === undefined) return '-';
    const failures = Object.entries(count.statuses).filter(
      ([status]) => status !== 'EFI_SUCCESS' && !/^\d|^0x/.test(status),
    );
    return `${String(count.calls)}${failures.length === 0 ? '' : ` (${failures.map(([status, n]) => `${String(n)} ${status}`).join(', ')})`}`;
  };
  return onDemand(
    `${title} by number of calls: ${counted(names.length, 'different one')}`,
    table(
      title,
      ['', ...runs.map(({ door }) => doorName(door))],
      names.map((name) => [name, ...runs.map((run) => cell(run, name))]),
    ),
  );
}

const saidBy = ({ sections }: ComparisonResult, probe: string): ComparisonResult['sections'][number]['sections'] =>
  (sections as ComparisonResult['sections'] | undefined)?.find((one) => one.probe === probe)?.sections ?? [];

/** What a probe says besides its picture. */
function sectionsOf(result: ComparisonResult, probe: string): Content {
  const open = pictured[probe];
  const said = saidBy(result, probe);
  const seen = said.filter(({ title }) => open?.test(title) === true);
  const rest = said.filter((section) => !seen.includes(section));
  return html`${seen.map(sectionMarkup)}
  ${rest.length > 0 && onDemand('All that it says, as tables', rest.map(sectionMarkup))}`;
}

/** A part for each probe that the page has no picture for: an overview, and the details on demand. */
const otherParts = ({ sections }: ComparisonResult): readonly Part[] =>
  ((sections as ComparisonResult['sections'] | undefined) ?? [])
    .filter(({ probe, sections: own }) => !Object.hasOwn(pictured, probe) && own.length > 0)
    .map(({ probe, question, sections: own }) => {
      const details = own.filter(({ detail }) => detail === true);
      return {
        id: `probe-${probe}`,
        title: titleOf(probe),
        lead: question,
        body: html`${own.filter(({ detail }) => detail !== true).map(sectionMarkup)}
        ${details.length > 0 && onDemand('Details', details.map(sectionMarkup))}`,
      };
    });

const titleOf = (probe: string): string => {
  const words = probe.replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
};

const consoleOf = ({ door, console }: Run): Markup =>
  onDemand(html`The console by ${doorName(door)}`, html`<pre class="console" tabindex="0">${console}</pre>`);
