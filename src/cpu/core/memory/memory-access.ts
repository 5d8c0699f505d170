/**
 * The slow paths of loads, stores and instruction fetch: TLB misses, page crossings, MMIO, pages with translated code.
 * Handlers come here when their own TLB test misses. On a fault FAULT_* are set, nothing else changed, the answer is 0.
 */
import {
  MODE,
  MODE_LMA,
  MODE_LONG,
  SCRATCH,
  TLB_DATA,
  TLB_FETCH,
  TLB_FETCH_USER,
  TLB_FLAGS,
  TLB_SUPERVISOR,
  TLB_USER,
  TLB_WRITABLE,
  WATCHED_IMPLICIT,
  WATCHED_WRITE,
} from '../../state-layout';
import { raise, raiseNonCanonical, VECTOR_GP } from '../fault';
import { ACCESS_FETCH, ACCESS_READ, ACCESS_USER, ACCESS_WRITE, NO_PHYSICAL, pageInRam, walk } from './paging';
import { addressOf, loadPhysical, storePhysical } from './physical';
import { fill, openForWrites, pageHits, physicalOf, readHits, tlbEntry } from './tlb';
import { tellWatched } from './watch';

/** What fetchTranslate and translateSupervisor answer when they fault, and when nothing executable is there. */
export const TRANSLATE_FAULT: u32 = 0xffff_ffff;
export const TRANSLATE_NOT_RAM: u32 = 0xffff_fffe;

// Where the last translated range lies: its first byte, the second page's first byte, bytes in the first page.
let firstPhysical: u64 = 0;
let secondPhysical: u64 = 0;
let firstBytes: i32 = 0;

/** Intel SDM volume 1, 3.3.7.1: bits 63:47 alike. */
// @ts-ignore: decorator
@inline
function isCanonical(address: u64): bool {
  return <u64>((<i64>address << 16) >> 16) == address;
}

/** Outside 64-bit mode linear addresses have 32 bits. */
// @ts-ignore: decorator
@inline
function cut(address: u64, wideModes: u32): u64 {
  return load<u32>(MODE) & wideModes ? address : address & 0xffff_ffff;
}

/** Place (placeOf) of one access inside a page, through the data TLB. */
function translate(linear: u64, access: i32): u64 {
  const tlb: u32 = access & ACCESS_USER ? TLB_USER : TLB_SUPERVISOR;
  const entry = tlbEntry(tlb, linear);
  if (pageHits(entry, linear)) {
    if (!(access & ACCESS_WRITE)) return physicalOf(entry, linear);
    if (load<u32>(entry, TLB_FLAGS) & TLB_WRITABLE) {
      openForWrites(entry);
      return physicalOf(entry, linear);
    }
  }
  const physical = walk(linear, access);
  if (physical == NO_PHYSICAL || !pageInRam(physical)) return physical;
  fill(tlb, linear, physical);
  if (access & ACCESS_WRITE) openForWrites(entry);
  return physical;
}

/**
 * Translates all bytes of an access before any is touched; false when it faults. A fault in the second page names
 * that page's first byte.
 */
function translateRange(address: u64, bytes: i32, access: i32, stack: i32, wideModes: u32): bool {
  const linear = cut(address, wideModes);
  const last = cut(address + <u64>(bytes - 1), wideModes);
  if (!isCanonical(linear) || !isCanonical(last)) {
    raiseNonCanonical(stack);
    return false;
  }
  firstPhysical = translate(linear, access);
  if (firstPhysical == NO_PHYSICAL) return false;
  firstBytes = 0x1000 - (<i32>linear & 0xfff);
  if (firstBytes >= bytes) return true;
  secondPhysical = translate(last & ~<u64>0xfff, access);
  return secondPhysical != NO_PHYSICAL;
}

// @ts-ignore: decorator
@inline
function currentAccess(access: i32): i32 {
  return load<u32>(TLB_DATA) == TLB_USER ? access | ACCESS_USER : access;
}

