/**
 * Transfers between code segments: far JMP, CALL, RET and IRET. Call gates and task switches are left out, because no
 * kernel that enters through one of the doors uses them: long mode has no task switch. They are noted and fault. Intel SDM volume 3, 5.8, and volume 2.
 */
import {
  CPL,
  FLAGS_SYSTEM,
  REC_IMMEDIATE,
  REC_OP0,
  RIP,
  RSP,
  SEG_CS,
  SEG_DS,
  SEG_ES,
  SEG_FS,
  SEG_GS,
  SEG_SS,
  SEGMENT_SELECTOR,
  STATUS_FAULT,
} from '../../state-layout';
import {
  attributesOf,
  canMarkAccessed,
  descriptor,
  descriptorAddress,
  findDescriptor,
  isCode,
  isConforming,
  isNull,
  isPresent,
  isWritableData,
  limitOf,
  markAccessed,
  OUTSIDE_TABLE,
  privilegeOf,
  setCode,
  setHidden,
  setSegment,
  TABLE_FAULT,
} from './descriptors';
import { faultPending, raise, VECTOR_NP, VECTOR_SS } from '../fault';
import { writableFlags, writeFlags } from './flags-register';
import { loadSlow, prepareWrite, storeSlow } from '../memory/memory-access';
import {
  ATTRIBUTE_BIG,
  ATTRIBUTE_LONG,
  canonical,
  FLAG_NT,
  FLAG_VM,
  generalProtection,
  inLongMode,
  jumpOrLeave,
  longModeActive,
  nextRip,
  setStackPointer,
  stackLinear,
  unimplemented,
  UNIMPLEMENTED_FAR_GATE,
  UNIMPLEMENTED_NESTED_TASK,
  UNIMPLEMENTED_VM86,
  updateMode,
} from './mode';
import { effectiveAddress, stackOf } from '../integer/operands';
import { dropPrivilegedSegment } from './segments';

// The code segment that was checked last, and the stack segment of a return.
let codeSelector: u32 = 0;
let codeDescriptor: u64 = 0;
let codeAddress: u64 = 0;
let stackSelector: u32 = 0;
let stackDescriptor: u64 = 0;
let stackAddress: u64 = 0;

function fail(vector: i32, errorCode: u32): bool {
  raise(vector, errorCode, 1);
  return false;
}

function failGp(errorCode: u32): bool {
  generalProtection(errorCode);
  return false;
}

/** Reads the descriptor of a code selector into code...; #GP(selector) when there is none. */
function findCode(selector: u32): bool {
  if (isNull(selector)) return failGp(0);
  const found = findDescriptor(selector, 8);
  if (found == TABLE_FAULT) return false;
  if (found == OUTSIDE_TABLE) return failGp(selector & 0xfffc);
  codeSelector = selector;
  codeDescriptor = descriptor;
  codeAddress = descriptorAddress;
  return true;
}

/** P, L with D, and the offset: #NP(selector), #GP(selector), #GP(0). */
function codeIsUsable(offset: u64): bool {
  const attributes = attributesOf(codeDescriptor);
  const selectorError = codeSelector & 0xfffc;
  if (!isPresent(attributes)) return fail(VECTOR_NP, selectorError);
  const long = longModeActive() && (attributes & ATTRIBUTE_LONG) != 0;
  if (long && attributes & ATTRIBUTE_BIG) return failGp(selectorError);
  if (long ? !canonical(offset) : offset > <u64>limitOf(codeDescriptor)) return failGp(0);
  return canMarkAccessed(codeDescriptor, codeAddress);
}

/** JMP and CALL keep the CPL. Intel SDM volume 3, 5.8.1. */
function findTarget(selector: u32, offset: u64): bool {
  if (!findCode(selector)) return false;
  const attributes = attributesOf(codeDescriptor);
  const privilege = load<u32>(CPL);
  const selectorError = selector & 0xfffc;
  if (!isCode(attributes)) {
    if (!(attributes & 0x10)) unimplemented(UNIMPLEMENTED_FAR_GATE, selector);
    return failGp(selectorError);
  }
  const allowed = privilegeOf(attributes);
  if (isConforming(attributes) ? allowed > privilege : allowed != privilege || (selector & 3) > privilege) {
    return failGp(selectorError);
  }
  return codeIsUsable(offset);
}

function enterCode(offset: u64, privilege: u32): void {
  markAccessed(codeDescriptor, codeAddress);
  setCode(codeSelector, codeDescriptor, privilege);
  store<u64>(RIP, offset);
}

