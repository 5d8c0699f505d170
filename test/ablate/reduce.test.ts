import { expect } from 'chai';
import fc from 'fast-check';
import { reduce } from '../../src/ablate/reduce.js';

describe('reduction to a smallest set', () => {
  const letters = 'a b c d e f g h i j k l'.split(' ');

  it('begins with what is missed by itself, and leaves out what is not missed there', async () => {
    const found = await reduce(['a', 'c'], ['b', 'd'], (kept) => Promise.resolve(kept.includes('a')));
    expect(found.kept).to.deep.equal(['a']);
  });

  it('keeps one of two parts that stand in for each other, which no single trial shows', async () => {
    const oracle = (kept: readonly string[]): Promise<boolean> =>
      Promise.resolve(kept.includes('a') && (kept.includes('sleep') || kept.includes('reset')));
    const { kept } = await reduce(['a'], ['x', 'sleep', 'y', 'reset', 'z'], oracle);
    expect(kept).to.have.length(2);
    expect(['sleep', 'reset']).to.include(kept[1]);
  });

  it('gives a set that does and of which no part can be left out, for any goal that more parts never spoil', async () => {
    const clauses = fc.array(fc.subarray(letters, { minLength: 1, maxLength: 4 }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(clauses, async (wanted) => {
        const comes = (kept: readonly string[]): boolean =>
          wanted.every((clause) => clause.some((part) => kept.includes(part)));
        const needed = letters.filter((part) => !comes(letters.filter((other) => other !== part)));
        const others = letters.filter((part) => !needed.includes(part));
        const { kept } = await reduce(needed, others, (parts) => Promise.resolve(comes(parts)));
        expect(comes(kept)).to.equal(true);
        for (const part of kept) expect(comes(kept.filter((other) => other !== part)), part).to.equal(false);
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  it('leaves out a part that is missed only while another one is there', async () => {
    const oracle = (kept: readonly string[]): Promise<boolean> =>
      Promise.resolve(kept.includes('map') && (!kept.includes('handle') || kept.includes('read')));
    const { kept } = await reduce(['map', 'read'], ['handle', 'x'], oracle);
    expect(kept).to.deep.equal(['map']);
  });

  it('asks some log2 of the parts for each one that it finds', async () => {
    const many = Array.from({ length: 64 }, (_, n) => n);
    const { kept, asked } = await reduce<number>([], many, (parts) => Promise.resolve(parts.includes(37)));
    expect(kept).to.deep.equal([37]);
    expect(asked).to.be.lessThan(20);
  });
});