// @ts-ignore: decorator
@inline
function physicalOfByte(index: i32): u64 {
  return index < firstBytes ? firstPhysical + <u64>index : secondPhysical + <u64>(index - firstBytes);
}

/**
 * Tells the host what of the translated range is watched, before it is accessed. Page walks are not told; what the
 * processor loads and stores by itself for an instruction (descriptors, frames of exceptions) is.
 */
function tellRange(bytes: i32, kind: u32): void {
  // The host may run translations of its own.
  const first = firstPhysical;
  const second = secondPhysical;
  const split = firstBytes;
  tellWatched(first, min<i32>(bytes, split), kind);
  if (split < bytes) tellWatched(second, bytes - split, kind);
  firstPhysical = first;
  secondPhysical = second;
  firstBytes = split;
}

function loadRange(bytes: i32, kind: u32 = 0): u64 {
  tellRange(bytes, kind);
  if (firstBytes >= bytes) return loadPhysical(firstPhysical, bytes);
  let value: u64 = 0;
  for (let i = 0; i < bytes; i++) value |= loadPhysical(physicalOfByte(i), 1) << (<u64>i << 3);
  return value;
}

function storeRange(value: u64, bytes: i32, kind: u32 = WATCHED_WRITE): void {
  tellRange(bytes, kind);
  if (firstBytes >= bytes) {
    storePhysical(firstPhysical, value, bytes);
    return;
  }
  // Host callbacks may run translations of their own between the bytes.
  const first = firstPhysical;
  const second = secondPhysical;
  const split = firstBytes;
  for (let i = 0; i < bytes; i++) {
    const at: u64 = i < split ? first + <u64>i : second + <u64>(i - split);
    storePhysical(at, value >> (<u64>i << 3), 1);
  }
}

/** Loads 1, 2, 4 or 8 bytes, zero-extended. `stack`: a non-canonical address is #SS(0). */
export function loadSlow(address: u64, bytes: i32, stack: i32): u64 {
  if (!translateRange(address, bytes, currentAccess(ACCESS_READ), stack, MODE_LONG)) return 0;
  return loadRange(bytes);
}

/** Stores the low 1, 2, 4 or 8 bytes of `value`. */
export function storeSlow(address: u64, value: u64, bytes: i32, stack: i32): void {
  if (translateRange(address, bytes, currentAccess(ACCESS_WRITE), stack, MODE_LONG)) storeRange(value, bytes);
}

/** The load of a read-modify-write: #PF with W=1, dirty bit set; a storeSlow to the same bytes cannot fault. */
export function loadForWriteSlow(address: u64, bytes: i32, stack: i32): u64 {
  if (!translateRange(address, bytes, currentAccess(ACCESS_WRITE), stack, MODE_LONG)) return 0;
  return loadRange(bytes);
}

/** Probes 1 to 4096 bytes for a store. */
export function prepareWrite(address: u64, bytes: i32, stack: i32): void {
  translateRange(address, bytes, currentAccess(ACCESS_WRITE), stack, MODE_LONG);
}

/** Probes 1 to 4096 bytes for a load. */
export function prepareRead(address: u64, bytes: i32, stack: i32): void {
  translateRange(address, bytes, currentAccess(ACCESS_READ), stack, MODE_LONG);
}

/** #GP(0) for a misaligned operand that must be aligned, before paging looks at it. Intel SDM volume 2, table 2-21. */
// @ts-ignore: decorator
@inline
function misaligned(address: u64, aligned: i32): bool {
  if (!aligned || !(address & 15)) return false;
  raise(VECTOR_GP, 0, 1);
  return true;
}

/** Loads 16 bytes to SCRATCH; `aligned`: must be a multiple of 16. */
export function load128Slow(address: u64, aligned: i32, stack: i32): void {
  if (misaligned(address, aligned)) return;
  if (!translateRange(address, 16, currentAccess(ACCESS_READ), stack, MODE_LONG)) return;
  tellRange(16, 0);
  if (firstBytes >= 16) {
    const at = firstPhysical;
    store<u64>(SCRATCH, loadPhysical(at, 8));
    store<u64>(SCRATCH, loadPhysical(at + 8, 8), 8);
    return;
  }
  for (let i = 0; i < 16; i++) store<u8>(SCRATCH + i, <u8>loadPhysical(physicalOfByte(i), 1));
}

