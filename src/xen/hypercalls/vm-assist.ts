import { Errno } from '../errno.js';
import { plain, type Hypercall } from '../hypercall.js';

const runstateUpdateFlag = 5n; // VMASST_TYPE_runstate_update_flag, the only one of an HVM domain

/** HYPERVISOR_vm_assist. xen/common/domain.c. */
export const vmAssist: Hypercall = {
  number: 21,
  name: 'vm_assist',
  registers: ['cmd', 'type'],
  select: ([cmd = 0n]) => Number(BigInt.asUintN(32, cmd)),
  check: (_domain, [, type = 0n]) => (BigInt.asUintN(32, type) === runstateUpdateFlag ? undefined : Errno.EINVAL),
  operations: [
    plain(0, 'VMASST_CMD_enable', ({ domain }) => {
      domain.runstateUpdateFlag = true;
      return 0;
    }),
    plain(1, 'VMASST_CMD_disable', ({ domain }) => {
      domain.runstateUpdateFlag = false;
      return 0;
    }),
  ],
};
