import { Errno } from '../errno.js';
import { GuestStruct } from '../guest-struct.js';
import { HvmParam, hvmParamCount } from '../hvm-params.js';
import { plain, withStruct, type Hypercall } from '../hypercall.js';
import { foreign } from './foreign-domain.js';

// Structures of xen/include/public/hvm/hvm_op.h; the same in both ABIs.
const Param = new GuestStruct('xen_hvm_param', { domid: 'u16', pad: 'u16', index: 'u32', value: 'u64aligned' });
const UpcallVector = new GuestStruct('xen_hvm_evtchn_upcall_vector', { vcpu: 'u32', vector: 'u8' });
const PagetableDying = new GuestStruct('xen_hvm_pagetable_dying', {
  domid: 'u16',
  pad0: 'u16',
  pad1: 'u16',
  pad2: 'u16',
  gpa: 'u64aligned',
});
const GetTime = new GuestStruct('xen_hvm_get_time', { now: 'u64aligned' });
const MemType = new GuestStruct('xen_hvm_get_mem_type', {
  domid: 'u16',
  mem_type: 'u16',
  pad0: 'u16',
  pad1: 'u16',
  pfn: 'u64aligned',
});
const Xentrace = new GuestStruct('xen_hvm_xentrace', { event: 'u16', extra_bytes: 'u16' });

const lowestVector = 0x10;
/** HVMMEM_*: what a frame is to the guest. */
const MemoryType = { ram: 0, mmio: 4 } as const;

/** HYPERVISOR_hvm_op. xen/arch/x86/hvm/hvm.c. */
export const hvmOp: Hypercall = {
  number: 34,
  name: 'hvm_op',
  registers: ['op', 'arg'],
  select: ([op = 0n]) => Number(op),
  operations: [
    withStruct(0, 'HVMOP_set_param', Param, (call) => {
      const { domid, index, value } = call.load();
      if (index >= hvmParamCount) return Errno.EINVAL;
      const other = foreign(call.domain, domid);
      if (other !== undefined) return other;
      call.show('param', HvmParam.nameOf(index));
      const result = call.domain.params.set(index, value);
      if (result === 0 && index === HvmParam.CALLBACK_IRQ) call.domain.setCallback(value);
      return result;
    }),
    withStruct(1, 'HVMOP_get_param', Param, (call) => {
      const param = call.load();
      if (param.index >= hvmParamCount) return Errno.EINVAL;
      const other = foreign(call.domain, param.domid);
      if (other !== undefined) return other;
      call.show('param', HvmParam.nameOf(param.index));
      const value = call.domain.params.get(param.index);
      if (typeof value === 'number') return value;
      call.store({ ...param, value });
      return 0;
    }),
    plain(5, 'HVMOP_flush_tlbs', ({ registers: [, arg = 0n] }) => (arg === 0n ? 0 : Errno.EINVAL)),
    withStruct(9, 'HVMOP_pagetable_dying', PagetableDying, (call) => {
      const other = foreign(call.domain, call.load().domid, Errno.EOPNOTSUPP);
      return other ?? Errno.EINVAL; // there are no shadow page tables
    }),
    withStruct(10, 'HVMOP_get_time', GetTime, (call) => {
      call.writeStruct(GetTime, call.registers[1] ?? 0n, { now: BigInt(call.domain.now()) });
      return 0;
    }),
    withStruct(11, 'HVMOP_xentrace', Xentrace, (call) => {
      const { event, extra_bytes } = call.load();
      call.read(call.registers[1] ?? 0n, 4 + 7 * 4); // the structure ends with 28 bytes of data
      return extra_bytes > 28 || (event & ~0xfff) !== 0 ? Errno.EINVAL : 0;
    }),
    withStruct(15, 'HVMOP_get_mem_type', MemType, (call) => {
      const type = call.load();
      const other = foreign(call.domain, type.domid);
      if (other !== undefined) return other;
      call.store({ ...type, mem_type: call.domain.frames.has(Number(type.pfn)) ? MemoryType.ram : MemoryType.mmio });
      return 0;
    }),
    withStruct(23, 'HVMOP_set_evtchn_upcall_vector', UpcallVector, (call) => {
      const { vcpu, vector } = call.load();
      if (vector < lowestVector) return Errno.EINVAL;
      if (vcpu !== 0) return Errno.ENOENT;
      call.domain.setUpcallVector(vector);
      return 0;
    }),
    plain(24, 'HVMOP_guest_request_vm_event', ({ registers: [, arg = 0n] }) => (arg === 0n ? 0 : Errno.EINVAL)),
  ],
};
