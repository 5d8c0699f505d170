import { array, struct, u32 } from '../layout.js';

/** EVTCHN_FIFO_PRIORITY_*: 0 is served first. Xen public/event_channel.h. */
export const FifoPriority = { MAX: 0, DEFAULT: 7, MIN: 15 } as const;

/** EVTCHN_FIFO_MAX_QUEUES: one queue for every priority of a vCPU. */
export const fifoQueues = 16;

/** struct evtchn_fifo_control_block: one for every vCPU, 8-byte aligned within one page. Xen public/event_channel.h. */
export const FifoControlBlock = struct('evtchn_fifo_control_block', 72, [
  u32('ready'), // bit n: queue n has become non-empty; Xen sets, the guest clears
  u32('_rsvd'),
  array('head', u32, fifoQueues), // port of the first event of a queue that was empty
]);

/** event_word_t: one 32-bit word a port, 1024 in a page of the event array. Bit numbers. Xen public/event_channel.h. */
export const FifoWordBit = { PENDING: 31, MASKED: 30, LINKED: 29, BUSY: 28 } as const;

/** EVTCHN_FIFO_LINK_BITS: the low bits of an event word are the port of the next event of its queue. */
export const fifoLinkBits = 17;

/** EVTCHN_FIFO_NR_CHANNELS. */
export const fifoChannels = 2 ** fifoLinkBits;
