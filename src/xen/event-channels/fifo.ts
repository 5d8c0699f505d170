import {
  fifoChannels,
  FifoControlBlock,
  fifoLinkBits,
  FifoPriority,
  fifoQueues,
  FifoWordBit,
} from '../../../firmware-tables/xen/event-fifo.js';
import type { DomainMemory } from '../domain-memory.js';
import { Errno } from '../errno.js';
import type { EventAbi, EventDelivery } from './abi.js';
import { Frame, frameBytes, type FrameState } from './frame.js';
import type { Port } from './port.js';

export interface FifoState {
  readonly control: { readonly frame: FrameState; readonly offset: number };
  readonly pages: readonly FrameState[];
  readonly tails: readonly number[];
}

const wordBytes = 4;
const wordsPerPage = frameBytes / wordBytes;
const maxPages = fifoChannels / wordsPerPage;
const linkMask = 2 ** fifoLinkBits - 1;
const readyOffset = FifoControlBlock.offsetOf('ready');
const headOffset = FifoControlBlock.offsetOf('head');

/** Where a control block may lie: within one page, 8-byte aligned. `offset` is unsigned. 0 or an errno. */
export const checkControlOffset = (offset: number): number =>
  offset > frameBytes - FifoControlBlock.size || offset % 8 !== 0 ? Errno.EINVAL : 0;

/**
 * The FIFO ABI: an event word for every port in pages that the guest hands over, and for every priority a queue, linked
 * through these words, whose head is in the vCPU's control block. Xen common/event_fifo.c.
 *
 * Every word and the control block belong to the guest, which may write anything. Nothing read from them is used as an
 * address or a port: the tails of the queues are kept here, and a link is only ever written.
 */
export class FifoAbi implements EventAbi {
  readonly maxPorts = fifoChannels;
  readonly #pages: Frame[] = [];
  /** The last event of each queue, 0 while it is known to be empty. */
  readonly #tails: number[] = new Array<number>(fifoQueues).fill(0);

  constructor(
    private readonly memory: DomainMemory,
    private readonly delivery: EventDelivery,
    private readonly control: { readonly frame: Frame; readonly offset: number },
  ) {}

  /** Event words that exist: EVTCHNOP_expand_array adds a page of them. */
  get words(): number {
    return this.#pages.length * wordsPerPage;
  }

  /** add_page_to_event_array() without the events that waited for the page: 0 or an errno. */
  addPage(gfn: number): number {
    if (this.#pages.length >= maxPages) return Errno.ENOSPC;
    const frame = Frame.at(this.memory, gfn);
    if (!frame) return Errno.EINVAL;
    this.#pages.push(frame);
    return 0;
  }

  initialise(port: Port): void {
    port.priority = FifoPriority.DEFAULT;
  }

  setPending(port: Port): void {
    const word = this.#word(port.number);
    if (!word) {
      port.pending = true; // until its page comes
      return;
    }
    const wasPending = word.set(FifoWordBit.PENDING);
    // Linked, unless the guest does not want it or has it in a queue still.
    if (!word.test(FifoWordBit.MASKED) && !word.set(FifoWordBit.LINKED)) this.#append(port);
    if (!wasPending) this.delivery.wakePollers(port.number);
  }

  #append(port: Port): void {
    // Unlinked by the guest, so a queue that ends in it is empty.
    if (this.#tails[port.lastPriority] === port.number) this.#tails[port.lastPriority] = 0;
    const queue = port.priority;
    port.lastPriority = queue;
    const tail = this.#tails[queue]!;
    const linked = tail !== 0 && (this.#word(tail)?.setLink(port.number) ?? false);
    if (!linked) this.control.frame.write32(this.control.offset + headOffset + 4 * queue, port.number);
    this.#tails[queue] = port.number;
    if (!linked && !this.control.frame.setBit(this.control.offset + readyOffset, queue)) {
      this.delivery.markEventsPending();
    }
  }

  clearPending(port: Port): void {
    // The guest unlinks what is not pending, and passes over it.
    this.#word(port.number)?.clear(FifoWordBit.PENDING);
  }

  unmask(port: Port): void {
    const word = this.#word(port.number);
    if (!word) return;
    word.clear(FifoWordBit.MASKED);
    if (word.test(FifoWordBit.PENDING)) this.setPending(port);
  }

  isPending(port: Port): boolean {
    return this.#word(port.number)?.test(FifoWordBit.PENDING) ?? false;
  }

  isMasked(port: Port): boolean {
    return this.#word(port.number)?.test(FifoWordBit.MASKED) ?? true;
  }

  isBusy(port: Port): boolean {
    return this.#word(port.number)?.test(FifoWordBit.LINKED) ?? false;
  }

  setPriority(port: Port, priority: number): number {
    if (priority > FifoPriority.MIN) return Errno.EINVAL;
    port.priority = priority;
    return 0;
  }

  #word(port: number): EventWord | undefined {
    const page = this.#pages[Math.floor(port / wordsPerPage)];
    return page && new EventWord(page, (port % wordsPerPage) * wordBytes);
  }

  /** The frames that the map may lose. */
  *frames(): Iterable<Frame> {
    yield this.control.frame;
    yield* this.#pages;
  }

  save(): FifoState {
    return {
      control: { frame: this.control.frame.save(), offset: this.control.offset },
      pages: this.#pages.map((page) => page.save()),
      tails: [...this.#tails],
    };
  }

  static restored(memory: DomainMemory, delivery: EventDelivery, state: FifoState): FifoAbi {
    const { frame, offset } = state.control;
    const abi = new FifoAbi(memory, delivery, { frame: Frame.restored(memory, frame), offset });
    abi.#pages.push(...state.pages.map((page) => Frame.restored(memory, page)));
    abi.#tails.splice(0, fifoQueues, ...state.tails);
    return abi;
  }
}

/** One event word in the guest's memory. */
class EventWord {
  constructor(
    private readonly page: Frame,
    private readonly offset: number,
  ) {}

  test(bit: number): boolean {
    return this.page.testBit(this.offset, bit);
  }

  set(bit: number): boolean {
    return this.page.setBit(this.offset, bit);
  }

  clear(bit: number): void {
    this.page.clearBit(this.offset, bit);
  }

  /**
   * evtchn_fifo_set_link(): the word's event is followed by `port`, unless the guest has unlinked it. With one vCPU
   * nobody changes the word meanwhile, so BUSY, which would keep the guest from unmasking it, is cleared but never set.
   */
  setLink(port: number): boolean {
    const value = this.page.read32(this.offset);
    if (((value >>> FifoWordBit.LINKED) & 1) === 0) return false;
    this.page.write32(this.offset, ((value & ~((1 << FifoWordBit.BUSY) | linkMask)) | port) >>> 0);
    return true;
  }
}
