import { expect } from 'chai';
import * as s from '../../../src/cpu/state-layout.js';
import { A, CR0_WP, D, EFER_NXE, G, NX, P, PS, TestCore, U, W } from './memory-fixture.js';

const at = 0x7f12_3456_7000n;

describe('page walks', function () {
  this.timeout(30_000);
  let core: TestCore;
  beforeEach(() => {
    core = new TestCore();
    core.setRam(0x5120, 0x1122_3344_5566_7788n);
  });
  const read = (address: bigint): bigint => core.call64('loadSlow', address, 8, 0);
  const write = (address: bigint): void => {
    core.call('storeSlow', address, 0x99n, 8, 0);
  };
  const fault = (error: number, address: bigint) => ({ vector: 14, error, address });

  describe('4-level paging (SDM vol. 3, 4.5)', () => {
    it('maps 4 KiB and 2 MiB pages', () => {
      core.map(at, 0x5000, P | W);
      core.map(0x4020_0000n, 0x20_0000, P | W, 21);
      core.setRam(0x3f_fff8, 0xabcdn);
      expect(read(at + 0x120n)).to.equal(0x1122_3344_5566_7788n);
      expect(read(0x403f_fff8n)).to.equal(0xabcdn);
      expect(core.takeFault()).to.equal(undefined);
    });
    it('not present at each level: P=0, W and U as the access (4.7)', () => {
      core.map(at, 0x5000, P | W | U);
      for (const entry of core.entries(at)) {
        const value = core.getRam(entry);
        core.setRam(entry, value & ~P);
        read(at);
        expect(core.takeFault()).to.deep.equal(fault(0, at));
        core.setUser(true);
        write(at + 8n);
        expect(core.takeFault()).to.deep.equal(fault(6, at + 8n));
        core.setUser(false);
        core.setRam(entry, value);
      }
    });
    it('U/S=0 at any level keeps user accesses out (4.6.1)', () => {
      core.map(at, 0x5000, P | W | U);
      core.setUser(true);
      for (const entry of core.entries(at)) {
        const value = core.getRam(entry);
        core.setRam(entry, value & ~U);
        read(at);
        expect(core.takeFault()).to.deep.equal(fault(5, at));
        core.setRam(entry, value);
      }
      read(at);
      expect(core.takeFault()).to.equal(undefined);
    });
    it('R/W=0 at any level keeps user writes out, supervisor writes with CR0.WP (4.6.1)', () => {
      core.map(at, 0x5000, P | W | U);
      for (const entry of core.entries(at)) {
        const value = core.getRam(entry);
        core.setRam(entry, value & ~W);
        core.setUser(true);
        write(at);
        expect(core.takeFault()).to.deep.equal(fault(7, at));
        core.setUser(false);
        write(at);
        expect(core.takeFault()).to.deep.equal(fault(3, at));
        core.setRam(entry, value);
      }
    });
    it('CR0.WP=0 lets the supervisor write read-only pages, and sets D (4.6.1)', () => {
      const entry = core.map(at, 0x5000, P | U);
      core.set64(s.CR0, 0n);
      write(at);
      expect(core.takeFault()).to.equal(undefined);
      expect(core.getRam(0x5000)).to.equal(0x99n);
      expect(core.getRam(entry) & D).to.equal(D);
      core.set64(s.CR0, CR0_WP);
    });
    it('XD at any level with EFER.NXE keeps fetches out: I/D=1 (4.6.1, 4.7)', () => {
      core.map(at, 0x5000, P | W | U);
      for (const entry of core.entries(at)) {
        const value = core.getRam(entry);
        core.setRam(entry, value | NX);
        expect(core.call32('fetchTranslate', at + 5n)).to.equal(0xffff_ffff);
        expect(core.takeFault()).to.deep.equal(fault(0x11, at + 5n));
        core.setRam(entry, value);
      }
      core.setUser(true);
      expect(core.call32('fetchTranslate', at + 5n)).to.equal(0x5005);
    });
    it('XD is reserved without EFER.NXE, and fetches do not report I/D (4.7)', () => {
      core.map(at, 0x5000, P | W | NX);
      core.set64(s.EFER, 0n);
      read(at);
      expect(core.takeFault()).to.deep.equal(fault(9, at));
      core.call('fetchTranslate', at);
      expect(core.takeFault()).to.deep.equal(fault(9, at));
      core.set64(s.EFER, EFER_NXE);
    });
    it('address bits 51:40 are reserved (MAXPHYADDR 40), bits 62:52 ignored (table 4-20)', () => {
      core.map(at, 0x5000, P | W | (1n << 52n) | (1n << 62n));
      read(at);
      expect(core.takeFault()).to.equal(undefined);
      for (const bit of [40n, 51n]) {
        core.call('flushAll');
        core.map(at, 0x5000, P | W | (1n << bit));
        core.setUser(true);
        write(at);
        expect(core.takeFault()).to.deep.equal(fault(0xf, at));
        core.setUser(false);
      }
    });
    it('large pages have reserved address bits, PS is reserved in a PML4E, and in a PDPTE without 1-GByte pages (tables 4-15, 4-16, 4-18)', () => {
      core.map(0x4020_0000n, 0x20_0000n | (1n << 13n), P, 21);
      read(0x4020_0000n);
      expect(core.takeFault()).to.deep.equal(fault(9, 0x4020_0000n));
      core.map(0x4020_0000n, 0x20_0000n | (1n << 20n), P, 21);
      read(0x4020_0000n);
      expect(core.takeFault()).to.deep.equal(fault(9, 0x4020_0000n));
      core.map(0x4020_0000n, 0x20_0000n | (1n << 12n), P, 21);
      read(0x4020_0000n);
      expect(core.takeFault()).to.equal(undefined);
      core.map(0x8000_0000n, 0, P, 30);
      read(0x8000_0000n);
      expect(core.takeFault()).to.deep.equal(fault(9, 0x8000_0000n));
      const top = core.entries(at)[0] ?? 0;
      core.setRam(top, core.getRam(top) | PS);
      read(at);
      expect(core.takeFault()).to.deep.equal(fault(9, at));
    });
    it('sets A in every entry it uses, D in the leaf on writes only (4.8)', () => {
      core.map(at, 0x5000, P | W);
      const entries = core.entries(at);
      read(at);
      expect(entries.map((entry) => core.getRam(entry) & (A | D))).to.deep.equal([A, A, A, A]);
      write(at);
      expect(entries.map((entry) => core.getRam(entry) & (A | D))).to.deep.equal([A, A, A, A | D]);
    });
    it('sets neither A nor D when the access faults', () => {
      core.map(at, 0x5000, P);
      write(at);
      expect(core.takeFault()).to.deep.equal(fault(3, at));
      expect(core.entries(at).map((entry) => core.getRam(entry) & (A | D))).to.deep.equal([0n, 0n, 0n, 0n]);
    });
    it('tells the host when A or D lands on watched bytes', () => {
      const entry = core.map(at, 0x5000, P | W | G);
      core.bytes[s.CODE_PAGES + (entry >> 12)] = 1;
      core.bytes[s.CODE_BITMAP + (entry >> 8)] = 1 << ((entry >> 5) & 7);
      read(at);
      expect(core.calls).to.deep.equal([['codeWritten', entry, 8]]);
    });
    it('non-canonical: #GP(0), #SS(0) on the stack segment (SDM vol. 1, 3.3.7.1)', () => {
      core.call('loadSlow', 0x8000_0000_0000n, 1, 0);
      expect(core.takeFault()).to.deep.equal({ vector: 13, error: 0 });
      core.call('storeSlow', 0xffff_7fff_ffff_ffffn, 1n, 1, 2);
      expect(core.takeFault()).to.deep.equal({ vector: 12, error: 0 });
      core.call('loadSlow', 0x7fff_ffff_fffdn, 4, 0);
      expect(core.takeFault()).to.deep.equal({ vector: 13, error: 0 });
      core.call('fetchTranslate', 0x8000_0000_0000n);
      expect(core.takeFault()).to.deep.equal({ vector: 13, error: 0 });
    });
  });

  describe('PAE paging (SDM vol. 3, 4.4)', () => {
    const linear = 0xc020_3000n;
    beforeEach(() => {
      core.mode('legacy');
      core.set64(s.CR3, 0x3020n);
      core.setRam(0x3020 + 3 * 8, 0x2_0000n | P);
      core.setRam(0x2_0000 + 8, 0x2_1000n | P | W | U);
      core.setRam(0x2_1000 + 3 * 8, 0x5000n | P | W | U);
    });
    it('walks PDPTE, PDE, PTE; the PDPTE grants no rights', () => {
      core.setUser(true);
      write(linear);
      expect(core.takeFault()).to.equal(undefined);
      expect(core.getRam(0x5000)).to.equal(0x99n);
      expect(core.getRam(0x3020 + 3 * 8)).to.equal(0x2_0000n | P);
      expect(core.getRam(0x2_0000 + 8) & (A | D)).to.equal(A);
      expect(core.getRam(0x2_1000 + 3 * 8) & (A | D)).to.equal(A | D);
    });
    it('bits 62:40 are reserved, and bits 2:1 and 8:5 of a PDPTE (tables 4-8, 4-11)', () => {
      core.setRam(0x2_1000 + 3 * 8, 0x5000n | P | (1n << 60n));
      read(linear);
      expect(core.takeFault()).to.deep.equal(fault(9, linear));
      core.setRam(0x3020 + 3 * 8, 0x2_0000n | P | W);
      read(linear);
      expect(core.takeFault()).to.deep.equal(fault(9, linear));
    });
    it('maps 2 MiB pages and honours XD', () => {
      core.setRam(0x2_0000 + 8, 0x20_0000n | P | PS | NX);
      core.setRam(0x20_3000, 0x77n);
      expect(read(linear)).to.equal(0x77n);
      core.call('fetchTranslate', linear);
      expect(core.takeFault()).to.deep.equal(fault(0x11, linear));
    });
    it('linear addresses have 32 bits', () => {
      expect(read(linear | 0xffff_ffff_0000_0120n)).to.equal(0x1122_3344_5566_7788n);
    });
  });

  describe('32-bit paging (SDM vol. 3, 4.3)', () => {
    const linear = 0xc040_3000n;
    const directory = 0x3000 + 0x301 * 4;
    beforeEach(() => {
      core.mode('legacy');
      core.set64(s.CR4, 0x10n);
      core.set64(s.CR3, 0x3000n);
      core.set32(s.RAM + directory, 0x2_1007);
      core.set32(s.RAM + 0x2_1000 + 3 * 4, 0x5007);
    });
    it('walks PDE and PTE, sets A and D', () => {
      write(linear + 0x10n);
      expect(core.getRam(0x5010)).to.equal(0x99n);
      expect(core.get32(s.RAM + directory)).to.equal(0x2_1027);
      expect(core.get32(s.RAM + 0x2_1000 + 12)).to.equal(0x5067);
    });
    it('combines R/W and U/S of both levels (4.6.1)', () => {
      core.setUser(true);
      core.set32(s.RAM + directory, 0x2_1005);
      write(linear);
      expect(core.takeFault()).to.deep.equal(fault(7, linear));
      core.set32(s.RAM + directory, 0x2_1003);
      read(linear);
      expect(core.takeFault()).to.deep.equal(fault(5, linear));
    });
    it('4 MiB pages need CR4.PSE; bit 21 of their PDE is reserved (table 4-4)', () => {
      core.set32(s.RAM + directory, 0x40_0087);
      core.setRam(0x40_3008, 0x55n);
      expect(read(linear + 8n)).to.equal(0x55n);
      core.set32(s.RAM + directory, 0x60_0087);
      core.call('flushAll');
      read(linear);
      expect(core.takeFault()).to.deep.equal(fault(9, linear));
      core.set64(s.CR4, 0n);
      core.set32(s.RAM + directory, 0x2_1087);
      expect(read(linear + 0x120n)).to.equal(0x1122_3344_5566_7788n);
    });
    it('fetches report no I/D without PAE (4.7)', () => {
      core.set32(s.RAM + directory, 0);
      core.call('fetchTranslate', linear);
      expect(core.takeFault()).to.deep.equal(fault(0, linear));
    });
  });

  describe('RAM that goes on at 4 GiB (state-layout.ts, RAM_LOW)', () => {
    const low = 0x40_0000;
    const high = 0x1_0000_0000n;
    const linear = 0x1_2345_6000n;
    beforeEach(() => {
      core.set32(s.RAM_LOW, low);
      core.setRam(low + 0x120, 0x77n);
    });
    it('a page at 4 GiB is the RAM behind the low part; its place enters the TLB and the dirty log', () => {
      core.map(linear, high, P | W);
      expect(read(linear + 0x120n)).to.equal(0x77n);
      write(linear + 8n);
      expect(core.getRam(low + 8)).to.equal(0x99n);
      expect(core.bytes[s.DIRTY_PAGES + (low >> 12)]).to.equal(1);
      expect(core.call32('fetchTranslate', linear + 4n)).to.equal(low + 4);
      expect(core.call('translateSupervisor', 0x2345_6000, 1, 0)).to.equal(Number(high));
    });
    it('paging structures lie there, too, and get A and D', () => {
      core.set64(s.CR3, high);
      const [pml4, pdpt, directory, table] = [low, low + 0x1000, low + 0x2000, low + 0x3000];
      core.setRam(pml4, (high + 0x1000n) | P | W);
      core.setRam(pdpt + 8 * 4, (high + 0x2000n) | P | W);
      core.setRam(directory + 8 * 0x11a, (high + 0x3000n) | P | W);
      core.setRam(table + 8 * 0x56, 0x5000n | P | W);
      write(linear + 0x10n);
      expect(core.takeFault()).to.equal(undefined);
      expect(core.getRam(0x5010)).to.equal(0x99n);
      expect(core.getRam(pml4)).to.equal((high + 0x1000n) | P | W | A);
      expect(core.getRam(table + 8 * 0x56)).to.equal(0x5000n | P | W | A | D);
    });
    it('2 MiB pages and 4 MiB pages with PSE-36 (4.3) reach it', () => {
      core.map(0x4020_0000n, high + 0x20_0000n, P | W, 21);
      core.setRam(low + 0x20_0120, 0x78n);
      expect(read(0x4020_0120n)).to.equal(0x78n);
      core.mode('legacy');
      core.set64(s.CR4, 0x10n);
      core.set64(s.CR3, 0x2_0000n);
      core.call('flushAll');
      core.set32(s.RAM + 0x2_0000 + 4 * 0x100, 0x2083); // bits 39:32 of the address in bits 20:13
      expect(read(0x4000_0120n)).to.equal(0x77n);
    });
    it('between the parts are devices, at the addresses that the guest names; behind the end nothing answers', () => {
      core.readMmio = () => 0x5a;
      core.map(linear, low, P | W);
      core.map(linear + 0x1000n, high + 0x40_0000n, P | W);
      expect(core.call64('loadSlow', linear + 4n, 4, 0)).to.equal(0x5an);
      core.call('storeSlow', linear + 8n, 0x12n, 1, 0);
      expect(core.calls).to.deep.equal([
        ['readMmio', low + 4, 4],
        ['writeMmio', low + 8, 1, 0x12],
      ]);
      expect(core.call64('loadSlow', linear + 0x1000n, 4, 0)).to.equal(0xffff_ffffn);
      expect(core.call32('fetchTranslate', linear)).to.equal(0xffff_fffe);
      expect(core.call('translateSupervisor', 0x2345_6004, 1, 0)).to.equal(low + 4);
      expect(core.getRam(low + 8)).to.equal(0n);
    });
  });

  it('without paging linear addresses are physical', () => {
    core.mode('unpaged');
    expect(read(0x5120n)).to.equal(0x1122_3344_5566_7788n);
    expect(core.call32('fetchTranslateAt', 0x5120, 0)).to.equal(0x5120);
  });
});
