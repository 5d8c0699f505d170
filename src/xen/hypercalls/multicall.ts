import { Errno } from '../errno.js';
import { GuestStruct } from '../guest-struct.js';
import { Continuation, elementsAtOnce, plain, type Hypercall } from '../hypercall.js';

/** struct multicall_entry. xen/include/public/xen.h. */
const Entry = new GuestStruct('multicall_entry', {
  op: 'ulong',
  result: 'ulong',
  arg0: 'ulong',
  arg1: 'ulong',
  arg2: 'ulong',
  arg3: 'ulong',
  arg4: 'ulong',
  arg5: 'ulong',
});

/**
 * HYPERVISOR_multicall: calls from a list, each with its result in the list. A multicall in it is refused; a call in it
 * that goes on later leaves its new arguments in the list. xen/common/multicall.c.
 */
export const multicall: Hypercall = {
  number: 13,
  name: 'multicall',
  registers: ['call_list', 'nr_calls'],
  pointer: 0,
  operations: [
    plain(0, 'multicall', (call) => {
      const [list = 0n, count = 0n] = call.registers;
      const size = BigInt(Entry.size(call.wide));
      const calls = BigInt.asUintN(32, count);
      let later: Continuation | undefined;
      const first = call.domain.inMulticall((one) => {
        for (let i = 0n; i < calls && later === undefined; i++) {
          const at = list + i * size;
          if (i === BigInt(elementsAtOnce)) {
            later = new Continuation([at, calls - i]);
            break;
          }
          const entry = call.readStruct(Entry, at);
          const { arg0, arg1, arg2, arg3, arg4 } = entry;
          const result = one(entry.op, [arg0, arg1, arg2, arg3, arg4], call.wide);
          if (result instanceof Continuation) {
            const given = Object.fromEntries(result.registers.map((value, k) => [`arg${String(k)}`, value]));
            call.writeStruct(Entry, at, { ...entry, ...given });
            later = new Continuation([at, calls - i]);
          } else call.writeStruct(Entry, at, { ...entry, result: BigInt.asUintN(64, result) });
        }
      });
      return later ?? (first ? 0 : Errno.EINVAL);
    }),
  ],
};
