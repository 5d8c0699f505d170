import { plain, type Hypercall, type Result } from '../hypercall.js';

const hugeTimeout = 1 << 18; // from 2^50 ns on
const millisecond = 1_000_000;

/** HYPERVISOR_set_timer_op: the single-shot timer to a system time; 0 stops it. 32-bit callers give it in two registers. */
export const setTimerOp: Hypercall = {
  number: 15,
  name: 'set_timer_op',
  registers: ['timeout', 'high'],
  operations: [
    plain(0, 'set_timer_op', ({ domain, wide, registers: [low = 0n, high = 0n] }): Result => {
      const timeout = BigInt.asIntN(64, wide ? low : low | (high << 32n));
      const now = BigInt(domain.now());
      const { time } = domain;
      if (timeout === 0n) time.stopSingleShot();
      else if (timeout < 0n || (timeout > now && Number(((timeout - now) >> 32n) & 0xffff_ffffn) >= hugeTimeout))
        time.setSingleShot(domain.now() + 100 * millisecond);
      else time.setSingleShot(Number(timeout));
      return 0;
    }),
  ],
};
