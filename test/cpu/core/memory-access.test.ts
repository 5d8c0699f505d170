import { expect } from 'chai';
import * as s from '../../../src/cpu/state-layout.js';
import { A, D, NX, P, TestCore, U, W } from './memory-fixture.js';

const at = 0x40_0000n;
const next = at + 0x1000n;

describe('slow memory paths', function () {
  this.timeout(30_000);
  let core: TestCore;
  beforeEach(() => {
    core = new TestCore();
    core.map(at, 0x5000, P | W | U);
    core.map(next, 0x9000, P | W | U);
  });
  const fault = (error: number, address: bigint) => ({ vector: 14, error, address });

  it('loads zero-extend; stores keep the neighbours', () => {
    core.setRam(0x5008, 0xffee_ddcc_bbaa_9988n);
    for (const [bytes, value] of [
      [1, 0x88n],
      [2, 0x9988n],
      [4, 0xbbaa_9988n],
      [8, 0xffee_ddcc_bbaa_9988n],
    ] as const) {
      expect(core.call64('loadSlow', at + 8n, bytes, 0)).to.equal(value);
    }
    core.call('storeSlow', at + 9n, 0x1122_3344_5566_7788n, 2, 0);
    expect(core.getRam(0x5008)).to.equal(0xffee_ddcc_bb77_8888n);
  });

  describe('accesses that cross a page', () => {
    it('join and split at every offset', () => {
      for (let offset = 1; offset < 8; offset++) {
        const address = next - BigInt(offset);
        core.call('storeSlow', address, 0x8877_6655_4433_2211n, 8, 0);
        expect(core.call64('loadSlow', address, 8, 0)).to.equal(0x8877_6655_4433_2211n);
        expect(core.bytes[s.RAM + 0x6000 - offset]).to.equal(0x11);
        expect(core.bytes[s.RAM + 0x9000 + 7 - offset]).to.equal(0x88);
      }
    });
    it('fault in the second page: CR2 is its first byte, nothing is written (SDM vol. 3, 6.15, #PF)', () => {
      core.map(next, 0x9000, P);
      core.call('storeSlow', next - 2n, 0xffff_ffffn, 4, 0);
      expect(core.takeFault()).to.deep.equal(fault(3, next));
      expect(core.getRam(0x5ff8)).to.equal(0n);
    });
    it('fault in the first page comes first', () => {
      core.map(at, 0, 0n);
      core.map(next, 0, 0n);
      core.call('loadSlow', next - 2n, 4, 0);
      expect(core.takeFault()).to.deep.equal(fault(0, next - 2n));
    });
    it('wrap at 4 GiB outside 64-bit mode', () => {
      core.mode('compatibility');
      core.map(0xffff_f000n, 0x5000, P | W);
      core.map(0n, 0x9000, P | W);
      core.call('storeSlow', 0xffff_fffen, 0x4433_2211n, 4, 0);
      expect(core.getRam(0x5ff8) >> 48n).to.equal(0x2211n);
      expect(core.getRam(0x9000)).to.equal(0x4433n);
    });
  });

  describe('read-modify-write', () => {
    it('loads with write rights: #PF has W=1', () => {
      core.map(at, 0x5000, P | U);
      core.setUser(true);
      core.call('loadForWriteSlow', at + 4n, 4, 0);
      expect(core.takeFault()).to.deep.equal(fault(7, at + 4n));
    });
    it('sets the dirty bit before the value is known to change', () => {
      const entry = core.map(at, 0x5000, P | W);
      core.setRam(0x5000, 5n);
      expect(core.call64('loadForWriteSlow', at, 4, 0)).to.equal(5n);
      expect(core.getRam(entry) & (A | D)).to.equal(A | D);
    });
    it('checks both pages', () => {
      core.map(next, 0x9000, P);
      core.call('loadForWriteSlow', next - 1n, 2, 0);
      expect(core.takeFault()).to.deep.equal(fault(3, next));
      core.call('prepareWrite', next - 100n, 512, 0);
      expect(core.takeFault()).to.deep.equal(fault(3, next));
      core.call('prepareRead', next - 100n, 512, 0);
      expect(core.takeFault()).to.equal(undefined);
    });
  });

  describe('16-byte operands', () => {
    it('go through SCRATCH, inside a page and across', () => {
      for (const address of [at + 0x20n, next - 5n]) {
        core.set64(s.SCRATCH, 0x1111_2222_3333_4444n);
        core.set64(s.SCRATCH + 8, 0x5555_6666_7777_8888n);
        core.call('store128Slow', address, 0, 0);
        core.set64(s.SCRATCH, 0n);
        core.set64(s.SCRATCH + 8, 0n);
        core.call('load128Slow', address, 0, 0);
        expect(core.get64(s.SCRATCH)).to.equal(0x1111_2222_3333_4444n);
        expect(core.get64(s.SCRATCH + 8)).to.equal(0x5555_6666_7777_8888n);
      }
    });
    it('misaligned where alignment is asked for: #GP(0), before any #PF (SDM vol. 2, table 2-21)', () => {
      core.map(at, 0, 0n);
      core.call('load128Slow', at + 8n, 1, 0);
      expect(core.takeFault()).to.deep.equal({ vector: 13, error: 0 });
      core.call('store128Slow', at + 1n, 1, 2);
      expect(core.takeFault()).to.deep.equal({ vector: 13, error: 0 });
      core.call('load128Slow', at + 0x10n, 1, 0);
      expect(core.takeFault()).to.deep.equal(fault(0, at + 0x10n));
    });
  });

  describe('outside RAM', () => {
    it('the host sees aligned pieces of 1, 2 and 4 bytes', () => {
      core.map(at, 0xfee0_0000, P | W);
      core.readMmio = (physical) => physical & 0xff;
      expect(core.call64('loadSlow', at + 0x31n, 8, 0)).to.equal(0x38_0000_0034_0032_31n);
      core.call('storeSlow', at + 0x42n, 0x8877_6655_4433_2211n, 8, 0);
      expect(core.calls).to.deep.equal([
        ['readMmio', 0xfee0_0031, 1],
        ['readMmio', 0xfee0_0032, 2],
        ['readMmio', 0xfee0_0034, 4],
        ['readMmio', 0xfee0_0038, 1],
        ['writeMmio', 0xfee0_0042, 2, 0x2211],
        ['writeMmio', 0xfee0_0044, 4, 0x6655_4433],
        ['writeMmio', 0xfee0_0048, 2, 0x8877],
      ]);
    });
    it('above 4 GiB nothing answers: ones', () => {
      core.map(at, 0x1_0000_0000, P | W);
      expect(core.call64('loadSlow', at, 8, 0)).to.equal(0xffff_ffff_ffff_ffffn);
      expect(core.call64('loadSlow', at + 3n, 1, 0)).to.equal(0xffn);
      core.call('storeSlow', at, 0n, 4, 0);
      expect(core.calls).to.deep.equal([]);
    });
  });

  describe('translated code', () => {
    beforeEach(() => {
      core.bytes[s.CODE_PAGES + 5] = 1;
      core.bytes[s.CODE_BITMAP + (0x5040 >> 8)] = 1 << ((0x5040 >> 5) & 7);
    });
    it('a store beside it does not call the host, one into it does, after the bytes changed', () => {
      core.call('storeSlow', at + 0x38n, 1n, 8, 0);
      core.call('storeSlow', at + 0x60n, 1n, 8, 0);
      expect(core.calls).to.deep.equal([]);
      core.call('storeSlow', at + 0x3cn, 0x1122_3344_5566_7788n, 8, 0);
      expect(core.calls).to.deep.equal([['codeWritten', 0x503c, 8]]);
      expect(core.getRam(0x503c)).to.equal(0x1122_3344_5566_7788n);
    });
    it('through an alias as well', () => {
      core.map(0x7000_0000n, 0x5000, P | W);
      core.call('storeSlow', 0x7000_0040n, 1n, 1, 0);
      expect(core.calls).to.deep.equal([['codeWritten', 0x5040, 1]]);
    });
    it("notifyPhysicalWrite reports the host's own writes page by page, and the dirty log", () => {
      core.call('notifyPhysicalWrite', 0x4ff0, 0x2000);
      expect(core.calls).to.deep.equal([['codeWritten', 0x5000, 0x1000]]);
      expect([...core.bytes.subarray(s.DIRTY_PAGES + 3, s.DIRTY_PAGES + 8)]).to.deep.equal([0, 1, 1, 1, 0]);
    });
  });

  describe('system structures (implicit supervisor accesses, SDM vol. 3, 4.6)', () => {
    it('are supervisor accesses at CPL 3', () => {
      core.map(at, 0x5000, P | W);
      core.setUser(true);
      core.call('storeSystem', at + 8n, 0x1234n, 2);
      expect(core.call64('loadSystem', at + 8n, 8)).to.equal(0x1234n);
      expect(core.takeFault()).to.equal(undefined);
      core.call('loadSlow', at + 8n, 8, 0);
      expect(core.takeFault()).to.deep.equal(fault(5, at + 8n));
    });
    it('have 64-bit addresses in compatibility mode', () => {
      core.map(0xffff_8880_0000_0000n, 0x7000, P | W);
      core.mode('compatibility');
      core.setRam(0x7000, 9n);
      expect(core.call64('loadSystem', 0xffff_8880_0000_0000n, 8)).to.equal(9n);
    });
    it('report W=1, U=0 when they fault', () => {
      core.map(at, 0x5000, P | U);
      core.setUser(true);
      expect(core.call32('probeSystemWrite', at, 8)).to.equal(0);
      expect(core.takeFault()).to.deep.equal(fault(3, at));
    });
  });

  describe('translations for the host', () => {
    it('translateSupervisor: the guest-physical address, also outside RAM, or -1 and the fault', () => {
      expect(core.call32('translateSupervisor', 0x40_0123, 0, 1)).to.equal(0x5123);
      expect(core.call('translateSupervisor', 0x50_0000, 0, 0)).to.equal(-1);
      expect(core.takeFault()).to.deep.equal(fault(0, 0x50_0000n));
      expect(core.call('translateSupervisor', 0, 0x8000, 0)).to.equal(-1);
      expect(core.takeFault()).to.deep.equal({ vector: 13, error: 0 });
      core.map(at, 0xfee0_0000, P | W);
      expect(core.call('translateSupervisor', 0x40_0000, 0, 0)).to.equal(0xfee0_0000);
    });
    it('fetchTranslate: code outside RAM is TRANSLATE_NOT_RAM', () => {
      core.map(at, 0xfee0_0000, P | W);
      expect(core.call32('fetchTranslate', at)).to.equal(0xffff_fffe);
      expect(core.takeFault()).to.equal(undefined);
    });
    it('a data translation says nothing about fetches', () => {
      core.map(at, 0x5000, P | W | NX);
      core.call('loadSlow', at, 1, 0);
      expect(core.call32('fetchTranslate', at)).to.equal(0xffff_ffff);
      expect(core.takeFault()).to.deep.equal(fault(0x11, at));
    });
  });

  describe('operands of a record', () => {
    const record = s.RECORDS;
    beforeEach(() => {
      core.set32(record + s.REC_BASE, s.RBX);
      core.set32(record + s.REC_INDEX, s.RSI);
      core.set32(record + s.REC_SEGMENT, s.SEG_FS + s.SEGMENT_BASE);
      core.bytes[record + s.REC_SCALE] = 3;
      core.set64(s.RBX, 0x2_0000_0010n);
      core.set64(s.RSI, 2n);
      core.set64(s.SEG_FS + s.SEGMENT_BASE, 0x1_0000n);
      core.view.setInt32(record + s.REC_DISPLACEMENT, -4, true);
    });
    it('address: base + index * scale + displacement, cut, plus segment base (SDM vol. 1, 3.7.5)', () => {
      expect(core.call64('effectiveAddress', record)).to.equal(0x2_0001_001cn);
      core.bytes[record + s.REC_SHIFT] = 32;
      expect(core.call64('effectiveAddress', record)).to.equal(0x1_001cn);
    });
    it('a 32-bit register write clears the upper half, narrower ones do not (SDM vol. 1, 3.4.1.1)', () => {
      core.set32(record + s.REC_OP0, s.RAX);
      core.set64(s.RAX, 0x1111_2222_3333_4444n);
      core.call('writeOperand', record, 0, 0xffffn, 2);
      expect(core.get64(s.RAX)).to.equal(0x1111_2222_3333_ffffn);
      core.call('writeOperand', record, 0, 5n, 4);
      expect(core.get64(s.RAX)).to.equal(5n);
      core.set32(record + s.REC_OP1, s.RAX + 1);
      core.call('writeOperand', record, 1, 0xabn, 1);
      expect(core.call64('readOperand', record, 0, 8)).to.equal(0xab05n);
    });
    it('the operand without a register is memory', () => {
      core.bytes[record + s.REC_FLAGS] = s.REC_IS_MEMORY;
      core.set32(record + s.REC_OP1, s.RAX);
      core.set64(s.RBX, at - 0x1_0000n);
      core.call('writeOperand', record, 0, 0x77n, 4);
      expect(core.getRam(0x500c)).to.equal(0x77n);
      expect(core.call64('readOperand', record, 0, 1)).to.equal(0x77n);
    });
  });
});
