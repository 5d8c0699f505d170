import { expect } from 'chai';
import { TestDomain } from '../support/xen-domain.js';

const [memoryOp, multicall, xenVersion, grantTableOp, hvmOp] = [12, 13, 17, 20, 34];
const self = 0x7ff0;
const at = 0x2000;
const atOnce = 512;

/** Executes the instruction again as long as Xen wants it. Answers how often it was executed, and the result. */
function toTheEnd(test: TestDomain, first: number): { readonly times: number; readonly result: number } {
  let [times, result] = [1, first];
  for (let repeats = 0; test.repeats > repeats; times++) {
    repeats = test.repeats;
    test.domain.hypercall();
    result = Number(BigInt.asIntN(64, test.registers.get('rax') ?? 0n));
  }
  return { times, result };
}

describe('long hypercalls go on with an instruction that is executed again (hypercall_create_continuation)', () => {
  it('multicall: the list advances, every call is made once', () => {
    const test = new TestDomain();
    const count = 2 * atOnce + 1;
    for (let i = 0; i < count; i++) test.store(0x1_0000 + 64 * i, [8, xenVersion], [8, 77]);
    const first = test.call(multicall, 0x1_0000, count);
    expect(test.repeats).to.equal(1);
    expect(test.registers.get('rax'), 'the number is still there').to.equal(BigInt(multicall));
    expect(test.registers.get('rdi')).to.equal(BigInt(0x1_0000 + 64 * atOnce));
    expect(test.registers.get('rsi')).to.equal(BigInt(count - atOnce));
    expect(toTheEnd(test, first)).to.deep.equal({ times: 3, result: 0 });
    const results = Array.from({ length: count }, (_, i) => test.u64(0x1_0008 + 64 * i));
    expect(results.every((result) => result === 0x4_0011n)).to.equal(true);
    expect(test.calls.filter(({ name }) => name === 'XENVER_version')).to.have.length(count);
  });

  it('a call of a multicall that goes on leaves its new arguments in the list', () => {
    const test = new TestDomain();
    test.store(0x1_0000, [8, grantTableOp], [8, 77], [8, 11], [8, 0x2_0000], [8, atOnce + 5]);
    const first = test.call(multicall, 0x1_0000, 1);
    expect(test.repeats).to.equal(1);
    expect(test.u64(0x1_0018)).to.equal(BigInt(0x2_0000 + 12 * atOnce));
    expect(test.u64(0x1_0020)).to.equal(5n);
    expect(toTheEnd(test, first)).to.deep.equal({ times: 2, result: 0 });
  });

  it('decrease_reservation: the number of the operation counts what is done', () => {
    const test = new TestDomain();
    // The first and the second half of the list name the same frame: there is nothing left to give away.
    test.store(at, [8, 0x1_0000], [8, 200], [4, 0], [4, 0], [2, self]);
    for (let i = 0; i < 200; i++) test.store(0x1_0000 + 8 * i, [8, 0x30 + (i % 150)]);
    expect(toTheEnd(test, test.call(memoryOp, 1, at))).to.deep.equal({ times: 1, result: 150 });
    test.store(at, [8, 0x1_0000], [8, 4], [4, 9], [4, 0], [2, self]);
    for (let i = 0; i < 4; i++) test.store(0x1_0000 + 8 * i, [8, 0x100_0000 + 512 * i]);
    test.call(memoryOp, 6, at);
    expect(test.repeats, 'more than the domain may have').to.equal(0);
  });

  it('more extents than a continuation can count are not begun', () => {
    const test = new TestDomain();
    test.store(at, [8, 0x1_0000], [8, 1 << 26], [4, 0], [4, 0], [2, self]);
    expect(test.call(memoryOp, 1, at)).to.equal(0);
    expect(test.domain.frames.has(0)).to.equal(true);
  });

  it('add_to_physmap_batch with nothing left: 0 at the start, -EILSEQ in a continuation that no guest could have', () => {
    const test = new TestDomain();
    test.store(at, [2, self], [2, 0], [2, 3], [2, 0], [8, 0x3000], [8, 0x3000], [8, 0x3000]);
    expect(test.call(memoryOp, 23 | (3 << 6), at)).to.equal(-84);
    test.store(at + 4, [2, 0]);
    expect(test.call(memoryOp, 23, at)).to.equal(0);
    expect(test.call(memoryOp, 23 | (0x1_0000 << 6), at), 'beyond 16 bits').to.equal(-33);
  });
});

