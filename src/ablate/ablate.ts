import type { Overrides } from '../firmware/index.js';
import { endingOf, goalsOf, judge, ownEnd } from './judge.js';
import type { AblationSetup, Executor, Job, RunRecord, WholeRecord } from './job.js';
import { plan, type PlannedPart, type PlannedTrial } from './plan.js';
import { reduce } from './reduce.js';
import type { Ablation, MinimalSet, Part, Trial } from './result.js';

/** What an ablation finds about a setup; who names image and version is the caller. */
export type Findings = Pick<Ablation, 'release' | 'whole' | 'parts' | 'minimal' | 'tolerated' | 'cost'>;

/** How far an ablation is. */
export interface AblationProgress {
  /** Runs that have ended, and all that are known to come. */
  readonly done: number;
  readonly known: number;
  /** What was found last, as one line. */
  readonly last: string;
}

export interface AblationOptions {
  /** Instructions after which the run with everything is given up. */
  readonly maxInstructions?: number;
  readonly onProgress?: (progress: AblationProgress) => void;
}

/** A guest that runs on for so many times the instructions of the whole run, and some more, is taken to run for ever. */
const patience = 2;
const leastPatience = 5_000_000;

/** Runs the guest with everything, then with each part in trouble, then with as little as it can. */
export async function ablate(
  setup: AblationSetup,
  executor: Executor,
  options: AblationOptions = {},
): Promise<Findings> {
  const { maxInstructions = Number.MAX_SAFE_INTEGER, onProgress = () => undefined } = options;
  const whole = await executor.whole(maxInstructions);
  const limit = Math.min(maxInstructions, whole.instructions * patience + leastPatience);
  const parts = plan(whole, setup);
  const planned = parts.flatMap(({ trials }) => trials);
  const cost = { runs: 1, instructions: whole.instructions, shared: 0 };
  const goals = goalsOf(whole);
  const reducible = parts.filter(({ absent }) => absent !== undefined);
  let known = planned.length + (reducible.length === 0 ? 0 : goals.length) + 1;
  const count = (record: RunRecord, last: string): void => {
    cost.runs++;
    cost.instructions += record.instructions - record.shared;
    cost.shared += record.shared;
    known = Math.max(known, cost.runs);
    onProgress({ done: cost.runs, known, last });
  };
  onProgress({ done: 1, known, last: `with everything: ${endingOf(whole).reached}` });

  const trials = new Map<string, Trial>();
  const records = new Map<string, RunRecord>();
  const byId = new Map(planned.map((trial) => [trial.id, trial]));
  const jobs = planned.map((trial) => jobOf(trial, limit)).sort((a, b) => a.fork - b.fork);
  await executor.run(jobs, ({ id }, record) => {
    const trial = byId.get(id);
    if (trial === undefined) return;
    const judged = judge(trial, record, whole);
    trials.set(id, judged);
    if (trial.way === 'absent') records.set(trial.part, record);
    count(record, `${id}: ${judged.verdict}`);
  });

  const minimal: MinimalSet[] = [];
  if (reducible.length > 0)
    for (const goal of goals) minimal.push(await minimalSet(goal, reducible, records, executor, limit, count));

  const judged = [...trials.values()];
  const inOrder = planned.flatMap(({ id }) => judged.find((trial) => trial.id === id) ?? []);
  const release = /Linux version (\S+)/.exec(whole.console)?.[1];
  return {
    ...(release === undefined ? {} : { release }),
    whole: endingOf(whole),
    parts: parts.map((part) => partOf(part, trials, records.get(part.id), whole)),
    minimal,
    tolerated: inOrder.filter(({ verdict }) => verdict !== 'fatal').map(({ id }) => id),
    cost,
  };
}

const jobOf = ({ id, overrides, platform, fork }: PlannedTrial, maxInstructions: number): Job => ({
  id,
  overrides,
  ...(platform === undefined ? {} : { platform }),
  fork,
  maxInstructions,
});

const comesTo = (record: RunRecord | undefined, goal: string): boolean =>
  record === undefined || goalsOf(record).includes(goal);

/** Everything but a few parts is absent together; which few has to be found. */
async function minimalSet(
  goal: string,
  parts: readonly PlannedPart[],
  records: ReadonlyMap<string, RunRecord>,
  executor: Executor,
  maxInstructions: number,
  count: (record: RunRecord, last: string) => void,
): Promise<MinimalSet> {
  const needed = parts.filter(({ id }) => !comesTo(records.get(id), goal));
  const others = parts.filter((part) => !needed.includes(part));
  const tried = new Map<string, RunRecord>();
  const runWith = async (kept: readonly PlannedPart[]): Promise<RunRecord> => {
    const inOrder = parts.filter((part) => kept.includes(part));
    const names = inOrder.map(({ id }) => id).join(' ') || 'nothing';
    const known = tried.get(names);
    if (known !== undefined) return known;
    const gone = parts.filter((part) => !kept.includes(part));
    const job: Job = {
      id: `${goal} with ${names}`,
      overrides: Object.assign({}, ...gone.map(({ absent }) => absent)) as Overrides,
      fork: 0,
      ...(goal === ownEnd ? {} : { until: goal }),
      maxInstructions,
    };
    let found: RunRecord | undefined;
    await executor.run([job], (_, record) => {
      found = record;
      tried.set(names, record);
      count(record, `${goal} with ${String(kept.length)} parts alone: ${comesTo(record, goal) ? 'yes' : 'no'}`);
    });
    if (found === undefined) throw new Error(`the run ${job.id} has no end`);
    return found;
  };
  const { kept } = await reduce(needed, others, async (wanted) => comesTo(await runWith(wanted), goal));
  const verified = await runWith(kept); // a set that the search has put together is run by itself
  return {
    goal,
    parts: parts.filter((part) => kept.includes(part)).map(({ id }) => id),
    verified: endingOf(verified),
    runs: tried.size,
  };
}

function partOf(
  planned: PlannedPart,
  trials: ReadonlyMap<string, Trial>,
  absent: RunRecord | undefined,
  whole: WholeRecord,
): Part {
  const { id, kind, title, section, calls, firstCall } = planned;
  const own = planned.trials.flatMap((trial) => trials.get(trial.id) ?? []);
  const neededFor = goalsOf(whole).find((goal) => !comesTo(absent, goal));
  const isFatal = (way: Trial['way']): boolean => own.some((trial) => trial.way === way && trial.verdict === 'fatal');
  return {
    id,
    kind,
    title,
    ...(section === undefined ? {} : { section }),
    ...(calls === undefined ? {} : { calls }),
    ...(firstCall === undefined ? {} : { firstCall }),
    need: isFatal('absent')
      ? 'acts'
      : isFatal('null')
        ? 'callable'
        : isFatal('status')
          ? 'any-other-status'
          : own.length === 0
            ? 'unused'
            : 'no',
    ...(neededFor === undefined ? {} : { neededFor }),
    trials: own,
  };
}
