import { Errno } from '../errno.js';
import { GuestStruct } from '../guest-struct.js';
import { plain, withStruct, type Call, type Hypercall } from '../hypercall.js';
import { xenVersion } from '../version.js';

const FeatureInfo = new GuestStruct('xen_feature_info', { submap_idx: 'u32', submap: 'u32' });
const PlatformParameters = new GuestStruct('xen_platform_parameters', { virt_start: 'ulong' });

/** XENFEAT_* of an HVM domain without physical interrupts. xen/include/public/features.h. */
const features =
  (1 << 0) | // writable_page_tables
  (1 << 2) | // auto_translated_physmap
  (1 << 8) | // hvm_callback_vector
  (1 << 9) | // hvm_safe_pvclock
  (1 << 13) | // memory_op_vnode_supported
  (1 << 16); // not_direct_mapped

const XENFEAT_dom0 = 1 << 11;

const capabilities = 'xen-3.0-x86_64 hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 ';
const denied = '<denied>'; // what Xen says to a domU where it says nothing

/** Texts that Xen's build put in: the presented Xen was built by nobody. */
const compileInfo = [
  ['efikit', 64],
  ['efikit', 16],
  ['', 32],
  ['', 32],
] as const;

/** HYPERVISOR_VIRT_START of a 64-bit Xen, and of its 32-bit guests. */
const virtStart = { wide: 0xffff_8000_0000_0000n, narrow: 0xf580_0000n } as const;

/** Characters and zeroes up to a field's size. */
function field(text: string, bytes: number): Uint8Array {
  const out = new Uint8Array(bytes);
  out.set(new TextEncoder().encode(text).subarray(0, bytes - 1));
  return out;
}

/** An answer that is a text in a field of `bytes` bytes. */
const answer = (text: string, bytes: number) => (call: Call) => {
  call.write(call.registers[1] ?? 0n, field(text, bytes));
  call.show('text', JSON.stringify(text));
  return 0;
};

/** HYPERVISOR_xen_version. xen/common/kernel.c; who may ask what: xsm/dummy.h. */
export const xenVersionOp: Hypercall = {
  number: 17,
  name: 'xen_version',
  registers: ['cmd', 'arg'],
  select: ([cmd = 0n]) => Number(BigInt.asIntN(32, cmd)),
  operations: [
    plain(0, 'XENVER_version', () => (xenVersion.major << 16) | xenVersion.minor),
    plain(1, 'XENVER_extraversion', answer(xenVersion.extra, 16)),
    plain(2, 'XENVER_compile_info', (call) => {
      const parts = compileInfo.map(([text, bytes]) => field(text, bytes));
      let at = call.registers[1] ?? 0n;
      for (const part of parts) {
        call.write(at, part);
        at += BigInt(part.length);
      }
      return 0;
    }),
    plain(3, 'XENVER_capabilities', answer(capabilities, 1024)),
    plain(4, 'XENVER_changeset', answer('', 64)),
    withStruct(5, 'XENVER_platform_parameters', PlatformParameters, (call) => {
      call.writeStruct(PlatformParameters, call.registers[1] ?? 0n, {
        virt_start: call.wide ? virtStart.wide : virtStart.narrow,
      });
      return 0;
    }),
    withStruct(6, 'XENVER_get_features', FeatureInfo, (call) => {
      const info = call.load();
      if (info.submap_idx !== 0) return Errno.EINVAL;
      call.store({ ...info, submap: call.domain.isInitial ? features | XENFEAT_dom0 : features });
      return 0;
    }),
    plain(7, 'XENVER_pagesize', ({ registers: [, arg = 0n] }) => (arg === 0n ? 4096 : Errno.EINVAL)),
    plain(8, 'XENVER_guest_handle', (call) => {
      call.write(call.registers[1] ?? 0n, call.domain.uuid);
      return 0;
    }),
    plain(9, 'XENVER_commandline', answer(denied, denied.length + 1)),
    plain(10, 'XENVER_build_id', () => Errno.EPERM),
  ],
};
