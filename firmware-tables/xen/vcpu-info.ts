import { bytes, nested, struct, u16, u32, u64, u8 } from '../layout.js';

/** struct vcpu_time_info: the paravirtual clock of one vCPU. Xen public/xen.h. */
export const VcpuTimeInfo = struct('vcpu_time_info', 32, [
  u32('version'), // odd while Xen writes
  u32('pad0'),
  u64('tsc_timestamp'), // TSC at the last update
  u64('system_time'), // nanoseconds since boot at the last update
  u32('tsc_to_system_mul'),
  u8('tsc_shift'), // signed
  u8('flags'), // bit 0: the TSC is stable across vCPUs
  u16('pad1'),
]);

/** struct vcpu_info as a 64-bit domain sees it. Xen public/xen.h, public/arch-x86/xen-x86_64.h. */
export const VcpuInfo = struct('vcpu_info', 64, [
  u8('evtchn_upcall_pending'), // Xen sets it, the guest clears it
  u8('evtchn_upcall_mask'), // of no meaning to an HVM domain
  bytes('_pad', 6),
  u64('evtchn_pending_sel'), // one bit for every word of shared_info.evtchn_pending
  u64('cr2'),
  u64('pad'),
  nested('time', VcpuTimeInfo),
]);

/** struct vcpu_info as a 32-bit domain sees it. Xen public/xen.h, public/arch-x86/xen-x86_32.h. */
export const VcpuInfo32 = struct('vcpu_info (32 bits)', 64, [
  u8('evtchn_upcall_pending'),
  u8('evtchn_upcall_mask'),
  u16('_pad'),
  u32('evtchn_pending_sel'),
  u32('cr2'),
  bytes('pad', 20),
  nested('time', VcpuTimeInfo),
]);
