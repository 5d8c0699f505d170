/** Watched bytes of guest RAM: which they are, and who is told when guest instructions load or store them. */
import { ramAddress, ramOffset, ramRanges, type RamRange, type RamSizes } from '../memory/ram-map.js';
import { RangeSet } from '../memory/range-set.js';
import * as L from './state-layout.js';

/** A load or store of watched bytes that an instruction is about to make. */
export interface WatchedAccess {
  /** Guest-physical address of the first watched byte. */
  readonly physical: number;
  /** How many bytes of the access are watched from there on; several accesses are told where watched bytes have gaps. */
  readonly bytes: number;
  readonly write: boolean;
  /** Made by the processor for an instruction or an exception: a descriptor, a TSS, a gate of the IDT, a frame. */
  readonly implicit?: true;
  /** Linear address of the instruction; where the processor does not observe, RIP, which may be off by some instructions. */
  readonly instruction: bigint;
}

/** One who watches bytes; what others watch is none of its business. */
export interface Watcher {
  /** Called before each access. It may watch and unwatch bytes, and write memory: a load then sees the new bytes. */
  onWatched: ((access: WatchedAccess) => void) | undefined;
  /** Watches bytes from a guest-physical address on; what is no RAM is left out. */
  watch(physical: number, bytes: number): void;
  unwatch(physical: number, bytes: number): void;
  unwatchAll(): void;
  isWatched(physical: number): boolean;
}

const PAGE_SHIFT = 12;

/** What watching needs of the processor. */
export interface WatchedProcessor {
  readonly memory: WebAssembly.Memory;
  readonly ram: RamSizes;
  /** The byte of some pages in L.CODE_PAGES has changed. */
  refresh(): void;
  /** Linear address of the instruction that runs. */
  instruction(): bigint;
}

/**
 * Keeps what the core looks at: a bit for each granule that holds a watched byte, and one for each page. The caller's
 * watches are no state of the machine.
 */
export class WatchedMemory {
  private readonly u8: Uint8Array;
  private readonly watchers: RamWatcher[] = [];

  constructor(private readonly processor: WatchedProcessor) {
    this.u8 = new Uint8Array(processor.memory.buffer);
  }

  addWatcher(): Watcher {
    const watcher = new RamWatcher(this.processor.ram, (start, end) => {
      this.mark(start, end);
    });
    this.watchers.push(watcher);
    return watcher;
  }

  /** The core says that a guest is about to access bytes of granules that are watched. By place. */
  tell(place: number, bytes: number, write: boolean, implicit: boolean): void {
    const { ram } = this.processor;
    const instruction = this.processor.instruction();
    for (const watcher of this.watchers) {
      for (const { start, end } of watcher.bytes.within(place, place + bytes)) {
        watcher.onWatched?.({
          physical: ramAddress(ram, start),
          bytes: end - start,
          write,
          instruction,
          ...(implicit && { implicit }),
        });
      }
    }
  }

  /** Makes the bits of all granules and pages that places touch say what is watched now. */
  private mark(start: number, end: number): void {
    this.markBits(aligned(start, end, 1 << L.WATCH_GRANULE_SHIFT));
    if (this.markPages(aligned(start, end, 1 << PAGE_SHIFT))) this.processor.refresh();
  }

  private watchedWithin({ start, end }: RamRange): RamRange[] {
    return this.watchers.flatMap((watcher) => watcher.bytes.within(start, end));
  }

  private markBits(range: RamRange): void {
    this.setBits(range, false);
    for (const watched of this.watchedWithin(range)) this.setBits(watched, true);
  }

  private setBits({ start, end }: RamRange, on: boolean): void {
    const behind = Math.floor((end - 1) / (1 << L.WATCH_GRANULE_SHIFT)) + 1;
    for (let granule = Math.floor(start / (1 << L.WATCH_GRANULE_SHIFT)); granule < behind;) {
      const at = L.WATCH_BITMAP + (granule >>> 3);
      const wholeBytes = (granule & 7) === 0 ? (behind - granule) >>> 3 : 0;
      if (wholeBytes > 0) {
        this.u8.fill(on ? 0xff : 0, at, at + wholeBytes);
        granule += 8 * wholeBytes;
        continue;
      }
      const bit = 1 << (granule & 7);
      if (on) this.u8[at]! |= bit;
      else this.u8[at]! &= ~bit;
      granule++;
    }
  }

  /** True when the bit of any page has changed. */
  private markPages(range: RamRange): boolean {
    const first = pageOf(range.start);
    const wanted = new Uint8Array(pageOf(range.end) - first);
    for (const { start, end } of this.watchedWithin(range))
      wanted.fill(L.PAGE_WATCHED, pageOf(start) - first, pageOf(end - 1) + 1 - first);
    let changed = false;
    wanted.forEach((bit, n) => {
      const at = L.CODE_PAGES + first + n;
      const old = this.u8[at]!;
      this.u8[at] = (old & ~L.PAGE_WATCHED) | bit;
      changed ||= (old & L.PAGE_WATCHED) !== bit;
    });
    return changed;
  }
}

/** A watcher's bytes, by place. */
class RamWatcher implements Watcher {
  readonly bytes = new RangeSet();
  onWatched: ((access: WatchedAccess) => void) | undefined;

  constructor(
    private readonly ram: RamSizes,
    private readonly changed: (start: number, end: number) => void,
  ) {}

  watch(physical: number, bytes: number): void {
    for (const { start, end } of this.places(physical, bytes)) {
      this.bytes.add(start, end);
      this.changed(start, end);
    }
  }

  unwatch(physical: number, bytes: number): void {
    for (const { start, end } of this.places(physical, bytes)) {
      if (!this.bytes.overlaps(start, end)) continue;
      this.bytes.remove(start, end);
      this.changed(start, end);
    }
  }

  unwatchAll(): void {
    const ranges = [...this.bytes.all()];
    this.bytes.clear();
    for (const { start, end } of ranges) this.changed(start, end);
  }

  isWatched(physical: number): boolean {
    const place = ramOffset(this.ram, physical);
    return place !== undefined && this.bytes.has(place);
  }

  /** The parts of a range of guest-physical addresses that are RAM, as places. */
  private places(physical: number, bytes: number): RamRange[] {
    return ramRanges(this.ram).flatMap((range) => {
      const start = Math.max(range.start, physical);
      const end = Math.min(range.end, physical + bytes);
      const place = ramOffset(this.ram, start);
      return start < end && place !== undefined ? [{ start: place, end: place + end - start }] : [];
    });
  }
}

const pageOf = (place: number): number => Math.floor(place / (1 << PAGE_SHIFT));

const aligned = (start: number, end: number, unit: number): RamRange => ({
  start: Math.floor(start / unit) * unit,
  end: Math.ceil(end / unit) * unit,
});
