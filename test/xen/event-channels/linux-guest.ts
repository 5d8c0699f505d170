import { FifoWordBit, fifoLinkBits } from '../../../firmware-tables/xen/event-fifo.js';
import type { EventChannels } from '../../../src/xen/event-channels/index.js';
import { at, type Guest } from './domain.js';

const bit = (n: number): number => 2 ** n;
const linkMask = bit(fifoLinkBits) - 1;

/**
 * A guest that takes events from FIFO queues as Linux does (drivers/xen/events/events_fifo.c), one event a step, so
 * that more events may come in between.
 */
export class LinuxGuest {
  /** What the guest remembers of its queues: the next event, 0 when it has to look into the control block. */
  readonly #heads = new Array<number>(16).fill(0);
  #ready = 0;
  #servedUpcalls = 0;
  #serving = false;
  /** What the last step unlinked, whether it was to be handled or not. */
  unlinked: { readonly queue: number; readonly port: number } | undefined;

  /** Replaced when the machine is restored. */
  channels: EventChannels;

  constructor(readonly guest: Guest) {
    this.channels = guest.channels;
  }

  #word(port: number): number {
    return this.guest.word(port);
  }

  is(port: number, which: keyof typeof FifoWordBit): boolean {
    return ((this.#word(port) >>> FifoWordBit[which]) & 1) !== 0;
  }

  mask(port: number): void {
    this.guest.setWord(port, this.#word(port) | bit(FifoWordBit.MASKED));
  }

  unmask(port: number): void {
    this.guest.setWord(port, this.#word(port) & ~bit(FifoWordBit.MASKED));
    if (this.is(port, 'PENDING')) this.channels.unmask(port);
  }

  #nothingReady(): boolean {
    return this.#ready === 0;
  }

  #takeReady(): void {
    const address = at.control * 4096;
    this.#ready |= this.guest.memory.u32(address);
    this.guest.memory.view.setUint32(address, 0, true);
  }

  /** Goes on with the upcall. The port whose handler runs, undefined when none does; false when no upcall is to be served. */
  step(): number | undefined | false {
    if (!this.#serving) {
      if (this.guest.upcalls === this.#servedUpcalls) return false;
      this.#servedUpcalls = this.guest.upcalls;
      this.#serving = true;
    }
    this.#takeReady(); // also what came while the last handler ran
    if (this.#ready === 0) {
      this.guest.memory.bytes[at.sharedInfo * 4096] = 0; // evtchn_upcall_pending, before ready is looked at
      this.#servedUpcalls = this.guest.upcalls;
      this.#takeReady();
    }
    if (this.#nothingReady()) {
      this.#serving = false;
      this.unlinked = undefined;
      return undefined;
    }
    const queue = 31 - Math.clz32(this.#ready & -this.#ready);
    const port = this.#heads[queue] || this.guest.head(queue);
    const word = this.#word(port);
    const next = word & linkMask;
    this.guest.setWord(port, word & ~(bit(FifoWordBit.LINKED) | linkMask));
    if (next === 0) this.#ready &= ~bit(queue);
    this.#heads[queue] = next;
    this.unlinked = { queue, port };
    const handled = this.is(port, 'PENDING') && !this.is(port, 'MASKED');
    if (handled) this.guest.setWord(port, this.#word(port) & ~bit(FifoWordBit.PENDING)); // the handler acknowledges
    return handled ? port : undefined;
  }
}
