/**
 * Descriptor tables and the task register, LAR, LSL, VERR, VERW, and the instructions without an operand that need
 * privilege: HLT, WBINVD, INVD; the firmware gate and the calls of a hypervisor. Intel SDM volume 2 and volume 3, 2.8.
 */
import {
  CPL,
  GATE_NUMBER,
  GDTR_BASE,
  GDTR_LIMIT,
  HYPERCALL,
  HYPERCALL_VMCALL,
  HYPERCALL_VMMCALL,
  IDTR_BASE,
  IDTR_LIMIT,
  LEAVE_GATE,
  LEAVE_HALT,
  LEAVE_HYPERCALL,
  REC_IMMEDIATE,
  REC_OP0,
  RIP,
  SEG_LDTR,
  SEG_TR,
  SEGMENT_SELECTOR,
  STATUS_CONTINUE,
  STATUS_FAULT,
} from '../../state-layout';
import {
  attributesOf,
  baseOf,
  descriptor,
  descriptorAddress,
  findDescriptor,
  FOUND,
  isConforming,
  isNull,
  isPresent,
  isReadable,
  isWritableData,
  limitOf,
  OUTSIDE_TABLE,
  privilegeOf,
  setHidden,
  SYSTEM_LDT,
  SYSTEM_TSS_AVAILABLE,
  SYSTEM_TSS_BUSY,
  systemType,
  TABLE_FAULT,
} from './descriptors';
import { faultPending, raise, VECTOR_NP } from '../fault';
import { writeFlags } from './flags-register';
import { loadSlow, loadSystem, prepareWrite, probeSystemWrite, storeSlow, storeSystem } from '../memory/memory-access';
import {
  canonical,
  generalProtection,
  inLongMode,
  leave,
  longModeActive,
  nextRip,
  notPrivileged,
  statusOf,
  undefinedOpcode,
} from './mode';
import { effectiveAddress, isMemoryOperand, readOperand, stackOf, writeOperand, writeRegister } from '../integer/operands';

const FLAG_ZF: u64 = 0x40;

// LGDT, LIDT, SGDT, SIDT: 16-bit limit, then a base of 8 bytes in 64-bit mode, else 4.

function loadTable(record: i32, base: u32, limit: u32): i32 {
  if (notPrivileged()) return STATUS_FAULT;
  const address = effectiveAddress(record);
  const stack = stackOf(record);
  const long = inLongMode();
  const newLimit = <u32>loadSlow(address, 2, stack);
  if (faultPending()) return STATUS_FAULT;
  const newBase = loadSlow(address + 2, long ? 8 : 4, stack);
  if (faultPending()) return STATUS_FAULT;
  if (long && !canonical(newBase)) return generalProtection(0);
  store<u64>(base, newBase);
  store<u32>(limit, newLimit);
  return STATUS_CONTINUE;
}

function storeTable(record: i32, base: u32, limit: u32): i32 {
  const address = effectiveAddress(record);
  const stack = stackOf(record);
  const long = inLongMode();
  prepareWrite(address, long ? 10 : 6, stack);
  if (faultPending()) return STATUS_FAULT;
  storeSlow(address, load<u32>(limit), 2, stack);
  storeSlow(address + 2, load<u64>(base), long ? 8 : 4, stack);
  return statusOf(faultPending());
}

export function lgdt(record: i32): i32 {
  return loadTable(record, GDTR_BASE, GDTR_LIMIT);
}

export function lidt(record: i32): i32 {
  return loadTable(record, IDTR_BASE, IDTR_LIMIT);
}

/** SGDT: not privileged, there is no UMIP. */
export function sgdt(record: i32): i32 {
  return storeTable(record, GDTR_BASE, GDTR_LIMIT);
}

export function sidt(record: i32): i32 {
  return storeTable(record, IDTR_BASE, IDTR_LIMIT);
}

// LLDT and LTR use descriptors of 16 bytes in long mode. Intel SDM volume 3, 8.2.3.

let systemBase: u64 = 0;

