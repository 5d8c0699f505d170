import { GuestAddressError, type GuestMemory } from '../../src/memory/guest-memory.js';

/** RAM without a processor: virtual addresses are physical ones. */
export class PlainRam implements GuestMemory {
  readonly bytes: Uint8Array;
  constructor(readonly ramBytes: number) {
    this.bytes = new Uint8Array(ramBytes);
  }
  readPhysical(address: number, length: number): Uint8Array {
    this.check(address, length);
    return this.bytes.slice(address, address + length);
  }
  writePhysical(address: number, bytes: Uint8Array): void {
    this.check(address, bytes.length);
    this.bytes.set(bytes, address);
  }
  readVirtual(address: bigint, length: number): Uint8Array {
    return this.readPhysical(Number(address), length);
  }
  writeVirtual(address: bigint, bytes: Uint8Array): void {
    this.writePhysical(Number(address), bytes);
  }
  requireWritable(address: bigint, length: number): void {
    this.check(Number(address), length);
  }
  private check(address: number, length: number): void {
    if (address < 0 || address + length > this.ramBytes)
      throw new GuestAddressError(BigInt(address), length, 'not-ram');
  }
}
