import { Errno } from '../errno.js';
import { plain, type Hypercall } from '../hypercall.js';

/** HYPERVISOR_xenpmu_op: no performance counters for guests. */
export const xenpmuOp: Hypercall = {
  number: 40,
  name: 'xenpmu_op',
  registers: ['op', 'arg'],
  operations: [plain(0, 'xenpmu_op', () => Errno.EOPNOTSUPP)],
};
