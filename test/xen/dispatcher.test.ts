import { expect } from 'chai';
import { argumentTexts, describeHypercall } from '../../src/xen/describe.js';
import { TestDomain } from '../support/xen-domain.js';

const [EPERM, EFAULT, EINVAL, ENOSYS] = [-1, -14, -22, -38];
const xenVersion = 17;
const [version, getFeatures] = [0, 6];
const features = 0x1_2305;

describe('hypercalls, the way in (arch/x86/hvm/hypercall.c)', () => {
  it('64-bit callers: RAX names the call, RDI, RSI, RDX, R10, R8 are its arguments, RAX gets the result', () => {
    const test = new TestDomain();
    const at = test.store(0x2000, [4, 0], [4, 0xffff_ffff]);
    expect(test.call(xenVersion, getFeatures, at)).to.equal(0);
    expect(test.u32(at + 4)).to.equal(features);
    expect(test.registers.get('rax')).to.equal(0n);
  });

  it('32-bit callers: EBX, ECX, EDX, ESI, EDI; 32 bits of each count', () => {
    const test = new TestDomain();
    test.mode = 'narrow';
    const at = test.store(0x2000, [4, 0], [4, 0]);
    expect(test.call(xenVersion, 0xabcd_0000_0000n | BigInt(getFeatures), 0x7000_0000_0000n | BigInt(at))).to.equal(0);
    expect(test.u32(at + 4)).to.equal(features);
  });

  it('real mode may call, virtual 8086 mode may not', () => {
    const test = new TestDomain();
    test.mode = 'real';
    expect(test.call(xenVersion, version)).to.equal(0x4_0011);
    test.mode = 'vm86';
    expect(test.call(xenVersion, version)).to.equal(EPERM);
  });

  it('CPL 1 to 3: -EPERM in RAX, and nothing is logged', () => {
    const test = new TestDomain();
    for (test.cpl = 1; test.cpl <= 3; test.cpl++) expect(test.call(xenVersion, version)).to.equal(EPERM);
    expect(test.registers.get('rax')).to.equal(0xffff_ffff_ffff_ffffn);
    expect(test.calls).to.deep.equal([]);
  });

  it('an unknown number or operation is -ENOSYS, with one line in the log for each', () => {
    const test = new TestDomain();
    for (let i = 0; i < 3; i++) {
      expect(test.call(55)).to.equal(ENOSYS);
      expect(test.call(xenVersion, 99)).to.equal(ENOSYS);
    }
    expect(test.call(0xffff_ffff_ffff_fff0n as unknown as number)).to.equal(ENOSYS);
    expect(test.lines).to.have.length(3);
    expect(test.lines[0]).to.match(/hypercall 55.*-ENOSYS/);
    expect(test.lines[1]).to.match(/xen_version, operation 99/);
    expect(test.calls.map(({ unknown }) => unknown)).to.deep.equal(new Array(7).fill(true));
  });

  it('a guest that names ever new calls fills the log with 256 lines', () => {
    const test = new TestDomain();
    for (let number = 100; number < 1000; number++) expect(test.call(number)).to.equal(ENOSYS);
    expect(test.lines).to.have.length(256);
  });

  it('PV calls do not exist for an HVM domain: set_trap_table, mmu_update, iret, callback_op ... (hypercall-defs.c)', () => {
    const test = new TestDomain();
    for (const number of [0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 14, 16, 19, 22, 23, 25, 28, 30, 37]) {
      expect(test.call(number), String(number)).to.equal(ENOSYS);
    }
  });

  it('a pointer that is not mapped, or not writable where Xen writes, is -EFAULT', () => {
    const test = new TestDomain();
    expect(test.call(xenVersion, getFeatures, TestDomain.absent)).to.equal(EFAULT);
    expect(test.call(xenVersion, getFeatures, TestDomain.absent - 4)).to.equal(EFAULT);
    expect(test.call(xenVersion, getFeatures, TestDomain.readOnly)).to.equal(EFAULT);
    expect(test.call(xenVersion, getFeatures, 0xffff_8000_0000_0000n)).to.equal(EFAULT);
  });

  it('the log has the name, the arguments by name, what was given back, the result, caller and tick', () => {
    const test = new TestDomain();
    const at = test.store(0x2000, [4, 0], [4, 0]);
    test.call(xenVersion, getFeatures, at);
    const [record] = test.calls;
    expect(record).to.include({ name: 'XENVER_get_features', number: 17, operation: 6, caller: 0x100n, tick: 1000 });
    expect(record && argumentTexts(record)).to.deep.equal({ arg: '0x2000', submap_idx: '0', submap: '0' });
    expect(record && describeHypercall(record)).to.equal(
      'XENVER_get_features(arg=0x2000, submap_idx=0, submap=0) -> 0 {submap=0x12305} [hypercall 17]',
    );
    test.call(xenVersion, getFeatures, TestDomain.absent);
    expect(describeHypercall(test.calls[1]!)).to.match(/-> -EFAULT/);
  });

  it('behind a stub, the caller is where the stub returns to', () => {
    const test = new TestDomain();
    test.ram.bytes[0x100] = 0xc3;
    test.store(0x3000, [8, 0xffff_ffff_8100_0123n]);
    test.registers.set('rsp', 0x3000n);
    test.call(xenVersion, version);
    expect(test.calls[0]?.caller).to.equal(0xffff_ffff_8100_0123n);
  });

  it('multicall: each call has its result in its entry; a multicall in a multicall is -EINVAL', () => {
    const test = new TestDomain();
    const list = 0x4000;
    const entry = (index: number, op: number, ...args: number[]): void => {
      test.store(list + 64 * index, [8, op], [8, 1], ...args.map((value) => [8, value] as const));
    };
    entry(0, xenVersion, version);
    entry(1, 55);
    entry(2, 13, list, 1);
    expect(test.call(13, list, 3)).to.equal(0);
    expect([0, 1, 2].map((i) => Number(BigInt.asIntN(64, test.u64(list + 64 * i + 8))))).to.deep.equal([
      0x4_0011,
      ENOSYS,
      EINVAL,
    ]);
    expect(test.call(13, TestDomain.absent, 1)).to.equal(EFAULT);
  });
});
