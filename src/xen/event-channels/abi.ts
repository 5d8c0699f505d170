import type { Port } from './port.js';

/** How pending events are told to the guest: the 2-level bitmaps or the FIFO queues. Xen's struct evtchn_port_ops. */
export interface EventAbi {
  /** Ports that this ABI has room for. */
  readonly maxPorts: number;
  /** The port was bound. */
  initialise(port: Port): void;
  setPending(port: Port): void;
  clearPending(port: Port): void;
  unmask(port: Port): void;
  isPending(port: Port): boolean;
  isMasked(port: Port): boolean;
  /** The guest has not finished with the events of the port's last binding, so it cannot be allocated again. */
  isBusy(port: Port): boolean;
  /** A result below 0 is an errno. */
  setPriority(port: Port, priority: number): number;
}

/** What the ABIs have in common: how they reach the vCPU. */
export interface EventDelivery {
  /** vcpu_mark_events_pending(): evtchn_upcall_pending becomes 1 and, if it was not, the callback is delivered. */
  markEventsPending(): void;
  /** evtchn_check_pollers(): who waits for this port by SCHEDOP_poll goes on. */
  wakePollers(port: number): void;
}
