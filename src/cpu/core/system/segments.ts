/**
 * Loading and storing segment registers: MOV, PUSH, POP, LDS, LES, LSS, LFS, LGS, SWAPGS. Intel SDM volume 3, 5.4 to 5.7.
 * An instruction's segment register is given as its address in the state (SEG_ES ...).
 */
import {
  CPL,
  MODE,
  MSR_KERNEL_GS_BASE,
  REC_OP0,
  REC_OP1,
  RSP,
  SEG_DS,
  SEG_ES,
  SEG_FS,
  SEG_GS,
  SEG_SS,
  SEGMENT_ATTRIBUTES,
  SEGMENT_BASE,
  SEGMENT_SELECTOR,
  SHADOW_TICK,
  TRAP_HELD,
  STATUS_CONTINUE,
  STATUS_FAULT,
} from '../../state-layout';
import {
  attributesOf,
  canMarkAccessed,
  descriptor,
  descriptorAddress,
  findDescriptor,
  isConforming,
  isNull,
  isPresent,
  isReadable,
  isWritableData,
  markAccessed,
  OUTSIDE_TABLE,
  privilegeOf,
  setHidden,
  setSegment,
  TABLE_FAULT,
} from './descriptors';
import { faultPending, raise, VECTOR_NP, VECTOR_SS } from '../fault';
import { loadSlow, storeSlow } from '../memory/memory-access';
import {
  finishAndLookUp,
  generalProtection,
  inLongMode,
  notPrivileged,
  now,
  setStackPointer,
  stackLinear,
  undefinedOpcode,
  updateMode,
} from './mode';
import { effectiveAddress, isMemoryOperand, readOperand, stackOf, writeOperand, writeRegister } from '../integer/operands';

function fail(vector: i32, errorCode: u32): bool {
  raise(vector, errorCode, 1);
  return false;
}

function failGp(errorCode: u32): bool {
  generalProtection(errorCode);
  return false;
}

/** A null selector makes the register unusable; its base reads 0. */
function setNull(segment: u32, selector: u32): bool {
  setHidden(segment, selector, 0, 0, 0);
  return true;
}

function loadStackSegment(selector: u32): bool {
  const privilege = load<u32>(CPL);
  if (isNull(selector)) {
    if (!inLongMode() || privilege == 3 || (selector & 3) != privilege) return failGp(0);
    return setNull(SEG_SS, selector);
  }
  const found = findDescriptor(selector, 8);
  if (found == TABLE_FAULT) return false;
  const selectorError = selector & 0xfffc;
  if (found == OUTSIDE_TABLE) return failGp(selectorError);
  const attributes = attributesOf(descriptor);
  if ((selector & 3) != privilege || !isWritableData(attributes) || privilegeOf(attributes) != privilege) {
    return failGp(selectorError);
  }
  if (!isPresent(attributes)) return fail(VECTOR_SS, selectorError);
  return commit(SEG_SS, selector);
}

function commit(segment: u32, selector: u32): bool {
  if (!canMarkAccessed(descriptor, descriptorAddress)) return false;
  markAccessed(descriptor, descriptorAddress);
  setSegment(segment, selector, descriptor);
  return true;
}

/** Loads ES, SS, DS, FS or GS with all checks; false when a fault is pending. Intel SDM volume 2, MOV. */
export function loadSegment(segment: u32, selector: u32): bool {
  if (segment == SEG_SS) return loadStackSegment(selector);
  if (isNull(selector)) return setNull(segment, selector);
  const found = findDescriptor(selector, 8);
  if (found == TABLE_FAULT) return false;
  const selectorError = selector & 0xfffc;
  if (found == OUTSIDE_TABLE) return failGp(selectorError);
  const attributes = attributesOf(descriptor);
  if (!isReadable(attributes)) return failGp(selectorError);
  const allowed = privilegeOf(attributes);
  if (!isConforming(attributes) && (load<u32>(CPL) > allowed || (selector & 3) > allowed)) return failGp(selectorError);
  if (!isPresent(attributes)) return fail(VECTOR_NP, selectorError);
  return commit(segment, selector);
}

/** After a load: the block goes on unless bases or the stack's size changed; SS blocks interrupts for one instruction. */
function finishLoad(record: i32, segment: u32): i32 {
  const before = load<u32>(MODE);
  updateMode();
  if (segment == SEG_SS) {
    store<f64>(SHADOW_TICK, now());
    store<u32>(TRAP_HELD, 1); // Intel SDM volume 3, 6.8.3
  }
  return load<u32>(MODE) == before ? STATUS_CONTINUE : finishAndLookUp(record);
}

/** MOV Sreg, r/m16: REC_OP0 names the segment register, operand 1 is the source. Loading CS is #UD. */
export function movToSegment(record: i32): i32 {
  const segment = load<u32>(record, REC_OP0);
  const selector = <u32>readOperand(record, 1, 2);
  if (faultPending() || !loadSegment(segment, selector)) return STATUS_FAULT;
  return finishLoad(record, segment);
}

// @ts-ignore: decorator
@inline
function movFromSegment(record: i32, bytes: i32): i32 {
  const selector: u64 = load<u32>(load<u32>(record, REC_OP1), SEGMENT_SELECTOR);
  writeOperand(record, 0, selector, isMemoryOperand(record, 0) ? 2 : bytes);
  return faultPending() ? STATUS_FAULT : STATUS_CONTINUE;
}

