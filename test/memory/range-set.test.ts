import fc from 'fast-check';
import { expect } from 'chai';
import { RangeSet } from '../../src/memory/range-set.js';

const SIZE = 64;
const step = fc.record({
  add: fc.boolean(),
  start: fc.integer({ min: 0, max: SIZE }),
  length: fc.integer({ min: 0, max: 12 }),
});

/** The runs of members of an array of flags, between two bounds. */
function runsOf(flags: readonly boolean[], from: number, to: number): { start: number; end: number }[] {
  const runs: { start: number; end: number }[] = [];
  for (let at = from; at < to; at++) {
    if (flags[at] !== true) continue;
    const last = runs.at(-1);
    if (last?.end === at) runs[runs.length - 1] = { start: last.start, end: at + 1 };
    else runs.push({ start: at, end: at + 1 });
  }
  return runs;
}

describe('a set of ranges', () => {
  it('holds what was added and not removed since, as few ranges as can be', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.integer({ min: 0, max: SIZE }), (steps, from) => {
        const set = new RangeSet();
        const flags = Array<boolean>(SIZE + 12).fill(false);
        for (const { add, start, length } of steps) {
          if (add) set.add(start, start + length);
          else set.remove(start, start + length);
          flags.fill(add, start, start + length);
        }
        expect(set.all()).to.deep.equal(runsOf(flags, 0, flags.length));
        expect(set.isEmpty).to.equal(!flags.includes(true));
        expect(set.within(from, from + 20)).to.deep.equal(runsOf(flags, from, from + 20));
        expect(set.has(from)).to.equal(flags[from]);
        expect(set.overlaps(from, from + 5)).to.equal(flags.slice(from, from + 5).includes(true));
        set.clear();
        expect(set.all()).to.deep.equal([]);
      }),
      { numRuns: 2000 },
    );
  });
});
