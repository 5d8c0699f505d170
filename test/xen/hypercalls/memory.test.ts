import { expect } from 'chai';
import { TestDomain } from '../../support/xen-domain.js';

const memoryOp = 12;
const self = 0x7ff0;
const [EPERM, ENOENT, ESRCH, EACCES, EFAULT, EINVAL, ENOSYS, EOPNOTSUPP] = [-1, -2, -3, -13, -14, -22, -38, -95];
const at = 0x2000;

describe('memory_op (xen/common/memory.c, arch/x86/mm.c)', () => {
  let test: TestDomain;
  beforeEach(() => {
    test = new TestDomain();
  });
  const add = (space: number, idx: number | bigint, gpfn: number | bigint, domid = self, size = 0): number =>
    test.call(memoryOp, 7, test.store(at, [2, domid], [2, size], [4, space], [8, idx], [8, gpfn]));

  it('add_to_physmap, shared_info: the page appears at the frame with its clocks, and what was there is lost', () => {
    test.ram.bytes.fill(0xee, 0x1_0000, 0x1_1000);
    expect(add(0, 0, 0x10)).to.equal(0);
    const base = 0x1_0000;
    expect(test.u32(base + 3072) & 1, 'wc_version is even').to.equal(0);
    expect(test.u32(base + 3076)).to.equal(1_700_000_000);
    expect(test.u32(base + 32) & 1, 'time version is even').to.equal(0);
    expect(test.u64(base + 40), 'TSC').to.equal(6000n);
    expect(test.u64(base + 48), 'system time').to.equal(1000n);
    expect(test.u32(base + 56), 'multiplier').to.equal(0x8000_0000);
    expect(test.ram.bytes[base + 60], 'shift').to.equal(1);
    expect(test.ram.bytes[base + 4095]).to.equal(0);
  });

  it('shared_info mapped again moves with its contents; the old frame is gone', () => {
    add(0, 0, 0x10);
    test.ram.bytes[0x1_0000 + 3500] = 0x55;
    expect(add(0, 0, 0x20)).to.equal(0);
    expect(test.ram.bytes[0x2_0000 + 3500]).to.equal(0x55);
    expect(test.domain.frames.has(0x10)).to.equal(false);
    expect(add(0, 0, 0x20), 'where it is already').to.equal(0);
    expect(test.ram.bytes[0x2_0000 + 3500]).to.equal(0x55);
  });

  it('shared_info has index 0 alone; another space, a foreign map, MMIO of a device: -EINVAL, -ENOSYS, -EACCES', () => {
    expect(add(0, 1, 0x10)).to.equal(EINVAL);
    expect(add(9, 0, 0x10)).to.equal(EINVAL);
    expect(add(4, 0, 0x10)).to.equal(ENOSYS);
    expect(add(5, 0, 0x10)).to.equal(EACCES);
    expect(add(0, 0, 0xfee00), "the local APIC's window").to.equal(EPERM);
  });

  it('another domain: -EPERM for domain 0, -ESRCH for one that is not there; its own number is the caller', () => {
    expect(add(0, 0, 0x10, 0)).to.equal(EPERM);
    expect(add(0, 0, 0x10, 7)).to.equal(ESRCH);
    expect(add(0, 0, 0x10, 1)).to.equal(0);
  });

  it('grant_table: frames up to 63, made as they are asked for; outside RAM the guest sees them as memory', () => {
    expect(add(1, 0, 0x4_7fff)).to.equal(0);
    expect(test.domain.frames.readMmio(0x47ff_f000, 4), 'entry 0: for domain 0, permit_access').to.equal(1);
    expect(test.domain.frames.readMmio(0x47ff_f004, 4), "the console's frame").to.equal(0xfefff);
    expect(test.domain.frames.writeMmio(0x47ff_f040, 4, 0x1234_5678)).to.equal(true);
    expect(test.domain.grants.frame(0)?.read().slice(0x40, 0x44)).to.deep.equal(Uint8Array.of(0x78, 0x56, 0x34, 0x12));
    expect(add(1, 5, 0x30)).to.equal(0);
    expect(test.domain.grants.count).to.equal(6);
    expect(add(1, 64, 0x31)).to.equal(EINVAL);
    expect(add(1, 1n << 40n, 0x31), 'an index of 32 bits').to.equal(0);
  });

  it('gmfn: a frame of the domain moves; one that it has not is -EINVAL', () => {
    test.ram.bytes.fill(0x77, 0x2_0000, 0x2_1000);
    expect(add(2, 0x20, 0x21)).to.equal(0);
    expect(test.ram.bytes[0x2_1fff]).to.equal(0x77);
    expect(test.domain.frames.has(0x20)).to.equal(false);
    expect(add(2, 0x20, 0x22)).to.equal(EINVAL);
    expect(add(2, 0x9_0000, 0x22)).to.equal(EINVAL);
  });

  it('gmfn_range: so many frames; a range that wraps is -EOVERFLOW', () => {
    expect(add(3, 0x20, 0x40, self, 3)).to.equal(0);
    expect([0x3f, 0x40, 0x42, 0x43].map((gfn) => test.domain.frames.has(gfn))).to.deep.equal([true, true, true, true]);
    expect([0x20, 0x21, 0x22].map((gfn) => test.domain.frames.has(gfn))).to.deep.equal([false, false, false]);
    expect(add(3, 0xffff_ffff_ffff_fff0n, 0x40, self, 32)).to.equal(-75);
  });

  it('add_to_physmap_batch: an error for each index', () => {
    test.store(0x3000, [8, 0], [8, 99]);
    test.store(0x3100, [8, 0x50], [8, 0x51]);
    test.store(at, [2, self], [2, 1], [2, 2], [2, 0], [8, 0x3000], [8, 0x3100], [8, 0x3200]);
    expect(test.call(memoryOp, 23, at)).to.equal(0);
    expect([test.u32(0x3200), test.u32(0x3204) | 0]).to.deep.equal([0, EINVAL]);
    test.store(at + 2, [2, 3]);
    expect(test.call(memoryOp, 23, at)).to.equal(EOPNOTSUPP);
  });

  it('remove_from_physmap: -ENOENT for what is not there; a removed frame reads as ones', () => {
    const remove = (gfn: number | bigint): number => test.call(memoryOp, 15, test.store(at, [8, self], [8, gfn]));
    expect(remove(0x20)).to.equal(0);
    expect(test.ram.bytes[0x2_0000]).to.equal(0xff);
    expect(remove(0x20)).to.equal(ENOENT);
    expect(remove(0xffff_ffff_ffff_ffffn)).to.equal(ENOENT);
  });

  it('decrease_reservation and populate_physmap answer how many extents were done; nobody gets more than at the start', () => {
    const frames = test.domain.frames.count;
    const reservation = (operation: number, count: number, list = 0x3000, order = 0): number =>
      test.call(memoryOp, operation, test.store(at, [8, list], [8, count], [4, order], [4, 0], [2, self]));
    test.store(0x3000, [8, 0x20], [8, 0x21], [8, 0x9999]);
    expect(reservation(1, 3), 'the third is no frame').to.equal(2);
    expect(test.call(memoryOp, 3, test.store(0x5000, [2, self]))).to.equal(frames - 2);
    expect(test.call(memoryOp, 4, test.store(0x5000, [2, self]))).to.equal(frames);
    expect(reservation(6, 2)).to.equal(2);
    expect(test.ram.bytes.slice(0x2_0000, 0x2_0008)).to.deep.equal(new Uint8Array(8));
    test.store(0x3000, [8, 0x9_0000]);
    expect(reservation(6, 1)).to.equal(0);
    expect(add(0, 0, 0x50), 'over a frame of the domain, which goes').to.equal(0);
    test.store(0x3000, [8, 0x9_0000], [8, 0x9_0001]);
    expect(reservation(6, 2)).to.equal(1);
    expect(reservation(1, 1, TestDomain.absent)).to.equal(0);
    expect(test.call(memoryOp, 1, TestDomain.absent), 'no -EFAULT here').to.equal(0);
    expect(reservation(1, 1, 0x3000, 40)).to.equal(0);
  });

  it('memory_map and set_memory_map: entries of 20 bytes, as many as there is room for', () => {
    const map = (entries: number): number => test.call(memoryOp, 9, test.store(at, [8, entries], [8, 0x3000]));
    expect(map(2)).to.equal(0);
    expect(test.u32(at)).to.equal(2);
    expect(test.ram.bytes.slice(0x3000, 0x3028)).to.deep.equal(Uint8Array.from({ length: 40 }, (_, i) => i));
    expect(map(128)).to.equal(0);
    expect(test.u32(at)).to.equal(3);
    test.store(at, [8, self], [8, 1], [8, 0x6000]);
    test.ram.bytes.fill(9, 0x6000, 0x6014);
    expect(test.call(memoryOp, 13, at)).to.equal(0);
    expect(map(128)).to.equal(0);
    expect(test.u32(at)).to.equal(1);
    test.store(at, [8, self], [8, 1025], [8, 0x6000]);
    expect(test.call(memoryOp, 13, at)).to.equal(EINVAL);
    expect(test.call(memoryOp, 9, TestDomain.absent)).to.equal(EFAULT);
  });

  it('the 32-bit layouts (compat/memory.c): longs and pointers of 4 bytes', () => {
    test.mode = 'narrow';
    test.store(at, [2, self], [2, 0], [4, 1], [4, 0], [4, 0x40]);
    expect(test.call(memoryOp, 7, at)).to.equal(0);
    expect(test.u32(0x4_0004)).to.equal(0xfefff);
    test.store(at, [2, self], [2, 0], [4, 1], [4, 0x3000]);
    test.ram.bytes.fill(9, 0x3000, 0x3014);
    expect(test.call(memoryOp, 13, at)).to.equal(0);
    expect(test.call(memoryOp, 9, test.store(at, [4, 10], [4, 0x3100]))).to.equal(0);
    expect([test.u32(at), test.ram.bytes[0x3100]]).to.deep.equal([1, 9]);
  });

  it("the machine's own maps are for domain 0: -ENOSYS to an HVM domain (arch/x86/hvm/hypercall.c)", () => {
    expect(test.call(memoryOp, 10, at)).to.equal(ENOSYS);
    expect(test.call(memoryOp, 12, at)).to.equal(ENOSYS);
  });
});
