/** IN, OUT, INS, OUTS and the I/O permission bitmap. Intel SDM volume 1, chapter 19; volume 2. */
import {
  BUDGET,
  CPL,
  FLAGS_SYSTEM,
  LEAVE_BOUNDARY,
  MODE,
  MODE_SEGMENTED,
  RAX,
  RCX,
  RDI,
  RDX,
  REC_ADDRESS32,
  REC_FLAGS,
  REC_HANDLER,
  REC_IMMEDIATE,
  REC_LENGTH,
  REC_REP,
  REC_REPNE,
  REC_SEGMENT,
  RIP,
  RSI,
  SEG_ES,
  SEG_TR,
  SEGMENT_ATTRIBUTES,
  SEGMENT_BASE,
  SEGMENT_LIMIT,
  STATUS_CONTINUE,
  STATUS_FAULT,
  STATUS_REPEAT,
} from '../../state-layout';
import { faultPending } from '../fault';
import { countFurther } from '../further-elements';
import { loadSlow, loadSystem, prepareWrite, storeSlow } from '../memory/memory-access';
import { finishAtBoundary, FLAG_DF, generalProtection, ioPrivilege, leave, nextRip, windowOpen } from './mode';
import { stackOf, writeRegister } from '../integer/operands';

// @ts-ignore: decorator
@external('host', 'readPort')
declare function readPort(port: u32, bytes: u32): u32;

// @ts-ignore: decorator
@external('host', 'writePort')
declare function writePort(port: u32, bytes: u32, value: u32): void;

/** At CPL > IOPL the TSS's bitmap decides; #GP(0) when it forbids. Two bytes of it are read always. */
function portForbidden(port: u32, bytes: u32): bool {
  if (load<u32>(CPL) <= ioPrivilege()) return false;
  const type = load<u32>(SEG_TR, SEGMENT_ATTRIBUTES) & 0x1f;
  const limit = load<u32>(SEG_TR, SEGMENT_LIMIT);
  const base = load<u64>(SEG_TR, SEGMENT_BASE);
  if ((type == 9 || type == 11) && limit >= 103) {
    const offset = <u32>loadSystem(base + 102, 2) + (port >> 3);
    if (faultPending()) return true;
    if (offset + 1 <= limit) {
      const bits = <u32>loadSystem(base + offset, 2) >> (port & 7);
      if (faultPending()) return true;
      if (!(bits & ((1 << bytes) - 1))) return false;
    }
  }
  generalProtection(0);
  return true;
}

/** The host sees RIP behind the instruction. */
// @ts-ignore: decorator
@inline
function input(record: i32, port: u32, bytes: i32): i32 {
  if (portForbidden(port, bytes)) return STATUS_FAULT;
  store<u64>(RIP, nextRip(record));
  writeRegister(RAX, readPort(port, bytes), bytes);
  return finishAtBoundary(record);
}

// @ts-ignore: decorator
@inline
function output(record: i32, port: u32, bytes: i32): i32 {
  if (portForbidden(port, bytes)) return STATUS_FAULT;
  store<u64>(RIP, nextRip(record));
  const value = load<u32>(RAX);
  writePort(port, bytes, bytes == 1 ? value & 0xff : bytes == 2 ? value & 0xffff : value);
  return finishAtBoundary(record);
}

// Immediate forms: REC_IMMEDIATE is the port; the others take it from DX.

export function inImmediate8(record: i32): i32 {
  return input(record, load<u8>(record, REC_IMMEDIATE), 1);
}

export function inImmediate16(record: i32): i32 {
  return input(record, load<u8>(record, REC_IMMEDIATE), 2);
}

export function inImmediate32(record: i32): i32 {
  return input(record, load<u8>(record, REC_IMMEDIATE), 4);
}

export function inDx8(record: i32): i32 {
  return input(record, load<u16>(RDX), 1);
}

export function inDx16(record: i32): i32 {
  return input(record, load<u16>(RDX), 2);
}

export function inDx32(record: i32): i32 {
  return input(record, load<u16>(RDX), 4);
}

export function outImmediate8(record: i32): i32 {
  return output(record, load<u8>(record, REC_IMMEDIATE), 1);
}

