import { array, struct, u32, u64 } from '../layout.js';
import { VcpuInfo, VcpuInfo32 } from './vcpu-info.js';

/** XEN_LEGACY_MAX_VCPUS: those whose vcpu_info begins inside shared_info. */
export const legacyMaxVcpus = 32;

/** struct shared_info as a 64-bit domain sees it; the page is Xen's. Xen public/xen.h, public/arch-x86/xen.h. */
export const SharedInfo = struct('shared_info', 3136, [
  array('vcpu_info', VcpuInfo, legacyMaxVcpus),
  array('evtchn_pending', u64, 64), // the 2-level ABI: one bit a port
  array('evtchn_mask', u64, 64),
  u32('wc_version'), // odd while Xen writes
  u32('wc_sec'), // the wall clock at system time 0, seconds since 1970
  u32('wc_nsec'),
  u32('wc_sec_hi'),
  u64('max_pfn'), // this field and those behind it belong to the guest
  u64('pfn_to_mfn_frame_list_list'),
  u64('nmi_reason'),
  u64('p2m_cr3'),
  u64('p2m_vaddr'),
  u64('p2m_generation'),
]);

/** struct shared_info as a 32-bit domain sees it. Xen public/xen.h, public/arch-x86/xen.h. */
export const SharedInfo32 = struct('shared_info (32 bits)', 2344, [
  array('vcpu_info', VcpuInfo32, legacyMaxVcpus),
  array('evtchn_pending', u32, 32),
  array('evtchn_mask', u32, 32),
  u32('wc_version'),
  u32('wc_sec'),
  u32('wc_nsec'),
  u32('max_pfn'),
  u32('pfn_to_mfn_frame_list_list'),
  u32('nmi_reason'),
  u32('p2m_cr3'),
  u32('p2m_vaddr'),
  u32('p2m_generation'),
  u32('wc_sec_hi'),
]);
