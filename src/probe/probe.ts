import type { ProbedRun } from './probed-run.js';
import type { Section } from './section.js';

/** What a probe took of the run through one door. */
export interface TakenAtDoor<Taken> {
  readonly door: string;
  readonly taken: Taken;
}

/**
 * What costs time and is there for those alone who need it. `kernel`: its symbols and where it runs (ProbedRun.kernel),
 * which the others include; `counts`: what was executed (onStretch, onDecode); `touches`: CPUID, MSRs, ports and MMIO;
 * `watches`: the instructions that access watched memory.
 */
export type ProbeNeed = 'kernel' | 'counts' | 'touches' | 'watches';

/**
 * One question asked of a run. It watches and never steers: with it and without it a guest does the same. docs/probes.md
 * says how to add one.
 *
 * `Taken` is what it has of one run, in whatever form joining wants; `Joined` what several doors give together.
 */
export interface Probe<Taken, Joined = undefined> {
  /** Its key in the JSON result: lower case, words joined by hyphens. */
  readonly name: string;
  /** What it answers, as one sentence for people. */
  readonly question: string;
  /** What it needs of a run besides what every run tells. */
  readonly needs?: readonly ProbeNeed[];
  /** Attaches to a run in front of the image's entry; the function that comes back is called once, when the run has ended. */
  start(run: ProbedRun): () => Taken;
  /** What goes into the JSON result of a door: plain data, the same on every run and every host. */
  record(taken: Taken): unknown;
  /** What several doors say together, in the order of the doors. */
  join?(doors: readonly TakenAtDoor<Taken>[]): Joined;
  /** What goes into the JSON result besides the doors; nothing when left out. */
  recordJoined?(joined: Joined): unknown;
  /** The same for people. */
  show(doors: readonly TakenAtDoor<Taken>[], joined: Joined): readonly Section[];
}

/** A probe whatever it takes: what it takes goes back to it alone. */
export type AnyProbe = Probe<unknown, unknown>;

/** What several probes need together. */
export const needsOf = (probes: readonly AnyProbe[]): ReadonlySet<ProbeNeed> =>
  new Set(probes.flatMap(({ needs = [] }) => needs));

/** Declares a probe. */
export const probe = <Taken, Joined = undefined>(definition: Probe<Taken, Joined>): AnyProbe => definition;

/** What the probes say of several doors: data for JSON and sections for people, in the order of the probes. */
export interface Answers {
  readonly joined: Readonly<Record<string, unknown>>;
  readonly sections: readonly { readonly probe: string; readonly sections: readonly Section[] }[];
}

/** What the probes took of one run, by name. */
export type TakenByProbe = ReadonlyMap<string, unknown>;

/** A door's part of the JSON result, by probe. */
export const recordTaken = (probes: readonly AnyProbe[], taken: TakenByProbe): Record<string, unknown> =>
  Object.fromEntries(probes.map((one) => [one.name, one.record(taken.get(one.name))]));

/** Sets the doors side by side. */
export function answer(
  probes: readonly AnyProbe[],
  doors: readonly { readonly door: string; readonly taken: TakenByProbe }[],
): Answers {
  const joined: Record<string, unknown> = {};
  const sections = probes.map((one) => {
    const columns = doors.map(({ door, taken }) => ({ door, taken: taken.get(one.name) }));
    const together = one.join?.(columns);
    const record = one.recordJoined?.(together);
    if (record !== undefined) joined[one.name] = record;
    return { probe: one.name, sections: one.show(columns, together) };
  });
  return { joined, sections };
}
