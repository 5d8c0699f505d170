import { Errno } from '../errno.js';
import type { EventAbi } from './abi.js';
import { newPort, type Port } from './port.js';

/** EVTCHNS_PER_BUCKET: Xen makes ports in pages of struct evtchn, 64 bytes each. */
const portsPerBucket = 64;

/**
 * The ports that exist. A port is valid, if perhaps free, once a port in its bucket was allocated; operations on valid and
 * on other ports fail differently. Xen common/event_channel.c.
 */
export class PortTable {
  readonly #ports: Port[] = [];

  /** `maximum`: the highest port that the toolstack permits (event_channels of xl.cfg). */
  constructor(private readonly maximum: number) {
    this.#addBucket();
  }

  #addBucket(): void {
    for (let i = 0; i < portsPerBucket; i++) this.#ports.push(newPort(this.#ports.length));
  }

  /** The port, when it is valid. */
  at(number: number): Port | undefined {
    return this.#ports[number];
  }

  /** Valid ports, by number. */
  all(): readonly Port[] {
    return this.#ports;
  }

  /** evtchn_allocate_port(): the port, free and valid, or an errno. */
  allocate(number: number, abi: EventAbi): Port | number {
    if (number > this.maximum || number >= abi.maxPorts) return Errno.ENOSPC;
    while (number >= this.#ports.length) this.#addBucket();
    const port = this.#ports[number]!;
    return port.binding.kind !== 'free' || abi.isBusy(port) ? Errno.EBUSY : port;
  }

  /** get_free_port(): the lowest that can be had, or an errno. */
  allocateAny(abi: EventAbi): Port | number {
    for (let number = 0; number <= this.maximum; number++) {
      const port = this.allocate(number, abi);
      if (port !== Errno.EBUSY) return port;
    }
    return Errno.ENOSPC;
  }

  save(): readonly Port[] {
    return this.#ports.map((port) => ({ ...port }));
  }

  restore(state: readonly Port[]): void {
    this.#ports.splice(0, this.#ports.length, ...state.map((port) => ({ ...port })));
  }
}
