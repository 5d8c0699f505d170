/** Guest memory over the processor's linear memory: every write tells the processor. */
import { GuestAddressCause, GuestAddressError, type GuestFault, type GuestMemory } from '../memory/guest-memory.js';
import { isRam, ramOffset, type RamSizes } from '../memory/ram-map.js';
import * as L from './state-layout.js';
import type { ProcessorBus } from './types.js';

/** MMIO lies below; nothing answers above. */
const MMIO_END = 2 ** 32;

/** What guest memory needs of the core; addresses in two halves, because no i64 crosses. */
export interface MemoryCore {
  /** Guest-physical address, or -1 for a fault (see translateSupervisor of the core). */
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
    private readonly devices: Pick<ProcessorBus, 'readMmio' | 'writeMmio'>,
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

  viewPhysical(address: number, length: number): Uint8Array {
    const at = L.RAM + this.placeOf(address, length);
    return this.u8.subarray(at, at + length);
  }

  writePhysical(address: number, bytes: Uint8Array): void {
    const place = this.placeOf(address, bytes.length);
    if (bytes.length === 0) return;
    this.u8.set(bytes, L.RAM + place);
    this.core.notifyPhysicalWrite(place, bytes.length);
  }

  readVirtual(address: bigint, length: number, ramOnly = false): Uint8Array {
    const pieces = this.pieces(address, length, false);
    if (ramOnly && !pieces.every(({ physical, bytes }) => this.isRam(physical, bytes)))
      throw new GuestAddressError(address, length, GuestAddressCause.notRam);
    const out = new Uint8Array(length);
    let done = 0;
    for (const { physical, bytes } of pieces) {
      if (this.isRam(physical, bytes)) out.set(this.readPhysical(physical, bytes), done);
      else for (let i = 0; i < bytes; i++) out[done + i] = this.readDevice(physical + i);
      done += bytes;
    }
    return out;
  }

  writeVirtual(address: bigint, bytes: Uint8Array): void {
    let done = 0;
    for (const piece of this.pieces(address, bytes.length, true)) {
      const part = bytes.subarray(done, done + piece.bytes);
      if (this.isRam(piece.physical, piece.bytes)) this.writePhysical(piece.physical, part);
      else for (const [i, byte] of part.entries()) this.writeDevice(piece.physical + i, byte);
      done += piece.bytes;
    }
  }

  requireWritable(address: bigint, length: number): void {
    this.pieces(address, length, true);
  }

  private isRam(physical: number, length: number): boolean {
    return isRam(this, { start: physical, end: physical + length });
  }

  private readDevice(physical: number): number {
    return physical < MMIO_END ? this.devices.readMmio(physical, 1) & 0xff : 0xff;
  }

  private writeDevice(physical: number, byte: number): void {
    if (physical < MMIO_END) this.devices.writeMmio(physical, 1, byte);
  }

  /** The physical pieces of a virtual range; throws before anything is touched. */
  private pieces(address: bigint, length: number, write: boolean): { physical: number; bytes: number }[] {
    const pieces: { physical: number; bytes: number }[] = [];
    let at = BigInt.asUintN(64, address);
    for (let left = length; left > 0;) {
      const bytes = Math.min(left, 4096 - Number(at & 0xfffn));
      const physical = this.core.translateSupervisor(Number(at & 0xffff_ffffn), Number(at >> 32n), write ? 1 : 0);
      if (physical < 0) throw this.refused(address, length);
      pieces.push({ physical, bytes });
      at = BigInt.asUintN(64, at + BigInt(bytes));
      left -= bytes;
    }
    return pieces;
  }

  /** The error for the fault that translateSupervisor left; the fault is taken back. */
  private refused(address: bigint, length: number): GuestAddressError {
    const pageFault = this.view.getUint32(L.FAULT_VECTOR, true) === 14;
    const errorCode = this.view.getUint32(L.FAULT_ERROR, true);
    this.view.setUint32(L.FAULT_PENDING, 0, true);
    if (!pageFault) {
      const fault: GuestFault = { vector: 13, errorCode, address };
      return new GuestAddressError(address, length, GuestAddressCause.nonCanonical, fault);
    }
    const cause = errorCode & 1 ? GuestAddressCause.readOnly : GuestAddressCause.notPresent;
    const fault: GuestFault = { vector: 14, errorCode, address: this.view.getBigUint64(L.FAULT_ADDRESS, true) };
    return new GuestAddressError(address, length, cause, fault);
  }
}
