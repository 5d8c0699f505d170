import { fromHex, toHex } from '../../firmware-tables/hex.js';
import type { Stateful } from '../devices/device.js';
import { GuestAddressCause, GuestAddressError, type GuestMemory } from '../memory/guest-memory.js';
import { isRam, ramRanges } from '../memory/ram-map.js';
import type { DomainMemory } from './domain-memory.js';

export const frameBytes = 4096;

/** Memory beside RAM that is there from the start: the special pages. Addresses are guest-physical. */
export interface FrameWindow {
  covers(address: number, length: number): boolean;
  read(address: number, length: number): Uint8Array;
  write(address: number, bytes: Uint8Array): void;
}

export interface DomainFramesState {
  /** Frames that were put where there is no RAM, by number, in hexadecimal. */
  readonly beside: Readonly<Record<string, string>>;
  /** Frames of RAM that the guest gave away. */
  readonly holes: readonly number[];
  /** Frames that are Xen's. */
  readonly borrowed: readonly number[];
}

/**
 * The guest-physical map of the domain: RAM, the special pages, and frames that the guest had put elsewhere
 * (XENMEM_add_to_physmap). A frame put over RAM takes the place's bytes: they are that frame from then on. A frame of
 * RAM that was removed is no frame for Xen; the processor goes on to see RAM there, filled with ones.
 */
export class DomainFrames implements DomainMemory, Stateful<DomainFramesState> {
  private readonly beside = new Map<number, Uint8Array>();
  private readonly holes = new Set<number>();
  /** Places at which Xen's own pages are: they do not count as the domain's. */
  private readonly borrowed = new Set<number>();

  constructor(
    private readonly ram: GuestMemory,
    private readonly windows: readonly FrameWindow[],
  ) {}

  read(address: number, length: number): Uint8Array {
    const at = this.placeOf(address, length);
    if (at === 'ram') return this.ram.readPhysical(address, length);
    if (at instanceof Uint8Array) return at.slice(address % frameBytes, (address % frameBytes) + length);
    return at.read(address, length);
  }

  write(address: number, bytes: Uint8Array): void {
    const at = this.placeOf(address, bytes.length);
    if (at === 'ram') this.ram.writePhysical(address, bytes);
    else if (at instanceof Uint8Array) at.set(bytes, address % frameBytes);
    else at.write(address, bytes);
  }

  /** Whether there is a frame of this number. */
  has(gfn: number): boolean {
    const start = gfn * frameBytes;
    return this.isRam(gfn)
      ? !this.holes.has(gfn)
      : this.beside.has(gfn) || this.window(start, frameBytes) !== undefined;
  }

  /** Frames that are the domain's own; the special pages are not counted. */
  get count(): number {
    const ram = ramRanges(this.ram).reduce((sum, { start, end }) => sum + (end - start) / frameBytes, 0);
    return ram - this.holes.size + this.beside.size - this.borrowed.size;
  }

  /** The number behind the last frame of RAM: that of the host, as far as anybody knows. */
  get ramEnd(): number {
    return (ramRanges(this.ram).at(-1)?.end ?? 0) / frameBytes;
  }

  /** The number of the highest frame. */
  get highest(): number {
    let highest = this.ramEnd - 1;
    for (const gfn of this.beside.keys()) highest = Math.max(highest, gfn);
    return highest;
  }

  /** Puts a frame with these bytes at a place, over whatever is there: one of the domain's own, or Xen's. */
  put(gfn: number, bytes: Uint8Array, owner: 'domain' | 'xen' = 'domain'): void {
    const start = gfn * frameBytes;
    if (owner === 'xen') this.borrowed.add(gfn);
    else this.borrowed.delete(gfn);
    if (this.isRam(gfn)) {
      this.holes.delete(gfn);
      this.ram.writePhysical(start, bytes);
    } else this.beside.set(gfn, Uint8Array.from(bytes));
  }

  /** Takes a frame out of the map. */
  remove(gfn: number): void {
    this.borrowed.delete(gfn);
    if (!this.isRam(gfn)) {
      this.beside.delete(gfn);
      return;
    }
    if (this.holes.has(gfn)) return;
    this.ram.writePhysical(gfn * frameBytes, new Uint8Array(frameBytes).fill(0xff));
    this.holes.add(gfn);
  }

  /** A load of the processor outside RAM; undefined where no frame was put. */
  readMmio(address: number, bytes: 1 | 2 | 4): number | undefined {
    const frame = this.beside.get(Math.floor(address / frameBytes));
    if (frame === undefined) return undefined;
    let value = 0;
    for (let i = bytes - 1; i >= 0; i--) value = value * 256 + (frame[(address % frameBytes) + i] ?? 0);
    return value;
  }

  /** As readMmio; false where no frame was put. */
  writeMmio(address: number, bytes: 1 | 2 | 4, value: number): boolean {
    const frame = this.beside.get(Math.floor(address / frameBytes));
    if (frame === undefined) return false;
    for (let i = 0; i < bytes; i++) frame[(address % frameBytes) + i] = value >>> (8 * i);
    return true;
  }

  save(): DomainFramesState {
    return {
      beside: Object.fromEntries([...this.beside].map(([gfn, bytes]) => [String(gfn), toHex(bytes)])),
      holes: [...this.holes],
      borrowed: [...this.borrowed],
    };
  }

  restore(state: DomainFramesState): void {
    this.beside.clear();
    this.holes.clear();
    for (const [gfn, text] of Object.entries(state.beside)) this.beside.set(Number(gfn), fromHex(text));
    for (const gfn of state.holes) this.holes.add(gfn);
    this.borrowed.clear();
    for (const gfn of state.borrowed) this.borrowed.add(gfn);
  }

  private isRam(gfn: number): boolean {
    return isRam(this.ram, { start: gfn * frameBytes, end: (gfn + 1) * frameBytes });
  }

  private window(address: number, length: number): FrameWindow | undefined {
    return this.windows.find((window) => window.covers(address, length));
  }

  private placeOf(address: number, length: number): 'ram' | Uint8Array | FrameWindow {
    const first = Math.floor(address / frameBytes);
    const last = Math.floor((address + Math.max(length, 1) - 1) / frameBytes);
    if (isRam(this.ram, { start: address, end: address + length })) {
      for (let gfn = first; this.holes.size > 0 && gfn <= last; gfn++)
        if (this.holes.has(gfn)) throw absent(address, length);
      return 'ram';
    }
    const frame = first === last ? this.beside.get(first) : undefined;
    const window = frame ?? this.window(address, length);
    if (window === undefined) throw absent(address, length);
    return window;
  }
}

const absent = (address: number, length: number): GuestAddressError =>
  new GuestAddressError(BigInt(Math.max(0, Math.trunc(address) || 0)), length, GuestAddressCause.notRam);
