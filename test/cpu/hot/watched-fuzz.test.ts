import fc from 'fast-check';
import { expect } from 'chai';
import { buildArtifacts } from '../../instructions/processor-subject.js';
import type { CompileAfter } from '../../../src/cpu/hot/tier.js';
import { describeProgram } from './fuzz-report.js';
import { RandomMachine } from './random-machine.js';
import { places, ramBytes } from './random-places.js';
import { assemble, programOf, type Program } from './random-program.js';

const TICKS = 8000;
const runs = Number(process.env['FUZZ_RUNS'] ?? 60);
const seed = Number(process.env['FUZZ_SEED'] ?? 20261);

/** Bytes of everything that random programs use: data, code, frames, tables, stacks. */
const watches = fc.array(
  fc.record({
    at: fc.oneof(
      fc.integer({ min: places.data, max: places.own + 0xfff }),
      fc.integer({ min: places.code, max: ramBytes - 1 }),
    ),
    bytes: fc.oneof(fc.integer({ min: 1, max: 16 }), fc.integer({ min: 1, max: 0x2000 })),
  }),
  { minLength: 1, maxLength: 4 },
);
type Watches = readonly { readonly at: number; readonly bytes: number }[];

const machines = new Map<string, { readonly machine: RandomMachine; told: string[] }>();

function run(compileAfter: CompileAfter, program: Program, watched: Watches, slice: number) {
  const key = `${JSON.stringify(compileAfter)} ${String(program.variant.tlbEntries)}`;
  const known = machines.get(key) ?? {
    machine: new RandomMachine(buildArtifacts(), compileAfter, program.variant.tlbEntries),
    told: [],
  };
  machines.set(key, known);
  const { processor } = known.machine;
  known.told = [];
  processor.unwatch(0, ramBytes);
  for (const { at, bytes } of watched) processor.watch(at, bytes);
  processor.onWatched = ({ physical, bytes, write }) => {
    known.told.push(`${String(processor.ticks)} ${write ? 'write' : 'read'} ${physical.toString(16)} ${String(bytes)}`);
  };
  const { looks, seed: sliceSeed } = program.variant;
  known.machine.run(program, assemble(program), { ticks: TICKS, slice, seed: sliceSeed, looks: looks && slice > 0 });
  return { outcome: known.machine.outcome(), ram: known.machine.ram(), told: known.told };
}

/** The guest runs as without watches, and both tiers tell the same accesses in the same order at the same ticks. */
function check(program: Program, watched: Watches): void {
  const { after, slice } = program.variant;
  const free = run('never', program, [], 0);
  const cold = run('never', program, watched, 0);
  const hot = run(after, program, watched, slice);
  for (const [what, { outcome, ram }] of [
    ['the cold tier', cold],
    ['the hot tier', hot],
  ] as const) {
    expect(outcome, `${what} with watches`).to.deep.equal(free.outcome);
    expect(Buffer.compare(ram, free.ram), `RAM of ${what} with watches`).to.equal(0);
  }
  expect(hot.told, 'what the hot tier tells').to.deep.equal(cold.told);
}

describe('watched bytes on random programs', function () {
  this.timeout(0);
  after(() => {
    machines.clear();
  });

  for (const [bits, kernel] of [
    [64, true],
    [64, false],
    [32, true],
  ] as const) {
    it(`${String(bits)}-bit code at CPL ${kernel ? '0' : '3'}: the guest notices nothing, both tiers tell the same`, () => {
      fc.assert(fc.property(programOf(bits, kernel), watches, check), {
        numRuns: runs,
        seed,
        reporter: (details) => {
          if (!details.failed) return;
          const [program, watched] = details.counterexample ?? [];
          const message = details.errorInstance instanceof Error ? details.errorInstance.message : '';
          const listing = program && describeProgram(program, assemble(program));
          throw new Error(`${message}\n${JSON.stringify(watched)}\n${listing ?? ''}`);
        },
      });
    });
  }
});
