import { expect } from 'chai';
import { buildArtifacts } from '../../instructions/processor-subject.js';
import { plainProgram } from './plain-program.js';
import { RandomMachine } from './random-machine.js';
import { handlers } from './random-tables.js';
import { places, supervisor } from './random-places.js';

describe('a REP that overwrites itself', () => {
  for (const [compileAfter, slice] of [
    ['never', 0],
    [1, 0],
    [1, 1],
  ] as const) {
    it(`is fetched again at its next element: compiled after ${String(compileAfter)}, slices of ${String(slice)}`, () => {
      const machine = new RandomMachine(buildArtifacts(), compileAfter, 1024);
      const { program, assembled } = plainProgram({
        code: [0xf3, 0xaa, 0xcc], // REP STOSB; INT3
        registers: { 0: 0x90n /* NOP */, 1: 5n, 7: BigInt(places.code) },
      });
      machine.run(program, assembled, { ticks: 1000, slice, seed: 1, looks: false });
      const { rcx, rip, exceptions } = machine.outcome();
      // The first element leaves 90 AA: NOP, then STOSB without its prefix.
      expect({ rcx, exceptions }).to.deep.equal({ rcx: '4', exceptions: '3' });
      expect(rip).to.equal((supervisor + BigInt(handlers[3]?.address ?? 0)).toString(16));
    });
  }
});
