import type { ProvidedMemory, ProvidedStructure } from '../../memory/provided.js';
import type { SurfaceStructure } from './result.js';
import type { ReadSite, ReadSites } from './read-sites.js';
import { StructureCounts } from './structure-counts.js';

/** An access of the guest to bytes that are watched. Addresses are guest-physical. */
export interface Access {
  readonly physical: number;
  readonly bytes: number;
  readonly write: boolean;
  /** Guest-linear. */
  readonly instruction: bigint;
}

/** Whoever tells of accesses before they are made: EmulatedProcessor.addWatcher(). What is no RAM it leaves out. */
export interface RamWatcher {
  onWatched: ((access: Access) => void) | undefined;
  watch(physical: number, bytes: number): void;
  unwatch(physical: number, bytes: number): void;
}

/** A structure, or a copy of some of it, where it is now. */
interface Place {
  readonly counts: StructureCounts;
  readonly address: number; // guest-physical
  readonly bytes: number;
  /** Of its first byte in the structure. */
  readonly offset: number;
  readonly isCopy: boolean;
}

const endOf = ({ address, bytes }: Place): number => address + bytes;
const overlaps = (place: Place, start: number, end: number): boolean => place.address < end && start < endOf(place);

/** Copies of one structure that are followed at most, and stores of copies that are expected at a time. */
const mostCopies = 32;
const mostExpected = 8;

/**
 * Watches every structure that was provided, and counts who reads what of it or of copies. A store of the guest ends the
 * watch of the bytes that it stores, but for what it shares with Xen.
 */
export class WatchedStructures {
  private readonly all: StructureCounts[] = [];
  /** What is there now, by address; nothing overlaps. */
  private places: Place[] = [];
  /** Where bytes of a copy will be stored by the instructions that come now. */
  private expected: { readonly address: number; readonly end: number }[] = [];

  constructor(
    private readonly watcher: RamWatcher,
    private readonly sites: ReadSites,
    private readonly target: {
      phase(): string;
      destinationOf(physical: number, bytes: number): number | undefined;
    },
  ) {
    watcher.onWatched = (access) => {
      this.accessed(access);
    };
  }

  /** From now on everything that is there and that will come is watched. */
  follow(provided: ProvidedMemory): void {
    for (const structure of provided.structures) this.add(structure);
    provided.onStructure = (structure) => {
      this.add(structure);
    };
    provided.onEnd = ({ address, bytes }, why) => {
      this.end(address, bytes, why);
    };
  }

  add(structure: ProvidedStructure): void {
    const { address, bytes } = structure;
    if (bytes === 0) return;
    const counts = new StructureCounts(structure, this.target.phase());
    this.all.push(counts);
    this.end(address, bytes, 'replaced');
    this.put({ counts, address, bytes, offset: 0, isCopy: false });
  }

  /** Whatever lies in a range is no longer there. */
  end(address: number, bytes: number, why: string): void {
    const gone = this.places.filter(
      (place) => place.address < address + bytes && address < place.address + place.bytes,
    );
    if (gone.length === 0) return;
    this.places = this.places.filter((place) => !gone.includes(place));
    for (const place of gone) {
      if (!place.isCopy) place.counts.ended = why;
      this.watcher.unwatch(place.address, place.bytes);
    }
  }

  /** An access to memory that may be watched; `physical` may also lie outside RAM. */
  accessed({ physical, bytes, write, instruction }: Access): void {
    if (write && this.isExpected(physical, bytes)) return;
    let site: ReadSite | undefined;
    for (let i = this.firstEndingBehind(physical); i < this.places.length; i++) {
      const place = this.places[i];
      if (place === undefined || place.address >= physical + bytes) return;
      const start = Math.max(physical, place.address);
      const length = Math.min(physical + bytes, endOf(place)) - start;
      const offset = start - place.address + place.offset;
      if (write) this.stored(place, start, offset, length);
      else {
        site ??= this.sites.of(instruction);
        place.counts.read(place.isCopy ? this.sites.ofCopy(site) : site, offset, length);
        if (site.moves && this.copied(place.counts, start, offset, length)) i = this.firstEndingBehind(start);
      }
    }
  }

  results(): SurfaceStructure[] {
    return this.all.map((counts) => counts.result());
  }

  private stored({ counts, isCopy }: Place, start: number, offset: number, length: number): void {
    const shared = !isCopy && counts.structure.provider === 'xen';
    if (!isCopy) counts.write(offset, length, shared);
    if (!shared) this.watcher.unwatch(start, length);
  }

  /** Bytes of a structure are about to be stored elsewhere as well. True when the places have changed. */
  private copied(counts: StructureCounts, physical: number, offset: number, length: number): boolean {
    if (counts.structure.fields.length < 2) return false; // texts are copied more often than they are read
    const address = this.target.destinationOf(physical, length);
    if (address === undefined) return false;
    this.expected = [...this.expected.slice(1 - mostExpected), { address, end: address + length }];
    const end = address + length;
    if (this.places.some((place) => !place.isCopy && overlaps(place, address, end))) return false;
    const begun = this.places.find(
      (place) =>
        place.isCopy &&
        place.counts === counts &&
        place.address - place.offset === address - offset &&
        overlaps(place, address - 1, end + 1),
    );
    if (begun === undefined && counts.copies >= mostCopies) return false;
    if (begun === undefined) counts.copies++;
    const first = Math.min(address, begun?.address ?? address);
    const last = Math.max(end, begun === undefined ? end : endOf(begun));
    this.places = this.places.filter((place) => place !== begun).flatMap((place) => without(place, address, end));
    this.put({ counts, address: first, bytes: last - first, offset: offset + first - address, isCopy: true });
    return true;
  }

  private put(place: Place): void {
    this.places.push(place);
    this.places.sort((a, b) => a.address - b.address);
    this.watcher.watch(place.address, place.bytes);
  }

  /** Whether a store is what makes a copy. */
  private isExpected(physical: number, bytes: number): boolean {
    const found = this.expected.findIndex(({ address, end }) => address <= physical && physical + bytes <= end);
    if (found < 0) return false;
    const [{ end } = { end: 0 }] = this.expected.splice(found, 1);
    if (physical + bytes < end) this.expected.push({ address: physical + bytes, end });
    return true;
  }

  /** Index of the first place that ends behind an address. */
  private firstEndingBehind(physical: number): number {
    let low = 0;
    let high = this.places.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const { address, bytes } = this.places[middle]!;
      if (address + bytes <= physical) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** What is left of a copy when others come into a range. */
function without(place: Place, start: number, end: number): Place[] {
  if (!overlaps(place, start, end)) return [place];
  const { address, offset } = place;
  const behind = endOf(place) - end;
  return [
    ...(address < start ? [{ ...place, bytes: start - address }] : []),
    ...(behind > 0 ? [{ ...place, address: end, bytes: behind, offset: offset + end - address }] : []),
  ];
}
