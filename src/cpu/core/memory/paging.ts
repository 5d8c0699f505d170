/**
 * Page walks: 4-level, PAE and 32-bit paging with PSE and PSE-36. Intel SDM volume 3, chapter 4. MAXPHYADDR is 40.
 * Accessed and dirty bits are written only when the access is allowed. PAE's PDPTEs are read at each walk, not kept
 * from MOV CR3 (4.4.1): a reserved bit in one that changed later is a page fault here.
 */
import { CR0, CR3, CR4, EFER, MODE, MODE_LMA, MODE_PAGING } from '../../state-layout';
import { PF_FETCH, PF_PRESENT, PF_RESERVED, PF_USER, PF_WRITE, raisePageFault } from '../fault';
import { inRam, loadPhysical, placeOf, ramAddress, storePhysical } from './physical';

// What an access is, as flags.
export const ACCESS_READ = 0;
export const ACCESS_WRITE = 1;
export const ACCESS_USER = 2;
export const ACCESS_FETCH = 4;

/** No place: the access faults, FAULT_* are set. */
export const NO_PHYSICAL: u64 = 0xffff_ffff_ffff_ffff;

// Bits of a paging-structure entry. Intel SDM volume 3, tables 4-15 to 4-20.
const PRESENT: u64 = 1;
const WRITE: u64 = 2;
const USER: u64 = 4;
const ACCESSED: u64 = 0x20;
const DIRTY: u64 = 0x40;
const PAGE_SIZE: u64 = 0x80;
const GLOBAL: u64 = 0x100;
const NO_EXECUTE: u64 = 0x8000_0000_0000_0000;
const FRAME: u64 = 0xff_ffff_f000;

const CR0_WP: u64 = 0x1_0000;
const CR4_PSE: u64 = 0x10;
const CR4_PAE: u64 = 0x20;
const CR4_PGE: u64 = 0x80;
const EFER_NXE: u64 = 0x800;

// What the last successful walk found out besides the address: results, not state.
/** log2 of the bytes of the guest's page. */
export let walkShift: u32 = 12;
/** The translation survives MOV CR3. */
export let walkGlobal: bool = false;
/** Stores with the same rights need no further walk: writable, and the dirty bit is set. */
export let walkWritable: bool = false;

function fail(linear: u64, access: i32, cause: u32): u64 {
  let error = cause;
  if (access & ACCESS_WRITE) error |= PF_WRITE;
  if (access & ACCESS_USER) error |= PF_USER;
  // I/D is reported only where execute-disable exists. Intel SDM volume 3, 4.7.
  if (access & ACCESS_FETCH && load<u64>(EFER) & EFER_NXE && load<u64>(CR4) & CR4_PAE) error |= PF_FETCH;
  raisePageFault(linear, error);
  return NO_PHYSICAL;
}

/** True when the accumulated R/W, U/S (`rights`) and XD (`disabled`) allow the access. Intel SDM volume 3, 4.6.1. */
// @ts-ignore: decorator
@inline
function allows(rights: u64, disabled: u64, access: i32): bool {
  if (access & ACCESS_USER && !(rights & USER)) return false;
  if (access & ACCESS_WRITE && !writable(rights, access)) return false;
  return !(access & ACCESS_FETCH && disabled & NO_EXECUTE);
}

// @ts-ignore: decorator
@inline
function writable(rights: u64, access: i32): bool {
  return (rights & WRITE) != 0 || (!(access & ACCESS_USER) && !(load<u64>(CR0) & CR0_WP));
}

// @ts-ignore: decorator
@inline
function finish(linear: u64, access: i32, leaf: u64, rights: u64, shift: u32): void {
  walkShift = shift;
  // Only the upper half: MOV CR3 may drop the whole lower half.
  walkGlobal = (leaf & GLOBAL) != 0 && (load<u64>(CR4) & CR4_PGE) != 0 && <i64>linear < 0;
  walkWritable = (access & ACCESS_WRITE) != 0 || ((leaf & DIRTY) != 0 && writable(rights, access));
}

// @ts-ignore: decorator
@inline
function loadEntry(at: u64): u64 {
  return inRam(at, 8) ? load<u64>(ramAddress(at)) : loadPhysical(at, 8);
}

/**
 * Eight-byte entries from the table at the guest-physical address `root`, whose entries map 2^`top` bytes each. Intel SDM volume 3, 4.4 and 4.5.
 * CPUID announces no 1-GByte pages: PS is reserved in a PDPTE too.
 */
