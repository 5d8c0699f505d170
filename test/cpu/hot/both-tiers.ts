/** Programs by hand whose hot code calls functions of the core: hot and cold tier have to agree. */
import { expect } from 'chai';
import type { CompileAfter } from '../../../src/cpu/hot/tier.js';
import * as L from '../../../src/cpu/state-layout.js';
import { buildArtifacts } from '../../instructions/processor-subject.js';
import { dword, plainProgram, type PlainProgram } from './plain-program.js';
import { RandomMachine } from './random-machine.js';

const TICKS = 20_000;
type Functions = Record<string, (record: number) => number>;

/** A machine that knows how often hot code called a function of the core. */
class Watched {
  readonly machine: RandomMachine;
  calls = 0;
  /** Calls with flags pending that the core knows nothing of. */
  pending = 0;

  constructor(compileAfter: CompileAfter, helper: string) {
    this.machine = new RandomMachine(buildArtifacts(), compileAfter, 1024);
    const { hot, wasm } = this.machine.processor as unknown as {
      readonly hot: { readonly host: { readonly functions: Functions } };
      readonly wasm: WebAssembly.Memory;
    };
    const { functions } = hot.host;
    const real = functions[helper];
    if (real === undefined) throw new Error(`the core has no ${helper}`);
    const view = new DataView(wasm.buffer);
    functions[helper] = (record) => {
      this.calls++;
      if (view.getUint32(L.PENDING_KIND, true) !== 0) this.pending++;
      return real(record);
    };
  }

  run(plain: PlainProgram, slice: number): Readonly<Record<string, string>> {
    const { program, assembled } = plainProgram(plain);
    this.machine.run(program, assembled, { ticks: TICKS, slice, seed: 7, looks: false });
    return this.machine.outcome();
  }
}

/** Number of the register that counts a loop's rounds. */
export const R8 = 8;
const INT3 = 0xcc;

/** Repeats the code R8 times. */
export const loop = (code: readonly number[]): number[] => [
  ...[...code, 0x49, 0xff, 0xc8], // DEC R8
  ...[0x0f, 0x85, ...dword(-(code.length + 9))], // JNZ
  INT3,
];

/**
 * Hot code with a helper in it does what the cold tier does, however it is sliced; answers what the cold tier did. The
 * slices named in `hotIn` leave room for the code to run hot: 0 is one slice without an end.
 */
export function bothTiers(helper: string, plain: PlainProgram, hotIn = [0]): Readonly<Record<string, string>> {
  const cold = new Watched('never', helper);
  const right = cold.run(plain, 0);
  expect(cold.calls).to.equal(0);
  for (const [compileAfter, slice] of [
    [1, 0],
    [2, 0],
    [1, 7],
    [1, 1],
    [1, 40],
    [3, 40],
  ] as const) {
    const hot = new Watched(compileAfter, helper);
    const what = `compiled after ${String(compileAfter)}, slices of ${String(slice)}`;
    expect(hot.run(plain, slice), what).to.deep.equal(right);
    expect(Buffer.compare(hot.machine.ram(), cold.machine.ram()), `RAM, ${what}`).to.equal(0);
    expect(hot.pending, `calls with flags pending, ${what}`).to.equal(0);
    if (compileAfter !== 1) continue; // code that is written again and again does not come to a higher threshold
    expect(hot.machine.processor.hot.statistics.regions, `regions, ${what}`).to.be.above(0);
    if (hotIn.includes(slice)) expect(hot.calls, `calls, ${what}`).to.be.above(0);
  }
  return right;
}
