import { GuestStruct } from '../guest-struct.js';
import { withStruct, type Call, type Hypercall } from '../hypercall.js';

// Structures of xen/include/public/event_channel.h; 32-bit callers give them in the 64-bit layout.
const AllocUnbound = new GuestStruct('evtchn_alloc_unbound', { dom: 'u16', remote_dom: 'u16', port: 'u32' });
const BindInterdomain = new GuestStruct('evtchn_bind_interdomain', {
  remote_dom: 'u16',
  remote_port: 'u32',
  local_port: 'u32',
});
const BindVirq = new GuestStruct('evtchn_bind_virq', { virq: 'u32', vcpu: 'u32', port: 'u32' });
const BindPirq = new GuestStruct('evtchn_bind_pirq', { pirq: 'u32', flags: 'u32', port: 'u32' });
const BindIpi = new GuestStruct('evtchn_bind_ipi', { vcpu: 'u32', port: 'u32' });
const Close = new GuestStruct('evtchn_close', { port: 'u32' });
const Send = new GuestStruct('evtchn_send', { port: 'u32' });
const Status = new GuestStruct('evtchn_status', {
  dom: 'u16',
  port: 'u32',
  status: 'u32',
  vcpu: 'u32',
  u0: 'u32', // the domain, the pirq or the virq
  u1: 'u32', // the remote port
});
const BindVcpu = new GuestStruct('evtchn_bind_vcpu', { port: 'u32', vcpu: 'u32' });
const Unmask = new GuestStruct('evtchn_unmask', { port: 'u32' });
const Reset = new GuestStruct('evtchn_reset', { dom: 'u16' });
const InitControl = new GuestStruct('evtchn_init_control', {
  control_gfn: 'u64aligned',
  offset: 'u32',
  vcpu: 'u32',
  link_bits: 'u8',
});
const ExpandArray = new GuestStruct('evtchn_expand_array', { array_gfn: 'u64aligned' });
const SetPriority = new GuestStruct('evtchn_set_priority', { port: 'u32', priority: 'u32' });

/** A result of EventChannels that is a port goes into the structure. */
function giveBack(result: number, store: (value: number) => void): number {
  if (result < 0) return result;
  store(result);
  return 0;
}

function reset(call: Call<{ dom: 'u16' }>, way: 'reset' | 'continueReset'): number {
  return call.domain.events[way](call.load().dom);
}

/** HYPERVISOR_event_channel_op. xen/common/event_channel.c. */
export const eventChannelOp: Hypercall = {
  number: 32,
  name: 'event_channel_op',
  registers: ['cmd', 'arg'],
  select: ([cmd = 0n]) => Number(BigInt.asIntN(32, cmd)),
  operations: [
    withStruct(6, 'EVTCHNOP_alloc_unbound', AllocUnbound, (call) => {
      const op = call.load();
      return giveBack(call.domain.events.allocUnbound(op.dom, op.remote_dom), (port) => {
        call.store({ ...op, port });
      });
    }),
    withStruct(0, 'EVTCHNOP_bind_interdomain', BindInterdomain, (call) => {
      const op = call.load();
      return giveBack(call.domain.events.bindInterdomain(op.remote_dom, op.remote_port), (local_port) => {
        call.store({ ...op, local_port });
      });
    }),
    withStruct(1, 'EVTCHNOP_bind_virq', BindVirq, (call) => {
      const op = call.load();
      return giveBack(call.domain.events.bindVirq(op.virq, op.vcpu), (port) => {
        call.store({ ...op, port });
      });
    }),
    withStruct(7, 'EVTCHNOP_bind_ipi', BindIpi, (call) => {
      const op = call.load();
      return giveBack(call.domain.events.bindIpi(op.vcpu), (port) => {
        call.store({ ...op, port });
      });
    }),
    withStruct(2, 'EVTCHNOP_bind_pirq', BindPirq, (call) => {
      const op = call.load();
      return giveBack(call.domain.events.bindPirq(op.pirq), (port) => {
        call.store({ ...op, port });
      });
    }),
    withStruct(3, 'EVTCHNOP_close', Close, (call) => call.domain.events.close(call.load().port)),
    withStruct(4, 'EVTCHNOP_send', Send, (call) => call.domain.events.send(call.load().port)),
    withStruct(5, 'EVTCHNOP_status', Status, (call) => {
      const op = call.load();
      const found = call.domain.events.status(op.port, op.dom);
      if (typeof found === 'number') return found;
      const { status, vcpu, domain, port, pirq, virq } = found;
      call.store({ ...op, status, vcpu, u0: domain ?? pirq ?? virq ?? op.u0, u1: port ?? op.u1 });
      return 0;
    }),
    withStruct(8, 'EVTCHNOP_bind_vcpu', BindVcpu, (call) => {
      const { port, vcpu } = call.load();
      return call.domain.events.bindVcpu(port, vcpu);
    }),
    withStruct(9, 'EVTCHNOP_unmask', Unmask, (call) => call.domain.events.unmask(call.load().port)),
    withStruct(10, 'EVTCHNOP_reset', Reset, (call) => reset(call, 'reset')),
    withStruct(14, 'EVTCHNOP_reset_cont', Reset, (call) => reset(call, 'continueReset')),
    withStruct(11, 'EVTCHNOP_init_control', InitControl, (call) => {
      const op = call.load();
      const { control_gfn, offset, vcpu } = op;
      return giveBack(call.domain.events.initControl(Number(control_gfn), offset, vcpu), (link_bits) => {
        call.store({ ...op, link_bits });
      });
    }),
    withStruct(12, 'EVTCHNOP_expand_array', ExpandArray, (call) =>
      call.domain.events.expandArray(Number(call.load().array_gfn)),
    ),
    withStruct(13, 'EVTCHNOP_set_priority', SetPriority, (call) => {
      const { port, priority } = call.load();
      return call.domain.events.setPriority(port, priority);
    }),
  ],
};
