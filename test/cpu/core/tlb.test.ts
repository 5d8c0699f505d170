import { expect } from 'chai';
import * as s from '../../../src/cpu/state-layout.js';
import { D, G, P, TestCore, U, W } from './memory-fixture.js';

const low = 0x40_0000n;
const high = 0xffff_8880_0000_0000n;

describe('TLBs', function () {
  this.timeout(30_000);
  let core: TestCore;
  beforeEach(() => {
    core = new TestCore();
  });
  const read = (address: bigint): void => {
    core.call('loadSlow', address, 8, 0);
    expect(core.takeFault()).to.equal(undefined);
  };
  const write = (address: bigint): void => {
    core.call('storeSlow', address, 1n, 8, 0);
    expect(core.takeFault()).to.equal(undefined);
  };
  const entryOf = (address: bigint, tlb: number = s.TLB_SUPERVISOR): number =>
    tlb + (Number(address >> 12n) & core.get32(s.TLB_MASK)) * s.TLB_ENTRY;
  const readTag = (address: bigint, tlb?: number): bigint => core.get64(entryOf(address, tlb) + s.TLB_TAG_READ);
  const writeTag = (address: bigint, tlb?: number): bigint => core.get64(entryOf(address, tlb) + s.TLB_TAG_WRITE);
  const invalid = BigInt(s.TLB_INVALID);

  describe('fill', () => {
    it('a load opens the read tag, a store the write tag as well and the dirty log', () => {
      core.map(low, 0x5000, P | W | D);
      read(low + 8n);
      expect(readTag(low)).to.equal(low);
      expect(writeTag(low)).to.equal(invalid);
      expect(core.bytes[s.DIRTY_PAGES + 5]).to.equal(0);
      expect((core.get32(entryOf(low) + s.TLB_ADDEND) + Number(low)) >>> 0).to.equal(s.RAM + 0x5000);
      write(low + 8n);
      expect(writeTag(low)).to.equal(low);
      expect(core.bytes[s.DIRTY_PAGES + 5]).to.equal(1);
    });
    it('supervisor and user translations are apart', () => {
      core.map(low, 0x5000, P | W | U);
      core.setUser(true);
      read(low);
      expect(readTag(low, s.TLB_USER)).to.equal(low);
      expect(readTag(low)).to.equal(invalid);
    });
    it('the write tag stays closed over translated code until dropWriteTags has no reason', () => {
      core.map(low, 0x5000, P | W);
      write(low);
      core.bytes[s.CODE_PAGES + 5] = 1;
      core.call('dropWriteTags', 0x5000);
      expect(writeTag(low)).to.equal(invalid);
      write(low);
      expect(writeTag(low)).to.equal(invalid);
      core.bytes[s.CODE_PAGES + 5] = 0;
      write(low);
      expect(writeTag(low)).to.equal(low);
    });
    it('a page outside RAM never enters', () => {
      core.map(low, 0xfee0_0000, P | W);
      read(low);
      expect(readTag(low)).to.equal(invalid);
    });
    it('addresses above 4 GiB collide by their low page bits only', () => {
      core.map(low, 0x5000, P | W);
      core.map(low + (1n << 40n), 0x6000, P | W);
      core.setRam(0x6000, 7n);
      read(low);
      expect(core.call64('loadSlow', low + (1n << 40n), 8, 0)).to.equal(7n);
    });
    it('16 entries (TLB_MASK 15) behave alike', () => {
      core.set32(s.TLB_MASK, 15);
      for (let page = 0n; page < 40n; page++) core.map(low + (page << 12n), 0x1_0000 + Number(page) * 0x1000, P | W);
      for (let page = 0n; page < 40n; page++) core.setRam(0x1_0000 + Number(page) * 0x1000, page);
      for (let page = 0n; page < 40n; page++) {
        expect(core.call64('loadSlow', low + (page << 12n), 8, 0)).to.equal(page);
      }
    });
  });

  describe('invalidation (SDM vol. 3, 4.10.4.1)', () => {
    it('a stale translation lives until it is flushed', () => {
      core.map(low, 0x5000, P | W);
      core.setRam(0x6000, 6n);
      read(low);
      core.map(low, 0x6000, P | W);
      expect(core.call64('loadSlow', low, 8, 0)).to.equal(0n);
      core.call('flushPage', low + 0x123n);
      expect(core.call64('loadSlow', low, 8, 0)).to.equal(6n);
    });
    it('MOV CR3 with PGE keeps global pages of the upper half only', () => {
      core.map(low, 0x5000, P | W | G);
      core.map(high + 0x1000n, 0x6000, P | W | G);
      core.map(high + 0x2000n, 0x7000, P | W);
      for (const page of [low, high + 0x1000n, high + 0x2000n]) read(page);
      core.call('fetchTranslate', high + 0x2000n);
      core.call('flushNonGlobalAndLowerHalf');
      expect(readTag(low)).to.equal(invalid);
      expect(readTag(high + 0x1000n)).to.equal(high + 0x1000n);
      expect(readTag(high + 0x2000n)).to.equal(invalid);
      expect(readTag(high + 0x2000n, s.TLB_FETCH_SUPERVISOR)).to.equal(invalid);
    });
    it('the same after more fills than the log holds', () => {
      core.map(high + 0x3ff000n, 0x6000, P | W | G);
      read(high + 0x3ff000n);
      for (let page = 0n; page < 400n; page++) core.map(low + (page << 12n), 0x5000, P | W);
      for (let round = 0; round < 3; round++) {
        for (let page = 0n; page < 400n; page++) {
          read(low + (page << 12n));
          core.call('flushPage', low + (page << 12n));
        }
      }
      for (let page = 0n; page < 400n; page++) read(low + (page << 12n));
      core.call('flushNonGlobalAndLowerHalf');
      for (let page = 0n; page < 400n; page++) expect(readTag(low + (page << 12n))).to.equal(invalid);
      expect(readTag(high + 0x3ff000n)).to.equal(high + 0x3ff000n);
    });
    it('G means nothing without CR4.PGE', () => {
      core.set64(s.CR4, 0x20n);
      core.map(high, 0x6000, P | W | G);
      read(high);
      core.call('flushNonGlobalAndLowerHalf');
      expect(readTag(high)).to.equal(invalid);
    });
    it('INVLPG drops global pages, in all four TLBs, and no other page', () => {
      core.map(high, 0x6000, P | W | G | U);
      core.map(high + 0x1000n, 0x6000, P | W | G | U);
      for (const user of [false, true]) {
        core.setUser(user);
        read(high);
        read(high + 0x1000n);
        core.call('fetchTranslate', high);
      }
      core.call('flushPage', high + 5n);
      for (const tlb of [s.TLB_SUPERVISOR, s.TLB_USER, s.TLB_FETCH_SUPERVISOR, s.TLB_FETCH_USER]) {
        expect(readTag(high, tlb)).to.equal(invalid);
      }
      expect(readTag(high + 0x1000n)).to.equal(high + 0x1000n);
    });
    it('INVLPG drops every piece of a page of 2 MiB', () => {
      const page = high + 0x4000_0000n;
      core.map(page, 0, P | W | G, 21);
      core.map(low + 0x9000n, 0x5000, P | W);
      for (const offset of [0n, 0x5000n, 0x1f_f000n]) read(page + offset);
      read(low + 0x9000n);
      core.call('flushPage', page + 0x3000n);
      for (const offset of [0n, 0x5000n, 0x1f_f000n]) expect(readTag(page + offset)).to.equal(invalid);
      expect(readTag(low + 0x9000n)).to.equal(low + 0x9000n);
    });
    it('every flush bumps MAPPING_EPOCH; flushAll drops all', () => {
      core.map(high, 0x6000, P | W | G);
      const epoch = core.get32(s.MAPPING_EPOCH);
      read(high);
      core.call('flushPage', 0n);
      core.call('flushNonGlobalAndLowerHalf');
      expect(readTag(high)).to.equal(high);
      core.call('flushAll');
      expect(readTag(high)).to.equal(invalid);
      expect(core.get32(s.MAPPING_EPOCH)).to.equal(epoch + 3);
    });
    it('dropAllWriteTags starts a new dirty log', () => {
      core.map(low, 0x5000, P | W);
      write(low);
      core.bytes[s.DIRTY_PAGES + 5] = 0;
      core.call('dropAllWriteTags');
      expect(writeTag(low)).to.equal(invalid);
      write(low);
      expect(core.bytes[s.DIRTY_PAGES + 5]).to.equal(1);
    });
  });
});
