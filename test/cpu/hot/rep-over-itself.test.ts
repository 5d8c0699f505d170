import { expect } from 'chai';
import { buildArtifacts } from '../../instructions/processor-subject.js';
import { RandomMachine } from './random-machine.js';
import { handlers } from './random-tables.js';
import { places, supervisor } from './random-places.js';
import type { Assembled, Program } from './random-program.js';

describe('a REP that overwrites itself', () => {
  for (const [compileAfter, slice] of [
    ['never', 0],
    [1, 0],
    [1, 1],
  ] as const) {
    it(`is fetched again at its next element: compiled after ${String(compileAfter)}, slices of ${String(slice)}`, () => {
      const machine = new RandomMachine(buildArtifacts(), compileAfter, 1024);
      const start = places.code;
      const bytes = Uint8Array.of(0xf3, 0xaa, 0xcc); // REP STOSB; INT3
      const registers = Array<bigint>(16).fill(0n);
      registers[0] = 0x90n; // NOP
      registers[1] = 5n;
      registers[4] = BigInt(places.data + 0x800);
      registers[7] = BigInt(start);
      const program: Program = {
        bits: 64,
        kernel: false,
        high: false,
        routines: [],
        times: 1,
        registers,
        flags: 0,
        mxcsr: 0x1f80,
        vectors: [],
        before: 0,
        straddle: 0,
        interrupts: [],
        breakpoints: [],
        variant: { after: 1, tlbEntries: 1024, slice, seed: 1, looks: false },
      };
      const assembled: Assembled = {
        base: 0n,
        start,
        parts: [{ physical: start, bytes }],
        breakpoints: [],
        addresses: [start],
        listing: [],
      };
      machine.run(program, assembled, { ticks: 1000, slice, seed: 1, looks: false });
      const { rcx, rip, exceptions } = machine.outcome();
      // The first element leaves 90 AA: NOP, then STOSB without its prefix.
      expect({ rcx, exceptions }).to.deep.equal({ rcx: '4', exceptions: '3' });
      expect(rip).to.equal((supervisor + BigInt(handlers[3]?.address ?? 0)).toString(16));
    });
  }
});
