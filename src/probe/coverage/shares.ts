import type { CodeUnit } from '../code/code-names.js';
import { walkTogether, type CodeCounts } from '../code/code-counts.js';

/** Code that stands at the same offsets behind every door: a kernel, a file, a table of gates. */
export interface ComparedArea {
  /** Equal for what is the same code. */
  readonly key: string;
  readonly code: CodeCounts;
}

/** Instructions (different ones), functions, and how often the instructions were executed behind each door. */
export interface Share {
  readonly addresses: number;
  readonly functions: number;
  readonly executions: readonly number[];
}

/** How the doors share a function's instructions. All arrays are in the order of the doors. */
export interface SharedFunction extends CodeUnit {
  /** Different instructions: executed behind all doors, behind several but not all, behind one alone. */
  readonly common: number;
  readonly some: number;
  readonly only: readonly number[];
  readonly executions: readonly number[];
}

/** What several doors executed in a stretch: all = common + some + only, in every figure but functions of `some`. */
export interface Coverage {
  readonly all: Share;
  /** Executed behind every door; a function is common when one of its instructions is. */
  readonly common: Share;
  /** Behind several doors but not all. */
  readonly some: Share;
  /** Behind one alone, by door. A function counts that no other door entered. */
  readonly only: readonly Share[];
  readonly functions: readonly SharedFunction[];
}

class Sum {
  addresses = 0;
  functions = 0;
  readonly executions: number[];
  constructor(doors: number) {
    this.executions = new Array<number>(doors).fill(0);
  }
  add(addresses: number, executions: readonly number[]): void {
    this.addresses += addresses;
    executions.forEach((count, door) => (this.executions[door] = (this.executions[door] ?? 0) + count));
  }
}

class Tally {
  common = 0;
  some = 0;
  readonly only: number[];
  readonly executions: number[];
  constructor(
    readonly unit: CodeUnit,
    doors: number,
  ) {
    this.only = new Array<number>(doors).fill(0);
    this.executions = new Array<number>(doors).fill(0);
  }
}

/** Lays the code of several doors over each other. `unitAt` names what stands at an offset of an area. */
export function coverageOf(
  doors: readonly (readonly ComparedArea[])[],
  unitAt: (key: string, offset: number) => CodeUnit,
): Coverage {
  const count = doors.length;
  const parts = { all: new Sum(count), common: new Sum(count), some: new Sum(count) };
  const only = doors.map(() => new Sum(count));
  const tallies = new Map<string, Tally>();
  const none: CodeCounts = { offsets: new Float64Array(0), counts: new Float64Array(0) };
  for (const key of new Set(doors.flatMap((areas) => areas.map((area) => area.key)))) {
    const columns = doors.map((areas) => areas.find((area) => area.key === key)?.code ?? none);
    walkTogether(columns, (offset, executions) => {
      const behind = executions.reduce((sum, times) => sum + (times > 0 ? 1 : 0), 0);
      const first = executions.findIndex((times) => times > 0);
      const unit = unitAt(key, offset);
      const name = `${unit.subsystem}\n${unit.name}`;
      let tally = tallies.get(name);
      if (tally === undefined) tallies.set(name, (tally = new Tally(unit, count)));
      const own = only[first];
      const part = behind === count ? parts.common : behind === 1 && own !== undefined ? own : parts.some;
      parts.all.add(1, executions);
      part.add(1, executions);
      if (part === parts.common) tally.common++;
      else if (part === parts.some) tally.some++;
      else tally.only[first] = (tally.only[first] ?? 0) + 1;
      for (let door = 0; door < count; door++)
        tally.executions[door] = (tally.executions[door] ?? 0) + (executions[door] ?? 0);
    });
  }
  for (const tally of tallies.values()) {
    const entered = tally.executions.filter((times) => times > 0).length;
    parts.all.functions++;
    if (entered === count) parts.common.functions++;
    else if (entered > 1) parts.some.functions++;
    else {
      const own = only[tally.executions.findIndex((times) => times > 0)];
      if (own !== undefined) own.functions++;
    }
  }
  const plain = ({ addresses, functions, executions }: Sum): Share => ({ addresses, functions, executions });
  return {
    all: plain(parts.all),
    common: plain(parts.common),
    some: plain(parts.some),
    only: only.map(plain),
    functions: [...tallies.values()].map(({ unit, ...shares }) => ({ ...unit, ...shares })),
  };
}

/** Code in the order in which it was first met: where each piece begins, and how many instructions came before. */
export interface FirstMet {
  /** Offsets in the kernel, as linked. */
  readonly offsets: readonly number[];
  readonly instructions: readonly number[];
}

/**
 * Where a door's way joins the others: behind the last piece of code that it met first and of which it executed something
 * that another door did not, in the same stretch. Index into `met`; its length when no piece comes behind.
 */
export function joinOf(met: FirstMet, own: CodeCounts, others: readonly CodeCounts[]): number {
  const pieces = met.offsets.map((offset, order) => ({ offset, order })).sort((a, b) => a.offset - b.offset);
  let last = -1;
  for (const offset of own.offsets) {
    if (others.every((code) => has(code, offset))) continue;
    last = Math.max(last, pieces[below(pieces, offset)]?.order ?? -1);
  }
  return last + 1;
}

/** Index of the last piece that begins at an offset or before it. */
function below(pieces: readonly { readonly offset: number }[], offset: number): number {
  let [low, high] = [0, pieces.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((pieces[middle]?.offset ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function has({ offsets }: CodeCounts, offset: number): boolean {
  let [low, high] = [0, offsets.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((offsets[middle] ?? 0) < offset) low = middle + 1;
    else high = middle;
  }
  return offsets[low] === offset;
}
