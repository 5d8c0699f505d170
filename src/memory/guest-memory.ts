/**
 * Guest memory as everything outside the processor sees it. Guest-physical addresses are numbers;
 * guest-virtual addresses are bigints. Every write takes the processor's store path: translated code is
 * invalidated, and virtual writes honour permissions and set accessed and dirty bits.
 */
export interface GuestMemory {
  /** Bytes of guest RAM. */
  readonly ramBytes: number;
  /**
   * RAM is guest-physical 0 to lowRamBytes - 1 (to ramBytes - 1 when left out), and the rest of it lies from 4 GiB on:
   * ram-map.ts.
   */
  readonly lowRamBytes?: number;
  /** A copy of `length` bytes at a guest-physical address. Throws GuestAddressError outside RAM. */
  readPhysical(address: number, length: number): Uint8Array;
  /** The bytes themselves, borrowed: to be read, as long as the machine stands; they change with the guest. As readPhysical. */
  viewPhysical?(address: number, length: number): Uint8Array;
  /** Stores bytes at a guest-physical address. Throws GuestAddressError outside RAM. */
  writePhysical(address: number, bytes: Uint8Array): void;
  /**
   * A copy of `length` bytes at a guest-virtual address, translated by the guest's own page tables at this moment
   * with supervisor rights; addresses wrap at 2^64. All pages are checked before the first byte is read; what is no RAM
   * is read byte by byte from the device there, or refused with `ramOnly`. Throws GuestAddressError when a page is absent
   * or non-canonical.
   */
  readVirtual(address: bigint, length: number, ramOnly?: boolean): Uint8Array;
  /**
   * Stores bytes at a guest-virtual address with supervisor rights. All pages are checked before the first byte is
   * written; what is no RAM goes to the device there byte by byte. Throws GuestAddressError when a page is absent,
   * read-only or non-canonical.
   */
  writeVirtual(address: bigint, bytes: Uint8Array): void;
  /** Throws as writeVirtual would; nothing is written but accessed and dirty bits. */
  requireWritable(address: bigint, length: number): void;
}

export const GuestAddressCause = {
  notPresent: 'not-present',
  readOnly: 'read-only',
  nonCanonical: 'non-canonical',
  notRam: 'not-ram',
} as const;
export type GuestAddressCause = (typeof GuestAddressCause)[keyof typeof GuestAddressCause];

/** The exception with which the processor answers an access. Intel SDM volume 3, 6.15. */
export interface GuestFault {
  readonly vector: 13 | 14;
  readonly errorCode: number;
  /** What a page fault puts into CR2: the first byte that cannot be accessed, guest-virtual. */
  readonly address: bigint;
}

/** An address that the guest (or the host on its behalf) named cannot be accessed. */
export class GuestAddressError extends Error {
  override readonly name = 'GuestAddressError';
  readonly code = 'GUEST_ADDRESS';
  constructor(
    readonly address: bigint,
    readonly length: number,
    readonly reason: GuestAddressCause,
    /** Set when an access of the guest's own to these bytes would raise an exception. */
    readonly fault?: GuestFault,
  ) {
    super(`guest memory 0x${address.toString(16)} (${String(length)} bytes) cannot be accessed: ${reason}`);
  }
}
