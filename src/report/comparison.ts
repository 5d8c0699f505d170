import { answer, recordTaken, type AnyProbe, type TakenByProbe } from '../probe/probe.js';
import { pointNames } from '../probe/phases.js';
import { compareFacts, consoleFacts } from './console-facts.js';
import type { ServiceCount } from '../probe/service-log.js';
import type { Section } from '../probe/section.js';
import { grouped } from './numbers.js';
import type { BootResult } from './result.js';
import { sectionLines } from './sections.js';
import { tableLines } from './table.js';

/** A column of a comparison: a door that was run, or why it was not. */
export type Column =
  | {
      readonly door: string;
      readonly result: BootResult;
      readonly missed: readonly string[];
      /** What the probes took of it. */
      readonly taken: TakenByProbe;
    }
  | { readonly door: string; readonly closed: string };

type RunColumn = Extract<Column, { result: BootResult }>;
const hasRun = (column: Column): column is RunColumn => 'result' in column;

/** What `compare --json` writes, and what its page is made of. docs/comparison.md describes it. */
export interface ComparisonResult {
  readonly efikit: string;
  readonly doors: readonly (DoorResult | ClosedDoor)[];
  /** What the probes say of all doors together, by probe. */
  readonly joined: Readonly<Record<string, unknown>>;
  /** The same for people, probe by probe: a page shows what it has no picture for. */
  readonly sections: readonly ProbeSections[];
}

export interface ProbeSections {
  readonly probe: string;
  /** What the probe answers, as one sentence. */
  readonly question: string;
  readonly sections: readonly Section[];
}

export interface DoorResult extends BootResult {
  /** Services that were called although the profile lacks them. */
  readonly missed: readonly string[];
  /** By probe. */
  readonly probes: Readonly<Record<string, unknown>>;
}

export interface ClosedDoor {
  readonly door: string;
  readonly closed: string;
}

/** A comparison as data. */
export function comparisonResult(
  efikit: string,
  columns: readonly Column[],
  probes: readonly AnyProbe[],
): ComparisonResult {
  const { joined, sections } = answer(probes, columns.filter(hasRun));
  return {
    efikit,
    doors: columns.map((column) =>
      hasRun(column)
        ? { ...column.result, missed: column.missed, probes: recordTaken(probes, column.taken) }
        : { door: column.door, closed: column.closed },
    ),
    joined,
    sections: sections.map(({ probe, sections: ofProbe }) => ({
      probe,
      question: probes.find(({ name }) => name === probe)?.question ?? '',
      sections: ofProbe,
    })),
  };
}

/**
 * The comparison as lines of text: one table, then what does not fit into it. An overview leaves out what is a detail and
 * ends by saying how to see it.
 */
export function comparisonLines(
  columns: readonly Column[],
  probes: readonly ProbeSections[],
  { details }: { readonly details: boolean },
): string[] {
  const runs = columns.filter(hasRun);
  const shown = (sections: readonly Section[]): Section[] =>
    sections.filter(({ detail }) => details || detail !== true);
  const sections = [
    tableLines(mainRows(columns), true),
    columns.flatMap((column) => (hasRun(column) ? [] : [`${column.door} is closed: ${column.closed}`])),
    runs.map(({ door, result }) => `${door}: ${result.reason}`),
    runs.flatMap(({ door, missed }) =>
      missed.length === 0 ? [] : [`${door}: called, but not offered: ${missed.join(', ')}`],
    ),
    factLines(runs),
    ...probes.map(({ sections: ofProbe }) => sectionLines(shown(ofProbe))),
    details ? [] : moreLines(probes),
  ];
  return sections.filter(({ length }) => length > 0).flatMap((section, i) => (i === 0 ? section : ['', ...section]));
}

/** What an overview left out. */
function moreLines(probes: readonly ProbeSections[]): string[] {
  const more = probes.filter(({ sections }) => sections.some(({ detail }) => detail === true));
  if (more.length === 0) return [];
  return [
    `more: --details for everything, or --only with one of ${more.map(({ probe }) => probe).join(', ')}; --json for all figures`,
  ];
}

/** Phases with instruction counts, the outcome, then the services: one column a door. */
function mainRows(columns: readonly Column[]): string[][] {
  const runs = columns.filter(hasRun);
  const cell = (read: (result: BootResult) => string | undefined): string[] =>
    columns.map((column) => (hasRun(column) ? (read(column.result) ?? '-') : 'closed'));
  const row = (title: string, read: (result: BootResult) => string | undefined): string[] => [title, ...cell(read)];
  const seen = new Set(runs.flatMap(({ result }) => result.phases.map(({ name }) => name)));
  const phases = pointNames.filter((name) => seen.has(name));
  /** How often each door's guest called what. */
  const counts = (title: string, read: (result: BootResult) => readonly ServiceCount[]): string[][] => {
    const names = [...new Set(runs.flatMap(({ result }) => read(result).map(({ name }) => name)))];
    const calls = (result: BootResult, name: string) => read(result).find((service) => service.name === name)?.calls;
    const rows = names.map((name) => row(`  ${name}`, (result) => calls(result, name)?.toString()));
    return names.length === 0 ? [] : [[title], ...rows];
  };
  return [
    ['', ...columns.map(({ door }) => door)],
    row('profile', ({ profile }) => profile),
    ['instructions before'],
    ...phases.map((name) =>
      row(`  ${name.replace('symbol:', '')}`, (result) => {
        const phase = result.phases.find((candidate) => candidate.name === name);
        return phase === undefined ? undefined : grouped(phase.instructions);
      }),
    ),
    row('  the end', ({ instructions }) => grouped(instructions)),
    row('outcome', ({ outcome }) => outcome),
    ...counts('firmware calls', ({ services }) => services),
    ...counts('hypercalls', ({ hypercalls }) => hypercalls ?? []),
  ];
}

const reportedElsewhere = /^(memory|memory-map)$/;

/** What a small guest printed as `key: value`: first what is the same through every door, then what is not. */
function factLines(runs: readonly RunColumn[]): string[] {
  const columns = runs.map(({ result }) => consoleFacts(result.console));
  if (runs.length < 2 || columns.some((facts) => facts === undefined)) return [];
  const compared = compareFacts(columns.map((facts) => facts ?? [])).filter(({ key }) => !reportedElsewhere.test(key));
  const same = compared.filter((fact) => fact.same).map(({ key, values }) => [`  ${key}`, values[0] ?? '']);
  const different = compared
    .filter((fact) => !fact.same)
    .map(({ key, values }) => [`  ${key}`, ...values.map((value) => value ?? '-')]);
  return [
    ...(same.length === 0 ? [] : ['the guest says the same through every door:', ...tableLines(same)]),
    ...(different.length === 0
      ? []
      : ['and differs in:', ...tableLines([['', ...runs.map(({ door }) => door)], ...different])]),
  ];
}
