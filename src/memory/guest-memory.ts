/**
 * Guest memory as everything outside the processor sees it. Guest-physical addresses are numbers (RAM lies below
 * 3 GiB); guest-virtual addresses are bigints. Every write takes the processor's store path: translated code is
 * invalidated, and virtual writes honour permissions and set accessed and dirty bits.
 */
export interface GuestMemory {
  /** Bytes of guest RAM; RAM is guest-physical 0 to ramBytes - 1. */
  readonly ramBytes: number;
  /** A copy of `length` bytes at a guest-physical address. Throws GuestAddressError outside RAM. */
  readPhysical(address: number, length: number): Uint8Array;
  /** The bytes themselves, borrowed: to be read, as long as the machine stands; they change with the guest. As readPhysical. */
  viewPhysical?(address: number, length: number): Uint8Array;
  /** Stores bytes at a guest-physical address. Throws GuestAddressError outside RAM. */
  writePhysical(address: number, bytes: Uint8Array): void;
  /**
   * A copy of `length` bytes at a guest-virtual address, translated by the guest's own page tables at this moment
   * with supervisor rights. Throws GuestAddressError when a page is absent, non-canonical or no RAM.
   */
  readVirtual(address: bigint, length: number): Uint8Array;
  /**
   * Stores bytes at a guest-virtual address with supervisor rights. All pages are checked before the first byte is
   * written. Throws GuestAddressError when a page is absent, read-only, non-canonical or no RAM.
   */
  writeVirtual(address: bigint, bytes: Uint8Array): void;
}

export const GuestAddressCause = {
  notPresent: 'not-present',
  readOnly: 'read-only',
  nonCanonical: 'non-canonical',
  notRam: 'not-ram',
} as const;
export type GuestAddressCause = (typeof GuestAddressCause)[keyof typeof GuestAddressCause];

/** An address that the guest (or the host on its behalf) named cannot be accessed. */
export class GuestAddressError extends Error {
  override readonly name = 'GuestAddressError';
  readonly code = 'GUEST_ADDRESS';
  constructor(
    readonly address: bigint,
    readonly length: number,
    readonly reason: GuestAddressCause,
  ) {
    super(`guest memory 0x${address.toString(16)} (${String(length)} bytes) cannot be accessed: ${reason}`);
  }
}
