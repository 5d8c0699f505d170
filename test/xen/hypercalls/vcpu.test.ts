import { expect } from 'chai';
import { TestDomain } from '../../support/xen-domain.js';

const [vcpuOp, eventOp, schedOp, setTimer, vmAssist] = [24, 32, 29, 15, 21];
const [ENOENT, EFAULT, EEXIST, EINVAL, ENOSYS, ENXIO] = [-2, -14, -17, -22, -38, -6];
const self = 0x7ff0;
const at = 0x2000;
const singleShot = 'xen single-shot timer';
const periodic = 'xen periodic timer';

/** A domain with shared_info at 0x10000, VIRQ_TIMER at a port, and vector 0x30 for upcalls. */
function running(): TestDomain {
  const test = new TestDomain();
  test.call(12, 7, test.store(0x3000, [2, self], [2, 0], [4, 0], [8, 0], [8, 0x10]));
  test.call(eventOp, 1, test.store(at, [4, 0], [4, 0], [4, 0]));
  test.call(34, 23, test.store(at, [4, 0], [1, 0x30]));
  test.interrupts.length = 0;
  return test;
}

describe('vcpu_op, set_timer_op, sched_op, vm_assist: time and the processor', () => {
  it('the domain has vCPU 0 alone; it is up and initialised', () => {
    const test = new TestDomain();
    for (const operation of [0, 1, 3, 7, 99]) expect(test.call(vcpuOp, operation, 1, at)).to.equal(ENOENT);
    expect(test.call(vcpuOp, 3, 0)).to.equal(1);
    expect(test.call(vcpuOp, 1, 0)).to.equal(0);
    expect(test.call(vcpuOp, 0, 0, at)).to.equal(EEXIST);
    expect(test.call(vcpuOp, 0, 0, TestDomain.absent)).to.equal(EFAULT);
    expect(test.call(vcpuOp, 12, 0, at)).to.equal(EINVAL);
    expect(test.call(vcpuOp, 77, 0, at)).to.equal(ENOSYS);
  });

  it('register_vcpu_info: once, inside a page, with the clock in it and an upcall', () => {
    const test = running();
    const register = (gfn: number | bigint, offset: number): number =>
      test.call(vcpuOp, 10, 0, test.store(at, [8, gfn], [4, offset], [4, 0]));
    expect(register(0x20, 0xfc4)).to.equal(ENXIO);
    expect(register(0x20, 0x101)).to.equal(ENXIO);
    expect(register(0x9_0000, 0)).to.equal(EINVAL);
    expect(register(0x20, 0x100)).to.equal(0);
    expect(test.u64(0x2_0100 + 48), 'system time').to.equal(1000n);
    expect(test.interrupts).to.deep.equal([0x30]);
    expect(register(0x21, 0x100)).to.equal(EINVAL);
  });

  it('the single-shot timer rings VIRQ_TIMER at its system time; one that is over rings at once; stop', () => {
    const test = running();
    const set = (tick: number | bigint): number => test.call(vcpuOp, 8, 0, test.store(at, [8, tick], [4, 0]));
    expect(set(5000)).to.equal(0);
    expect(test.events.get(singleShot)).to.equal(5000);
    test.fire(singleShot);
    expect(test.interrupts).to.deep.equal([0x30]);
    test.ram.bytes[0x1_0000] = 0; // the guest takes note
    test.ram.bytes.fill(0, 0x1_0800, 0x1_0808);
    test.ram.bytes.fill(0, 0x1_0008, 0x1_0010);
    expect(set(4999)).to.equal(0);
    expect(test.interrupts).to.deep.equal([0x30, 0x30]);
    expect(test.events.has(singleShot)).to.equal(false);
    set(9000);
    expect(test.call(vcpuOp, 9, 0)).to.equal(0);
    expect(test.events.has(singleShot)).to.equal(false);
    expect(set(0xffff_ffff_ffff_fff0n), 'never').to.equal(0);
    expect(test.events.has(singleShot)).to.equal(false);
  });

  it('the periodic timer: not under a millisecond; it rings until it is stopped', () => {
    const test = running();
    const set = (period: number | bigint): number => test.call(vcpuOp, 6, 0, test.store(at, [8, period]));
    expect(set(999_999)).to.equal(EINVAL);
    expect(set(1n << 62n)).to.equal(EINVAL);
    expect(set(2_000_000)).to.equal(0);
    test.fire(periodic);
    expect([test.tick, test.events.get(periodic)]).to.deep.equal([2_001_000, 4_001_000]);
    expect(test.call(vcpuOp, 7, 0)).to.equal(0);
    expect(test.events.has(periodic)).to.equal(false);
  });

  it('set_timer_op: 0 stops, a time beyond 2^50 ns comes in 100 ms, 32-bit callers give two halves', () => {
    const test = running();
    expect(test.call(setTimer, 7000)).to.equal(0);
    expect(test.events.get(singleShot)).to.equal(7000);
    test.call(setTimer, 0);
    expect(test.events.has(singleShot)).to.equal(false);
    test.call(setTimer, 1n << 51n);
    expect(test.events.get(singleShot)).to.equal(100_001_000);
    test.call(setTimer, -1);
    expect(test.events.get(singleShot)).to.equal(100_001_000);
    test.mode = 'narrow';
    test.call(setTimer, 5, 1);
    expect(test.events.get(singleShot)).to.equal(0x1_0000_0005);
  });

  it('the runstate area: written when it is registered and after the processor slept', () => {
    const test = running();
    expect(test.call(vcpuOp, 5, 0, test.store(at, [8, 0x5000]))).to.equal(0);
    expect([test.u32(0x5000), test.u64(0x5010), test.u64(0x5020)]).to.deep.equal([0, 1000n, 0n]);
    test.tick = 4000;
    test.domain.time.halted(2500);
    expect([test.u64(0x5008), test.u64(0x5010), test.u64(0x5020)]).to.deep.equal([4000n, 1500n, 2500n]);
    expect(test.call(vcpuOp, 4, 0, 0x6000)).to.equal(0);
    expect(test.u64(0x6020)).to.equal(2500n);
    expect(test.call(vcpuOp, 5, 0, test.store(at, [8, TestDomain.absent])), 'nobody checks the address').to.equal(0);
  });

  it('a guest that moved its TSC is told at its next hypercall', () => {
    const test = running();
    const version = test.u32(0x1_0020);
    test.tscOffset = 9_000_000n;
    test.tick = 2000;
    test.call(17, 0);
    expect([test.u32(0x1_0020), test.u64(0x1_0028), test.u64(0x1_0030)]).to.deep.equal([
      version + 2,
      9_002_000n,
      2000n,
    ]);
  });

  it('vm_assist: the runstate update flag alone is of an HVM domain', () => {
    const test = new TestDomain();
    expect(test.call(vmAssist, 0, 5)).to.equal(0);
    expect(test.call(vmAssist, 1, 5)).to.equal(0);
    expect(test.call(vmAssist, 2, 5)).to.equal(ENOSYS);
    for (const type of [0, 4, 6, 64, 0xffff_ffff]) expect(test.call(vmAssist, 0, type)).to.equal(EINVAL);
  });

  it('shutdown: poweroff, reboot, crash and the others end the run; an earlier shutdown_code says what for', () => {
    const end = (reason: number, code?: number) => {
      const test = new TestDomain();
      if (code !== undefined) test.call(schedOp, 5, test.store(at, [4, code]));
      expect(test.call(schedOp, 2, test.store(at, [4, reason]))).to.equal(0);
      return test.end;
    };
    expect(end(0)).to.deep.equal({ outcome: 'powered-off', reason: 'SCHEDOP_shutdown(poweroff)' });
    expect(end(1)).to.deep.equal({ outcome: 'reset', reason: 'SCHEDOP_shutdown(reboot)' });
    expect(end(3)).to.deep.equal({ outcome: 'panicked', reason: 'SCHEDOP_shutdown(crash)' });
    expect(end(2)?.outcome).to.equal('halted');
    expect(end(0, 3)?.outcome).to.equal('panicked');
    const test = new TestDomain();
    expect(test.call(schedOp, 2, TestDomain.absent)).to.equal(EFAULT);
    expect(test.end).to.equal(undefined);
  });

  it('the last virtual processor that goes down powers off: VCPUOP_down', () => {
    const test = new TestDomain();
    expect(test.call(vcpuOp, 2, 0)).to.equal(0);
    expect(test.end?.outcome).to.equal('powered-off');
  });

  it('block: until an upcall; not at all while an interrupt waits that the processor takes at once', () => {
    const test = running();
    test.domain.time.expire();
    expect(test.call(schedOp, 1)).to.equal(0);
    expect(test.blocked).to.equal(false);
    test.interruptWaits = false;
    test.ram.bytes[0x1_0000] = 0;
    test.ram.bytes.fill(0, 0x1_0008, 0x1_0010);
    test.ram.bytes.fill(0, 0x1_0800, 0x1_0808);
    test.call(schedOp, 1);
    expect(test.blocked).to.equal(true);
    test.domain.time.expire();
    expect(test.blocked).to.equal(false);
  });

  it('block with interrupts disabled waits, though an upcall is pending, and enables upcalls (local_events_need_delivery)', () => {
    const test = running();
    test.domain.time.expire();
    test.interruptFlag = false;
    test.ram.bytes[0x1_0001] = 1; // evtchn_upcall_mask
    expect(test.call(schedOp, 1)).to.equal(0);
    expect([test.blocked, test.ram.bytes[0x1_0000], test.ram.bytes[0x1_0001]]).to.deep.equal([true, 1, 0]);
  });

  it('poll of none or of several ports: any port that becomes pending ends it; of one port: that one', () => {
    for (const [count, woken] of [
      [0, true],
      [1, false],
      [2, true],
    ] as const) {
      const test = running();
      [test.ram.bytes[0x1_0000], test.interruptWaits] = [0, false];
      test.ram.bytes[0x1_0a00] = 0xff; // masked: no upcall
      test.store(0x4000, [4, 1], [4, 2]);
      expect(test.call(schedOp, 3, test.store(at, [8, 0x4000], [4, count], [4, 0], [8, 0]))).to.equal(0);
      expect(test.blocked).to.equal(true);
      test.domain.time.expire(); // port 3
      expect(test.blocked, `${String(count)} ports`).to.equal(!woken);
    }
  });

  it('poll: until a port is pending, masked or not, or the timeout; at most 128 ports', () => {
    const test = running();
    [test.ram.bytes[0x1_0000], test.interruptWaits] = [0, false];
    const poll = (count: number, timeout: number, list = 0x4000): number =>
      test.call(schedOp, 3, test.store(at, [8, list], [4, count], [4, 0], [8, timeout]));
    const timer = 3;
    test.store(0x4000, [4, timer]);
    expect(poll(129, 0)).to.equal(EINVAL);
    expect(poll(1, 0, TestDomain.absent)).to.equal(EFAULT);
    test.store(0x4000, [4, 999]);
    expect(poll(1, 0)).to.equal(EINVAL);
    test.store(0x4000, [4, timer]);
    expect(poll(1, 5000)).to.equal(0);
    expect(test.blocked).to.equal(true);
    test.fire('xen poll timer');
    expect(test.blocked).to.equal(false);
    test.ram.bytes[0x1_0a00] = 0xff; // masked
    expect(poll(1, 0)).to.equal(0);
    expect(test.blocked).to.equal(true);
    test.domain.time.expire();
    expect(test.blocked).to.equal(false);
    expect(poll(1, 0), 'it is pending').to.equal(0);
    expect(test.blocked).to.equal(false);
  });

  it('watchdogs: two; one that runs out ends the domain', () => {
    const test = new TestDomain();
    const set = (id: number, seconds: number): number => test.call(schedOp, 6, test.store(at, [4, id], [4, seconds]));
    expect([set(3, 1), set(1, 1), set(0, 10), set(0, 20), set(0, 1)]).to.deep.equal([EINVAL, EINVAL, 1, 2, -28]);
    expect(set(1, 0)).to.equal(0);
    test.fire('xen watchdog 2');
    expect(test.end).to.deep.equal({ outcome: 'panicked', reason: 'the domain watchdog ran out' });
  });
});
