/** A set of integers as ascending ranges that neither overlap nor touch: bytes of an address space. */
import type { RamRange } from './ram-map.js';

export class RangeSet {
  private readonly ranges: RamRange[] = [];

  get isEmpty(): boolean {
    return this.ranges.length === 0;
  }

  /** All ranges, ascending; borrowed until the set changes. */
  all(): readonly RamRange[] {
    return this.ranges;
  }

  add(start: number, end: number): void {
    if (end <= start) return;
    const first = this.firstEndingAt(start);
    let behind = first;
    let range = { start, end };
    for (let next = this.ranges[behind]; next !== undefined && next.start <= end; next = this.ranges[++behind])
      range = { start: Math.min(range.start, next.start), end: Math.max(range.end, next.end) };
    this.ranges.splice(first, behind - first, range);
  }

  remove(start: number, end: number): void {
    if (end <= start) return;
    const first = this.firstEndingAt(start + 1);
    let behind = first;
    const left: RamRange[] = [];
    for (let next = this.ranges[behind]; next !== undefined && next.start < end; next = this.ranges[++behind]) {
      if (next.start < start) left.push({ start: next.start, end: start });
      if (next.end > end) left.push({ start: end, end: next.end });
    }
    this.ranges.splice(first, behind - first, ...left);
  }

  clear(): void {
    this.ranges.length = 0;
  }

  has(value: number): boolean {
    return this.overlaps(value, value + 1);
  }

  overlaps(start: number, end: number): boolean {
    const next = this.ranges[this.firstEndingAt(start + 1)];
    return next !== undefined && next.start < end;
  }

  /** What of a range is in the set, ascending. */
  within(start: number, end: number): RamRange[] {
    const found: RamRange[] = [];
    for (let at = this.firstEndingAt(start + 1); ; at++) {
      const next = this.ranges[at];
      if (next === undefined || next.start >= end) return found;
      found.push({ start: Math.max(start, next.start), end: Math.min(end, next.end) });
    }
  }

  /** Index of the first range that ends at `end` or behind it. */
  private firstEndingAt(end: number): number {
    let low = 0;
    let high = this.ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.ranges[middle]?.end ?? 0) < end) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
