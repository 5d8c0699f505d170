/**
 * What the string instructions share: the implicit operands in RSI, RDI and RCX, the REP budget, and runs of elements
 * that lie in one page each of source and destination. Intel SDM volume 1, 7.3.9; volume 2, REP.
 */
import {
  BUDGET,
  FLAGS_SYSTEM,
  MODE,
  MODE_LONG,
  MODE_SEGMENTED,
  RCX,
  RDI,
  REC_ADDRESS32,
  REC_FLAGS,
  REC_HANDLER,
  REC_REP,
  REC_REPNE,
  REC_SEGMENT,
  REC_STACK_SEGMENT,
  RSI,
  SEG_ES,
  SEGMENT_BASE,
  TLB_DATA,
} from '../../state-layout';
import { countFurther } from '../further-elements';
import { hostAddress, readHits, tlbEntry, writeHits } from '../memory/tlb';

const DIRECTION: u64 = 0x400;

// The instruction that runs, taken from its record: nothing here outlives the helper's call.
let current: i32 = 0;
let flags: u32 = 0;
let sourceBase: u64 = 0;
let destinationBase: u64 = 0;
/** Bits of RSI, RDI and RCX that the address size uses. */
let registerMask: u64 = 0;
/** Bits of a linear address in this mode. */
let linearMask: u64 = 0;
/** True while the tick that was charged on entry still pays for the next element. */
let prepaid: bool = false;
/** DF = 1. */
export let backward: bool = false;
/** REC_HANDLER as the instruction began: a block that is dropped gets another. */
let handler: u32 = 0;
/** REC_STACK_SEGMENT of the source. */
export let sourceStack: i32 = 0;

/** Host address of nothing: the run must take the slow path. */
export const NO_HOST: u32 = 0;

/** Reads the record. */
export function begin(record: i32): void {
  current = record;
  flags = load<u8>(record, REC_FLAGS);
  const mode: u32 = load<u32>(MODE);
  sourceBase = load<u64>(load<u32>(record, REC_SEGMENT));
  destinationBase = mode & MODE_SEGMENTED ? load<u64>(SEG_ES + SEGMENT_BASE) : 0;
  registerMask = flags & REC_ADDRESS32 ? 0xffff_ffff : 0xffff_ffff_ffff_ffff;
  linearMask = mode & MODE_LONG ? 0xffff_ffff_ffff_ffff : 0xffff_ffff;
  sourceStack = flags & REC_STACK_SEGMENT;
  backward = (load<u64>(FLAGS_SYSTEM) & DIRECTION) != 0;
  prepaid = true;
  handler = load<u16>(record, REC_HANDLER);
}

/** Whether an element has changed translated code, perhaps this instruction: it is fetched again, as between two slices. */
// @ts-ignore: decorator
@inline
export function mayBeStale(record: i32): bool {
  return load<u16>(record, REC_HANDLER) != handler;
}

// @ts-ignore: decorator
@inline
export function repeats(): bool {
  return (flags & (REC_REP | REC_REPNE)) != 0;
}

/** For SCAS and CMPS: whether elements that compare so let the repetition go on. */
// @ts-ignore: decorator
@inline
export function goesOnWhenEqual(): bool {
  return (flags & REC_REPNE) == 0;
}

/** Elements that are left: RCX (ECX), or 1 without REP. */
// @ts-ignore: decorator
@inline
export function remaining(): u64 {
  return repeats() ? load<u64>(RCX) & registerMask : 1;
}

// @ts-ignore: decorator
@inline
export function sourceAddress(): u64 {
  return ((load<u64>(RSI) & registerMask) + sourceBase) & linearMask;
}

// @ts-ignore: decorator
@inline
export function destinationAddress(): u64 {
  return ((load<u64>(RDI) & registerMask) + destinationBase) & linearMask;
}

/** How many elements the budget pays for now. */
// @ts-ignore: decorator
@inline
function affordable(): u64 {
  return <u64>max<i32>(load<i32>(BUDGET), 0) + <u64>prepaid;
}

/** Charges `elements` ticks, which affordable() has allowed. */
// @ts-ignore: decorator
@inline
function charge(elements: u64): void {
  const further = <i32>(elements - <u64>prepaid);
  store<i32>(BUDGET, load<i32>(BUDGET) - further);
  countFurther(current, further);
  prepaid = false;
}

/** Charges one element before it is tried (if it faults, the dispatch loop takes one tick back); false: cut here. */
export function chargeOne(): bool {
  if (!affordable()) return false;
  charge(1);
  return true;
}

// @ts-ignore: decorator
@inline
function moveRegister(register: u32, bytes: u64): void {
  const old: u64 = load<u64>(register);
  store<u64>(register, (backward ? old - bytes : old + bytes) & registerMask);
}

// @ts-ignore: decorator
@inline
export function advanceSource(elements: u64, width: u64): void {
  moveRegister(RSI, elements * width);
}

// @ts-ignore: decorator
@inline
export function advanceDestination(elements: u64, width: u64): void {
  moveRegister(RDI, elements * width);
}

/** Takes done elements off RCX. */
// @ts-ignore: decorator
@inline
export function countDown(elements: u64): void {
  if (repeats()) store<u64>(RCX, (load<u64>(RCX) - elements) & registerMask);
}

/** Charges and takes a finished run off RCX. */
export function finishRun(elements: u64): void {
  charge(elements);
  countDown(elements);
}

/** Elements from `linear` on, in the direction of DF, that lie wholly in its page; 0 when the first crosses it. */
// @ts-ignore: decorator
@inline
function elementsInPage(linear: u64, width: u64): u64 {
  const offset: u64 = linear & 0xfff;
  if (offset + width > 0x1000) return 0;
  return backward ? offset / width + 1 : (0x1000 - offset) / width;
}

/** A segment base inside a page could make a 32-bit offset wrap within a run: one element at a time then. */
// @ts-ignore: decorator
@inline
function pageLimit(linear: u64, base: u64, width: u64): u64 {
  return (base & 0xfff) != 0 && registerMask == 0xffff_ffff ? 0 : elementsInPage(linear, width);
}

/** At most this many elements in the next run that reads the source. */
export function sourceLimit(limit: u64, linear: u64, width: u64): u64 {
  return min<u64>(limit, pageLimit(linear, sourceBase, width));
}

/** At most this many elements in the next run that uses the destination. */
export function destinationLimit(limit: u64, linear: u64, width: u64): u64 {
  return min<u64>(limit, pageLimit(linear, destinationBase, width));
}

/** Elements that RCX and the budget allow. */
export function runLimit(): u64 {
  return min<u64>(remaining(), affordable());
}

/** Address in this memory when loads from `linear` hit the data TLB, else NO_HOST. */
// @ts-ignore: decorator
@inline
export function readable(linear: u64): u32 {
  const entry = tlbEntry(load<u32>(TLB_DATA), linear);
  return readHits(entry, linear) ? hostAddress(entry, linear) : NO_HOST;
}

/** Address in this memory when stores to `linear` hit the data TLB, else NO_HOST. */
// @ts-ignore: decorator
@inline
export function writable(linear: u64): u32 {
  const entry = tlbEntry(load<u32>(TLB_DATA), linear);
  return writeHits(entry, linear) ? hostAddress(entry, linear) : NO_HOST;
}
