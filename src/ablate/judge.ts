import { ExitStatus } from '../report/result.js';
import type { RunRecord } from './job.js';
import type { PlannedTrial } from './plan.js';
import type { Ending, Trial } from './result.js';

/** The goal behind the last phase: the guest's own end, with success. */
export const ownEnd = 'end';

/** The phases that a run passed, in order, and `end` when it ended with success. */
export function goalsOf({ phases, exitStatus, outcome }: RunRecord): string[] {
  const passed = phases.map(({ name }) => name).filter((name) => name !== 'entry');
  const isOwnEnd = exitStatus === ExitStatus.success && outcome !== 'reached'; // there it was stopped
  return isOwnEnd ? [...passed, ownEnd] : passed;
}

export function endingOf(record: RunRecord): Ending {
  const { outcome, reason, instructions, phases, lastCall } = record;
  return {
    outcome,
    reason,
    instructions,
    reached: goalsOf(record).at(-1) ?? 'entry',
    phases,
    ...(lastCall === null ? {} : { lastCall }),
  };
}

/** Sets a trial beside the whole run. */
export function judge(planned: PlannedTrial, record: RunRecord, whole: RunRecord): Trial {
  const { id, part, way, status, corruption, times, meaning } = planned;
  const goals = goalsOf(whole);
  const goal = goals.at(-1);
  const comes = goal === undefined || goalsOf(record).includes(goal);
  const isSame =
    comes &&
    record.reason === whole.reason &&
    record.instructions === whole.instructions &&
    record.console === whole.console;
  const lines = linesOf(record);
  const wholeLines = linesOf(whole);
  const appeared = missingIn(lines, wholeLines);
  const says = tellingLine(appeared);
  const names = new Set(record.services.map(({ name }) => name));
  const wholeNames = new Set(whole.services.map(({ name }) => name));
  return {
    id,
    part,
    way,
    ...(status === undefined ? {} : { status }),
    ...(corruption === undefined ? {} : { corruption }),
    ...(times === undefined ? {} : { times }),
    meaning,
    verdict: isSame ? 'same' : comes ? 'tolerated' : 'fatal',
    ending: endingOf(record),
    shared: record.shared,
    ...(says === undefined ? {} : { says }),
    lost: comes ? missingIn(wholeLines, lines).slice(0, mostLines) : [], // one that stops short lacks all that would follow
    appeared: appeared.slice(0, mostLines),
    notCalled: comes ? [...wholeNames].filter((name) => !names.has(name)) : [],
    calledBesides: [...names].filter((name) => !wholeNames.has(name)),
  };
}

const mostLines = 8;
const longestLine = 160; // characters

const linesOf = ({ console }: RunRecord): string[] =>
  console
    .replaceAll('\r', '')
    .split('\n')
    .map((line) => line.replace(/^\[ *\d+\.\d+\] */, '').trimEnd())
    .filter((line) => line !== '');

/** What of a line is the same in two runs that do the same: no figures. */
const comparable = (line: string): string =>
  line.replace(/0x[0-9a-f]+|\b(?=[0-9a-f]*\d)[0-9a-f]{5,16}\b/gi, '#').replace(/\d+(\.\d+)*/g, '#');

/** The lines of `all` that `others` lacks, each kind once. */
function missingIn(all: readonly string[], others: readonly string[]): string[] {
  const known = new Set(others.map(comparable));
  const found = new Map<string, string>();
  for (const line of all) {
    const key = comparable(line);
    if (!known.has(key) && !found.has(key)) found.set(key, line.slice(0, longestLine));
  }
  return [...found.values()];
}

/** What says why, best first. */
const telling = [
  /Kernel panic - not syncing/,
  /EFI stub: ERROR/,
  /^BUG: |Firmware Bug/,
  /error|fail|unable|cannot|can't|invalid|unknown|no such/i,
] as const;

/** The line that says most about what went wrong: the first one of a panic or the stub's, else the first new one. */
function tellingLine(appeared: readonly string[]): string | undefined {
  for (const pattern of telling) {
    const found = appeared.find((line) => pattern.test(line) && !line.startsWith('---[ end'));
    if (found !== undefined) return found;
  }
  return appeared[0];
}
