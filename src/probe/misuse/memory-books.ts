/** Whose memory is whose while boot services last: what was allocated, by whom, and what is nobody's. UEFI 2.10 section 7.2. */
import { MemoryType, pageBytes } from '../../../firmware-tables/uefi/memory-descriptor.js';
import type { Firmware } from '../../firmware/index.js';
import type { RamRange } from '../../memory/ram-map.js';
import { RangeSet } from '../../memory/range-set.js';
import { hex, type Allocation, type MisuseKind } from './finding.js';

/** Nothing that a program did is remembered farther back. */
const mostFreed = 1000;
/** An access this near to a pool block, in bytes, is taken for an overrun of it. */
const near = 256;

export interface Verdict {
  readonly kind: MisuseKind;
  /** Completes "it is ...". */
  readonly why: string;
  readonly allocation?: Allocation;
}

export class MemoryBooks {
  /** Of the pool, by address. */
  private readonly blocks = new Map<number, Allocation>();
  /** Addresses of the blocks that a guest's call allocated. */
  private readonly guests = new Set<number>();
  /** Of AllocatePages, as found in the map. */
  private pages: Allocation[] = [];
  /** The newest last. */
  private freed: Allocation[] = [];
  /** Guest-physical: what nobody may touch. */
  private nobodys = new RangeSet();
  private free = new RangeSet();
  private key = 0;
  private changes: { readonly address: number; readonly bytes: number; readonly freed: boolean }[] = [];
  /** The service and its caller that changed the map last. */
  lastChange = 'the firmware';

  constructor(
    private readonly firmware: Firmware,
    /** Told of bytes that become nobody's, or are no longer. */
    private readonly changed: (range: RamRange, isNobodys: boolean) => void,
  ) {
    firmware.pool.onChange = ({ kind, address, bytes }) => {
      this.changes.push({ address, bytes, freed: kind === 'freed' });
    };
  }

  /** Takes up what a call changed; `by` is the service and its caller. */
  settle(by: string, byGuest: boolean): void {
    const { memoryMap } = this.firmware;
    if (memoryMap.key === this.key) return;
    this.key = memoryMap.key;
    this.lastChange = by;
    this.settlePool(by, byGuest);
    this.settlePages(by, byGuest);
    this.settleNobodys();
  }

  private settlePool(by: string, byGuest: boolean): void {
    for (const { address, bytes, freed } of this.changes.splice(0)) {
      if (!freed) {
        this.forget(address, address + bytes);
        this.blocks.set(address, { address, bytes, of: 'pool', allocatedBy: by });
        if (byGuest) this.guests.add(address);
        continue;
      }
      const block = this.blocks.get(address);
      this.blocks.delete(address);
      this.guests.delete(address);
      this.freed.push({
        address,
        bytes: block?.bytes ?? bytes,
        of: 'pool',
        allocatedBy: block?.allocatedBy ?? by,
        freedBy: by,
      });
    }
  }

  private settlePages(by: string, byGuest: boolean): void {
    const { memoryMap } = this.firmware;
    const now = new RangeSet();
    for (const { start, pages, type } of memoryMap.entries())
      if (type === MemoryType.EfiConventionalMemory) now.add(start, start + pages * pageBytes);
    for (const { start, end } of minus(this.free, now)) {
      this.forget(start, end);
      this.pages.push({ address: start, bytes: end - start, of: 'pages', allocatedBy: by });
    }
    for (const { start, end } of minus(now, this.free)) {
      const allocatedBy = this.pages.find(
        ({ address, bytes }) => start >= address && end <= address + bytes,
      )?.allocatedBy;
      this.pages = this.pages.filter(({ address, bytes }) => address < start || address + bytes > end);
      const isPool = this.freed.some(({ address, of }) => of === 'pool' && address >= start && address < end);
      if (isPool || !byGuest) continue; // a run of pool pages went with its last block, or there was nothing before
      this.freed.push({
        ...{ address: start, bytes: end - start, of: 'pages' },
        ...{ allocatedBy: allocatedBy ?? 'the firmware', freedBy: by },
      });
    }
    this.freed = this.freed.slice(-mostFreed);
    this.free = now;
  }