function walkWide(linear: u64, access: i32, root: u64, top: u64, reserved: u64): u64 {
  let table = root;
  let shift = top;
  let rights: u64 = WRITE | USER;
  let disabled: u64 = 0;
  let accessed: u64 = ACCESSED;
  let at: u64 = 0;
  let entry: u64 = 0;
  while (true) {
    at = placeOf(table) + (((linear >> shift) & 511) << 3);
    entry = loadEntry(at);
    if (!(entry & PRESENT)) return fail(linear, access, 0);
    const large = shift != 12 && (entry & PAGE_SIZE) != 0;
    let bad = entry & reserved;
    if (large) bad |= shift >= 30 ? PAGE_SIZE : entry & (((<u64>1) << shift) - 0x2000);
    if (bad) return fail(linear, access, PF_PRESENT | PF_RESERVED);
    rights &= entry;
    disabled |= entry;
    if (large || shift == 12) break;
    accessed &= entry;
    table = entry & FRAME;
    shift -= 9;
  }
  if (!allows(rights, disabled, access)) return fail(linear, access, PF_PRESENT);
  if (!accessed) markTables(linear, root, top, shift);
  const marks: u64 = access & ACCESS_WRITE ? ACCESSED | DIRTY : ACCESSED;
  if ((entry & marks) != marks) {
    entry |= marks;
    storePhysical(at, entry, 8);
  }
  finish(linear, access, entry, rights, <u32>shift);
  const offset: u64 = ((<u64>1) << shift) - 1;
  return placeOf((entry & FRAME & ~offset) | (linear & offset));
}

/** Sets the accessed bit in every entry above the one that maps the page at `leafShift`. */
function markTables(linear: u64, root: u64, top: u64, leafShift: u64): void {
  let table = root;
  for (let shift = top; shift > leafShift; shift -= 9) {
    const at = placeOf(table) + (((linear >> shift) & 511) << 3);
    const entry = loadPhysical(at, 8);
    if (!(entry & ACCESSED)) storePhysical(at, entry | ACCESSED, 8);
    table = entry & FRAME;
  }
}

/** PAE paging: the four PDPTEs have no rights of their own. Intel SDM volume 3, 4.4, table 4-8. */
function walkPae(linear: u64, access: i32): u64 {
  const entry = loadPhysical(placeOf((load<u64>(CR3) & 0xffff_ffe0) + ((linear >> 30) << 3)), 8);
  if (!(entry & PRESENT)) return fail(linear, access, 0);
  if (entry & 0xffff_ff00_0000_01e6) return fail(linear, access, PF_PRESENT | PF_RESERVED);
  const reserved: u64 = load<u64>(EFER) & EFER_NXE ? 0x7fff_ff00_0000_0000 : 0xffff_ff00_0000_0000;
  return walkWide(linear, access, entry & FRAME, 21, reserved);
}

/** 32-bit paging. Intel SDM volume 3, 4.3; with PSE-36 a 4 MiB page lies below 2^40. */
function walkNarrow(linear: u64, access: i32): u64 {
  const directoryAt = placeOf(load<u64>(CR3) & 0xffff_f000) + ((linear >> 22) << 2);
  let directory = loadPhysical(directoryAt, 4);
  if (!(directory & PRESENT)) return fail(linear, access, 0);
  const large = (directory & PAGE_SIZE) != 0 && (load<u64>(CR4) & CR4_PSE) != 0;
  if (large && directory & 0x20_0000) return fail(linear, access, PF_PRESENT | PF_RESERVED);
  let at = directoryAt;
  let entry = directory;
  let rights = directory;
  if (!large) {
    at = placeOf(directory & 0xffff_f000) + (((linear >> 12) & 1023) << 2);
    entry = loadPhysical(at, 4);
    if (!(entry & PRESENT)) return fail(linear, access, 0);
    rights &= entry;
  }
  if (!allows(rights, 0, access)) return fail(linear, access, PF_PRESENT);
  if (!large && !(directory & ACCESSED)) storePhysical(directoryAt, directory | ACCESSED, 4);
  const marks: u64 = access & ACCESS_WRITE ? ACCESSED | DIRTY : ACCESSED;
  if ((entry & marks) != marks) {
    entry |= marks;
    storePhysical(at, entry, 4);
  }
  finish(linear, access, entry, rights, large ? 22 : 12);
  if (!large) return placeOf((entry & 0xffff_f000) | (linear & 0xfff));
  return placeOf((entry & 0xffc0_0000) | ((entry & 0x1f_e000) << 19) | (linear & 0x3f_ffff));
}

/**
 * Place (placeOf) of a linear address (canonical, cut to 32 bits outside long mode) for one access inside a page;
 * NO_PHYSICAL when it faults, with FAULT_* set. Sets walkShift, walkGlobal and walkWritable.
 */
export function walk(linear: u64, access: i32): u64 {
  const mode: u32 = load<u32>(MODE);
  if (!(mode & MODE_PAGING)) {
    walkShift = 12;
    walkGlobal = false;
    walkWritable = true;
    return placeOf(linear);
  }
  if (mode & MODE_LMA) {
    const reserved: u64 = load<u64>(EFER) & EFER_NXE ? 0x000f_ff00_0000_0000 : 0x800f_ff00_0000_0000;
    return walkWide(linear, access, load<u64>(CR3) & FRAME, 39, reserved);
  }
  return load<u64>(CR4) & CR4_PAE ? walkPae(linear, access) : walkNarrow(linear, access);
}

/** Whether all of the page that holds this place is RAM, and may enter a TLB. */
// @ts-ignore: decorator
@inline
export function pageInRam(place: u64): bool {
  return inRam(place & ~<u64>0xfff, 0x1000);
}
