import { expect } from 'chai';
import { isRam, ramAddress, ramEnd, ramOffset, ramRanges } from '../../src/memory/ram-map.js';

const gib = 2 ** 30;
const mib = 2 ** 20;

describe('where RAM lies', () => {
  it('from 0 on, when nothing else is said, or as much is to lie there as there is', () => {
    for (const ram of [
      { ramBytes: gib },
      { ramBytes: gib, lowRamBytes: gib },
      { ramBytes: gib, lowRamBytes: 2 * gib },
    ]) {
      expect(ramRanges(ram)).to.deep.equal([{ start: 0, end: gib }]);
      expect(ramEnd(ram)).to.equal(gib);
      expect(ramOffset(ram, gib - 1)).to.equal(gib - 1);
      expect(ramOffset(ram, gib)).to.equal(undefined);
      expect(ramAddress(ram, gib - 1)).to.equal(gib - 1);
    }
  });
  it('the rest from 4 GiB on; every byte has one place, and every place one address', () => {
    const ram = { ramBytes: gib, lowRamBytes: mib };
    expect(ramRanges(ram)).to.deep.equal([
      { start: 0, end: mib },
      { start: 4 * gib, end: 5 * gib - mib },
    ]);
    expect(ramEnd(ram)).to.equal(5 * gib - mib);
    for (const [address, offset] of [
      [0, 0],
      [mib - 1, mib - 1],
      [4 * gib, mib],
      [5 * gib - mib - 1, gib - 1],
    ] as const) {
      expect(ramOffset(ram, address)).to.equal(offset);
      expect(ramAddress(ram, offset)).to.equal(address);
    }
    for (const address of [-1, mib, 4 * gib - 1, 5 * gib - mib]) expect(ramOffset(ram, address)).to.equal(undefined);
  });
  it('a range that reaches from one part into the other is no RAM', () => {
    const ram = { ramBytes: gib, lowRamBytes: mib };
    expect(isRam(ram, { start: 0, end: mib })).to.equal(true);
    expect(isRam(ram, { start: mib - 1, end: mib + 1 })).to.equal(false);
    expect(isRam(ram, { start: 4 * gib, end: 5 * gib - mib })).to.equal(true);
    expect(isRam(ram, { start: 0, end: 5 * gib - mib })).to.equal(false);
  });
});