  /** What was freed there is allocated again. */
  private forget(start: number, end: number): void {
    this.freed = this.freed.filter(({ address, bytes }) => address + bytes <= start || address >= end);
  }

  private settleNobodys(): void {
    const now = new RangeSet();
    for (const { start, end } of this.free.all()) now.add(start, end);
    for (const { start, end } of this.unusedPool()) now.add(start, end);
    for (const range of minus(this.nobodys, now)) this.changed(range, false);
    for (const range of minus(now, this.nobodys)) this.changed(range, true);
    this.nobodys = now;
  }

  /** The pages of the pool but for what was asked for. */
  private unusedPool(): readonly RamRange[] {
    const unused = new RangeSet();
    const runs = this.firmware.pool.save();
    for (const { start, pages } of runs) unused.add(start, start + pages * pageBytes);
    for (const { used } of runs)
      for (const { address, size } of used) unused.remove(address, address + (this.blocks.get(address)?.bytes ?? size));
    return unused.all();
  }

  /** What is wrong with an access to a byte that is nobody's. */
  judge(physical: number): Verdict {
    const gone = this.freed.findLast(({ address, bytes }) => physical >= address && physical < address + bytes);
    if (gone !== undefined) {
      return {
        kind: 'use-after-free',
        why: `byte ${String(physical - gone.address)} of ${told(gone)}`,
        allocation: gone,
      };
    }
    const block = this.nearest(physical);
    if (block === undefined) return { kind: 'unallocated-memory', why: 'memory that nobody has allocated' };
    const behind = physical - (block.address + block.bytes);
    const where =
      behind >= 0 ? `${bytesText(behind + 1)} behind the last byte` : `${bytesText(block.address - physical)} in front`;
    return { kind: 'pool-overrun', why: `${where} of ${told(block)}`, allocation: block };
  }

  private nearest(physical: number): Allocation | undefined {
    const distance = ({ address, bytes }: Allocation): number =>
      physical < address ? address - physical : physical - (address + bytes - 1);
    let best: Allocation | undefined;
    for (const block of this.blocks.values())
      if (distance(block) < (best === undefined ? near : distance(best))) best = block;
    return best;
  }

  /** What was at an address and is freed; undefined when nothing was. */
  freedAt(address: number): Allocation | undefined {
    return this.freed.findLast((one) => address >= one.address && address < one.address + one.bytes);
  }

  isAllocated(address: number): boolean {
    return this.blocks.has(address);
  }

  isNobodys(start: number, end: number): readonly RamRange[] {
    return this.nobodys.within(start, end);
  }

  /** What the firmware keeps for itself in boot-services memory, when boot services end: a stack apart that is in use. */
  firmwaresOwn(): readonly RamRange[] {
    const own = new RangeSet();
    for (const { start, end, type, allocated } of this.firmware.memoryMap.save().regions) {
      const ofBoot = type === MemoryType.EfiBootServicesCode || type === MemoryType.EfiBootServicesData;
      if (ofBoot && !allocated) own.add(start, end);
    }
    for (const { address, bytes } of this.blocks.values())
      if (this.guests.has(address)) own.remove(address, address + bytes);
    return own.all();
  }

  /** Boot services have ended: all memory is the guest's to divide. */
  close(): void {
    for (const range of this.nobodys.all()) this.changed(range, false);
    this.nobodys = new RangeSet();
    this.firmware.pool.onChange = undefined;
  }
}

const bytesText = (count: number): string => (count === 1 ? '1 byte' : `${String(count)} bytes`);
const pagesText = (count: number): string => (count === 1 ? '1 page' : `${String(count)} pages`);

const told = ({ of, bytes, address, allocatedBy, freedBy }: Allocation): string =>
  `${of === 'pool' ? `a pool block of ${bytesText(bytes)}` : pagesText(bytes / pageBytes)} at ${hex(address)}, ` +
  `allocated by ${allocatedBy}${freedBy === undefined ? '' : ` and freed by ${freedBy}`}`;

/** The parts of one set that are not in another. */
function minus(set: RangeSet, other: RangeSet): readonly RamRange[] {
  const left = new RangeSet();
  for (const { start, end } of set.all()) {
    left.add(start, end);
    for (const common of other.within(start, end)) left.remove(common.start, common.end);
  }
  return left.all();
}
