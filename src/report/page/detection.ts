import { grouped } from '../numbers.js';
import type { Run } from './comparison-data.js';
import { doorName, table, type Part } from './figure.js';
import { html, type Content, type Markup } from './markup.js';

/** What a boot of the matrix of docs/xen-detection.md concluded; null where the kernel said nothing. */
export interface Detected {
  readonly outcome: string;
  readonly detected?: string | null;
  readonly guest_type?: string | null;
}

/** Boots by kernel, then by the cell's name: `door efi, leaves yes, table yes, no-VGA yes, no-RTC no`. */
export type DetectionResults = Readonly<Record<string, Readonly<Record<string, Detected>>>>;

/** `{door: 'efi', leaves: 'yes'}` for a cell's name. */
const signalsOf = (cell: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    cell.split(', ').map((part) => [part.slice(0, part.lastIndexOf(' ')), part.slice(part.lastIndexOf(' ') + 1)]),
  );

function conclusion({ outcome, detected, guest_type: type }: Detected): {
  readonly text: string;
  readonly class: string;
} {
  if (outcome !== 'up') return { text: outcome, class: 'stops-entry' };
  if (detected == null) return { text: 'no Xen', class: 'same' };
  return type === 'PVH'
    ? { text: 'Xen PVH', class: 'detected-pvh' }
    : { text: `Xen ${type ?? 'HVM'}`, class: 'detected-hvm' };
}

const shown = (value: string | undefined): Content =>
  value === 'yes' ? html`<b>yes</b>` : value === 'no' ? html`<span class="aside">no</span>` : (value ?? '-');

/** Which signals a kernel was given, and what it took the machine for: a table a door, a row a set of signals, a column a kernel. */
export function detectionMatrix(results: DetectionResults): Markup {
  const kernels = Object.keys(results);
  const cells = [...new Set(kernels.flatMap((kernel) => Object.keys(results[kernel] ?? {})))];
  const doors = [...new Set(cells.map((cell) => signalsOf(cell)['door'] ?? ''))];
  return html`${doors.map((door) => {
    const own = cells.filter((cell) => signalsOf(cell)['door'] === door);
    const signals = [...new Set(own.flatMap((cell) => Object.keys(signalsOf(cell))))].filter((name) => name !== 'door');
    return html`<h4>${doorName(door)}</h4>
      ${table(
        `Through ${door}: signals given, and what the kernel took the machine for`,
        ['boot', ...signals, ...kernels],
        own.map((cell, i) => [
          String(i + 1),
          ...signals.map((name) => shown(signalsOf(cell)[name])),
          ...kernels.map((kernel) => {
            const result = results[kernel]?.[cell];
            if (result === undefined) return html`<span class="aside">not run</span>`;
            const { text, class: look } = conclusion(result);
            return html`<span class="chip ${look}">${text}</span>`;
          }),
        ]),
        { hidden: true },
      )}`;
  })}`;
}

/** Lines of the console in which a kernel says what it took the machine for. */
const signs: readonly (readonly [title: string, pattern: RegExp])[] = [
  ['hypervisor', /Hypervisor detected: (.*)/],
  ['version', /Xen version (\d\S*)/],
  ['it boots', /(Booting .*kernel on .*)/],
  ['events', /xen:events: (.*)/],
  ['grant tables', /xen:grant_table: (.*)/],
  ['clock', /clocksource: Switched to clocksource (\S+)/],
];

/** Under Xen: what each door's kernel took the machine for, and when it first turned to the hypervisor. */
export function detectionPart(runs: readonly Run[]): readonly Part[] {
  if (runs.every(({ hypercalls }) => hypercalls === undefined)) return [];
  const said = (run: Run, pattern: RegExp): Content => {
    const line = run.probes['console-lines']?.lines.find(({ text }) => pattern.test(text));
    const found = line && pattern.exec(line.text)?.[1];
    return line === undefined
      ? '-'
      : html`${found} <span class="aside">after ${grouped(line.instructions)} instructions</span>`;
  };
  const first = ({ probes: { calls } }: Run): Content => {
    const call = calls?.hypercalls[0];
    return call === undefined
      ? '-'
      : html`${call.name} by <code>${call.from ?? call.caller}</code>
          <span class="aside">after ${grouped(call.instructions)} instructions</span>`;
  };
  return [
    {
      id: 'detection',
      title: 'Finding Xen',
      lead: 'How does the kernel learn that it runs under Xen, and what does it take the machine for?',
      body: table(
        'What each kernel found',
        ['', ...runs.map(({ door }) => doorName(door))],
        [
          ['first hypercall', ...runs.map(first)],
          ...signs.map(([title, pattern]) => [title, ...runs.map((run) => said(run, pattern))]),
        ],
        { hidden: true },
      ),
    },
  ];
}
