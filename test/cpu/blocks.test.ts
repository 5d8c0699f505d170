import { expect } from 'chai';
import { BlockStore, type Block } from '../../src/cpu/blocks.js';
import { SeededRandom } from '../../src/cpu/seeded-random.js';
import * as L from '../../src/cpu/state-layout.js';

const stale = 0x5a;
const pages = Math.ceil((L.RAM + 2 ** 20) / 65536);

/** A store, what it was given, and what it told its owner. */
function fixture() {
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const dropped: Block[] = [];
  const protectedPages: number[] = [];
  const store = new BlockStore(
    memory,
    stale,
    (page) => protectedPages.push(page),
    (block) => dropped.push(block),
  );
  store.clear();
  const u8 = new Uint8Array(memory.buffer);
  const view = new DataView(memory.buffer);
  let record = L.RECORDS;
  const add = (linear: bigint, physical: number, bytes: number, mode = 1, secondPage?: number): Block => {
    const block = store.add(linear, physical, mode, { record, records: 3, bytes, secondPage });
    record += 3 * L.RECORD_BYTES;
    return block;
  };
  const isMarked = (physical: number): boolean => {
    const granule = physical >>> L.CODE_GRANULE_SHIFT;
    return ((u8[L.CODE_BITMAP + (granule >>> 3)] ?? 0) & (1 << (granule & 7))) !== 0;
  };
  const handlerOf = (block: Block, i: number): number =>
    view.getUint32(block.record + i * L.RECORD_BYTES + L.REC_HANDLER, true);
  return { store, add, dropped, protectedPages, isMarked, handlerOf, u8, view };
}

