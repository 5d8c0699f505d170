import * as L from './state-layout.js';

/** Executed instructions, each once for each mode it ran in; equal indices belong together. In no order. */
export interface ExecutedInstructions {
  /** Guest-linear. */
  readonly addresses: BigUint64Array;
  /** Bytes; code that was changed may have instructions of several lengths at an address. */
  readonly lengths: Uint8Array;
  /** MODE_* bits (state-layout.ts) of the block. */
  readonly modes: Uint16Array;
  /** Times retired; iterations of an instruction with REP. */
  readonly counts: Float64Array;
}

const FIRST_CAPACITY = 1024; // slots, a power of two
const LENGTH_BITS = 4;

/** Sums by address, length and mode: a hash table in plain arrays, for there are hundreds of thousands. */
export class InstructionCounts {
  private capacity = 0;
  private used = 0;
  private lows = new Uint32Array(0);
  private highs = new Uint32Array(0);
  /** Mode and length; 0: the slot is free. */
  private kinds = new Uint32Array(0);
  private counts = new Float64Array(0);

  constructor() {
    this.resize(FIRST_CAPACITY);
  }

  /** Adds executions of the instruction that a record holds. */
  add(view: DataView, record: number, length: number, mode: number, times: number): void {
    const next = view.getUint32(record + L.REC_NEXT_RIP, true);
    let high = view.getUint32(record + L.REC_NEXT_RIP + 4, true);
    if (next < length && (mode & L.MODE_LONG) !== 0) high = (high - 1) >>> 0;
    this.count((next - length) >>> 0, high, (mode << LENGTH_BITS) | length, times);
  }

  private count(low: number, high: number, kind: number, times: number): void {
    if (this.used * 2 >= this.capacity) this.grow();
    const { lows, highs, kinds, counts } = this;
    const mask = this.capacity - 1;
    let slot = Math.imul(low ^ Math.imul(high ^ kind, 0x85eb_ca6b), 0x9e37_79b1) >>> 7;
    for (slot &= mask; kinds[slot] !== 0; slot = (slot + 1) & mask) {
      if (lows[slot] === low && highs[slot] === high && kinds[slot] === kind) {
        counts[slot] = counts[slot]! + times;
        return;
      }
    }
    this.used++;
    lows[slot] = low;
    highs[slot] = high;
    kinds[slot] = kind;
    counts[slot] = times;
  }

  /** What was added since the last call. */
  take(): ExecutedInstructions {
    const { used, capacity } = this;
    const taken = {
      addresses: new BigUint64Array(used),
      lengths: new Uint8Array(used),
      modes: new Uint16Array(used),
      counts: new Float64Array(used),
    };
    const halves = new Uint32Array(taken.addresses.buffer); // little endian, as every host of WebAssembly that we know
    let at = 0;
    for (let slot = 0; slot < capacity; slot++) {
      const kind = this.kinds[slot]!;
      if (kind === 0) continue;
      halves[2 * at] = this.lows[slot]!;
      halves[2 * at + 1] = this.highs[slot]!;
      taken.lengths[at] = kind & ((1 << LENGTH_BITS) - 1);
      taken.modes[at] = kind >>> LENGTH_BITS;
      taken.counts[at] = this.counts[slot]!;
      at++;
    }
    this.resize(FIRST_CAPACITY);
    return taken;
  }

  private resize(capacity: number): void {
    this.capacity = capacity;
    this.used = 0;
    this.lows = new Uint32Array(capacity);
    this.highs = new Uint32Array(capacity);
    this.kinds = new Uint32Array(capacity);
    this.counts = new Float64Array(capacity);
  }

  private grow(): void {
    const { lows, highs, kinds, counts, capacity } = this;
    this.resize(capacity * 2);
    for (let slot = 0; slot < capacity; slot++) {
      const kind = kinds[slot]!;
      if (kind !== 0) this.count(lows[slot]!, highs[slot]!, kind, counts[slot]!);
    }
  }
}
