/**
 * MOVS, STOS, LODS, SCAS, CMPS with and without REP, widths 1, 2, 4, 8. Intel SDM volume 2; volume 1, 7.3.9.
 *
 * Every element commits by itself: a fault leaves RCX, RSI and RDI at the element that faulted. One tick pays for each
 * element (or for RCX = 0); the first was charged on entry, STATUS_REPEAT says that the budget ended before RCX did,
 * or that the instruction may have overwritten itself.
 * SCAS and CMPS set the flags when they end, not when they are cut or fault (volume 2, REP: the flags are restored then).
 */
import { RAX, STATUS_CONTINUE, STATUS_FAULT, STATUS_REPEAT } from '../../state-layout';
import { faultPending } from '../fault';
import { setSubFlags } from './flags';
import { loadSlow, storeSlow } from '../memory/memory-access';
import { readRegister, writeRegister } from './operands';
import {
  advanceDestination,
  advanceSource,
  backward,
  begin,
  chargeOne,
  countDown,
  destinationAddress,
  destinationLimit,
  finishRun,
  goesOnWhenEqual,
  mayBeStale,
  readable,
  remaining,
  runLimit,
  sourceAddress,
  sourceLimit,
  sourceStack,
  writable,
} from './string-operands';

/** Below this many elements a loop is faster than a call of memory.copy or memory.fill. */
const BULK_ELEMENTS: u32 = 16;

// @ts-ignore: decorator
@inline
function loadHost(at: u32, width: u32): u64 {
  if (width == 8) return load<u64>(at);
  if (width == 4) return load<u32>(at);
  if (width == 2) return load<u16>(at);
  return load<u8>(at);
}

// @ts-ignore: decorator
@inline
function storeHost(at: u32, value: u64, width: u32): void {
  if (width == 8) store<u64>(at, value);
  else if (width == 4) store<u32>(at, <u32>value);
  else if (width == 2) store<u16>(at, <u16>value);
  else store<u8>(at, <u8>value);
}

/** Bytes from one element to the next, negative when DF is set. */
// @ts-ignore: decorator
@inline
function stride(width: u32): u32 {
  return backward ? 0 - width : width;
}

/**
 * Copies a run as single elements in order would. Nothing that was written is read again when the destination goes
 * ahead of the source in the direction of the copy; memory.copy means the same then.
 */
// @ts-ignore: decorator
@inline
function copyRun(to: u32, from: u32, elements: u32, width: u32): void {
  const bytes = elements * width;
  const distance: u32 = to > from ? to - from : from - to;
  const ahead = backward ? to >= from : to <= from;
  if (elements >= BULK_ELEMENTS && (ahead || distance >= bytes)) {
    const back: u32 = backward ? bytes - width : 0;
    memory.copy(to - back, from - back, bytes);
    return;
  }
  const step = stride(width);
  for (let i: u32 = 0; i < elements; i++) {
    storeHost(to, loadHost(from, width), width);
    to += step;
    from += step;
  }
}

// @ts-ignore: decorator
@inline
function moves(record: i32, width: u32): i32 {
  begin(record);
  let left = remaining();
  while (left) {
    const from = sourceAddress();
    const to = destinationAddress();
    const elements = destinationLimit(sourceLimit(runLimit(), from, width), to, width);
    const fromHost = elements ? readable(from) : 0;
    const toHost = fromHost ? writable(to) : 0;
    if (toHost) {
      copyRun(toHost, fromHost, <u32>elements, width);
      advanceSource(elements, width);
      advanceDestination(elements, width);
      finishRun(elements);
      left -= elements;
      continue;
    }
    if (!chargeOne()) return STATUS_REPEAT;
    const value = loadSlow(from, width, sourceStack);
    if (faultPending()) return STATUS_FAULT;
    storeSlow(to, value, width, 0);
    if (faultPending()) return STATUS_FAULT;
    advanceSource(1, width);
    advanceDestination(1, width);
    countDown(1);
    left--;
    if (left && mayBeStale(record)) return STATUS_REPEAT;
  }
  return STATUS_CONTINUE;
}

// @ts-ignore: decorator
@inline
function fillRun(to: u32, value: u64, elements: u32, width: u32): void {
  const byte: u64 = value & 0xff;
  const unused: u64 = 64 - ((<u64>width) << 3);
  if (elements >= BULK_ELEMENTS && (byte * 0x0101_0101_0101_0101) << unused == value << unused) {
    memory.fill(backward ? to - (elements - 1) * width : to, <u8>byte, elements * width);
    return;
  }
  const step = stride(width);
  for (let i: u32 = 0; i < elements; i++) {
    storeHost(to, value, width);
    to += step;
  }
}

// @ts-ignore: decorator
@inline
function stores(record: i32, width: u32): i32 {
  begin(record);
  const value = readRegister(RAX, width);
  let left = remaining();
  while (left) {
    const to = destinationAddress();
    const elements = destinationLimit(runLimit(), to, width);
    const toHost = elements ? writable(to) : 0;
    if (toHost) {
      fillRun(toHost, value, <u32>elements, width);
      advanceDestination(elements, width);
      finishRun(elements);
      left -= elements;
      continue;
    }
    if (!chargeOne()) return STATUS_REPEAT;
    storeSlow(to, value, width, 0);
    if (faultPending()) return STATUS_FAULT;
    advanceDestination(1, width);
    countDown(1);
    left--;
    if (left && mayBeStale(record)) return STATUS_REPEAT;
  }
  return STATUS_CONTINUE;
}

