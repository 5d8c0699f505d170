import { Errno } from '../errno.js';
import { GuestStruct } from '../guest-struct.js';
import { plain, withStruct, type Hypercall } from '../hypercall.js';

// Structures of xen/include/public/sched.h.
const Shutdown = new GuestStruct('sched_shutdown', { reason: 'u32' });
const Poll = new GuestStruct('sched_poll', { ports: 'pointer', nr_ports: 'u32', timeout: 'u64' });
const RemoteShutdown = new GuestStruct('sched_remote_shutdown', { domain_id: 'u16', reason: 'u32' });
const Watchdog = new GuestStruct('sched_watchdog', { id: 'u32', timeout: 'u32' });

const mostPorts = 128;

/** HYPERVISOR_sched_op. xen/common/sched/core.c. */
export const schedOp: Hypercall = {
  number: 29,
  name: 'sched_op',
  registers: ['cmd', 'arg'],
  select: ([cmd = 0n]) => Number(BigInt.asIntN(32, cmd)),
  operations: [
    plain(0, 'SCHEDOP_yield', () => 0), // nobody else wants the processor
    plain(1, 'SCHEDOP_block', ({ domain }) => {
      domain.block();
      return 0;
    }),
    withStruct(2, 'SCHEDOP_shutdown', Shutdown, (call) => {
      const { reason } = call.load();
      call.domain.shutdown(reason & 0xff);
      return 0;
    }),
    withStruct(3, 'SCHEDOP_poll', Poll, (call) => {
      const { ports, nr_ports, timeout } = call.load();
      const { domain } = call;
      if (nr_ports > mostPorts) return Errno.EINVAL;
      if (domain.interruptDue()) return 0;
      const list: number[] = [];
      for (let i = 0; i < nr_ports; i++) {
        const port = new DataView(call.read(ports + BigInt(4 * i), 4).buffer).getUint32(0, true);
        const state = domain.events.poll(port);
        if (state !== 0) return Math.min(state, 0);
        list.push(port);
      }
      domain.poll(list, timeout);
      return 0;
    }),
    withStruct(4, 'SCHEDOP_remote_shutdown', RemoteShutdown, (call) => {
      const { domain_id } = call.load();
      return domain_id === 0 || domain_id === call.domain.number ? Errno.EPERM : Errno.ESRCH;
    }),
    withStruct(5, 'SCHEDOP_shutdown_code', Shutdown, (call) => {
      call.domain.setShutdownCode(call.load().reason & 0xff);
      return 0;
    }),
    withStruct(6, 'SCHEDOP_watchdog', Watchdog, (call) => {
      const { id, timeout } = call.load();
      return call.domain.watchdogs.set(id, timeout);
    }),
    plain(7, 'SCHEDOP_pin_override', () => Errno.EPERM),
  ],
};
