import { crc32 } from '../../bytes/crc32.js';
import type { AreaName } from '../code/code-areas.js';
import { addCounts, executionsOf, noCode, type CodeCounts } from '../code/code-counts.js';
import { outsideKernel, type CodeNames, type CodeUnit } from '../code/code-names.js';
import {
  coverageOf,
  joinOf,
  type ComparedArea,
  type FirstMet,
  type Share,
  type SharedFunction,
} from '../coverage/shares.js';
import type { Stretch } from '../code/executed-code.js';
import { probe, type TakenAtDoor } from '../probe.js';
import type { ProbedRun } from '../probed-run.js';
import { coverageSections } from '../coverage/sections.js';

/** Parts of a run over which doors are compared, by the points between which they lie. */
export const coverageScopes = [
  { name: 'up to start_kernel', from: 'entry', to: 'start_kernel' },
  { name: 'kernel entry to start_kernel', from: 'kernel-entry', to: 'start_kernel' },
  { name: 'start_kernel to user space', from: 'start_kernel', to: 'user-space' },
  { name: 'up to user space', from: 'entry', to: 'user-space' },
  { name: 'in all', from: 'entry', to: 'end' },
] as const;
export type ScopeName = (typeof coverageScopes)[number]['name'];

/** Code that is not compared instruction by instruction, because every run puts it elsewhere. */
export interface NotCompared {
  readonly subsystem: string;
  readonly addresses: number;
  readonly executions: number;
}

interface Scope {
  readonly areas: ReadonlyMap<AreaName, CodeCounts>;
}

/** What one door's run executed, for coverage. */
export interface CoveredCode {
  readonly scopes: ReadonlyMap<ScopeName, Scope>;
  readonly met: FirstMet;
  /** Instructions before start_kernel, when the run came there. */
  readonly startKernel: number | undefined;
  /** Equal for runs of the same kernel; undefined without symbols. */
  readonly kernelId: string | undefined;
  readonly fileId: string;
  readonly names: CodeNames;
}

/** A door's part of the JSON result: what it executed by scope. */
export interface CoverageOfDoor {
  readonly scope: ScopeName;
  readonly addresses: number;
  readonly executions: number;
  readonly notCompared: readonly NotCompared[];
}

export interface CoverageScope {
  readonly scope: ScopeName;
  readonly all: Share;
  readonly common: Share;
  readonly some: Share;
  readonly only: readonly Share[];
  /** By subsystem: different instructions behind all doors, several, one alone; executions by door. */
  readonly subsystems: readonly Omit<SharedFunction, 'name'>[];
  /**
   * By subsystem and function: [common, some, only by door ..., executions by door ...]. In the scopes `up to start_kernel`
   * and `in all`.
   */
  readonly functions?: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;
}

/**
 * From where on a door meets no new code, up to start_kernel, of which it executes anything that another does not execute
 * up to there. Code is met by pieces: what the processor decodes in one go.
 */
export interface Join {
  readonly door: string;
  /** `function+0x12`; undefined when the run does not come to start_kernel, where all paths join at the latest. */
  readonly at?: string;
  /** Instructions that the door executed before it. */
  readonly instructions?: number;
}

export interface JoinedCoverage {
  /** In the order of every array below. */
  readonly doors: readonly string[];
  /** Why the doors cannot be compared; nothing else is there then. */
  readonly refused?: string;
  readonly scopes: readonly CoverageScope[];
  readonly joins: readonly Join[];
}

const comparedAreas = ['kernel', 'file', 'application', 'firmware'] as const satisfies readonly AreaName[];
const otherAreas = ['user', 'modules', 'elsewhere'] as const satisfies readonly AreaName[];

