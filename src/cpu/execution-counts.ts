/**
 * How often each instruction was executed, kept by both tiers of an observing processor in linear memory behind RAM.
 *
 * A count for each record would cost an addition for each instruction. Records of a block run one behind the other, so the
 * tiers count differences: where execution begins at a record, its place goes up by one, and where it ends behind a
 * record, the place of the next one goes down by one. The sum of all places up to a record is how often that ran.
 */
import { CounterPool, type RegionCounters } from './hot/region-counters.js';
import { InstructionCounts, type ExecutedInstructions } from './instruction-counts.js';
import * as L from './state-layout.js';

/** Ticks after which the counts are read, long before one of 32 bits overflows. */
const MOST_TICKS = 2 ** 30;
const PLACES_BYTES = (L.RECORDS_END - L.RECORDS) >>> L.PLACE_SHIFT;
const HOT_BYTES = 0x40_0000;
/** More than any region needs: one for each block and each instruction. */
const MOST_COUNTERS = 1024;
const WORD = 4;
const { RECORD_BYTES, REC_LENGTH } = L; // read in a loop over all records
const PLACES_A_RECORD = RECORD_BYTES >>> (L.PLACE_SHIFT + 2);

/** What execution counts need of linear memory behind guest RAM. */
export const EXECUTION_COUNT_BYTES = PLACES_BYTES + HOT_BYTES;

export class ExecutionCounts {
  /** Counters for hot code. */
  readonly pool: CounterPool;
  private readonly view: DataView;
  private readonly u32: Uint32Array;
  private readonly places: Int32Array;
  private readonly counts = new InstructionCounts();
  /** First records of decoded blocks in ascending order, and the modes of the blocks. */
  private starts = new Uint32Array(1024);
  private modes = new Uint32Array(1024);
  private blocks = 0;
  private end = L.RECORDS;
  /** What hot code counts; `dropped` may run once more, up to where it leaves. */
  private readonly regions = new Set<RegionCounters>();
  private readonly dropped = new Set<RegionCounters>();
  private collectedAt = 0;
  private running = false;

  /** `first`: address of EXECUTION_COUNT_BYTES bytes of zeros. */
  constructor(memory: WebAssembly.Memory, first: number) {
    this.view = new DataView(memory.buffer);
    this.u32 = new Uint32Array(memory.buffer);
    this.places = new Int32Array(memory.buffer, first, PLACES_BYTES / WORD);
    this.pool = new CounterPool(first + PLACES_BYTES, first + EXECUTION_COUNT_BYTES);
    this.view.setUint32(L.PLACES, first - (L.RECORDS >>> L.PLACE_SHIFT), true);
  }

  /** A block was decoded; behind all others. */
  decoded(record: number, records: number, mode: number): void {
    const { blocks } = this;
    if (blocks === this.starts.length) {
      this.starts = larger(this.starts);
      this.modes = larger(this.modes);
    }
    this.starts[blocks] = record;
    this.modes[blocks] = mode;
    this.blocks++;
    this.end = record + records * L.RECORD_BYTES;
  }

  /** Hot code was made. */
  compiled(region: RegionCounters): void {
    this.regions.add(region);
  }

  /** Hot code is gone, but for a call that may be on its way out. */
  drop(region: RegionCounters): void {
    if (this.regions.delete(region)) this.dropped.add(region);
  }

  /** Counters of code that is gone are free for code to come. No hot code may be on the stack. */
  makeRoom(): void {
    if (!this.hasRoom(0)) this.collect();
  }

  /** Another region can be counted besides so many that have not taken their counters yet. */
  hasRoom(others: number): boolean {
    return this.pool.left > (others + 1) * MOST_COUNTERS;
  }

  /** The dispatch loop, in front of which counts are read that might overflow in it. */
  around(dispatch: (record: number) => number): (record: number) => number {
    return (record) => {
      const ticks = this.view.getFloat64(L.RUN_END, true) - this.view.getInt32(L.BUDGET, true);
      if (Math.abs(ticks - this.collectedAt) >= MOST_TICKS) {
        this.collect(); // a restored machine goes back in time
        this.collectedAt = ticks;
      }
      this.running = true;
      try {
        return dispatch(record);
      } finally {
        this.running = false;
      }
    };
  }

  /** Takes what the tiers have counted out of linear memory. No hot code may be on the stack. */
  collect(): void {
    for (const region of this.regions) region.read(this.u32, this.move);
    for (const region of this.dropped) {
      region.read(this.u32, this.move);
      region.free();
    }
    this.dropped.clear();
    const { places, view, starts, modes, blocks, counts } = this;
    let times = 0;
    for (let block = 0; block < blocks; block++) {
      const end = block + 1 < blocks ? starts[block + 1]! : this.end;
      const mode = modes[block]!;
      let place = placeOf(starts[block]!);
      for (let record = starts[block]!; record < end; record += RECORD_BYTES, place += PLACES_A_RECORD) {
        const change = places[place]!;
        if (change !== 0) {
          times = (times + change) | 0;
          places[place] = 0;
        }
        if (times === 0) continue;
        const length = view.getUint8(record + REC_LENGTH);
        if (length !== 0) counts.add(view, record, length, mode, times >>> 0); // pseudo-records have no length
      }
    }
  }

  private readonly move = (open: number, close: number, times: number): void => {
    const { places } = this;
    places[placeOf(open)] = places[placeOf(open)]! + times;
    places[placeOf(close)] = places[placeOf(close)]! - times;
  };

  /** What was retired since the last call. */
  take(): ExecutedInstructions {
    if (this.running) throw new Error('counts are taken between two instructions, not in a callback of a device');
    this.collect();
    return this.counts.take();
  }

  /** The records' memory and all hot code are about to be free again. */
  reset(): void {
    this.collect();
    this.regions.clear();
    this.pool.clear();
    this.blocks = 0;
    this.end = L.RECORDS;
  }
}

/** What a processor has counted since the last call. */
export function taken(counts: ExecutionCounts | undefined): ExecutedInstructions {
  if (counts === undefined) throw new Error('nothing was counted: make the processor with observing: true');
  return counts.take();
}

const placeOf = (record: number): number => (record - L.RECORDS) >>> (L.PLACE_SHIFT + 2);

function larger(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const copy = new Uint32Array(array.length * 2);
  copy.set(array);
  return copy;
}
