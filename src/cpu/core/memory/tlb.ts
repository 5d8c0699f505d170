/**
 * The TLBs: direct-mapped, one pair (data, fetch) for supervisor and one for user accesses. Intel SDM volume 3, 4.10.
 * All their state lies in linear memory; physical addresses are places (placeOf). Only pages wholly in RAM enter, so a hit is always plain memory.
 */
import {
  CODE_PAGES,
  DIRTY_PAGES,
  JUMP_EPOCH,
  MAPPING_EPOCH,
  MODE,
  MODE_LONG,
  RAM,
  TLB_ADDEND,
  TLB_ENTRIES,
  TLB_ENTRY,
  TLB_ENTRY_SHIFT,
  TLB_FETCH_SUPERVISOR,
  TLB_FETCH_USER,
  TLB_FLAGS,
  TLB_GLOBAL,
  TLB_INVALID,
  TLB_LARGE_FILTER,
  TLB_LOG,
  TLB_LOG_COUNT,
  TLB_LOG_MAX,
  TLB_MASK,
  TLB_PAGE_SHIFT,
  TLB_PHYSICAL,
  TLB_SUPERVISOR,
  TLB_TAG_READ,
  TLB_TAG_WRITE,
  TLB_USER,
  TLB_WATCHED,
  TLB_WRITABLE,
} from '../../state-layout';
import { pageInRam, walkGlobal, walkShift, walkWritable } from './paging';
import { pageIsWatched } from './watch';

const PAGE: u64 = 0xffff_ffff_ffff_f000;
const LOG_MAX: u32 = TLB_LOG_MAX;
const TLB_BYTES: u32 = TLB_ENTRIES * TLB_ENTRY;

/** Address of the one entry that may hold this linear address. */
// @ts-ignore: decorator
@inline
export function tlbEntry(tlb: u32, linear: u64): u32 {
  return tlb + ((<u32>(linear >> 12) & load<u32>(TLB_MASK)) << TLB_ENTRY_SHIFT);
}

// @ts-ignore: decorator
@inline
export function readHits(entry: u32, linear: u64): bool {
  return load<u64>(entry, TLB_TAG_READ) == (linear & PAGE);
}

/** readHits for slow paths: also where the page is watched, which the fast ones miss. */
// @ts-ignore: decorator
@inline
export function pageHits(entry: u32, linear: u64): bool {
  return (load<u64>(entry, TLB_TAG_READ) & ~(<u64>TLB_WATCHED)) == (linear & PAGE);
}

// @ts-ignore: decorator
@inline
export function writeHits(entry: u32, linear: u64): bool {
  return load<u64>(entry, TLB_TAG_WRITE) == (linear & PAGE);
}

/** Address in this memory of a linear address that hits. */
// @ts-ignore: decorator
@inline
export function hostAddress(entry: u32, linear: u64): u32 {
  return <u32>linear + load<u32>(entry, TLB_ADDEND);
}

/** Guest-physical address of a linear address that hits. */
// @ts-ignore: decorator
@inline
export function physicalOf(entry: u32, linear: u64): u64 {
  return <u64>load<u32>(entry, TLB_PHYSICAL) | (linear & 0xfff);
}

/** Lets further stores to the entry's page go straight to RAM, unless the page holds translated code or is watched. */
export function openForWrites(entry: u32): void {
  const page: u32 = load<u32>(entry, TLB_PHYSICAL) >> 12;
  if (load<u8>(<u32>CODE_PAGES + page)) return;
  store<u8>(<u32>DIRTY_PAGES + page, 1);
  store<u64>(entry, load<u64>(entry, TLB_TAG_READ), TLB_TAG_WRITE);
}

/**
 * Enters the translation that walk() has just found. `linear` and `physical` are that access's addresses. A page
 * outside RAM does not enter. The write tag stays closed until a store asks for it: it is the dirty log.
 */
export function fill(tlb: u32, linear: u64, physical: u64): void {
  if (!pageInRam(physical)) return;
  const entry = tlbEntry(tlb, linear);
  const page: u64 = linear & PAGE;
  if (tlb >= <u32>TLB_FETCH_SUPERVISOR && load<u64>(entry, TLB_TAG_READ) != TLB_INVALID) bumpJumpEpoch();
  const frame: u32 = <u32>physical & ~(<u32>0xfff);
  const watched = tlb < <u32>TLB_FETCH_SUPERVISOR && pageIsWatched(frame >> 12);
  store<u64>(entry, watched ? page | TLB_WATCHED : page, TLB_TAG_READ);
  store<u64>(entry, TLB_INVALID, TLB_TAG_WRITE);
  store<u32>(entry, <u32>RAM + frame - <u32>page, TLB_ADDEND);
  store<u32>(entry, frame, TLB_PHYSICAL);
  let flags: u32 = walkShift << TLB_PAGE_SHIFT;
  if (walkWritable) flags |= TLB_WRITABLE;
  if (walkGlobal) flags |= TLB_GLOBAL;
  else logFill(entry);
  store<u32>(entry, flags, TLB_FLAGS);
  if (walkShift > 12) noteLarge(linear);
}

/** Remembers a non-global fill, so that MOV CR3 need not look at every entry. */
// @ts-ignore: decorator
@inline
function logFill(entry: u32): void {
  const count: u32 = load<u32>(TLB_LOG_COUNT);
  if (count > LOG_MAX) return;
  if (count < LOG_MAX) store<u32>(<u32>TLB_LOG + (count << 2), entry);
  store<u32>(TLB_LOG_COUNT, count + 1);
}