/** Stores the 16 bytes at SCRATCH. */
export function store128Slow(address: u64, aligned: i32, stack: i32): void {
  if (misaligned(address, aligned)) return;
  if (!translateRange(address, 16, currentAccess(ACCESS_WRITE), stack, MODE_LONG)) return;
  const low = load<u64>(SCRATCH);
  const high = load<u64>(SCRATCH, 8);
  tellRange(16, WATCHED_WRITE);
  if (firstBytes >= 16) {
    const at = firstPhysical;
    storePhysical(at, low, 8);
    storePhysical(at + 8, high, 8);
    return;
  }
  const first = firstPhysical;
  const second = secondPhysical;
  const split = firstBytes;
  for (let i = 0; i < 16; i++) {
    const at: u64 = i < split ? first + <u64>i : second + <u64>(i - split);
    storePhysical(at, (i < 8 ? low : high) >> (<u64>(i & 7) << 3), 1);
  }
}

// Descriptor tables, TSS and IDT are accessed as supervisor at any CPL. Intel SDM volume 3, 4.6 (implicit accesses).

export function loadSystem(address: u64, bytes: i32): u64 {
  if (!translateRange(address, bytes, ACCESS_READ, 0, MODE_LMA)) return 0;
  return loadRange(bytes, WATCHED_IMPLICIT);
}

export function storeSystem(address: u64, value: u64, bytes: i32): void {
  if (translateRange(address, bytes, ACCESS_WRITE, 0, MODE_LMA)) storeRange(value, bytes, WATCHED_WRITE | WATCHED_IMPLICIT);
}

/** Probes 1 to 4096 bytes for a supervisor store; false and FAULT_* when it would fault. */
export function probeSystemWrite(address: u64, bytes: i32): bool {
  return translateRange(address, bytes, ACCESS_WRITE, 0, MODE_LMA);
}

/**
 * Place (placeOf) of code at a linear address, with the rights of the current CPL, through the fetch TLB.
 * TRANSLATE_FAULT with FAULT_* set, or TRANSLATE_NOT_RAM when the page is not wholly RAM.
 */
export function fetchTranslate(rip: u64): u32 {
  const linear = cut(rip, MODE_LONG);
  const tlb: u32 = load<u32>(TLB_FETCH);
  const entry = tlbEntry(tlb, linear);
  if (readHits(entry, linear)) return <u32>physicalOf(entry, linear);
  if (!isCanonical(linear)) {
    raise(VECTOR_GP, 0, 1);
    return TRANSLATE_FAULT;
  }
  const physical = walk(linear, tlb == TLB_FETCH_USER ? ACCESS_FETCH | ACCESS_USER : ACCESS_FETCH);
  if (physical == NO_PHYSICAL) return TRANSLATE_FAULT;
  if (!pageInRam(physical)) return TRANSLATE_NOT_RAM;
  fill(tlb, linear, physical);
  return <u32>physical;
}

/** fetchTranslate for JavaScript: the address in two halves. */
export function fetchTranslateAt(low: u32, high: u32): u32 {
  return fetchTranslate((<u64>high << 32) | <u64>low);
}

/**
 * Guest-physical address of a linear one with supervisor rights, for the host; no TLB is read or filled. -1 when it
 * faults: the caller clears FAULT_PENDING.
 */
export function translateSupervisor(low: u32, high: u32, write: i32): f64 {
  const linear = cut((<u64>high << 32) | <u64>low, MODE_LMA);
  if (!isCanonical(linear)) {
    raise(VECTOR_GP, 0, 1);
    return -1;
  }
  const place = walk(linear, write ? ACCESS_WRITE : ACCESS_READ);
  return place == NO_PHYSICAL ? -1 : <f64>addressOf(place);
}