function farJump(selector: u32, offset: u64): i32 {
  if (!findTarget(selector, offset)) return STATUS_FAULT;
  enterCode(offset, load<u32>(CPL));
  updateMode();
  return jumpOrLeave();
}

/** Both slots are probed before either is written. */
function farCall(record: i32, selector: u32, offset: u64, bytes: u32): i32 {
  if (!findTarget(selector, offset)) return STATUS_FAULT;
  const first = load<u64>(RSP) - bytes;
  const second = first - bytes;
  prepareWrite(stackLinear(first), bytes, 1);
  if (faultPending()) return STATUS_FAULT;
  prepareWrite(stackLinear(second), bytes, 1);
  if (faultPending()) return STATUS_FAULT;
  storeSlow(stackLinear(first), load<u32>(SEG_CS, SEGMENT_SELECTOR), bytes, 1);
  storeSlow(stackLinear(second), nextRip(record), bytes, 1);
  setStackPointer(second);
  enterCode(offset, load<u32>(CPL));
  updateMode();
  return jumpOrLeave();
}

// The pointer in memory: offset first, then the selector.
let pointerSelector: u32 = 0;

function loadPointer(record: i32, bytes: i32): u64 {
  const address = effectiveAddress(record);
  const stack = stackOf(record);
  const offset = loadSlow(address, bytes, stack);
  if (faultPending()) return 0;
  pointerSelector = <u32>loadSlow(address + bytes, 2, stack);
  return offset;
}

/** JMP ptr16:32: the selector is the number in REC_OP0, the offset REC_IMMEDIATE. */
export function farJumpDirect(record: i32): i32 {
  return farJump(load<u32>(record, REC_OP0), load<u32>(record, REC_IMMEDIATE));
}

/** JMP m16:32. */
export function farJump32(record: i32): i32 {
  const offset = loadPointer(record, 4);
  return faultPending() ? STATUS_FAULT : farJump(pointerSelector, offset);
}

/** JMP m16:64. */
export function farJump64(record: i32): i32 {
  const offset = loadPointer(record, 8);
  return faultPending() ? STATUS_FAULT : farJump(pointerSelector, offset);
}

/** CALL ptr16:32: the selector is the number in REC_OP0, the offset REC_IMMEDIATE. */
export function farCallDirect(record: i32): i32 {
  return farCall(record, load<u32>(record, REC_OP0), load<u32>(record, REC_IMMEDIATE), 4);
}

/** CALL m16:32. */
export function farCall32(record: i32): i32 {
  const offset = loadPointer(record, 4);
  return faultPending() ? STATUS_FAULT : farCall(record, pointerSelector, offset, 4);
}

/** CALL m16:64. */
export function farCall64(record: i32): i32 {
  const offset = loadPointer(record, 8);
  return faultPending() ? STATUS_FAULT : farCall(record, pointerSelector, offset, 8);
}

/** The code segment of a return: never inward. Intel SDM volume 2, RET and IRET. */
function findReturnCode(selector: u32, offset: u64): bool {
  if (!findCode(selector)) return false;
  const attributes = attributesOf(codeDescriptor);
  const target = selector & 3;
  const allowed = privilegeOf(attributes);
  if (!isCode(attributes) || target < load<u32>(CPL)) return failGp(selector & 0xfffc);
  if (isConforming(attributes) ? allowed > target : allowed != target) return failGp(selector & 0xfffc);
  return codeIsUsable(offset);
}

/** Whether the code segment that was found is 64-bit code. */
function returnsToLong(): bool {
  return longModeActive() && (attributesOf(codeDescriptor) & ATTRIBUTE_LONG) != 0;
}

/** The stack segment of a return. A null one is allowed when returning to 64-bit code below CPL 3. */
function findReturnStack(selector: u32): bool {
  const target = codeSelector & 3;
  stackSelector = selector;
  stackDescriptor = 0;
  if (isNull(selector)) {
    if (!returnsToLong() || target == 3 || (selector & 3) != target) return failGp(0);
    return true;
  }
  const found = findDescriptor(selector, 8);
  if (found == TABLE_FAULT) return false;
  const selectorError = selector & 0xfffc;
  if (found == OUTSIDE_TABLE || (selector & 3) != target) return failGp(selectorError);
  const attributes = attributesOf(descriptor);
  if (!isWritableData(attributes) || privilegeOf(attributes) != target) return failGp(selectorError);
  if (!isPresent(attributes)) return fail(VECTOR_SS, selectorError);
  stackDescriptor = descriptor;
  stackAddress = descriptorAddress;
  return canMarkAccessed(stackDescriptor, stackAddress);
}

