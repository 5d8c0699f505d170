import { RunstateInfo } from '../domain-time.js';
import { Errno } from '../errno.js';
import { GuestStruct } from '../guest-struct.js';
import { plain, withStruct, type Call, type Hypercall } from '../hypercall.js';

// Structures of xen/include/public/vcpu.h.
const SetPeriodic = new GuestStruct('vcpu_set_periodic_timer', { period_ns: 'u64' });
const SetSingleShot = new GuestStruct('vcpu_set_singleshot_timer', { timeout_abs_ns: 'u64', flags: 'u32' });
const RegisterVcpuInfo = new GuestStruct('vcpu_register_vcpu_info', { mfn: 'u64', offset: 'u32', rsvd: 'u32' });
const MemoryArea = new GuestStruct('vcpu_register_runstate_memory_area', { h: 'u64' });
/** struct vcpu_hvm_context: mode, pad and the larger of its two sets of registers. hvm/hvm_vcpu.h. */
const hvmContextBytes = 8 + 14 * 8;

const millisecond = 1_000_000n;
/** STIME_DELTA_MAX: an eighth of what a signed count of nanoseconds holds. */
const longestPeriod = (1n << 63n) >> 2n;
/** Ticks that a number cannot count are never reached. */
const farthest = BigInt(Number.MAX_SAFE_INTEGER);

/** The handle of a memory area: a pointer in a union of 8 bytes. */
function handleOf(call: Call<{ h: 'u64' }>): bigint {
  const { h } = call.load();
  return call.wide ? h : h & 0xffff_ffffn;
}

/** HYPERVISOR_vcpu_op for the domain's one virtual processor. xen/common/domain.c, xen/arch/x86/domain.c. */
export const vcpuOp: Hypercall = {
  number: 24,
  name: 'vcpu_op',
  registers: ['cmd', 'vcpuid', 'extra_args'],
  pointer: 2,
  select: ([cmd = 0n]) => Number(BigInt.asIntN(32, cmd)),
  check: (_domain, [, vcpu = 0n]) => (BigInt.asUintN(32, vcpu) === 0n ? undefined : Errno.ENOENT),
  operations: [
    plain(0, 'VCPUOP_initialise', (call) => {
      call.read(call.registers[2] ?? 0n, hvmContextBytes);
      return Errno.EEXIST;
    }),
    plain(1, 'VCPUOP_up', () => 0),
    plain(2, 'VCPUOP_down', ({ domain }) => {
      domain.shutdown(0, 'VCPUOP_down of the last virtual processor');
      return 0;
    }),
    plain(3, 'VCPUOP_is_up', () => 1),
    withStruct(4, 'VCPUOP_get_runstate_info', RunstateInfo, (call) => {
      call.write(call.registers[2] ?? 0n, call.domain.time.runstate(call.wide));
      return 0;
    }),
    withStruct(5, 'VCPUOP_register_runstate_memory_area', MemoryArea, (call) => {
      call.domain.time.setRunstateArea(handleOf(call), call.wide);
      return 0;
    }),
    withStruct(6, 'VCPUOP_set_periodic_timer', SetPeriodic, (call) => {
      const { period_ns } = call.load();
      if (period_ns < millisecond || period_ns > longestPeriod) return Errno.EINVAL;
      call.domain.time.setPeriodic(Number(period_ns));
      return 0;
    }),
    plain(7, 'VCPUOP_stop_periodic_timer', ({ domain }) => {
      domain.time.setPeriodic(0);
      return 0;
    }),
    withStruct(8, 'VCPUOP_set_singleshot_timer', SetSingleShot, (call) => {
      const { timeout_abs_ns } = call.load();
      const { time } = call.domain;
      if (timeout_abs_ns < BigInt(call.domain.now())) time.expire();
      else if (timeout_abs_ns > farthest) time.stopSingleShot();
      else time.setSingleShot(Number(timeout_abs_ns));
      return 0;
    }),
    plain(9, 'VCPUOP_stop_singleshot_timer', ({ domain }) => {
      domain.time.stopSingleShot();
      return 0;
    }),
    withStruct(10, 'VCPUOP_register_vcpu_info', RegisterVcpuInfo, (call) => {
      const { mfn, offset } = call.load();
      return call.domain.registerVcpuInfo(Number(mfn), offset);
    }),
    plain(11, 'VCPUOP_send_nmi', ({ domain, registers: [, , arg = 0n] }) => {
      if (arg !== 0n) return Errno.EINVAL;
      domain.log('VCPUOP_send_nmi: the processor takes no NMI, so nothing happens');
      return 0;
    }),
    plain(12, 'VCPUOP_get_physid', () => Errno.EINVAL), // only dom0 with pinned processors may ask
    withStruct(13, 'VCPUOP_register_vcpu_time_memory_area', MemoryArea, (call) => {
      call.domain.setTimeArea(handleOf(call));
      return 0;
    }),
  ],
};