/** MOV r/m16, Sreg: operand 0 is the destination (memory is always 16 bits), REC_OP1 names the segment register. */
export function movFromSegment16(record: i32): i32 {
  return movFromSegment(record, 2);
}

/** MOV r32/m16, Sreg. */
export function movFromSegment32(record: i32): i32 {
  return movFromSegment(record, 4);
}

/** MOV r64/m16, Sreg. */
export function movFromSegment64(record: i32): i32 {
  return movFromSegment(record, 8);
}

// @ts-ignore: decorator
@inline
function pushSegment(record: i32, bytes: i32): i32 {
  const rsp = load<u64>(RSP) - bytes;
  const selector: u64 = load<u32>(load<u32>(record, REC_OP0), SEGMENT_SELECTOR);
  storeSlow(stackLinear(rsp), selector, bytes, 1);
  if (faultPending()) return STATUS_FAULT;
  setStackPointer(rsp);
  return STATUS_CONTINUE;
}

// @ts-ignore: decorator
@inline
function popSegment(record: i32, bytes: i32): i32 {
  const segment = load<u32>(record, REC_OP0);
  const rsp = load<u64>(RSP);
  const selector = <u32>loadSlow(stackLinear(rsp), bytes, 1) & 0xffff;
  if (faultPending()) return STATUS_FAULT;
  if (!loadSegment(segment, selector)) return STATUS_FAULT;
  setStackPointer(rsp + bytes); // MODE still has the size of the old stack
  return finishLoad(record, segment);
}

/** PUSH Sreg, operand size 16: REC_OP0 names the segment register. */
export function pushSegment16(record: i32): i32 {
  return pushSegment(record, 2);
}

/** PUSH Sreg, operand size 32: the selector, zero-extended. */
export function pushSegment32(record: i32): i32 {
  return pushSegment(record, 4);
}

/** PUSH FS, PUSH GS in 64-bit mode. */
export function pushSegment64(record: i32): i32 {
  return pushSegment(record, 8);
}

/** POP Sreg, operand size 16: REC_OP0 names the segment register. */
export function popSegment16(record: i32): i32 {
  return popSegment(record, 2);
}

/** POP Sreg, operand size 32. */
export function popSegment32(record: i32): i32 {
  return popSegment(record, 4);
}

/** POP FS, POP GS in 64-bit mode. */
export function popSegment64(record: i32): i32 {
  return popSegment(record, 8);
}

// @ts-ignore: decorator
@inline
function loadFarPointer(record: i32, segment: u32, bytes: i32): i32 {
  const address = effectiveAddress(record);
  const stack = stackOf(record);
  const offset = loadSlow(address, bytes, stack);
  if (faultPending()) return STATUS_FAULT;
  const selector = <u32>loadSlow(address + bytes, 2, stack);
  if (faultPending()) return STATUS_FAULT;
  if (!loadSegment(segment, selector)) return STATUS_FAULT;
  writeRegister(load<u32>(record, REC_OP0), offset, bytes);
  return finishLoad(record, segment);
}

// LDS, LES (not in 64-bit mode), LSS, LFS, LGS: operand 0 is the register, the operand size is in the name.

export function lds16(record: i32): i32 {
  return loadFarPointer(record, SEG_DS, 2);
}

export function lds32(record: i32): i32 {
  return loadFarPointer(record, SEG_DS, 4);
}

export function les16(record: i32): i32 {
  return loadFarPointer(record, SEG_ES, 2);
}

export function les32(record: i32): i32 {
  return loadFarPointer(record, SEG_ES, 4);
}

export function lss16(record: i32): i32 {
  return loadFarPointer(record, SEG_SS, 2);
}

export function lss32(record: i32): i32 {
  return loadFarPointer(record, SEG_SS, 4);
}

export function lss64(record: i32): i32 {
  return loadFarPointer(record, SEG_SS, 8);
}

export function lfs16(record: i32): i32 {
  return loadFarPointer(record, SEG_FS, 2);
}

export function lfs32(record: i32): i32 {
  return loadFarPointer(record, SEG_FS, 4);
}

export function lfs64(record: i32): i32 {
  return loadFarPointer(record, SEG_FS, 8);
}

export function lgs16(record: i32): i32 {
  return loadFarPointer(record, SEG_GS, 2);
}

export function lgs32(record: i32): i32 {
  return loadFarPointer(record, SEG_GS, 4);
}

export function lgs64(record: i32): i32 {
  return loadFarPointer(record, SEG_GS, 8);
}

/** SWAPGS: 64-bit mode and CPL 0 only. Intel SDM volume 2. */
export function swapgs(_record: i32): i32 {
  if (!inLongMode()) return undefinedOpcode();
  if (notPrivileged()) return STATUS_FAULT;
  const base = load<u64>(SEG_GS, SEGMENT_BASE);
  store<u64>(SEG_GS, load<u64>(MSR_KERNEL_GS_BASE), SEGMENT_BASE);
  store<u64>(MSR_KERNEL_GS_BASE, base);
  return STATUS_CONTINUE;
}

/** A return to an outer level makes DS, ES, FS and GS unusable where they are more privileged than the new CPL. */
export function dropPrivilegedSegment(segment: u32): void {
  const attributes = load<u32>(segment, SEGMENT_ATTRIBUTES);
  if (!(attributes & 0x10) || isConforming(attributes) || privilegeOf(attributes) >= load<u32>(CPL)) return;
  store<u32>(segment, 0, SEGMENT_SELECTOR);
  store<u32>(segment, 0, SEGMENT_ATTRIBUTES);
}