/** Which instructions and functions every door executed, and which one only. */
export const coverage = probe<CoveredCode, JoinedCoverage>({
  name: 'coverage',
  question: 'How much of what is executed do the doors have in common, and where do their paths join?',
  needs: ['counts'],
  start(run) {
    const stretches: Stretch[] = [];
    run.onStretch((stretch) => stretches.push(stretch));
    const met = codeMet(run);
    return () => ({
      scopes: new Map(coverageScopes.map(({ name, from, to }) => [name, scopeOf(stretches, from, to)])),
      met,
      startKernel: met.startKernel,
      kernelId: run.kernel?.id,
      fileId: idOf(run.image.bytes),
      names: run.names,
    });
  },
  record: (taken): CoverageOfDoor[] =>
    [...taken.scopes].map(([scope, { areas }]) => ({
      scope,
      addresses: comparedAreas.reduce((sum, area) => sum + (areas.get(area)?.offsets.length ?? 0), 0),
      executions: comparedAreas.reduce((sum, area) => sum + executionsOf(areas.get(area) ?? noCode), 0),
      notCompared: otherAreas.flatMap((area) => {
        const code = areas.get(area) ?? noCode;
        if (code.offsets.length === 0) return [];
        return [{ subsystem: outsideKernel[area], addresses: code.offsets.length, executions: executionsOf(code) }];
      }),
    })),
  join,
  recordJoined: (joined) => joined,
  show: coverageSections,
});

function idOf(bytes: Uint8Array): string {
  return `${String(bytes.length)}-${crc32(bytes.subarray(0, 2 ** 20)).toString(16)}`;
}

/** The code of all stretches from one point to another; empty when the run passed neither. */
function scopeOf(stretches: readonly Stretch[], from: string, to: string): Scope {
  const first = from === 'entry' ? 0 : stretches.findIndex((stretch) => stretch.from === from);
  const last = to === 'end' ? stretches.length - 1 : stretches.findIndex((stretch) => stretch.to === to);
  const inside = first < 0 || last < 0 ? [] : stretches.slice(first, last + 1);
  const areas = [...comparedAreas, ...otherAreas].map(
    (area) => [area, inside.reduce((sum, { code }) => addCounts(sum, code[area]), noCode)] as const,
  );
  return { areas: new Map(areas) };
}

interface CodeMet {
  readonly offsets: number[];
  readonly instructions: number[];
  /** Instructions before start_kernel, when the run came there. */
  startKernel?: number;
}

/** The kernel's code in the order in which the processor first decodes it, up to and without start_kernel. */
function codeMet(run: ProbedRun): CodeMet {
  const met: CodeMet = { offsets: [], instructions: [] };
  const seen = new Set<number>();
  let isOver = false;
  run.onPhase(({ name, address, instructions }) => {
    if (name !== 'start_kernel') return;
    isOver = true;
    met.startKernel = instructions;
    if (met.offsets.at(-1) !== run.code.placeOf(address).offset) return; // decoded, not executed
    met.offsets.pop();
    met.instructions.pop();
  });
  run.onDecode((linear) => {
    if (isOver) return;
    const { area, offset } = run.code.placeOf(linear);
    if (area !== 'kernel' || seen.has(offset)) return;
    seen.add(offset);
    met.offsets.push(offset);
    met.instructions.push(run.machine.instructions);
  });
  return met;
}

function join(doors: readonly TakenAtDoor<CoveredCode>[]): JoinedCoverage {
  const names = doors.map(({ door }) => door);
  const ids = new Set(doors.map(({ taken }) => taken.kernelId));
  const [first] = doors;
  if (first === undefined || doors.length < 2) return { doors: names, scopes: [], joins: [] };
  if (ids.size > 1)
    return { doors: names, refused: 'the doors ran different kernels, or one has no symbols', scopes: [], joins: [] };
  const unitAt = unitsOf(first.taken.names, doors);
  return {
    doors: names,
    scopes: coverageScopes.flatMap(({ name }) => {
      const columns = doors.map(({ taken }) => comparedOf(taken, name));
      if (columns.some((areas) => areas.every(({ code }) => code.offsets.length === 0))) return [];
      const { functions, ...shares } = coverageOf(columns, unitAt);
      const withFunctions = name === 'in all' || name === 'up to start_kernel';
      return [
        {
          scope: name,
          ...shares,
          subsystems: bySubsystem(functions),
          ...(withFunctions ? { functions: compact(functions) } : {}),
        },
      ];
    }),
    joins: doors.map(({ door, taken }) => joinOfDoor(door, taken, doors)),
  };
}