// @ts-ignore: decorator
@inline
function loads(record: i32, width: u32): i32 {
  begin(record);
  for (let left = remaining(); left; left--) {
    if (!chargeOne()) return STATUS_REPEAT;
    const value = loadSlow(sourceAddress(), width, sourceStack);
    if (faultPending()) return STATUS_FAULT;
    writeRegister(RAX, value, width);
    advanceSource(1, width);
    countDown(1);
  }
  return STATUS_CONTINUE;
}

// @ts-ignore: decorator
@inline
function scans(record: i32, width: u32): i32 {
  begin(record);
  const value = readRegister(RAX, width);
  const equalGoesOn = goesOnWhenEqual();
  const step = stride(width);
  let left = remaining();
  if (!left) return STATUS_CONTINUE;
  let other: u64 = 0;
  let goesOn = true;
  do {
    const at = destinationAddress();
    const elements = <u32>destinationLimit(runLimit(), at, width);
    let host = elements ? readable(at) : 0;
    if (host) {
      let done: u32 = 0;
      do {
        other = loadHost(host, width);
        host += step;
        done++;
        goesOn = (other == value) == equalGoesOn;
      } while (goesOn && done < elements);
      advanceDestination(done, width);
      finishRun(done);
      left -= done;
      continue;
    }
    if (!chargeOne()) return STATUS_REPEAT;
    other = loadSlow(at, width, 0);
    if (faultPending()) return STATUS_FAULT;
    goesOn = (other == value) == equalGoesOn;
    advanceDestination(1, width);
    countDown(1);
    left--;
  } while (left && goesOn);
  setSubFlags(value, other, width);
  return STATUS_CONTINUE;
}

// @ts-ignore: decorator
@inline
function compares(record: i32, width: u32): i32 {
  begin(record);
  const equalGoesOn = goesOnWhenEqual();
  const step = stride(width);
  let left = remaining();
  if (!left) return STATUS_CONTINUE;
  let first: u64 = 0;
  let second: u64 = 0;
  let goesOn = true;
  do {
    const from = sourceAddress();
    const to = destinationAddress();
    const elements = <u32>destinationLimit(sourceLimit(runLimit(), from, width), to, width);
    let fromHost = elements ? readable(from) : 0;
    let toHost = fromHost ? readable(to) : 0;
    if (toHost) {
      let done: u32 = 0;
      do {
        first = loadHost(fromHost, width);
        second = loadHost(toHost, width);
        fromHost += step;
        toHost += step;
        done++;
        goesOn = (first == second) == equalGoesOn;
      } while (goesOn && done < elements);
      advanceSource(done, width);
      advanceDestination(done, width);
      finishRun(done);
      left -= done;
      continue;
    }
    if (!chargeOne()) return STATUS_REPEAT;
    first = loadSlow(from, width, sourceStack);
    if (faultPending()) return STATUS_FAULT;
    second = loadSlow(to, width, 0);
    if (faultPending()) return STATUS_FAULT;
    goesOn = (first == second) == equalGoesOn;
    advanceSource(1, width);
    advanceDestination(1, width);
    countDown(1);
    left--;
  } while (left && goesOn);
  setSubFlags(first, second, width);
  return STATUS_CONTINUE;
}

export function movs8(record: i32): i32 {
  return moves(record, 1);
}

export function movs16(record: i32): i32 {
  return moves(record, 2);
}

export function movs32(record: i32): i32 {
  return moves(record, 4);
}

export function movs64(record: i32): i32 {
  return moves(record, 8);
}

export function stos8(record: i32): i32 {
  return stores(record, 1);
}

export function stos16(record: i32): i32 {
  return stores(record, 2);
}

export function stos32(record: i32): i32 {
  return stores(record, 4);
}

export function stos64(record: i32): i32 {
  return stores(record, 8);
}

export function lods8(record: i32): i32 {
  return loads(record, 1);
}

export function lods16(record: i32): i32 {
  return loads(record, 2);
}

export function lods32(record: i32): i32 {
  return loads(record, 4);
}

export function lods64(record: i32): i32 {
  return loads(record, 8);
}

export function scas8(record: i32): i32 {
  return scans(record, 1);
}

export function scas16(record: i32): i32 {
  return scans(record, 2);
}

export function scas32(record: i32): i32 {
  return scans(record, 4);
}

export function scas64(record: i32): i32 {
  return scans(record, 8);
}

export function cmps8(record: i32): i32 {
  return compares(record, 1);
}

export function cmps16(record: i32): i32 {
  return compares(record, 2);
}

export function cmps32(record: i32): i32 {
  return compares(record, 4);
}

export function cmps64(record: i32): i32 {
  return compares(record, 8);
}
