/** TLB misses of hot code: filled here when the access is plain, refused without a trace when it is not. */
import { FAULT_PENDING, TLB_DATA } from '../../state-layout';
import { prepareRead, prepareWrite } from './memory-access';
import { faultPending } from '../fault';
import { setRamOnly } from './physical';
import { hostAddress, openForWrites, readHits, tlbEntry, writeHits } from './tlb';

// @ts-ignore: decorator
@inline
function crosses(address: u64, bytes: i32): bool {
  return (address & 0xfff) + bytes > 0x1000;
}

/**
 * Address in this memory of a plain load of `bytes` at a linear address, the TLB filled as the cold tier would have
 * done; 0 when the access must be left to the cold tier: a fault, a device, a page crossing.
 */
export function hotRead(address: u64, bytes: i32): u32 {
  if (crosses(address, bytes)) return 0;
  setRamOnly(true);
  prepareRead(address, bytes, 0);
  setRamOnly(false);
  if (faultPending()) {
    store<u32>(FAULT_PENDING, 0);
    return 0;
  }
  const entry = tlbEntry(load<u32>(TLB_DATA), address);
  return readHits(entry, address) ? hostAddress(entry, address) : 0;
}

/** The same for a store; also 0 for a page that holds translated code. */
export function hotWrite(address: u64, bytes: i32): u32 {
  if (crosses(address, bytes)) return 0;
  setRamOnly(true);
  prepareWrite(address, bytes, 0);
  setRamOnly(false);
  if (faultPending()) {
    store<u32>(FAULT_PENDING, 0);
    return 0;
  }
  const entry = tlbEntry(load<u32>(TLB_DATA), address);
  if (!readHits(entry, address)) return 0;
  openForWrites(entry);
  return writeHits(entry, address) ? hostAddress(entry, address) : 0;
}
