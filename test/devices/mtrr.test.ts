import { expect } from 'chai';
import { Mtrr } from '../../src/devices/mtrr.js';

describe('memory type range registers (Intel SDM volume 3, 12.11)', () => {
  it('as a PVH domain finds them: eight variable ranges, enabled, write-back', () => {
    const mtrr = new Mtrr();
    expect([0xfe, 0x2ff, 0x200, 0x20f, 0x250].map((index) => mtrr.readMsr(index))).to.deep.equal([
      0x508n,
      0x806n,
      0n,
      0n,
      0n,
    ]);
  });
  it('12.11.2 keeps what is written', () => {
    const mtrr = new Mtrr();
    const values: [number, bigint][] = [
      [0x200, 0xc000_0006n],
      [0x201, 0xff_c000_0800n],
      [0x26f, 0x0605_0401_0006_0606n],
      [0x2ff, 0xc00n],
    ];
    for (const [index, value] of values) expect(mtrr.writeMsr(index, value), index.toString(16)).to.equal(true);
    const other = new Mtrr();
    other.restore(JSON.parse(JSON.stringify(mtrr.save())) as ReturnType<Mtrr['save']>);
    for (const [index, value] of values) expect(other.readMsr(index)).to.equal(value);
  });
  it('#GP for a reserved type or bit, beyond MAXPHYADDR, and for MTRRcap', () => {
    const mtrr = new Mtrr();
    const cases: [number, bigint][] = [
      [0xfe, 0x508n],
      [0x2ff, 0x802n],
      [0x2ff, 0x1000n],
      [0x200, 0x103n],
      [0x200, 0x106n],
      [0x200, 1n << 40n],
      [0x201, 0x400n],
      [0x250, 0x0706_0606_0606_0606n],
    ];
    for (const [index, value] of cases) expect(mtrr.writeMsr(index, value), index.toString(16)).to.equal(false);
    expect(mtrr.readMsr(0x2ff)).to.equal(0x806n);
  });
  it('other MSRs are not its own', () => {
    const mtrr = new Mtrr();
    for (const index of [0x1ff, 0x210, 0x251, 0x277, 0x2fe]) {
      expect(mtrr.readMsr(index)).to.equal(undefined);
      expect(mtrr.writeMsr(index, 0n)).to.equal(false);
    }
  });
});