/** Finds a system descriptor in the GDT and its base; false with #GP(selector) or a fault of the table. */
function findSystem(selector: u32): bool {
  const long = longModeActive();
  const found = selector & 4 ? OUTSIDE_TABLE : findDescriptor(selector, long ? 16 : 8);
  if (found == TABLE_FAULT) return false;
  if (found == OUTSIDE_TABLE) {
    generalProtection(selector & 0xfffc);
    return false;
  }
  systemBase = baseOf(descriptor);
  if (!long) return true;
  const high = loadSystem(descriptorAddress + 8, 8);
  if (faultPending()) return false;
  systemBase |= high << 32;
  if ((high >> 40) & 0x1f || !canonical(systemBase)) {
    generalProtection(selector & 0xfffc);
    return false;
  }
  return true;
}

/** LLDT r/m16. */
export function lldt(record: i32): i32 {
  if (notPrivileged()) return STATUS_FAULT;
  const selector = <u32>readOperand(record, 0, 2);
  if (faultPending()) return STATUS_FAULT;
  if (isNull(selector)) {
    setHidden(SEG_LDTR, selector, 0, 0, 0);
    return STATUS_CONTINUE;
  }
  if (!findSystem(selector)) return STATUS_FAULT;
  const attributes = attributesOf(descriptor);
  if (systemType(attributes) != SYSTEM_LDT) return generalProtection(selector & 0xfffc);
  if (!isPresent(attributes)) return raise(VECTOR_NP, selector & 0xfffc, 1);
  setHidden(SEG_LDTR, selector, attributes, systemBase, limitOf(descriptor));
  return STATUS_CONTINUE;
}

/** LTR r/m16: marks the TSS busy. */
export function ltr(record: i32): i32 {
  if (notPrivileged()) return STATUS_FAULT;
  const selector = <u32>readOperand(record, 0, 2);
  if (faultPending()) return STATUS_FAULT;
  if (isNull(selector)) return generalProtection(0);
  if (!findSystem(selector)) return STATUS_FAULT;
  const value = descriptor;
  const attributes = attributesOf(value);
  const type = systemType(attributes);
  // Outside long mode a 16-bit TSS (type 1) may be loaded as well.
  if (type != SYSTEM_TSS_AVAILABLE && (longModeActive() || type != 1)) return generalProtection(selector & 0xfffc);
  if (!isPresent(attributes)) return raise(VECTOR_NP, selector & 0xfffc, 1);
  if (!probeSystemWrite(descriptorAddress, 8)) return STATUS_FAULT;
  storeSystem(descriptorAddress + 5, (attributes & 0xff) | 2, 1);
  setHidden(SEG_TR, selector, attributes | 2, systemBase, limitOf(value));
  return STATUS_CONTINUE;
}

// @ts-ignore: decorator
@inline
function storeSelector(record: i32, segment: u32, bytes: i32): i32 {
  writeOperand(record, 0, load<u32>(segment, SEGMENT_SELECTOR), isMemoryOperand(record, 0) ? 2 : bytes);
  return statusOf(faultPending());
}

/** SLDT r/m16; memory is 16 bits in every form. */
export function sldt16(record: i32): i32 {
  return storeSelector(record, SEG_LDTR, 2);
}

export function sldt32(record: i32): i32 {
  return storeSelector(record, SEG_LDTR, 4);
}

export function sldt64(record: i32): i32 {
  return storeSelector(record, SEG_LDTR, 8);
}

/** STR r/m16; memory is 16 bits in every form. */
export function str16(record: i32): i32 {
  return storeSelector(record, SEG_TR, 2);
}

export function str32(record: i32): i32 {
  return storeSelector(record, SEG_TR, 4);
}

export function str64(record: i32): i32 {
  return storeSelector(record, SEG_TR, 8);
}

// LAR, LSL, VERR, VERW: no fault for a bad selector, ZF says. Intel SDM volume 3, 5.10.

/** Finds a descriptor that the CPL and RPL may see; false when not, or when a fault is pending. */
function findVisible(selector: u32): bool {
  if (isNull(selector) || findDescriptor(selector, 8) != FOUND) return false;
  const attributes = attributesOf(descriptor);
  const allowed = privilegeOf(attributes);
  return isConforming(attributes) || (load<u32>(CPL) <= allowed && (selector & 3) <= allowed);
}

/** System types with a limit: LDT and 32/64-bit TSS; 16-bit TSS outside long mode. Intel SDM volume 2, LSL. */
function hasLimit(type: u32): bool {
  if (type & 0x10) return true;
  if (type == SYSTEM_LDT || type == SYSTEM_TSS_AVAILABLE || type == SYSTEM_TSS_BUSY) return true;
  return !longModeActive() && (type == 1 || type == 3);
}