function noteLarge(linear: u64): void {
  const bit: u32 = <u32>(linear >> 22) & 2047;
  const at: u32 = <u32>TLB_LARGE_FILTER + (bit >> 3);
  store<u8>(at, <u32>load<u8>(at) | (1 << (bit & 7)));
}

// @ts-ignore: decorator
@inline
function drop(entry: u32): void {
  store<u64>(entry, TLB_INVALID, TLB_TAG_READ);
  store<u64>(entry, TLB_INVALID, TLB_TAG_WRITE);
}

// @ts-ignore: decorator
@inline
function bumpEpoch(): void {
  store<u32>(MAPPING_EPOCH, load<u32>(MAPPING_EPOCH) + 1);
  bumpJumpEpoch();
}

/** What the jump cache holds is no longer what the look-up would find. */
// @ts-ignore: decorator
@inline
export function bumpJumpEpoch(): void {
  store<u32>(JUMP_EPOCH, load<u32>(JUMP_EPOCH) + 1);
}

/** Everything, global or not: MOV CR3 without PGE, changes of CR0.PG, CR0.WP, CR4.PAE, PSE, PGE, EFER.NXE. */
export function flushAll(): void {
  const tlbs: u32 = TLB_SUPERVISOR;
  for (let at: u32 = 0; at < 4 * TLB_BYTES; at += TLB_ENTRY) drop(tlbs + at);
  memory.fill(TLB_LARGE_FILTER, 0, 256);
  store<u32>(TLB_LOG_COUNT, 0);
  bumpEpoch();
}

/** MOV CR3 with CR4.PGE: what is not global, and all of the lower half. Intel SDM volume 3, 4.10.4.1. */
export function flushNonGlobalAndLowerHalf(): void {
  const count: u32 = load<u32>(TLB_LOG_COUNT);
  if (count <= LOG_MAX) {
    for (let at: u32 = 0; at < count << 2; at += 4) dropIfLocal(load<u32>(<u32>TLB_LOG + at));
  } else {
    const tlbs: u32 = TLB_SUPERVISOR;
    for (let at: u32 = 0; at < 4 * TLB_BYTES; at += TLB_ENTRY) dropIfLocal(tlbs + at);
  }
  store<u32>(TLB_LOG_COUNT, 0);
  bumpEpoch();
}

/** A logged entry may have been refilled globally since. */
// @ts-ignore: decorator
@inline
function dropIfLocal(entry: u32): void {
  if (!(load<u32>(entry, TLB_FLAGS) & TLB_GLOBAL)) drop(entry);
}

/**
 * INVLPG: the page that holds `address`, global or not, in all TLBs, with every piece of a large page.
 * Intel SDM volume 3, 4.10.4.1.
 */
export function flushPage(address: u64): void {
  const linear: u64 = load<u32>(MODE) & MODE_LONG ? address : address & 0xffff_ffff;
  const bit: u32 = <u32>(linear >> 22) & 2047;
  const mayBeLarge = (<u32>load<u8>(<u32>TLB_LARGE_FILTER + (bit >> 3)) >> (bit & 7)) & 1;
  if (mayBeLarge) {
    dropPieces(linear);
  } else {
    dropOne(TLB_SUPERVISOR, linear);
    dropOne(TLB_USER, linear);
    dropOne(TLB_FETCH_SUPERVISOR, linear);
    dropOne(TLB_FETCH_USER, linear);
  }
  bumpEpoch();
}

// @ts-ignore: decorator
@inline
function dropOne(tlb: u32, linear: u64): void {
  const entry = tlbEntry(tlb, linear);
  if (pageHits(entry, linear)) drop(entry);
}

/** Drops every entry of a page, of whatever size it was entered with, that contains `linear`. */
function dropPieces(linear: u64): void {
  const tlbs: u32 = TLB_SUPERVISOR;
  for (let at: u32 = 0; at < 4 * TLB_BYTES; at += TLB_ENTRY) {
    const entry = tlbs + at;
    const tag: u64 = load<u64>(entry, TLB_TAG_READ);
    if (tag == TLB_INVALID) continue;
    const shift: u64 = (load<u32>(entry, TLB_FLAGS) >> TLB_PAGE_SHIFT) & 0xff;
    if ((tag ^ linear) >> shift == 0) drop(entry);
  }
}

/** A page of RAM (guest-physical address, any byte of it) now holds translated code: stores to it must be seen. */
export function dropWriteTags(physicalPage: u32): void {
  const frame: u32 = physicalPage & ~(<u32>0xfff);
  const tlbs: u32 = TLB_SUPERVISOR;
  for (let at: u32 = 0; at < 2 * TLB_BYTES; at += TLB_ENTRY) {
    const entry = tlbs + at;
    if (load<u32>(entry, TLB_PHYSICAL) == frame) store<u64>(entry, TLB_INVALID, TLB_TAG_WRITE);
  }
}

/** Closes every write tag: the host has taken the dirty log and starts a new one. */
export function dropAllWriteTags(): void {
  const tlbs: u32 = TLB_SUPERVISOR;
  for (let at: u32 = 0; at < 2 * TLB_BYTES; at += TLB_ENTRY) store<u64>(tlbs + at, TLB_INVALID, TLB_TAG_WRITE);
}
