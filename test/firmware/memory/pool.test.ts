import fc from 'fast-check';
import { expect } from 'chai';
import { MemoryType } from '../../../firmware-tables/uefi/memory-descriptor.js';
import { MemoryMap } from '../../../src/firmware/memory/memory-map.js';
import { Pool, type PoolChange } from '../../../src/firmware/memory/pool.js';
import { FakeMachine } from '../fake-machine.js';

const end = 0x20_0000;
const free = { start: 0x1000, end, type: MemoryType.EfiConventionalMemory, allocated: false };
const step = fc.record({ bytes: fc.integer({ min: 0, max: 9000 }), free: fc.integer({ min: 0, max: 40 }) });

describe('the pool with red zones', () => {
  it('leaves so many bytes on both sides of each block, within pages of the pool', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.constantFrom(0, 16, 64, 256), (steps, redZone) => {
        const map = new MemoryMap([free]);
        const pool = new Pool(map, redZone);
        const blocks: { address: number; bytes: number }[] = [];
        for (const { bytes, free: which } of steps) {
          const address = pool.allocate(MemoryType.EfiLoaderData, bytes);
          if (address === undefined) continue;
          for (const other of blocks) {
            const apart =
              address - redZone >= other.address + other.bytes || address + bytes + redZone <= other.address;
            expect(apart, `${String(address)} beside ${String(other.address)}`).to.equal(true);
          }
          for (const at of [address - redZone, address + Math.max(bytes, 1) - 1 + redZone])
            expect(map.typeAt(at)).to.equal(MemoryType.EfiLoaderData);
          blocks.push({ address, bytes });
          const [gone] = blocks.splice(which % (blocks.length + 1), 1);
          if (gone !== undefined) expect(pool.free(gone.address)).to.equal(true);
        }
        for (const { address } of blocks) pool.free(address);
        expect(map.isFree(free.start, (end - free.start) / 4096)).to.equal(true);
      }),
    );
  });
  it('tells of each change: what was asked for, and what the block had', () => {
    const pool = new Pool(new MemoryMap([free]));
    const told: PoolChange[] = [];
    pool.onChange = (change) => told.push(change);
    const address = pool.allocate(MemoryType.EfiLoaderData, 100) ?? 0;
    pool.free(address);
    pool.free(address);
    const type = MemoryType.EfiLoaderData;
    expect(told).to.deep.equal([
      { kind: 'allocated', address, bytes: 100, type },
      { kind: 'freed', address, bytes: 112, type },
    ]);
  });
  it('is refused when the blocks would not be aligned', () => {
    expect(() => new FakeMachine({ overrides: { 'memory:red-zones': 24 } })).to.throw('multiple of 16');
  });
});