describe('block store', () => {
  it('finds a block by linear address, physical address and mode together', () => {
    const { store, add } = fixture();
    const block = add(0xffff_ffff_8100_0000n, 0x1000, 10);
    const alias = add(0xffff_8880_0000_1000n, 0x1000, 10);
    const user = add(0xffff_ffff_8100_0000n, 0x1000, 10, 9);
    expect(store.find(0xffff_ffff_8100_0000n, 0x1000, 1)).to.equal(block);
    expect(store.find(0xffff_8880_0000_1000n, 0x1000, 1)).to.equal(alias);
    expect(store.find(0xffff_ffff_8100_0000n, 0x1000, 9)).to.equal(user);
    expect(store.find(0xffff_ffff_8100_0000n, 0x2000, 1)).to.equal(undefined);
    expect(store.find(0x8100_0000n, 0x1000, 1)).to.equal(undefined);
  });
  it('finds the newest of several blocks at a linear address, or the one on a page', () => {
    const { store, add } = fixture();
    const first = add(0x1000n, 0x1000, 4);
    const second = add(0x1000n, 0x3000, 4);
    expect(store.findLinear(0x1000n, 1)).to.equal(second);
    expect(store.findLinear(0x1000n, 1, 0x1fff)).to.equal(first);
    expect(store.findLinear(0x1000n, 1, 0x2000)).to.equal(undefined);
    expect(store.findLinear(0x1000n, 2)).to.equal(undefined);
    store.drop(second);
    expect(store.findLinear(0x1000n, 1)).to.equal(first);
  });
  it('finds the block of any of its records', () => {
    const { store, add } = fixture();
    const first = add(0x1000n, 0x1000, 4);
    const second = add(0x1004n, 0x1004, 4);
    expect(store.startingAt(second.record)).to.equal(second);
    expect(store.startingAt(second.record + L.RECORD_BYTES)).to.equal(undefined);
    expect(store.blockOfRecord(first.record + 2 * L.RECORD_BYTES)).to.equal(first);
    expect(store.blockOfRecord(second.record)).to.equal(second);
    store.drop(second);
    expect(store.blockOfRecord(second.record)).to.equal(undefined);
  });
  describe('a block that begins within another one', () => {
    /** Five records at 0x1000 as the decoder writes them: instructions of 3, 2 and 4 bytes, one unused, the end. */
    function decoded() {
      const made = fixture();
      const { store, view } = made;
      [0x1003, 0x1005, 0x1009, 0x1009].forEach((next, i) => {
        view.setBigUint64(L.RECORDS + i * L.RECORD_BYTES + L.REC_NEXT_RIP, BigInt(next), true);
      });
      const outer = store.add(0x1000n, 0x5000, 1, { record: L.RECORDS, records: 4, bytes: 9, secondPage: undefined });
      return { ...made, outer };
    }
    it('has its records from there on', () => {
      const { store, outer } = decoded();
      const inner = store.addWithin(0x1003n, 0x5003, 1);
      expect(inner).to.include({ record: outer.record + L.RECORD_BYTES, records: 3, bytes: 6, linear: 0x1003n });
      expect(store.find(0x1003n, 0x5003, 1)).to.equal(inner);
      expect(store.blockOfRecord(outer.record)).to.equal(outer);
      expect(store.blockOfRecord(outer.record + 2 * L.RECORD_BYTES)).to.equal(inner);
    });
    it('begins at one of its instructions, with the same mapping and mode', () => {
      const { store } = decoded();
      expect(store.addWithin(0x1004n, 0x5004, 1), 'in the middle of one').to.equal(undefined);
      expect(store.addWithin(0x1009n, 0x5009, 1), 'behind the last').to.equal(undefined);
      expect(store.addWithin(0x1000n, 0x5000, 1), 'its own start').to.equal(undefined);
      expect(store.addWithin(0x9003n, 0x5003, 1), 'another linear address').to.equal(undefined);
      expect(store.addWithin(0x1003n, 0x5003, 9), 'another mode').to.equal(undefined);
    });
    it('goes with it, wherever the bytes change', () => {
      for (const at of [0x5000, 0x5004, 0x5008]) {
        const { store, outer, dropped, handlerOf } = decoded();
        const inner = store.addWithin(0x1003n, 0x5003, 1);
        store.invalidate(at, 1);
        expect(dropped, at.toString(16)).to.have.members([outer, inner]);
        for (let i = 0; i < outer.records; i++) expect(handlerOf(outer, i)).to.equal(stale);
        expect(store.find(0x1003n, 0x5003, 1)).to.equal(undefined);
      }
    });
    it('is not taken from records that are stale', () => {
      const { store } = decoded();
      const inner = store.addWithin(0x1003n, 0x5003, 1);
      if (inner !== undefined) store.drop(inner);
      expect(store.addWithin(0x1003n, 0x5003, 1)).to.equal(undefined);
    });
  });
  it('takes stores to a page for plain again when no block is left in it', () => {
    const { store, add, u8, isMarked, protectedPages } = fixture();
    add(0x1000n, 0x3000, 4);
    add(0x1100n, 0x3100, 4);
    store.invalidate(0x3000, 1);
    expect(u8[L.CODE_PAGES + 3]).to.equal(1);
    store.invalidate(0x3100, 1);
    expect(u8[L.CODE_PAGES + 3]).to.equal(0);
    expect(isMarked(0x3100)).to.equal(false);
    add(0x1000n, 0x3000, 4);
    expect(u8[L.CODE_PAGES + 3]).to.equal(1);
    expect(protectedPages).to.deep.equal([0x3000, 0x3000]);
  });
  it('marks the bytes of a block, and takes write tags once a page', () => {
    const { add, protectedPages, isMarked, u8 } = fixture();
    add(0x1000n, 0x1010, 40);
    add(0x1100n, 0x1100, 1);
    expect(protectedPages).to.deep.equal([0x1000]);
    expect(u8[L.CODE_PAGES + 1]).to.equal(1);
    expect([0x1000, 0x1020, 0x1037].every(isMarked)).to.equal(true);
    expect([0xfff, 0x1040, 0x1120].some(isMarked)).to.equal(false);
  });
  it('a store drops what it overlaps and nothing beside it', () => {
    const { store, add, dropped, isMarked, handlerOf } = fixture();
    const before = add(0x1000n, 0x1000, 16);
    const hit = add(0x1010n, 0x1010, 16);
    const behind = add(0x1040n, 0x1040, 16);
    store.invalidate(0x101f, 1);
    expect(dropped).to.deep.equal([hit]);
    expect([before.valid, hit.valid, behind.valid]).to.deep.equal([true, false, true]);
    expect([0, 1, 2].map((i) => handlerOf(hit, i))).to.deep.equal([stale, stale, stale]);
    expect(store.find(0x1010n, 0x1010, 1)).to.equal(undefined);
    expect(isMarked(0x1000), 'shares its 32 bytes with what is left').to.equal(true);
    store.invalidate(0x1000, 1);
    expect(isMarked(0x1000)).to.equal(false);
    expect(isMarked(0x1040)).to.equal(true);
  });
  it('a store to the second page of a straddling block drops it, also where that page holds no other', () => {
    const { store, add, dropped, protectedPages, isMarked } = fixture();
    const straddling = add(0x1ffen, 0x1ffe, 5, 1, 0x8000);
    expect(protectedPages).to.deep.equal([0x1000, 0x8000]);
    expect(isMarked(0x8000)).to.equal(true);
    store.invalidate(0x8003, 1);
    expect(dropped).to.deep.equal([]);
    store.invalidate(0x8002, 1);
    expect(dropped).to.deep.equal([straddling]);
    store.invalidate(0x1ffe, 1);
    expect(dropped).to.have.lengthOf(1);
  });
  it('a block whose two pages are the same page stays marked at both ends', () => {
    const { store, add, isMarked } = fixture();
    add(0x1ffen, 0x1ffe, 5, 1, 0x1000);
    const other = add(0x1800n, 0x1800, 4);
    store.drop(other);
    store.invalidate(0x1800, 1);
    add(0x1900n, 0x1900, 4);
    store.invalidate(0x1900, 1);
    expect(isMarked(0x1000)).to.equal(true);
    expect(isMarked(0x1fe0)).to.equal(true);
  });
  it('a dropped block leaves the index; dropping it again does nothing', () => {
    const { store, add, dropped, view } = fixture();
    const block = add(0x1000n, 0x1000, 4);
    store.index(block);
    const entry = L.BLOCK_INDEX + (0x1000 << L.BLOCK_ENTRY_SHIFT);
    expect(view.getUint32(entry + L.BLOCK_RECORD, true)).to.equal(block.record);
    store.drop(block);
    expect(view.getUint32(entry + L.BLOCK_PHYSICAL, true)).to.equal(0xffff_fff0);
    const next = add(0x2000n, 0x2000, 4);
    store.drop(block);
    expect(dropped).to.deep.equal([block]);
    expect(store.find(0x2000n, 0x2000, 1)).to.equal(next);
  });
  it('is empty after clear', () => {
    const { store, add, isMarked, u8 } = fixture();
    const block = add(0x1000n, 0x1000, 4);
    store.clear();
    expect(store.find(0x1000n, 0x1000, 1)).to.equal(undefined);
    expect(store.startingAt(block.record)).to.equal(undefined);
    expect(isMarked(0x1000)).to.equal(false);
    expect(u8[L.CODE_PAGES + 1]).to.equal(0);
  });
  it('4,000 seeded blocks, stores and drops: the same as a plain list of blocks', function () {
    this.timeout(20_000);
    const { store, add, isMarked } = fixture();
    const random = new SeededRandom(11);
    const below = (limit: number): number => Number(random.next64() % BigInt(limit));
    let live: Block[] = [];
    for (let i = 0; i < 4_000; i++) {
      const physical = below(64) * 0x1000 + below(4096);
      if (below(3) > 0) {
        const bytes = 1 + below(40);
        const straddles = (physical & 0xfff) + bytes > 4096;
        const mode = 1 + below(2);
        const linear = BigInt(physical + below(2) * 2 ** 32);
        if (store.find(linear, physical, mode) !== undefined) continue;
        live.push(add(linear, physical, bytes, mode, straddles ? below(64) * 0x1000 : undefined));
      } else if (below(4) > 0) {
        const bytes = 1 + below(16);
        store.invalidate(physical, bytes);
        for (const block of live) {
          const inFirst = Math.min(block.bytes, 4096 - (block.physical & 0xfff));
          const hits = (from: number, length: number): boolean => from < physical + bytes && from + length > physical;
          const hit = hits(block.physical, inFirst) || hits(block.secondPage ?? -1, block.bytes - inFirst);
          if (block.valid === hit) expect(block.valid, `0x${block.physical.toString(16)}`).to.equal(!hit);
        }
      } else if (live.length > 0) store.drop(live[below(live.length)]!);
      live = live.filter(({ valid }) => valid);
    }
    expect(live.length).to.be.above(100);
    for (const block of live) {
      expect(store.find(block.linear, block.physical, block.mode)).to.equal(block);
      expect(store.startingAt(block.record)).to.equal(block);
      expect(isMarked(block.physical)).to.equal(true);
      if (block.secondPage !== undefined) expect(isMarked(block.secondPage)).to.equal(true);
    }
  });
});
