/** Guest memory over the processor's linear memory: every write tells the processor. */
import { GuestAddressCause, GuestAddressError, type GuestMemory } from '../memory/guest-memory.js';
import { isRam, ramOffset, type RamSizes } from '../memory/ram-map.js';
import * as L from './state-layout.js';

/** What guest memory needs of the core; addresses in two halves, because no i64 crosses. */
export interface MemoryCore {
  /** Place in RAM (ramOffset), 0xfffffffe or 0xffffffff (see translateSupervisor of the core). */
  translateSupervisor(low: number, high: number, write: number): number;
  notifyPhysicalWrite(place: number, length: number): void;
}

export class ProcessorMemory implements GuestMemory {
  private readonly u8: Uint8Array;
  private readonly view: DataView;
  readonly ramBytes: number;
  readonly lowRamBytes: number;

  constructor(
    memory: WebAssembly.Memory,
    ram: RamSizes,
    private readonly core: MemoryCore,
  ) {
    this.ramBytes = ram.ramBytes;
    this.lowRamBytes = Math.min(ram.lowRamBytes ?? ram.ramBytes, ram.ramBytes);
    this.u8 = new Uint8Array(memory.buffer);
    this.view = new DataView(memory.buffer);
  }

  /** The place in RAM of a range of guest-physical addresses. */
  private placeOf(address: number, length: number): number {
    if (isRam(this, { start: address, end: address + length })) return ramOffset(this, address) ?? this.ramBytes;
    throw new GuestAddressError(BigInt(address), length, GuestAddressCause.notRam);
  }

  readPhysical(address: number, length: number): Uint8Array {
    const at = L.RAM + this.placeOf(address, length);
    return this.u8.slice(at, at + length);
  }

  writePhysical(address: number, bytes: Uint8Array): void {
    const place = this.placeOf(address, bytes.length);
    if (bytes.length > 0) this.store(place, bytes);
  }

  private store(place: number, bytes: Uint8Array): void {
    this.u8.set(bytes, L.RAM + place);
    this.core.notifyPhysicalWrite(place, bytes.length);
  }

  readVirtual(address: bigint, length: number): Uint8Array {
    const out = new Uint8Array(length);
    let done = 0;
    for (const { place, bytes } of this.pieces(address, length, false)) {
      out.set(this.u8.subarray(L.RAM + place, L.RAM + place + bytes), done);
      done += bytes;
    }
    return out;
  }

  writeVirtual(address: bigint, bytes: Uint8Array): void {
    let done = 0;
    for (const piece of this.pieces(address, bytes.length, true)) {
      this.store(piece.place, bytes.subarray(done, done + piece.bytes));
      done += piece.bytes;
    }
  }

  /** The pieces of a virtual range by their place in RAM; throws before anything is touched. */
  private pieces(address: bigint, length: number, write: boolean): { place: number; bytes: number }[] {
    const pieces: { place: number; bytes: number }[] = [];
    let at = BigInt.asUintN(64, address);
    for (let left = length; left > 0;) {
      const bytes = Math.min(left, 4096 - Number(at & 0xfffn));
      const place = this.core.translateSupervisor(Number(at & 0xffff_ffffn), Number(at >> 32n), write ? 1 : 0) >>> 0;
      if (place === 0xffff_ffff) throw new GuestAddressError(address, length, this.cause());
      if (place + bytes > this.ramBytes) throw new GuestAddressError(address, length, GuestAddressCause.notRam);
      pieces.push({ place, bytes });
      at = BigInt.asUintN(64, at + BigInt(bytes));
      left -= bytes;
    }
    return pieces;
  }

  /** Why translateSupervisor refused, from the fault it left; the fault is taken back. */
  private cause(): GuestAddressCause {
    const vector = this.view.getUint32(L.FAULT_VECTOR, true);
    const error = this.view.getUint32(L.FAULT_ERROR, true);
    this.view.setUint32(L.FAULT_PENDING, 0, true);
    if (vector !== 14) return GuestAddressCause.nonCanonical;
    return error & 1 ? GuestAddressCause.readOnly : GuestAddressCause.notPresent;
  }
}
