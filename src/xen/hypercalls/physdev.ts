import { Errno } from '../errno.js';
import { plain, type Hypercall } from '../hypercall.js';

const PHYSDEVOP_map_pirq = 13;
const PHYSDEVOP_unmap_pirq = 14;

/** HYPERVISOR_physdev_op of a domain without physical interrupts: only a toolstack maps one. arch/x86/hvm/hypercall.c. */
export const physdevOp: Hypercall = {
  number: 33,
  name: 'physdev_op',
  registers: ['cmd', 'arg'],
  select: ([cmd = 0n]) => Number(BigInt.asIntN(32, cmd)),
  operations: [
    plain(PHYSDEVOP_map_pirq, 'PHYSDEVOP_map_pirq', (call) => {
      call.read(call.registers[1] ?? 0n, call.wide ? 32 : 28);
      return Errno.EPERM;
    }),
    plain(PHYSDEVOP_unmap_pirq, 'PHYSDEVOP_unmap_pirq', (call) => {
      call.read(call.registers[1] ?? 0n, 8);
      return Errno.EPERM;
    }),
  ],
};
