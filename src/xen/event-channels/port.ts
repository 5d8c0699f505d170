import { FifoPriority } from '../../../firmware-tables/xen/event-fifo.js';

/** What a port is bound to: ECS_* of Xen's event channels, with what goes with it. Domains by their number. */
export type Binding =
  | { readonly kind: 'free' }
  | { readonly kind: 'reserved' } // port 0
  | { readonly kind: 'unbound'; readonly domain: number }
  | { readonly kind: 'interdomain'; readonly domain: number; readonly port: number }
  | { readonly kind: 'pirq'; readonly pirq: number }
  | { readonly kind: 'virq'; readonly virq: number }
  | { readonly kind: 'ipi' };

/** One event channel of the domain. Only `binding` changes when a port is closed: Xen does not clear the rest either. */
export interface Port {
  readonly number: number;
  binding: Binding;
  /** The vCPU that is told. */
  vcpu: number;
  /** FIFO: the event came while its array page was missing. */
  pending: boolean;
  /** FIFO: the queue of events to come. */
  priority: number;
  /** FIFO: the queue that the event was last on. */
  lastPriority: number;
}

export const newPort = (number: number): Port => ({
  number,
  binding: { kind: number === 0 ? 'reserved' : 'free' },
  vcpu: 0,
  pending: false,
  priority: FifoPriority.MAX,
  lastPriority: FifoPriority.MAX,
});

/** evtchn_usable(): bound, or waiting to be. */
export const usable = (port: Port): boolean => port.binding.kind !== 'free' && port.binding.kind !== 'reserved';
