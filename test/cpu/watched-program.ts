/** Programs by hand on both tiers with some bytes watched: the guest must not notice, and both tiers must tell the same. */
import { expect } from 'chai';
import type { CompileAfter } from '../../src/cpu/hot/tier.js';
import type { EmulatedProcessor } from '../../src/cpu/processor.js';
import { buildArtifacts } from '../instructions/processor-subject.js';
import { plainProgram, type PlainProgram } from './hot/plain-program.js';
import { RandomMachine } from './hot/random-machine.js';

const TICKS = 20_000;

/** As text: `read 20010 4` is a load of four bytes at guest-physical 0x20010. */
export type Told = string[];

export interface WatchedRun {
  readonly machine: RandomMachine;
  readonly told: Told;
}

/** `begin` sets up what is watched; it pushes to `told` what it likes. */
export type Begin = (processor: EmulatedProcessor, told: Told) => void;

export function run(plain: PlainProgram, compileAfter: CompileAfter, slice: number, begin?: Begin): WatchedRun {
  const machine = new RandomMachine(buildArtifacts(), compileAfter, 1024, { observing: begin !== undefined });
  const told: Told = [];
  const { program, assembled } = plainProgram(plain);
  begin?.(machine.processor, told);
  machine.run(program, assembled, { ticks: TICKS, slice, seed: 7, looks: slice !== 0 });
  return { machine, told };
}

/** Watches ranges of guest-physical bytes, and notes what is told. */
export const watching =
  (...ranges: readonly (readonly [physical: number, bytes: number])[]): Begin =>
  (processor, told) => {
    for (const [physical, bytes] of ranges) processor.watch(physical, bytes);
    processor.onWatched = ({ physical, bytes, write }) => {
      told.push(`${write ? 'write' : 'read'} ${physical.toString(16)} ${String(bytes)}`);
    };
  };

/** What is told of a program, in all tiers and slices, which ends as it does when nothing is watched. */
export function toldOf(plain: PlainProgram, begin: Begin): Told {
  const free = run(plain, 'never', 0);
  const right = free.machine.outcome();
  const cold = run(plain, 'never', 0, begin);
  for (const [compileAfter, slice] of [
    ['never', 0],
    ['never', 3],
    [1, 0],
    [2, 0],
    [1, 7],
    [3, 40],
  ] as const) {
    const what = `compiled after ${String(compileAfter)}, slices of ${String(slice)}`;
    const { machine, told } = run(plain, compileAfter, slice, begin);
    expect(machine.outcome(), what).to.deep.equal(right);
    expect(Buffer.compare(machine.ram(), free.machine.ram()), `RAM, ${what}`).to.equal(0);
    expect(told, `told, ${what}`).to.deep.equal(cold.told);
    if (compileAfter === 1) expect(machine.processor.hot.statistics.regions, `regions, ${what}`).to.be.above(0);
  }
  return cold.told;
}
