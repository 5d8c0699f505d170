import { expect } from 'chai';
import { TestDomain } from '../../support/xen-domain.js';

const hvmOp = 34;
const self = 0x7ff0;
const [EPERM, ENOENT, ESRCH, EFAULT, EINVAL, EOPNOTSUPP] = [-1, -2, -3, -14, -22, -95];
const at = 0x2000;

describe('hvm_op (xen/arch/x86/hvm/hvm.c)', () => {
  let test: TestDomain;
  beforeEach(() => {
    test = new TestDomain();
  });
  const param = (operation: number, index: number, value: number | bigint = 0, domid = self): number =>
    test.call(hvmOp, operation, test.store(at, [2, domid], [2, 0], [4, index], [8, value]));
  const get = (index: number): bigint | number => {
    const result = param(1, index);
    return result === 0 ? test.u64(at + 8) : result;
  };
  const sharedInfo = (): number => test.call(12, 7, test.store(0x3000, [2, self], [2, 0], [4, 0], [8, 0], [8, 0x10]));

  it('get_param: the rings and their ports, as the toolstack set them; 0 for what nobody set', () => {
    expect([get(1), get(2), get(17), get(18)]).to.deep.equal([0xfeffcn, 1n, 0xfefffn, 2n]);
    expect(get(0)).to.equal(0n);
  });

  it('get_param: from 39 on -EINVAL before the domain is looked at; deprecated ones -EINVAL; the others -EPERM', () => {
    expect(param(1, 39, 0, 7)).to.equal(EINVAL);
    for (const index of [4, 13, 20, 24, 26, 30]) expect(get(index), String(index)).to.equal(EINVAL);
    for (const index of [3, 5, 9, 12, 14, 32]) expect(get(index), String(index)).to.equal(EPERM);
    expect(param(1, 1, 0, 0)).to.equal(EPERM);
    expect(param(1, 1, 0, 7)).to.equal(ESRCH);
    expect(test.call(hvmOp, 1, TestDomain.absent)).to.equal(EFAULT);
  });

  it('set_param: the guest sets a few; the frames of the rings are not among them', () => {
    expect(param(0, 18, 9)).to.equal(0);
    expect(get(18)).to.equal(9n);
    expect(param(0, 17, 9)).to.equal(EPERM);
    expect(param(0, 36, 5)).to.equal(EINVAL);
    expect(param(0, 36, 8)).to.equal(0);
    expect(param(0, 15, 0x1_0000_0000n)).to.equal(EINVAL);
    expect(param(0, 15, 0x8000)).to.equal(0);
    expect(get(37)).to.equal((128n << 32n) | 0x8000n);
    expect(param(0, 37, 0x67n << 32n)).to.equal(EINVAL);
  });

  it('set_evtchn_upcall_vector: from 16 on, for vCPU 0; the vector comes at once and with every upcall', () => {
    const set = (vcpu: number, vector: number): number => test.call(hvmOp, 23, test.store(at, [4, vcpu], [1, vector]));
    expect(set(0, 15)).to.equal(EINVAL);
    expect(set(1, 0xf3)).to.equal(ENOENT);
    expect(set(0, 0xf3)).to.equal(0);
    expect(test.interrupts).to.deep.equal([0xf3]);
  });

  it('HVM_PARAM_CALLBACK_IRQ of type vector: the vector waits around the local APIC while an upcall is pending', () => {
    sharedInfo();
    param(0, 0, (2n << 56n) | 0x40n);
    expect(test.callbackLine).to.equal(false);
    test.call(32, 1, test.store(at, [4, 0], [4, 0], [4, 0])); // VIRQ_TIMER
    test.domain.time.expire();
    expect(test.callbackLine).to.equal(true);
    expect(test.domain.callbackVector()).to.equal(0x40);
    expect(test.domain.callbackVector(), 'level: until the guest takes note').to.equal(0x40);
    test.ram.bytes[0x1_0000] = 0;
    expect(test.domain.callbackVector()).to.equal(undefined);
    expect(test.callbackLine).to.equal(false);
    expect(test.interrupts).to.deep.equal([]);
  });

  it('flush_tlbs takes no argument; pagetable_dying -EINVAL for lack of shadow page tables; get_time', () => {
    expect(test.call(hvmOp, 5, 0)).to.equal(0);
    expect(test.call(hvmOp, 5, at)).to.equal(EINVAL);
    expect(test.call(hvmOp, 9, test.store(at, [8, self], [8, 0]))).to.equal(EINVAL);
    expect(test.call(hvmOp, 9, test.store(at, [8, 0], [8, 0]))).to.equal(EOPNOTSUPP);
    expect(test.call(hvmOp, 9, test.store(at, [8, 5], [8, 0]))).to.equal(ESRCH);
    expect(test.call(hvmOp, 10, at)).to.equal(0);
    expect(test.u64(at)).to.equal(1000n);
  });

  it('get_mem_type: RAM and what is none', () => {
    const type = (pfn: number): number => {
      expect(test.call(hvmOp, 15, test.store(at, [8, self], [8, pfn]))).to.equal(0);
      return test.u32(at) >>> 16;
    };
    expect([type(5), type(0x9_0000)]).to.deep.equal([0, 4]);
  });
});
