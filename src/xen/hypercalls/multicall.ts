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

/** HYPERVISOR_multicall: calls from a list, each with its result in the list. A multicall in it is refused. */
export const multicall: Hypercall = {
  number: 13,
  name: 'multicall',
  registers: ['call_list', 'nr_calls'],
  pointer: 0,
  operations: [
    plain(0, 'multicall', (call) => {
      const [list = 0n, count = 0n] = call.registers;
      const size = BigInt(Entry.size(call.wide));
      const total = BigInt.asUintN(32, count);
      const result = call.domain.inMulticall((one) => {
        for (let i = 0n; i < total; i++) {
          const at = list + i * size;
          if (i >= BigInt(elementsAtOnce)) return new Continuation([at, total - i]);
          const entry = call.readStruct(Entry, at);
          const { arg0, arg1, arg2, arg3, arg4 } = entry;
          const given = [arg0, arg1, arg2, arg3, arg4];
          const ended = one(entry.op, given, call.wide);
          if (ended instanceof Continuation) {
            const [next0, next1, next2] = given.map((value, index) => ended.registers[index] ?? value);
            call.writeStruct(Entry, at, { ...entry, arg0: next0 ?? arg0, arg1: next1 ?? arg1, arg2: next2 ?? arg2 });
            return new Continuation([at, total - i]);
          }
          call.writeStruct(Entry, at, { ...entry, result: BigInt.asUintN(64, ended) });
        }
        return 0;
      });
      return result ?? Errno.EINVAL;
    }),
  ],
};
