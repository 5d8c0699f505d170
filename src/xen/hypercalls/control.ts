/** What the control domain alone may ask. */
import { Errno } from '../errno.js';
import { plain, type Hypercall } from '../hypercall.js';

/** A hypercall of the control domain: the version in its structure is looked at before the caller. */
const control = (number: number, name: string, bytes: number, version: number): Hypercall => ({
  number,
  name,
  registers: ['u_op'],
  pointer: 0,
  operations: [
    plain(0, name, (call) => {
      const op = call.read(call.registers[0] ?? 0n, bytes);
      const given = new DataView(op.buffer).getUint32(4, true);
      call.show('cmd', String(new DataView(op.buffer).getUint32(0, true)));
      return given === version ? Errno.EPERM : Errno.EACCES;
    }),
  ],
});

/** xen_sysctl and xen_domctl: sizes and interface versions of Xen 4.17. */
export const sysctl = control(35, 'sysctl', 136, 0x15);
export const domctl = control(36, 'domctl', 144, 0x15);

/** HYPERVISOR_hypfs_op: for the control domain. */
export const hypfsOp: Hypercall = {
  number: 42,
  name: 'hypfs_op',
  registers: ['cmd', 'arg1', 'arg2', 'arg3', 'arg4'],
  operations: [plain(0, 'hypfs_op', () => Errno.EPERM)],
};
