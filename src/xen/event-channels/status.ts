import type { Port } from './port.js';

/** EVTCHNSTAT_*. Xen public/event_channel.h. */
export const EventChannelStatus = { closed: 0, unbound: 1, interdomain: 2, pirq: 3, virq: 4, ipi: 5 } as const;

/** What EVTCHNOP_status tells of a port. Fields of the union `u` that the status does not have are left out. */
export interface PortStatus {
  readonly status: number; // EVTCHNSTAT_*
  readonly vcpu: number;
  readonly domain?: number; // unbound, interdomain
  readonly port?: number; // interdomain
  readonly pirq?: number;
  readonly virq?: number;
}

export function statusOf({ binding, vcpu }: Port): PortStatus {
  switch (binding.kind) {
    case 'free':
    case 'reserved':
      return { status: EventChannelStatus.closed, vcpu };
    case 'unbound':
      return { status: EventChannelStatus.unbound, vcpu, domain: binding.domain };
    case 'interdomain':
      return { status: EventChannelStatus.interdomain, vcpu, domain: binding.domain, port: binding.port };
    case 'pirq':
      return { status: EventChannelStatus.pirq, vcpu, pirq: binding.pirq };
    case 'virq':
      return { status: EventChannelStatus.virq, vcpu, virq: binding.virq };
    case 'ipi':
      return { status: EventChannelStatus.ipi, vcpu };
  }
}
