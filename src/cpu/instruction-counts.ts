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

const FIRST_CAPACITY = 1024; // entries, a power of two
const SLOTS = 2; // for each entry
const LENGTH_BITS = 4;

/** Sums by address, length and mode: a hash table in plain arrays, for there are hundreds of thousands. */
export class InstructionCounts {
  private capacity = FIRST_CAPACITY;
  private used = 0;
  /** Addresses as two halves, low first. */
  private halves = new Uint32Array(2 * FIRST_CAPACITY);
  /** Mode and length. */
  private kinds = new Uint16Array(FIRST_CAPACITY);
  private counts = new Float64Array(FIRST_CAPACITY);
  /** Number of the entry and 1, by hash; 0: none. */
  private slots = new Int32Array(SLOTS * FIRST_CAPACITY);
  /** The slot of each entry. */
  private slotOf = new Int32Array(FIRST_CAPACITY);

  /** Adds executions of the instruction that a record holds. */
  add(view: DataView, record: number, length: number, mode: number, times: number): void {
    const next = view.getUint32(record + L.REC_NEXT_RIP, true);
    let high = view.getUint32(record + L.REC_NEXT_RIP + 4, true);
    if (next < length && (mode & L.MODE_LONG) !== 0) high = (high - 1) >>> 0;
    const low = (next - length) >>> 0;
    const kind = (mode << LENGTH_BITS) | length;
    const { halves, kinds, counts, slots } = this;
    const slot = this.find(low, high, kind);
    const known = slots[slot]! - 1;
    if (known >= 0) {
      counts[known] = counts[known]! + times;
      return;
    }
    const entry = this.used++;
    halves[2 * entry] = low;
    halves[2 * entry + 1] = high;
    kinds[entry] = kind;
    counts[entry] = times;
    this.slotOf[entry] = slot;
    slots[slot] = entry + 1;
    if (this.used === this.capacity) this.grow();
  }

  /** The slot of an instruction, or the free one where it belongs. */
  private find(low: number, high: number, kind: number): number {
    const { halves, kinds, slots } = this;
    const mask = slots.length - 1;
    let slot = (Math.imul(low ^ Math.imul(high ^ kind, 0x85eb_ca6b), 0x9e37_79b1) >>> 7) & mask;
    for (; ; slot = (slot + 1) & mask) {
      const entry = slots[slot]! - 1;
      if (entry < 0) return slot;
      if (halves[2 * entry] === low && halves[2 * entry + 1] === high && kinds[entry] === kind) return slot;
    }
  }

  /** What was added since the last call. */
  take(): ExecutedInstructions {
    const { used, kinds, slots, slotOf } = this;
    const taken = {
      addresses: new BigUint64Array(this.halves.slice(0, 2 * used).buffer),
      lengths: Uint8Array.from(kinds.subarray(0, used), (kind) => kind & ((1 << LENGTH_BITS) - 1)),
      modes: Uint16Array.from(kinds.subarray(0, used), (kind) => kind >>> LENGTH_BITS),
      counts: this.counts.slice(0, used),
    };
    for (let entry = 0; entry < used; entry++) slots[slotOf[entry]!] = 0;
    this.used = 0;
    return taken;
  }

  private grow(): void {
    const { used, halves, kinds, counts } = this;
    this.capacity *= 4;
    this.halves = new Uint32Array(2 * this.capacity);
    this.halves.set(halves);
    this.kinds = new Uint16Array(this.capacity);
    this.kinds.set(kinds);
    this.counts = new Float64Array(this.capacity);
    this.counts.set(counts);
    this.slots = new Int32Array(SLOTS * this.capacity);
    this.slotOf = new Int32Array(this.capacity);
    for (let entry = 0; entry < used; entry++) {
      const slot = this.find(halves[2 * entry]!, halves[2 * entry + 1]!, kinds[entry]!);
      this.slots[slot] = entry + 1;
      this.slotOf[entry] = slot;
    }
  }
}
