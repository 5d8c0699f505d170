import { expect } from 'chai';
import { pcMap, rangesOfMap, specialPagesRange, xenMap } from '../../src/memory/guest-map.js';
import type { RamSizes } from '../../src/memory/ram-map.js';

const MiB = 2 ** 20;
const lines = (ram: RamSizes, ...[map, tables]: [typeof pcMap, boolean]): string[] =>
  rangesOfMap(ram, map, tables).map(({ start, end, kind }) => `${start.toString(16)} ${end.toString(16)} ${kind}`);

describe('what the guest is told of its addresses', () => {
  it("a PC's hole with the ACPI tables in it", () => {
    expect(lines({ ramBytes: 64 * MiB }, pcMap, true)).to.deep.equal([
      '0 a0000 ram',
      'a0000 e0000 reserved',
      'e0000 f0000 acpi',
      'f0000 100000 reserved',
      '100000 4000000 ram',
    ]);
    expect(lines({ ramBytes: 64 * MiB }, pcMap, false)).to.deep.equal([
      '0 a0000 ram',
      'a0000 100000 reserved',
      '100000 4000000 ram',
    ]);
  });
  it('a domain of 256 MiB as libxl 4.17 describes it', () => {
    expect(lines({ ramBytes: 256 * MiB }, xenMap, true)).to.deep.equal([
      '0 10000000 ram',
      'fc000000 fc008040 acpi',
      'feff8000 ff000000 reserved',
    ]);
  });
  it('RAM above 4 GiB comes last', () => {
    expect(lines({ ramBytes: 3 * MiB, lowRamBytes: 2 * MiB }, xenMap, true)).to.deep.equal([
      '0 200000 ram',
      'fc000000 fc008040 acpi',
      'feff8000 ff000000 reserved',
      '100000000 100100000 ram',
    ]);
    expect(lines({ ramBytes: 3 * MiB, lowRamBytes: MiB }, pcMap, false)).to.deep.equal([
      '0 a0000 ram',
      'a0000 100000 reserved',
      '100000000 100200000 ram',
    ]);
  });
  it('the small PC with special pages', () => {
    const map = { ...pcMap, reserved: [specialPagesRange] };
    expect(lines({ ramBytes: 64 * MiB }, map, true).slice(-2)).to.deep.equal([
      '100000 4000000 ram',
      'feff8000 ff000000 reserved',
    ]);
  });
});
