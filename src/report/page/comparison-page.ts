import type { ComparedRange } from '../../probe/memory-comparison.js';
import type { ComparisonResult } from '../comparison.js';
import { memoryText } from '../numbers.js';
import { callStrip, callTable } from './call-strip.js';
import { callGroups } from './call-groups.js';
import type { DoorScrub } from './call-panel.js';
import { comparisonCards } from './comparison-cards.js';
import { closedOf, runsOf, type Run } from './comparison-data.js';
import { coveragePicture, coverageRows } from './coverage-picture.js';
import { documentText, type PageAssets } from './document.js';
import { doorName, figure, legend, onDemand, table, type Part } from './figure.js';
import { counted, listed, slug } from './figures-text.js';
import { functionRows, instructionsPicture, type Executed } from './instructions-picture.js';
import { dataElement, html, type Content, type Markup } from './markup.js';
import { memoryPicture } from './memory-picture.js';
import { overviewCards } from './overview.js';
import type { CoverageRecord } from './probe-records.js';
import { surfacePicture } from './surface-picture.js';
import { sectionMarkup } from './sections.js';
import { timeLine } from './time-line.js';

/** Probes whose pictures stand in parts of their own; all others say what they have to say as sections. */
const pictured: ReadonlySet<string> = new Set([
  'memory-maps',
  'calls',
  'console-lines',
  'coverage',
  'instructions',
  'surface',
]);

/** What `compare --html` writes: the result as one page that needs nothing besides. */
export function comparisonPage(result: ComparisonResult, assets: PageAssets): string {
  const runs = runsOf(result);
  const doors = result.doors.map(({ door }) => door);
  const [first] = runs;
  const images = [...new Set(runs.map(({ image }) => fileName(image.path)))];
  return documentText(
    {
      title: `${listed(images) || 'An image'} through ${listed(doors)}`,
      kind: 'efikit comparison',
      facts: first === undefined ? [] : factsOf(runs, first),
      overview: html`${runs.length > 0 && overviewCards(comparisonCards(runs))} ${closedDoors(result)}`,
      parts: runs.length === 0 ? [] : partsOf(result, runs),
      data: dataOf(result, runs),
      version: result.efikit,
    },
    assets,
  );
}

const fileName = (path: string): string => path.split(/[\\/]/).at(-1) ?? path;

function factsOf(runs: readonly Run[], first: Run): readonly (readonly [string, Content])[] {
  const images = [...new Map(runs.map(({ image }) => [image.sha256, image])).values()];
  const profiles = [...new Set(runs.flatMap(({ profile }) => (profile === undefined ? [] : [profile])))];
  return [
    ...images.map(
      ({ path, kind, sha256 }) =>
        [
          'image',
          html`<code>${path}</code>, ${kind}, sha256 <code title="${sha256}">${sha256.slice(0, 12)}</code>`,
        ] as const,
    ),
    ['command line', html`<code>${first.append}</code>`],
    ['memory', memoryText(first.memory)],
    ...(profiles.length === 0 ? [] : [['profile', listed(profiles)] as const]),
    ...(first.hypercalls === undefined ? [] : [['hypervisor', 'Xen'] as const]),
  ];
}

const closedDoors = (result: ComparisonResult): Content =>
  closedOf(result).map(({ door, closed }) => html`<p class="closed">${doorName(door)} is closed: ${closed}</p>`);

const scrubOf = ({ door, probes }: Run): DoorScrub => ({
  door,
  calls: probes.calls,
  lines: probes['console-lines']?.lines ?? [],
});

function partsOf(result: ComparisonResult, runs: readonly Run[]): readonly Part[] {
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
      body: memoryPicture(runs, result.joined['memory-maps'] as readonly ComparedRange[] | undefined),
    },
    ...instructionParts(runs),
    ...coverageParts(result),
    ...surfaceParts(runs),
    ...otherParts(result),
    { id: 'console', title: 'Console', lead: 'What did the guest print?', body: runs.map(consoleOf) },
  ];
}

const executedBy = (runs: readonly Run[]): readonly Executed[] =>
  runs.flatMap(({ door, probes: { instructions } }) =>
    instructions === undefined ? [] : [{ door, record: instructions }],
  );

function instructionParts(runs: readonly Run[]): readonly Part[] {
  const executed = executedBy(runs);
  if (executed.length === 0) return [];
  return [
    {
      id: 'instructions',
      title: 'Instructions',
      lead: 'What does the guest execute, and in which mode of the processor?',
      body: instructionsPicture(executed),
    },
  ];
}

const coverageOf = ({ joined }: ComparisonResult): CoverageRecord | undefined =>
  joined['coverage'] as CoverageRecord | undefined;

function coverageParts(result: ComparisonResult): readonly Part[] {
  const coverage = coverageOf(result);
  if (coverage === undefined) return [];
  return [
    {
      id: 'coverage',
      title: 'Coverage',
      lead: 'How much of what is executed do the doors have in common, and where do their paths join?',
      body: coveragePicture(coverage),
    },
  ];
}

function surfaceParts(runs: readonly Run[]): readonly Part[] {
  const doors = runs.flatMap(({ door, probes: { surface } }) =>
    surface === undefined ? [] : [{ door, record: surface }],
  );
  if (doors.length === 0) return [];
  return [
    {
      id: 'surface',
      title: 'ABI surface',
      lead: 'Which of the bytes that it is given does the guest read, and whom does it ask for more?',
      body: surfacePicture(doors),
    },
  ];
}

/** What the page's script needs besides what is drawn. */
const dataOf = (result: ComparisonResult, runs: readonly Run[]): Content => [
  dataElement('scrub', runs.map(scrubOf)),
  ...(executedBy(runs).length === 0 ? [] : [dataElement('rows-instructions', functionRows(executedBy(runs)))]),
  ...(coverageOf(result)?.scopes ?? []).flatMap((scope) =>
    scope.functions === undefined ? [] : [dataElement(`rows-coverage-${slug(scope.scope)}`, coverageRows(scope))],
  ),
];

function callsBody(runs: readonly Run[]): Markup {
  const known = runs.filter(({ probes }) => probes.calls !== undefined);
  if (known.length === 0) return html`<p>The result has no list of calls: it was made without that probe.</p>`;
  return html`
    ${figure(
      html`Each cell is a call, in the guest's order; its letter says what for. Cells with a dashed edge did not
      succeed. Choose one to see its arguments, who called, and the memory map at that moment.`,
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

/** A part for each probe that the page has no picture for. */
const otherParts = ({ sections }: ComparisonResult): readonly Part[] =>
  ((sections as ComparisonResult['sections'] | undefined) ?? [])
    .filter(({ probe, sections: own }) => !pictured.has(probe) && own.length > 0)
    .map(({ probe, question, sections: own }) => ({
      id: `probe-${probe}`,
      title: titleOf(probe),
      lead: question,
      body: own.map(sectionMarkup),
    }));

const titleOf = (probe: string): string => {
  const words = probe.replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
};

const consoleOf = ({ door, console }: Run): Markup =>
  onDemand(html`The console by ${doorName(door)}`, html`<pre class="console" tabindex="0">${console}</pre>`);
