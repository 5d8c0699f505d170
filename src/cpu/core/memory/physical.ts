/**
 * Guest-physical loads and stores: RAM directly, anything above it through the host. RAM is whole pages, and no access
 * here crosses a page. Stores keep the dirty log and tell the host about changed translated code.
 */
import {
  CODE_BITMAP,
  CODE_GRANULE_SHIFT,
  CODE_PAGES,
  DIRTY_PAGES,
  RAM,
  RAM_BYTES,
} from '../../state-layout';
import { codeWritten, readMmio, writeMmio } from '../host';

/** MAXPHYADDR is 40 (CPUID 0x80000008), but nothing answers above 4 GiB: it reads all ones. */
const HOST_LIMIT: u64 = 0x1_0000_0000;

// @ts-ignore: decorator
@inline
export function inRam(physical: u64, bytes: u64): bool {
  return physical + bytes <= <u64>load<u32>(RAM_BYTES);
}

/** Address in this memory of a guest-physical address in RAM. */
// @ts-ignore: decorator
@inline
export function ramAddress(physical: u64): u32 {
  return <u32>RAM + <u32>physical;
}

/** True when one of the granules of RAM that the bytes touch holds translated code or is watched. */
function touchesCode(physical: u32, bytes: u32): bool {
  const last: u32 = (physical + bytes - 1) >> CODE_GRANULE_SHIFT;
  for (let granule: u32 = physical >> CODE_GRANULE_SHIFT; granule <= last; granule++) {
    if ((<u32>load<u8>(<u32>CODE_BITMAP + (granule >> 3)) >> (granule & 7)) & 1) return true;
  }
  return false;
}

/** What follows every store to RAM that did not go through a write tag. */
// @ts-ignore: decorator
@inline
function afterStore(physical: u32, bytes: u32): void {
  const page: u32 = physical >> 12;
  store<u8>(<u32>DIRTY_PAGES + page, 1);
  if (load<u8>(<u32>CODE_PAGES + page)) {
    if (touchesCode(physical, bytes)) codeWritten(physical, bytes);
  }
}

/** The host wrote RAM: translated code there is stale, the pages are dirty. `physical` + `length` lie in RAM. */
export function notifyPhysicalWrite(physical: u32, length: u32): void {
  while (length > 0) {
    const inPage: u32 = 0x1000 - (physical & 0xfff);
    const bytes: u32 = min<u32>(length, inPage);
    afterStore(physical, bytes);
    physical += bytes;
    length -= bytes;
  }
}

/** 1, 2 or 4: the largest aligned piece at `physical` of at most `bytes`. */
// @ts-ignore: decorator
@inline
function pieceAt(physical: u64, bytes: i32): i32 {
  if (!(physical & 3) && bytes >= 4) return 4;
  if (!(physical & 1) && bytes >= 2) return 2;
  return 1;
}

/** Devices are not asked: what lies outside RAM reads 0. For hot code, which leaves such accesses to the cold tier. */
let ramOnly: bool = false;

export function setRamOnly(only: bool): void {
  ramOnly = only;
}

function loadOutside(physical: u64, bytes: i32): u64 {
  if (ramOnly) return 0; // a paging structure there: the entry is absent, and the walk ends
  let value: u64 = 0;
  let done = 0;
  while (done < bytes) {
    const at: u64 = physical + <u64>done;
    const piece = pieceAt(at, bytes - done);
    const mask: u32 = <u32>0xffff_ffff >> (32 - (piece << 3));
    const got: u32 = at < HOST_LIMIT ? readMmio(<u32>at, piece) & mask : mask;
    value |= (<u64>got) << (<u64>done << 3);
    done += piece;
  }
  return value;
}

function storeOutside(physical: u64, value: u64, bytes: i32): void {
  let done = 0;
  while (done < bytes) {
    const at: u64 = physical + <u64>done;
    const piece = pieceAt(at, bytes - done);
    const mask: u32 = <u32>0xffff_ffff >> (32 - (piece << 3));
    if (at < HOST_LIMIT) writeMmio(<u32>at, piece, <u32>(value >> (<u64>done << 3)) & mask);
    done += piece;
  }
}

/** Zero-extended load of 1, 2, 4 or 8 bytes; `bytes` may be any number up to 8 outside RAM. */
export function loadPhysical(physical: u64, bytes: i32): u64 {
  if (!inRam(physical, bytes)) return loadOutside(physical, bytes);
  const at = ramAddress(physical);
  if (bytes == 8) return load<u64>(at);
  if (bytes == 4) return load<u32>(at);
  if (bytes == 2) return load<u16>(at);
  return load<u8>(at);
}

/** Stores the low 1, 2, 4 or 8 bytes of `value`. */
export function storePhysical(physical: u64, value: u64, bytes: i32): void {
  if (!inRam(physical, bytes)) {
    storeOutside(physical, value, bytes);
    return;
  }
  const at = ramAddress(physical);
  if (bytes == 8) store<u64>(at, value);
  else if (bytes == 4) store<u32>(at, <u32>value);
  else if (bytes == 2) store<u16>(at, <u16>value);
  else store<u8>(at, <u8>value);
  afterStore(<u32>physical, bytes);
}