export function outImmediate16(record: i32): i32 {
  return output(record, load<u8>(record, REC_IMMEDIATE), 2);
}

export function outImmediate32(record: i32): i32 {
  return output(record, load<u8>(record, REC_IMMEDIATE), 4);
}

export function outDx8(record: i32): i32 {
  return output(record, load<u16>(RDX), 1);
}

export function outDx16(record: i32): i32 {
  return output(record, load<u16>(RDX), 2);
}

export function outDx32(record: i32): i32 {
  return output(record, load<u16>(RDX), 4);
}

// @ts-ignore: decorator
@inline
function addressMask(record: i32): u64 {
  return load<u8>(record, REC_FLAGS) & REC_ADDRESS32 ? 0xffff_ffff : ~(<u64>0);
}

/** Moves an index or counter register; with address size 32 its upper half is cleared. */
// @ts-ignore: decorator
@inline
function advance(register: u32, by: u64, mask: u64): void {
  store<u64>(register, (load<u64>(register) + by) & mask);
}

/** The distance to the next element, by DF. */
// @ts-ignore: decorator
@inline
function stride(bytes: u32): u64 {
  return load<u64>(FLAGS_SYSTEM) & FLAG_DF ? 0 - <u64>bytes : <u64>bytes;
}

/** One element of INS: the destination is probed before the port is read. */
function insertOne(port: u32, bytes: u32, mask: u64): bool {
  let address = load<u64>(RDI) & mask;
  if (load<u32>(MODE) & MODE_SEGMENTED) address += load<u64>(SEG_ES, SEGMENT_BASE);
  prepareWrite(address, bytes, 0);
  if (faultPending()) return false;
  storeSlow(address, readPort(port, bytes), bytes, 0);
  advance(RDI, stride(bytes), mask);
  return true;
}

function outputOne(record: i32, port: u32, bytes: u32, mask: u64): bool {
  const address = (load<u64>(RSI) & mask) + load<u64>(load<u32>(record, REC_SEGMENT));
  const value = loadSlow(address, bytes, stackOf(record));
  if (faultPending()) return false;
  writePort(port, bytes, <u32>value);
  advance(RSI, stride(bytes), mask);
  return true;
}

/**
 * INS or OUTS with its repetition: each element commits by itself. The first was charged; when the budget ends in the
 * middle the answer is STATUS_REPEAT, when the host wants control RIP is the instruction itself.
 */
// @ts-ignore: decorator
@inline
function transfer(record: i32, bytes: u32, inserts: bool): i32 {
  const port: u32 = load<u16>(RDX);
  const mask = addressMask(record);
  const repeats = (load<u8>(record, REC_FLAGS) & (REC_REP | REC_REPNE)) != 0;
  const handler = load<u16>(record, REC_HANDLER);
  if (repeats && !(load<u64>(RCX) & mask)) return STATUS_CONTINUE;
  if (portForbidden(port, bytes)) return STATUS_FAULT;
  while (true) {
    const rip = nextRip(record) - load<u8>(record, REC_LENGTH);
    store<u64>(RIP, rip);
    if (!(inserts ? insertOne(port, bytes, mask) : outputOne(record, port, bytes, mask))) return STATUS_FAULT;
    if (!repeats) return finishAtBoundary(record);
    advance(RCX, ~(<u64>0), mask);
    if (!(load<u64>(RCX) & mask)) return finishAtBoundary(record);
    const budget = load<i32>(BUDGET);
    if (budget <= 0 || load<u16>(record, REC_HANDLER) != handler) return STATUS_REPEAT; // cut, or perhaps overwritten
    if (windowOpen()) return leave(LEAVE_BOUNDARY);
    store<i32>(BUDGET, budget - 1);
    countFurther(record, 1);
  }
}

export function ins8(record: i32): i32 {
  return transfer(record, 1, true);
}

export function ins16(record: i32): i32 {
  return transfer(record, 2, true);
}

export function ins32(record: i32): i32 {
  return transfer(record, 4, true);
}

export function outs8(record: i32): i32 {
  return transfer(record, 1, false);
}

export function outs16(record: i32): i32 {
  return transfer(record, 2, false);
}

export function outs32(record: i32): i32 {
  return transfer(record, 4, false);
}