const fileKey = ({ fileId }: CoveredCode): string => `file ${fileId}`;

function comparedOf(taken: CoveredCode, scope: ScopeName): ComparedArea[] {
  const areas = taken.scopes.get(scope)?.areas;
  return comparedAreas.map((area) => ({
    key: area === 'file' ? fileKey(taken) : area,
    code: areas?.get(area) ?? noCode,
  }));
}

/** Names by the door that has an area; a stub and a decompressor share a file, so its sections name no phase. */
function unitsOf(
  names: CodeNames,
  doors: readonly TakenAtDoor<CoveredCode>[],
): (key: string, offset: number) => CodeUnit {
  const cached = new Map<string, CodeUnit>();
  const ofDoor = (area: AreaName): CodeNames =>
    doors.find(({ taken }) => (taken.scopes.get('in all')?.areas.get(area)?.offsets.length ?? 0) > 0)?.taken.names ??
    names;
  const gates = ofDoor('firmware');
  const applications = ofDoor('application');
  return (key, offset) => {
    if (key === 'kernel') return names.unit({ area: 'kernel', offset }, false);
    if (key === 'firmware') return gates.unit({ area: 'firmware', offset }, false);
    if (key === 'application') return applications.unit({ area: 'application', offset }, false);
    const known = cached.get(key);
    if (known !== undefined) return known;
    const hasKernel = doors.some(({ taken }) => taken.kernelId !== undefined);
    const owners = doors.filter(({ taken }) => fileKey(taken) === key).map(({ door }) => door);
    const name = owners.length === doors.length ? 'code of the file' : `code of the file for ${owners.join(', ')}`;
    const unit = { name, subsystem: hasKernel ? 'EFI stub, decompressor' : outsideKernel.image };
    cached.set(key, unit);
    return unit;
  };
}

function bySubsystem(functions: readonly SharedFunction[]): Omit<SharedFunction, 'name'>[] {
  const sums = new Map<string, SharedFunction>();
  const added = (a: readonly number[], b: readonly number[]): number[] => a.map((count, i) => count + (b[i] ?? 0));
  for (const one of functions) {
    const sum = sums.get(one.subsystem);
    sums.set(
      one.subsystem,
      sum === undefined
        ? one
        : {
            ...one,
            common: sum.common + one.common,
            some: sum.some + one.some,
            only: added(sum.only, one.only),
            executions: added(sum.executions, one.executions),
          },
    );
  }
  return [...sums.values()].map(({ subsystem, common, some, only, executions }) => ({
    subsystem,
    common,
    some,
    only,
    executions,
  }));
}

function compact(functions: readonly SharedFunction[]): Record<string, Record<string, readonly number[]>> {
  const result: Record<string, Record<string, readonly number[]>> = {};
  for (const { subsystem, name, common, some, only, executions } of functions)
    (result[subsystem] ??= {})[name] = [common, some, ...only, ...executions];
  return result;
}

function joinOfDoor(door: string, taken: CoveredCode, doors: readonly TakenAtDoor<CoveredCode>[]): Join {
  const kernelOf = ({ scopes }: CoveredCode): CodeCounts =>
    scopes.get('up to start_kernel')?.areas.get('kernel') ?? noCode;
  const others = doors.filter((other) => other.taken !== taken).map((other) => kernelOf(other.taken));
  const index = joinOf(taken.met, kernelOf(taken), others);
  const offset = taken.met.offsets[index];
  const instructions = taken.met.instructions[index];
  if (offset !== undefined && instructions !== undefined)
    return { door, at: taken.names.withOffset(offset), instructions };
  return taken.startKernel === undefined ? { door } : { door, at: 'start_kernel', instructions: taken.startKernel };
}