/** Loads SS and rSP as found; MODE is that of the new code afterwards. */
function enterStack(rsp: u64): void {
  if (isNull(stackSelector)) {
    setHidden(SEG_SS, stackSelector, 0, 0, 0);
  } else {
    markAccessed(stackDescriptor, stackAddress);
    setSegment(SEG_SS, stackSelector, stackDescriptor);
  }
  updateMode();
  setStackPointer(rsp);
}

function dropPrivilegedSegments(): void {
  dropPrivilegedSegment(SEG_ES);
  dropPrivilegedSegment(SEG_DS);
  dropPrivilegedSegment(SEG_FS);
  dropPrivilegedSegment(SEG_GS);
  updateMode();
}

// @ts-ignore: decorator
@inline
function popSlot(rsp: u64, slot: u32, bytes: u32): u64 {
  return loadSlow(stackLinear(rsp + slot * bytes), bytes, 1);
}

/** RET far. `released`: bytes of parameters, on both stacks. */
function farReturn(bytes: u32, released: u32): i32 {
  const rsp = load<u64>(RSP);
  const offset = popSlot(rsp, 0, bytes);
  if (faultPending()) return STATUS_FAULT;
  const selector = <u32>popSlot(rsp, 1, bytes) & 0xffff;
  if (faultPending() || !findReturnCode(selector, offset)) return STATUS_FAULT;
  const target = selector & 3;
  if (target == load<u32>(CPL)) {
    setStackPointer(rsp + 2 * bytes + released);
    enterCode(offset, target);
    updateMode();
    return jumpOrLeave();
  }
  const outer = rsp + released;
  const newRsp = popSlot(outer, 2, bytes);
  if (faultPending()) return STATUS_FAULT;
  const newStack = <u32>popSlot(outer, 3, bytes) & 0xffff;
  if (faultPending() || !findReturnStack(newStack)) return STATUS_FAULT;
  enterCode(offset, target);
  enterStack(newRsp + released);
  dropPrivilegedSegments();
  return jumpOrLeave();
}

/** RETF, operand size 32. */
export function retfd(_record: i32): i32 {
  return farReturn(4, 0);
}

/** RETF, operand size 64. */
export function retfq(_record: i32): i32 {
  return farReturn(8, 0);
}

/** RETF imm16, operand size 32: REC_IMMEDIATE bytes of parameters are released. */
export function retfdImmediate(record: i32): i32 {
  return farReturn(4, load<u16>(record, REC_IMMEDIATE));
}

/** RETF imm16, operand size 64. */
export function retfqImmediate(record: i32): i32 {
  return farReturn(8, load<u16>(record, REC_IMMEDIATE));
}

/** IRET. In 64-bit mode SS:RSP is always popped. Intel SDM volume 2, IRET; volume 3, 6.14.3. */
function interruptReturn(bytes: u32): i32 {
  if (load<u64>(FLAGS_SYSTEM) & FLAG_NT) {
    if (!longModeActive()) unimplemented(UNIMPLEMENTED_NESTED_TASK, 0);
    return generalProtection(0);
  }
  const privilege = load<u32>(CPL);
  const rsp = load<u64>(RSP);
  const offset = popSlot(rsp, 0, bytes);
  if (faultPending()) return STATUS_FAULT;
  const selector = <u32>popSlot(rsp, 1, bytes) & 0xffff;
  if (faultPending()) return STATUS_FAULT;
  const flags = popSlot(rsp, 2, bytes);
  if (faultPending()) return STATUS_FAULT;
  if (flags & FLAG_VM && privilege == 0 && !longModeActive()) {
    unimplemented(UNIMPLEMENTED_VM86, 0);
    return generalProtection(0);
  }
  if (!findReturnCode(selector, offset)) return STATUS_FAULT;
  const target = selector & 3;
  const mask = writableFlags(privilege);
  if (target == privilege && !inLongMode()) {
    setStackPointer(rsp + 3 * bytes);
    enterCode(offset, target);
    updateMode();
  } else {
    const newRsp = popSlot(rsp, 3, bytes);
    if (faultPending()) return STATUS_FAULT;
    const newStack = <u32>popSlot(rsp, 4, bytes) & 0xffff;
    if (faultPending() || !findReturnStack(newStack)) return STATUS_FAULT;
    enterCode(offset, target);
    enterStack(newRsp);
    if (target > privilege) dropPrivilegedSegments();
  }
  writeFlags(flags, mask);
  return jumpOrLeave();
}

/** IRETD. */
export function iretd(_record: i32): i32 {
  return interruptReturn(4);
}

/** IRETQ. */
export function iretq(_record: i32): i32 {
  return interruptReturn(8);
}
