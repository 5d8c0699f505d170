/**
 * Loads and stores by place (see placeOf): RAM directly, anything outside through the host. RAM is whole pages, and no
 * access here crosses a page. Stores keep the dirty log and tell the host about changed translated code.
 */
import {
  CODE_BITMAP,
  CODE_GRANULE_SHIFT,
  CODE_PAGES,
  DIRTY_PAGES,
  RAM,
  RAM_BYTES,
  RAM_LOW,
} from '../../state-layout';
import { codeWritten, readMmio, writeMmio } from '../host';

/** MAXPHYADDR is 40 (CPUID 0x80000008), but nothing answers above 4 GiB: it reads all ones. */
const HOST_LIMIT: u64 = 0x1_0000_0000;
/** Where RAM goes on that does not lie from address 0 on. */
const HIGH_RAM: u64 = 0x1_0000_0000;
/** Set in the place of what is not RAM; the rest is its guest-physical address. */
const OUTSIDE: u64 = 0x100_0000_0000;

/**
 * The place of a guest-physical address below 2^40: how many bytes of RAM lie below it, which is less than RAM_BYTES, or
 * OUTSIDE and the address. Within a page places follow one another as addresses do.
 */
// @ts-ignore: decorator
@inline
export function placeOf(physical: u64): u64 {
  const low: u64 = <u64>load<u32>(RAM_LOW);
  if (physical < low) return physical;
  const high = physical - HIGH_RAM; // from 2^63 on where it is below
  return high < <u64>load<u32>(RAM_BYTES) - low ? low + high : physical | OUTSIDE;
}

// @ts-ignore: decorator
@inline
export function inRam(place: u64, bytes: u64): bool {
  return place + bytes <= <u64>load<u32>(RAM_BYTES);
}

/** Address in this memory of a place in RAM. */
// @ts-ignore: decorator
@inline
export function ramAddress(place: u64): u32 {
  return <u32>RAM + <u32>place;
}

/** The guest-physical address of a place. */
export function addressOf(place: u64): u64 {
  const low: u64 = <u64>load<u32>(RAM_LOW);
  if (place >= <u64>load<u32>(RAM_BYTES)) return place & ~OUTSIDE;
  return place < low ? place : place - low + HIGH_RAM;
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

/** The host wrote RAM: translated code there is stale, the pages are dirty. All from the place `physical` on is RAM. */
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

function loadOutside(place: u64, bytes: i32): u64 {
  if (ramOnly) return 0; // a paging structure there: the entry is absent, and the walk ends
  const physical = place & ~OUTSIDE;
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

function storeOutside(place: u64, value: u64, bytes: i32): void {
  const physical = place & ~OUTSIDE;
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
export function loadPhysical(place: u64, bytes: i32): u64 {
  if (!inRam(place, bytes)) return loadOutside(place, bytes);
  const at = ramAddress(place);
  if (bytes == 8) return load<u64>(at);
  if (bytes == 4) return load<u32>(at);
  if (bytes == 2) return load<u16>(at);
  return load<u8>(at);
}

/** Stores the low 1, 2, 4 or 8 bytes of `value`. */
export function storePhysical(place: u64, value: u64, bytes: i32): void {
  if (!inRam(place, bytes)) {
    storeOutside(place, value, bytes);
    return;
  }
  const at = ramAddress(place);
  if (bytes == 8) store<u64>(at, value);
  else if (bytes == 4) store<u32>(at, <u32>value);
  else if (bytes == 2) store<u16>(at, <u16>value);
  else store<u8>(at, <u8>value);
  afterStore(<u32>place, bytes);
}
