/**
 * Counters of hot code in linear memory, for an observing processor: one where a block of a region is charged, one for
 * each place in a block where hot code leaves and gives the rest of the charge back.
 */

/** What one region counts. */
export class RegionCounters {
  private readonly counters: number[] = [];
  /** The records that each counter stands for: it opens at the one and closes at the other, as in execution-counts.ts. */
  private readonly opens: number[] = [];
  private readonly closes: number[] = [];

  constructor(private readonly pool: CounterPool) {}

  /** Address of a counter of executions of the records from `first` up to `end`. */
  executed(first: number, end: number): number {
    const counter = this.pool.take();
    this.counters.push(counter);
    this.opens.push(first);
    this.closes.push(end);
    return counter;
  }

  /** Address of a counter of executions that were counted and did not come about. */
  takenBack(first: number, end: number): number {
    return this.executed(end, first);
  }

  /** Tells what was counted since the last time; the counters begin again at 0. */
  read(u32: Uint32Array, tell: (open: number, close: number, times: number) => void): void {
    const { counters, opens, closes } = this;
    for (let i = 0; i < counters.length; i++) {
      const at = counters[i]! >>> 2;
      const times = u32[at]!;
      if (times === 0) continue;
      tell(opens[i]!, closes[i]!, times);
      u32[at] = 0;
    }
  }

  /** The counters are free for another region. */
  free(): void {
    this.pool.give(this.counters);
  }
}

/** Addresses of counters, u32 each. */
export class CounterPool {
  private next: number;
  private readonly freed: number[] = [];

  constructor(
    private readonly first: number,
    private readonly end: number,
  ) {
    this.next = first;
  }

  /** Counters that are left. */
  get left(): number {
    return (this.end - this.next) / 4 + this.freed.length;
  }

  take(): number {
    const counter = this.freed.pop() ?? this.next;
    if (counter === this.next) this.next += 4;
    if (counter >= this.end) throw new Error('no counter is left');
    return counter;
  }

  give(counters: readonly number[]): void {
    for (const counter of counters) this.freed.push(counter);
  }

  /** All of them are free. */
  clear(): void {
    this.next = this.first;
    this.freed.length = 0;
  }
}
