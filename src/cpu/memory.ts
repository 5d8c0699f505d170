/** Guest memory over the processor's linear memory: every write tells the processor. */
import { GuestAddressCause, GuestAddressError, type GuestMemory } from '../memory/guest-memory.js';
import * as L from './state-layout.js';

/** What guest memory needs of the core; addresses in two halves, because no i64 crosses. */
export interface MemoryCore {
  /** Guest-physical address or 0xffffffff (see translateSupervisor of the core). */
  translateSupervisor(low: number, high: number, write: number): number;
  notifyPhysicalWrite(physical: number, length: number): void;
}

export class ProcessorMemory implements GuestMemory {
  private readonly u8: Uint8Array;
  private readonly view: DataView;

  constructor(
    memory: WebAssembly.Memory,
    readonly ramBytes: number,
    private readonly core: MemoryCore,
  ) {
    this.u8 = new Uint8Array(memory.buffer);
    this.view = new DataView(memory.buffer);
  }

  private check(address: number, length: number): void {
    if (address >= 0 && address + length <= this.ramBytes) return;
    throw new GuestAddressError(BigInt(address), length, GuestAddressCause.notRam);
  }

  readPhysical(address: number, length: number): Uint8Array {
    this.check(address, length);
    return this.u8.slice(L.RAM + address, L.RAM + address + length);
  }

  viewPhysical(address: number, length: number): Uint8Array {
    this.check(address, length);
    return this.u8.subarray(L.RAM + address, L.RAM + address + length);
  }

  writePhysical(address: number, bytes: Uint8Array): void {
    this.check(address, bytes.length);
    if (bytes.length === 0) return;
    this.u8.set(bytes, L.RAM + address);
    this.core.notifyPhysicalWrite(address, bytes.length);
  }

  readVirtual(address: bigint, length: number): Uint8Array {
    const out = new Uint8Array(length);
    let done = 0;
    for (const { physical, bytes } of this.pieces(address, length, false)) {
      out.set(this.u8.subarray(L.RAM + physical, L.RAM + physical + bytes), done);
      done += bytes;
    }
    return out;
  }

  writeVirtual(address: bigint, bytes: Uint8Array): void {
    let done = 0;
    for (const piece of this.pieces(address, bytes.length, true)) {
      this.writePhysical(piece.physical, bytes.subarray(done, done + piece.bytes));
      done += piece.bytes;
    }
  }

  /** The physical pieces of a virtual range; throws before anything is touched. */
  private pieces(address: bigint, length: number, write: boolean): { physical: number; bytes: number }[] {
    const pieces: { physical: number; bytes: number }[] = [];
    let at = BigInt.asUintN(64, address);
    for (let left = length; left > 0;) {
      const bytes = Math.min(left, 4096 - Number(at & 0xfffn));
      const physical = this.core.translateSupervisor(Number(at & 0xffff_ffffn), Number(at >> 32n), write ? 1 : 0) >>> 0;
      if (physical === 0xffff_ffff) throw new GuestAddressError(address, length, this.cause());
      if (physical + bytes > this.ramBytes) throw new GuestAddressError(address, length, GuestAddressCause.notRam);
      pieces.push({ physical, bytes });
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
