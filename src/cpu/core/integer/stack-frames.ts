/** POP to memory, ENTER, PUSHA, POPA: stack operations with several accesses. Intel SDM volume 2. */
import {
  RAX,
  RBP,
  REC_IMMEDIATE,
  REC_OP1,
  RSP,
  STATUS_CONTINUE,
  STATUS_FAULT,
} from '../../state-layout';
import { faultPending } from '../fault';
import { loadSlow, prepareRead, prepareWrite, storeSlow } from '../memory/memory-access';
import { inLongMode, setStackPointer, stackLinear } from '../system/mode';
import { effectiveAddress, stackOf, writeRegister } from './operands';

/** The destination's address is computed with the stack pointer already moved. */
function popMemory(record: i32, bytes: i32): i32 {
  const pointer = load<u64>(RSP);
  const value = loadSlow(stackLinear(pointer), bytes, 1);
  if (faultPending()) return STATUS_FAULT;
  setStackPointer(pointer + bytes);
  storeSlow(effectiveAddress(record), value, bytes, stackOf(record));
  if (faultPending()) {
    store<u64>(RSP, pointer);
    return STATUS_FAULT;
  }
  return STATUS_CONTINUE;
}

export function popMemory16(record: i32): i32 {
  return popMemory(record, 2);
}
export function popMemory32(record: i32): i32 {
  return popMemory(record, 4);
}
export function popMemory64(record: i32): i32 {
  return popMemory(record, 8);
}

/** ENTER imm16, imm8: the whole frame is probed before the registers move. */
function enter(record: i32, bytes: i32): i32 {
  const size = load<u64>(record, REC_IMMEDIATE) & 0xffff;
  const level = load<u32>(record, REC_OP1) & 31;
  const start = load<u64>(RSP);
  const oldFrame = load<u64>(RBP);
  let pointer = start - bytes;
  storeSlow(stackLinear(pointer), oldFrame, bytes, 1);
  if (faultPending()) return STATUS_FAULT;
  const frame = pointer;
  for (let i: u32 = 1; i < level; i++) {
    const saved = loadSlow(stackLinear(oldFrame - i * bytes), bytes, 1);
    if (faultPending()) return STATUS_FAULT;
    pointer -= bytes;
    storeSlow(stackLinear(pointer), saved, bytes, 1);
    if (faultPending()) return STATUS_FAULT;
  }
  if (level > 0) {
    pointer -= bytes;
    storeSlow(stackLinear(pointer), frame, bytes, 1);
    if (faultPending()) return STATUS_FAULT;
  }
  pointer -= size;
  prepareWrite(stackLinear(pointer), bytes, 1);
  if (faultPending()) return STATUS_FAULT;
  if (bytes == 2) store<u16>(RBP, <u16>frame);
  else store<u64>(RBP, inLongMode() ? frame : frame & 0xffff_ffff);
  setStackPointer(pointer);
  return STATUS_CONTINUE;
}

export function enter16(record: i32): i32 {
  return enter(record, 2);
}
export function enter64(record: i32): i32 {
  return enter(record, 8);
}
export function enter32(record: i32): i32 {
  return enter(record, 4);
}

/** PUSHA, PUSHAD: rAX rCX rDX rBX, the old rSP, rBP rSI rDI. */
function pushAll(bytes: i32): i32 {
  const start = load<u64>(RSP);
  prepareWrite(stackLinear(start - 8 * bytes), bytes, 1);
  for (let i = 0; i < 8 && !faultPending(); i++) {
    storeSlow(stackLinear(start - bytes * (i + 1)), load<u64>(RAX + 8 * i), bytes, 1);
  }
  if (faultPending()) return STATUS_FAULT;
  setStackPointer(start - 8 * bytes);
  return STATUS_CONTINUE;
}

export function pushAll16(_record: i32): i32 {
  return pushAll(2);
}
export function pushAll32(_record: i32): i32 {
  return pushAll(4);
}

/** POPA, POPAD: the saved rSP is skipped. */
function popAll(bytes: i32): i32 {
  const start = load<u64>(RSP);
  prepareRead(stackLinear(start + 7 * bytes), bytes, 1);
  for (let i = 0; i < 8; i++) {
    const value = loadSlow(stackLinear(start + bytes * (7 - i)), bytes, 1);
    if (faultPending()) return STATUS_FAULT;
    if (i != 4) writeRegister(RAX + 8 * i, value, bytes);
  }
  setStackPointer(start + 8 * bytes);
  return STATUS_CONTINUE;
}

export function popAll16(_record: i32): i32 {
  return popAll(2);
}
export function popAll32(_record: i32): i32 {
  return popAll(4);
}
