import { GuestAddressError, type GuestMemory } from '../../src/memory/guest-memory.js';

const guardBytes = 4096;
const guard = 0xa5;

/** RAM without a processor, between two pages that nobody may touch; virtual addresses are physical ones. */
export class GuardedRam implements GuestMemory {
  private readonly all: Uint8Array;
  private readonly ram: Uint8Array;

  constructor(readonly ramBytes: number) {
    this.all = new Uint8Array(ramBytes + 2 * guardBytes).fill(guard);
    this.ram = this.all.subarray(guardBytes, guardBytes + ramBytes);
    this.ram.fill(0);
  }

  readPhysical(address: number, length: number): Uint8Array {
    this.check(BigInt(address), length);
    return this.ram.slice(address, address + length);
  }

  writePhysical(address: number, bytes: Uint8Array): void {
    this.check(BigInt(address), bytes.length);
    this.all.set(bytes, guardBytes + address);
  }

  readVirtual(address: bigint, length: number): Uint8Array {
    this.check(address, length);
    return this.readPhysical(Number(address), length);
  }

  writeVirtual(address: bigint, bytes: Uint8Array): void {
    this.check(address, bytes.length);
    this.writePhysical(Number(address), bytes);
  }

  requireWritable(address: bigint, length: number): void {
    this.check(address, length);
  }

  /** Throws when a byte outside RAM has changed. */
  requireGuard(): void {
    for (const page of [this.all.subarray(0, guardBytes), this.all.subarray(guardBytes + this.ramBytes)]) {
      if (page.some((byte) => byte !== guard)) throw new Error('a byte outside the guest RAM was written');
    }
  }

  private check(address: bigint, length: number): void {
    if (address >= 0n && length >= 0 && address + BigInt(length) <= BigInt(this.ramBytes)) return;
    throw new GuestAddressError(address, length, 'not-ram');
  }
}
