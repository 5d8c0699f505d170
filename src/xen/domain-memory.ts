/**
 * The domain's frames by guest-physical address, whatever backs them: RAM or a special page. Both throw
 * GuestAddressError where there is nothing.
 */
export interface DomainMemory {
  read(address: number, length: number): Uint8Array;
  write(address: number, bytes: Uint8Array): void;
}