describe("Xen's pages move with all that leads to them (xenmem_add_to_physmap_one)", () => {
  const add = (test: TestDomain, space: number, idx: number, gpfn: number): number =>
    test.call(memoryOp, 7, test.store(at, [2, self], [2, 0], [4, space], [8, idx], [8, gpfn]));

  it('gmfn of the frame that shared_info is at: events appear at the new place', () => {
    const test = new TestDomain();
    add(test, 0, 0, 0x10);
    expect(add(test, 2, 0x10, 0x20)).to.equal(0);
    test.domain.events.notify(2);
    expect(test.u64(0x2_0800)).to.equal(4n);
    expect(test.domain.frames.has(0x10)).to.equal(false);
    expect(add(test, 0, 0, 0x30), 'and it is still the same page').to.equal(0);
    expect(test.u64(0x3_0800)).to.equal(4n);
  });

  it('gmfn of a frame with a vcpu_info in it', () => {
    const test = new TestDomain();
    test.store(at, [8, 0x11], [4, 0x40], [4, 0]);
    expect(test.call(24, 10, 0, at)).to.equal(0);
    expect(add(test, 2, 0x11, 0x21)).to.equal(0);
    test.ram.bytes.fill(0, 0x2_1040, 0x2_1050); // what the move marked
    test.domain.events.notify(1);
    expect(test.ram.bytes[0x2_1040], 'evtchn_upcall_pending').to.equal(1);
  });
});

describe('the layout of shared_info is latched from the mode of the guest (hvm_latch_shinfo_size)', () => {
  const wallClock = (test: TestDomain, at: number, high: number): readonly number[] =>
    [at, at + 4, high].map((address) => test.u32(address));

  it('by a write of the hypercall page MSR and by HVM_PARAM_CALLBACK_IRQ; the wall clock is written there each time', () => {
    const test = new TestDomain();
    test.call(memoryOp, 7, test.store(at, [2, self], [2, 0], [4, 0], [8, 0], [8, 0x10]));
    expect(wallClock(test, 0x1_0c00, 0x1_0c0c)).to.deep.equal([2, 1_700_000_000, 0]);
    test.mode = 'narrow';
    expect(test.domain.writeMsr(0x4000_0000, 0x5000n)).to.equal(true);
    expect(test.domain.events.wordBits).to.equal(32);
    expect(wallClock(test, 0x1_0900, 0x1_0924), 'SharedInfo32: wc_sec_hi is last').to.deep.equal([2, 1_700_000_000, 0]);
    test.mode = 'wide';
    test.call(hvmOp, 0, test.store(at, [2, self], [2, 0], [4, 0], [8, (2n << 56n) | 0x40n]));
    expect(test.domain.events.wordBits).to.equal(64);
    expect(wallClock(test, 0x1_0c00, 0x1_0c0c)).to.deep.equal([4, 1_700_000_000, 0]);
  });

  it('a callback that wants an interrupt controller which is not there leaves the vector (hvm_set_callback_via)', () => {
    const test = new TestDomain();
    const set = (via: bigint): number => test.call(hvmOp, 0, test.store(at, [2, self], [2, 0], [4, 0], [8, via]));
    test.call(memoryOp, 7, test.store(at, [2, self], [2, 0], [4, 0], [8, 0], [8, 0x10]));
    expect([set((2n << 56n) | 0x40n), set(1n), set(0n)]).to.deep.equal([0, 0, 0]);
    test.domain.events.notify(2);
    expect(test.domain.callbackVector()).to.equal(0x40);
  });
});
