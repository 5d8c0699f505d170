import { grouped } from '../numbers.js';
import { instructionsBefore, type JoinedRecords, type Run } from './comparison-data.js';
import { byteText, counted, listed, percent, short } from './figures-text.js';
import type { Card } from './overview.js';

const total = (counts: readonly { readonly calls: number }[]): number =>
  counts.reduce((sum, { calls }) => sum + calls, 0);

/** `efi 17.8 times as many as pvh`, for the ends of the row. */
function ratio(figures: readonly { readonly door: string; readonly value: number }[]): string {
  const sorted = figures.toSorted((a, b) => a.value - b.value);
  const [least, most] = [sorted[0], sorted.at(-1)];
  if (least === undefined || most === undefined || sorted.length < 2) return '';
  if (most.value === least.value) return 'The doors do not differ.';
  if (least.value === 0) return `${most.door} has ${grouped(most.value)}, ${least.door} none.`;
  const times = most.value / least.value;
  return times >= 1.5
    ? `${most.door} takes ${times.toPrecision(3)} times as many as ${least.door}.`
    : `${most.door} takes ${percent(most.value - least.value, least.value)} more than ${least.door}.`;
}

/** Instructions before a phase, for the doors that come to it; where the guest unpacks the kernel, without that as well. */
function phaseCard(runs: readonly Run[], phase: string, title: string): readonly Card[] {
  const figures = runs.flatMap((run) => {
    const value = instructionsBefore(run, phase);
    if (value === undefined) return [];
    const unpacked = run.probes.instructions?.unpacking?.instructions ?? 0;
    return [{ door: run.door, value, own: value - unpacked }];
  });
  if (figures.length === 0) return [];
  const missing = runs.filter(({ door }) => figures.every((one) => one.door !== door)).map(({ door }) => door);
  const unpacking = figures.filter(({ value, own }) => value !== own);
  const without = unpacking.map(({ door, own }) => `Without unpacking the kernel ${door} has ${short(own)}.`);
  return [
    {
      title,
      figures: figures.map(({ door, value }) => ({ door, figure: short(value), exact: counted(value, 'instruction') })),
      sentence: [ratio(figures), ...without, missing.length === 0 ? '' : `Not reached by ${listed(missing)}.`]
        .join(' ')
        .trim(),
      more: 'time-line',
    },
  ];
}

/** How much of what each door executes is code that every door executes. */
function coverageCard({ coverage }: JoinedRecords): readonly Card[] {
  const scope = coverage?.scopes.find(({ scope: name }) => name === 'in all') ?? coverage?.scopes.at(-1);
  if (coverage === undefined || scope === undefined) return [];
  const { all, common } = scope;
  return [
    {
      title: 'Executed by every door',
      figures: coverage.doors.map((door, i) => ({
        door,
        figure: percent(common.executions[i] ?? 0, all.executions[i] ?? 0),
        exact: counted(common.executions[i] ?? 0, 'instruction'),
      })),
      sentence: `Of ${grouped(all.addresses)} different instructions ${percent(common.addresses, all.addresses)} are executed behind every door.`,
      more: 'coverage',
    },
  ];
}

function surfaceCard(runs: readonly Run[]): readonly Card[] {
  const doors = runs.flatMap(({ door, probes: { surface } }) =>
    surface === undefined ? [] : [{ door, ...surface.totals }],
  );
  if (doors.length === 0) return [];
  return [
    {
      title: 'Fields of the ABI read',
      figures: doors.map(({ door, fieldsRead }) => ({ door, figure: grouped(fieldsRead) })),
      sentence: `${listed(doors.map(({ door, fields, structures }) => `${door} gives ${counted(fields, 'field')} in ${counted(structures, 'structure')}`))}.`,
      more: 'surface',
    },
  ];
}

function costCard({ cost }: JoinedRecords): readonly Card[] {
  if (cost === undefined || cost.doors.length === 0) return [];
  return [
    {
      title: 'Guest RAM held by the firmware',
      figures: cost.doors.map(({ door, heldAfter }) => ({ door, figure: byteText(heldAfter) })),
      sentence: `When the kernel runs. At the entry ${listed(cost.doors.map(({ door, heldAtEntry }) => `${byteText(heldAtEntry)} by ${door}`))}.`,
      more: 'probe-cost',
    },
  ];
}

function callCard(runs: readonly Run[]): Card {
  const asking = runs.filter(({ services }) => services.length > 0);
  const silent = runs.filter(({ services }) => services.length === 0).map(({ door }) => door);
  const services = asking.map(
    ({ door, services: own }) => `${door} uses ${counted(own.length, 'service')} in ${counted(total(own), 'call')}`,
  );
  const none = silent.length === 0 ? '' : `${listed(silent)} ${silent.length === 1 ? 'calls' : 'call'} no firmware.`;
  return {
    title: 'Firmware calls',
    figures: runs.map(({ door, services: own }) => ({ door, figure: grouped(total(own)) })),
    sentence: [services.length === 0 ? '' : `${listed(services)}.`, none].join(' ').trim(),
    more: 'calls',
  };
}

function hypercallCard(runs: readonly Run[]): readonly Card[] {
  if (runs.every(({ hypercalls = [] }) => hypercalls.length === 0)) return [];
  return [
    {
      title: 'Hypercalls',
      figures: runs.map(({ door, hypercalls = [] }) => ({ door, figure: grouped(total(hypercalls)) })),
      sentence: `${listed(runs.map(({ door, hypercalls = [] }) => `${door} makes ${counted(hypercalls.length, 'different one')}`))}.`,
      more: 'calls',
    },
  ];
}

function mapCard(runs: readonly Run[]): readonly Card[] {
  const figures = runs.flatMap(({ door, probes }) => {
    const maps = probes['memory-maps'];
    return maps === undefined ? [] : [{ door, value: (maps.exitBootServices ?? maps.entry).length }];
  });
  if (figures.length === 0) return [];
  return [
    {
      title: 'Memory map',
      figures: figures.map(({ door, value }) => ({ door, figure: grouped(value), exact: counted(value, 'range') })),
      sentence: 'Ranges of memory that the kernel goes on with.',
      more: 'memory',
    },
  ];
}

const endings: Readonly<Record<string, string>> = {
  reached: 'stopped as asked',
  'powered-off': 'powered off',
  exited: 'Exit was called',
  reset: 'reset',
  halted: 'halted',
  panicked: 'panic',
  'triple-fault': 'triple fault',
  limit: 'limit reached',
};

export const endingText = (outcome: string): string => endings[outcome] ?? outcome;

function endCard(runs: readonly Run[]): Card {
  const reasons = [...new Set(runs.map(({ reason }) => reason))];
  return {
    title: 'How it ended',
    figures: runs.map(({ door, outcome }) => ({ door, figure: endingText(outcome) })),
    sentence:
      reasons.length === 1
        ? `${reasons[0] ?? ''}.`
        : `${runs.map(({ door, reason }) => `${door}: ${reason}`).join('; ')}.`,
    more: 'time-line',
  };
}

/** The main figures of a comparison. */
export const comparisonCards = (runs: readonly Run[], joined: JoinedRecords): readonly Card[] => [
  ...phaseCard(runs, 'start_kernel', 'Instructions to start_kernel'),
  ...phaseCard(runs, 'user-space', 'Instructions to user space'),
  ...coverageCard(joined),
  callCard(runs),
  ...hypercallCard(runs),
  ...surfaceCard(runs),
  ...costCard(joined),
  ...mapCard(runs),
  endCard(runs),
];