/** LAR also takes call gates (12; 4 outside long mode) and task gates (5, outside long mode). */
function hasRights(type: u32): bool {
  return hasLimit(type) || type == 12 || (!longModeActive() && (type == 4 || type == 5));
}

// @ts-ignore: decorator
@inline
function loadRights(record: i32, bytes: i32, limit: bool): i32 {
  const selector = <u32>readOperand(record, 1, 2);
  if (faultPending()) return STATUS_FAULT;
  let valid = findVisible(selector);
  if (faultPending()) return STATUS_FAULT;
  if (valid) {
    const type = systemType(attributesOf(descriptor));
    valid = limit ? hasLimit(type) : hasRights(type);
  }
  if (valid) {
    const value: u64 = limit ? limitOf(descriptor) : (descriptor >> 32) & 0x00f0_ff00;
    writeRegister(load<u32>(record, REC_OP0), value, bytes);
  }
  writeFlags(valid ? FLAG_ZF : 0, FLAG_ZF);
  return STATUS_CONTINUE;
}

/** LAR r16, r/m16. */
export function lar16(record: i32): i32 {
  return loadRights(record, 2, false);
}

export function lar32(record: i32): i32 {
  return loadRights(record, 4, false);
}

export function lar64(record: i32): i32 {
  return loadRights(record, 8, false);
}

/** LSL r16, r/m16. */
export function lsl16(record: i32): i32 {
  return loadRights(record, 2, true);
}

export function lsl32(record: i32): i32 {
  return loadRights(record, 4, true);
}

export function lsl64(record: i32): i32 {
  return loadRights(record, 8, true);
}

// @ts-ignore: decorator
@inline
function verify(record: i32, write: bool): i32 {
  const selector = <u32>readOperand(record, 0, 2);
  if (faultPending()) return STATUS_FAULT;
  let valid = findVisible(selector);
  if (faultPending()) return STATUS_FAULT;
  if (valid) valid = write ? isWritableData(attributesOf(descriptor)) : isReadable(attributesOf(descriptor));
  writeFlags(valid ? FLAG_ZF : 0, FLAG_ZF);
  return STATUS_CONTINUE;
}

/** VERR r/m16. */
export function verr(record: i32): i32 {
  return verify(record, false);
}

/** VERW r/m16. */
export function verw(record: i32): i32 {
  return verify(record, true);
}

/** HLT: RIP is behind it; the host moves time on. */
export function hlt(record: i32): i32 {
  if (notPrivileged()) return STATUS_FAULT;
  store<u64>(RIP, nextRip(record));
  return leave(LEAVE_HALT);
}

/** WBINVD, INVD: there is no cache to see. */
export function wbinvd(_record: i32): i32 {
  return notPrivileged() ? STATUS_FAULT : STATUS_CONTINUE;
}

/**
 * A firmware gate (0F 3F 'E' 'K' and a number): leaves to the host in 64-bit mode at CPL 0, #UD elsewhere.
 * REC_IMMEDIATE is the service number; RIP is behind the gate, at its RET.
 */
export function firmwareGate(record: i32): i32 {
  if (!inLongMode() || load<u32>(CPL) != 0) return undefinedOpcode();
  store<u32>(GATE_NUMBER, load<u32>(record, REC_IMMEDIATE));
  store<u64>(RIP, nextRip(record));
  return leave(LEAVE_GATE);
}

// @ts-ignore: decorator
@inline
function hypercall(record: i32, form: u32): i32 {
  if (load<u32>(HYPERCALL) != form) return undefinedOpcode();
  store<u64>(RIP, nextRip(record));
  return leave(LEAVE_HYPERCALL);
}

/**
 * VMCALL: leaves to the host at every CPL and in every mode, RIP behind it; #UD where no hypervisor is called by it.
 * Intel SDM volume 3, 30.3.
 */
export function vmcall(record: i32): i32 {
  return hypercall(record, HYPERCALL_VMCALL);
}

/** VMMCALL: AMD's form of the same. AMD64 volume 2, 15.15. */
export function vmmcall(record: i32): i32 {
  return hypercall(record, HYPERCALL_VMMCALL);
}
