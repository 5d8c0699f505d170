import { expect } from 'chai';
import type { Digest } from '../../src/digest.js';
import type { MachineOptions } from '../../src/machine.js';
import { runGuest, type GuestRun } from './run-guest.js';

const image = 'experiment.elf';
const digestEvery = 1000; // ticks

/** Lines that hold a value, not a verdict. */
const isNote = (line: string): boolean => line.startsWith('# ');

const parts = ['processor', 'memory', 'devices', 'tlb'] as const;

/** Where two runs were first in different states, by multiples of 1,000 ticks; undefined when nowhere. */
function firstDifference(a: GuestRun, b: GuestRun, compared: readonly (keyof Digest)[] = parts): string | undefined {
  for (const [i, digest] of a.digests.entries()) {
    const part = compared.find((each) => digest[each] !== b.digests[i]?.[each]);
    if (part !== undefined) return `${part} at tick ${String((i + 1) * digestEvery)}`;
  }
  return undefined;
}

describe('the first experiment: hot code of a bare guest', function () {
  this.timeout(120_000);
  const cold = runGuest(image, { machine: { compileAfter: 'never' } });

  for (const line of cold.lines.slice(0, -1).filter((each) => !isNote(each))) {
    const at = line.lastIndexOf(': ');
    it(line.slice(0, at), () => {
      expect(line.slice(at + 2)).to.equal('ok');
    });
  }
  it('the guest came to its end and powered off', () => {
    expect(cold.lines.at(-1)).to.equal('end');
    expect(cold.outcome.outcome).to.equal('powered-off');
  });

  describe('is the same, to the tick, for every threshold of compilation and every TLB size', () => {
    const variants: Partial<MachineOptions>[] = [
      { compileAfter: 1, tlbEntries: 1024 },
      { compileAfter: 500, tlbEntries: 1024 },
      { compileAfter: 'random', tlbEntries: 1024 },
      { compileAfter: 'never', tlbEntries: 16 },
      { compileAfter: 1, tlbEntries: 16 },
      { compileAfter: 500, tlbEntries: 16 },
      { compileAfter: 'random', tlbEntries: 16 },
    ];
    for (const machine of variants) {
      it(`compiled after ${JSON.stringify(machine.compileAfter)}, ${String(machine.tlbEntries)} TLB entries`, () => {
        const run = runGuest(image, { machine });
        expect(run.lines).to.deep.equal(cold.lines);
        expect([run.instructions, run.ticks]).to.deep.equal([cold.instructions, cold.ticks]);
      });
    }

    let stepped: GuestRun;
    before(() => {
      stepped = runGuest(image, { machine: { compileAfter: 'never' }, digestEvery });
    });
    it('stopping every 1,000 ticks changes nothing', () => {
      expect(stepped.lines).to.deep.equal(cold.lines);
      expect([stepped.instructions, stepped.ticks]).to.deep.equal([cold.instructions, cold.ticks]);
    });
    for (const compileAfter of [1, 500, 'random'] as const) {
      it(`registers, flags, TLBs and RAM every 1,000 ticks, compiled after ${String(compileAfter)}`, () => {
        const run = runGuest(image, { machine: { compileAfter }, digestEvery });
        expect(firstDifference(stepped, run)).to.equal(undefined);
        expect(run.digests.length).to.equal(stepped.digests.length);
      });
    }
    it('registers, flags and RAM every 1,000 ticks with 16 TLB entries', () => {
      const run = runGuest(image, { machine: { compileAfter: 500, tlbEntries: 16 }, digestEvery });
      expect(firstDifference(stepped, run, ['processor', 'memory', 'devices'])).to.equal(undefined);
    });
  });
});
