import fc from 'fast-check';
import { expect } from 'chai';
import { writeFileSync } from 'node:fs';
import { buildArtifacts } from '../../instructions/processor-subject.js';
import type { CompileAfter } from '../../../src/cpu/hot/tier.js';
import { describeProgram } from './fuzz-report.js';
import { RandomMachine, type RunOptions } from './random-machine.js';
import { assemble, isTidy, programOf, type Assembled, type Program } from './random-program.js';

const TICKS = 12_000;
const runs = Number(process.env['FUZZ_RUNS'] ?? 250);
const seed = Number(process.env['FUZZ_SEED'] ?? 20260);
/** Where the program at hand is written before it runs, for one that hangs or crashes. */
const lastProgram = process.env['FUZZ_LAST'];

const machines = new Map<string, RandomMachine>();

/** One machine a configuration serves all programs. */
function machineOf(compileAfter: CompileAfter, tlbEntries: number, observing = false): RandomMachine {
  const key = `${JSON.stringify(compileAfter)} ${String(tlbEntries)} ${String(observing)}`;
  const machine = machines.get(key) ?? new RandomMachine(buildArtifacts(), compileAfter, tlbEntries, { observing });
  machines.set(key, machine);
  return machine;
}

/** Runs the program on the machine; one that breaks down is not used again. */
function run(
  [compileAfter, tlbEntries, observing = false]: readonly [CompileAfter, number, boolean?],
  program: Program,
  assembled: Assembled,
  options: RunOptions,
): RandomMachine {
  const machine = machineOf(compileAfter, tlbEntries, observing);
  try {
    machine.run(program, assembled, options);
    return machine;
  } catch (error) {
    machines.clear();
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return expect.fail(`compiled after ${JSON.stringify(compileAfter)}, TLBs of ${String(tlbEntries)}: ${why}`);
  }
}

/** A text, when it is long only where it begins to differ from another. */
function around(text: string, other: string): string {
  if (text.length <= 200) return text;
  const at = Array.from(text).findIndex((character, i) => character !== other[i]);
  const from = Math.max(0, (at < 0 ? text.length : at) - 80);
  return `${from > 0 ? '... ' : ''}${text.slice(from, from + 200)}${from + 200 < text.length ? ' ...' : ''}`;
}

/** Fails unless both machines are in the same state, but for the parts in `except`. */
function compare(right: RandomMachine, other: RandomMachine, what: string, except: readonly string[] = []): void {
  const [expected, got] = [right.outcome(), other.outcome()];
  const wrong = Object.keys(expected).filter((name) => expected[name] !== got[name] && !except.includes(name));
  const [ram, otherRam] = [right.ram(), other.ram()];
  const at = Buffer.compare(ram, otherRam) === 0 ? -1 : ram.findIndex((byte, i) => byte !== otherRam[i]);
  if (wrong.length === 0 && at < 0) return;
  const lines = wrong.map((name) => {
    const [one = '', other = ''] = [got[name], expected[name]];
    return `  ${name}: ${around(one, other)}\n    right: ${around(other, one)}`;
  });
  if (at >= 0) lines.push(`  RAM at ${at.toString(16)}: ${String(otherRam[at])}\n    right: ${String(ram[at])}`);
  const { ticks = '', exceptions = '', ended = '' } = expected;
  expect.fail(
    `${what} differs\n${lines.join('\n')}\n  (it ends at tick ${ticks} by ${ended}, exceptions ${exceptions})`,
  );
}

/** Both tiers run the program; everything that a guest can tell must be equal. */
function check(program: Program): void {
  const assembled = assemble(program);
  if (lastProgram !== undefined) writeFileSync(lastProgram, describeProgram(program, assembled));
  const { after, tlbEntries, slice, seed: sliceSeed, looks } = program.variant;
  const whole = { ticks: TICKS, slice: 0, seed: 0, looks: false };
  const cold = run(['never', tlbEntries], program, assembled, whole);
  const hot = run([after, tlbEntries], program, assembled, { ticks: TICKS, slice, seed: sliceSeed, looks });
  compare(cold, hot, 'the hot tier');
  if (tlbEntries === 1024 || !isTidy(program)) return;
  compare(run(['never', 1024], program, assembled, whole), cold, 'with TLBs of 16 entries the cold tier', ['tlb']);
}

/** Observing processors do the same, and count the same instructions in both tiers and in slices of any length. */
function checkObserving(program: Program): void {
  const assembled = assemble(program);
  const { after, tlbEntries, slice, seed: sliceSeed, looks } = program.variant;
  const whole = { ticks: TICKS, slice: 0, seed: 0, looks: false };
  const sliced = { ticks: TICKS, slice, seed: sliceSeed, looks };
  const plain = run(['never', tlbEntries], program, assembled, whole);
  const cold = run(['never', tlbEntries, true], program, assembled, whole);
  compare(plain, cold, 'the observing cold tier');
  const hot = run([after, tlbEntries, true], program, assembled, sliced);
  compare(plain, hot, 'the observing hot tier');
  const [right, counted] = [cold.executions(), hot.executions()];
  if (counted !== right) expect.fail(`executions: ${around(counted, right)}\n  right: ${around(right, counted)}`);
}

/** Throws with the smallest program that fails, as assembly. */
function report(details: fc.RunDetails<[Program]>): void {
  if (!details.failed) return;
  const [program] = details.counterexample ?? [];
  if (program === undefined) throw new Error('fast-check gave no counterexample');
  const { errorInstance, numRuns, numShrinks, seed: used, counterexamplePath: path } = details;
  const message = errorInstance instanceof Error ? errorInstance.message : String(errorInstance);
  const how = `program ${String(numRuns)} of seed ${String(used)}, shrunk ${String(numShrinks)} times, path ${String(path)}`;
  throw new Error(`${message}\n${describeProgram(program, assemble(program))}\n${how}`);
}

describe('hot and cold tier on random programs', function () {
  this.timeout(0);
  after(() => {
    machines.clear();
  });

  for (const [bits, kernel, share] of [
    [64, true, 1],
    [64, false, 0.5],
    [32, false, 0.3],
    [32, true, 0.2],
  ] as const) {
    it(`${String(bits)}-bit code at CPL ${kernel ? '0' : '3'}: registers, flags, memory, TLBs, devices and ticks are equal`, () => {
      fc.assert(fc.property(programOf(bits, kernel), check), {
        numRuns: Math.ceil(runs * share),
        seed,
        endOnFailure: false,
        reporter: report,
      });
    });
  }

  for (const [bits, kernel] of [
    [64, true],
    [64, false],
    [32, true],
  ] as const) {
    it(`${String(bits)}-bit code at CPL ${kernel ? '0' : '3'}, observing: the same, and both tiers count the same executions`, () => {
      fc.assert(fc.property(programOf(bits, kernel), checkObserving), {
        numRuns: Math.ceil(runs * 0.2),
        seed,
        endOnFailure: false,
        reporter: report,
      });
    });
  }

  it('compiled what it was meant to prove', () => {
    const regions = [...machines.values()].reduce((sum, { processor }) => sum + processor.hot.statistics.regions, 0);
    expect(regions).to.be.above(runs);
  });
});
