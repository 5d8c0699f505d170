/**
 * Control and debug registers: MOV CR, MOV DR, CLTS, LMSW, SMSW, INVLPG. A record names a control register by its
 * number, a debug register by its address in the state (DR0 ...), in REC_OP0 when it is written and in REC_OP1 when it is
 * read. Intel SDM volume 3, 2.5, 4.1 and 9.8.5.
 */
import {
  CR0,
  CR2,
  CR3,
  CR4,
  DR0,
  DR6,
  DR7,
  EFER,
  MODE,
  MODE_LONG,
  REC_OP0,
  REC_OP1,
  SEG_CS,
  SEG_TR,
  SEGMENT_ATTRIBUTES,
  STATUS_CONTINUE,
  STATUS_FAULT,
} from '../../state-layout';
import { faultPending, raise, VECTOR_DB } from '../fault';
import {
  ATTRIBUTE_LONG,
  CR0_CD,
  CR0_EM,
  CR0_ET,
  CR0_MP,
  CR0_NW,
  CR0_PE,
  CR0_PG,
  CR0_TS,
  CR0_WP,
  EFER_LMA,
  EFER_LME,
  finishAndLookUp,
  finishAtBoundary,
  generalProtection,
  notPrivileged,
  undefinedOpcode,
  updateMode,
} from './mode';
import { effectiveAddress, isMemoryOperand, readOperand, writeOperand } from '../integer/operands';
import { flushAll, flushNonGlobalAndLowerHalf, flushPage } from '../memory/tlb';

// @ts-ignore: decorator
@external('host', 'readTaskPriority')
declare function readTaskPriority(): u32;

// @ts-ignore: decorator
@external('host', 'writeTaskPriority')
declare function writeTaskPriority(value: u32): void;

/** PE MP EM TS ET NE WP AM NW CD PG; the others read 0 and ignore writes below bit 32. */
const CR0_DEFINED: u64 = 0xe005_003f;
export const CR4_TSD: u64 = 1 << 2;
export const CR4_DE: u64 = 1 << 3;
const CR4_PSE: u64 = 1 << 4;
const CR4_PAE: u64 = 1 << 5;
const CR4_PGE: u64 = 1 << 7;
export const CR4_OSFXSR: u64 = 1 << 9;
/** TSD DE PSE PAE MCE PGE PCE OSFXSR OSXMMEXCPT: what CPUID may announce; any other bit is reserved. */
const CR4_DEFINED: u64 = 0x7fc;
/** Bits 63:40 are beyond MAXPHYADDR. */
const CR3_RESERVED: u64 = 0xffff_ff00_0000_0000;

/** Writes CR0; false when #GP(0) was raised. Intel SDM volume 3, 2.5; 9.8.5 for long mode. */
function writeCr0(value: u64): bool {
  const old = load<u64>(CR0);
  const efer = load<u64>(EFER);
  let bad = value >> 32 != 0;
  bad = bad || ((value & CR0_PG) != 0 && !(value & CR0_PE));
  bad = bad || ((value & CR0_NW) != 0 && !(value & CR0_CD));
  const enables = (value & CR0_PG) != 0 && !(old & CR0_PG);
  const disables = !(value & CR0_PG) && (old & CR0_PG) != 0;
  if (enables && efer & EFER_LME) {
    const taskType = load<u32>(SEG_TR, SEGMENT_ATTRIBUTES) & 0x1f;
    bad = bad || !(load<u64>(CR4) & CR4_PAE);
    bad = bad || (load<u32>(SEG_CS, SEGMENT_ATTRIBUTES) & ATTRIBUTE_LONG) != 0;
    bad = bad || taskType == 1 || taskType == 3;
  }
  if (disables && load<u32>(MODE) & MODE_LONG) bad = true;
  if (bad) {
    generalProtection(0);
    return false;
  }
  store<u64>(CR0, (value & CR0_DEFINED) | CR0_ET);
  if (enables && efer & EFER_LME) store<u64>(EFER, efer | EFER_LMA);
  if (disables) store<u64>(EFER, efer & ~EFER_LMA);
  if ((value ^ old) & (CR0_PG | CR0_PE | CR0_WP)) flushAll();
  updateMode();
  return true;
}

/** Intel SDM volume 3, 4.10.4.1: what MOV to CR3 invalidates. */
function writeCr3(value: u64): bool {
  if (value & CR3_RESERVED) {
    generalProtection(0);
    return false;
  }
  store<u64>(CR3, value);
  if (load<u64>(CR4) & CR4_PGE) flushNonGlobalAndLowerHalf();
  else flushAll();
  return true;
}

function writeCr4(value: u64): bool {
  const old = load<u64>(CR4);
  if (value & ~CR4_DEFINED || (!(value & CR4_PAE) && load<u64>(EFER) & EFER_LMA)) {
    generalProtection(0);
    return false;
  }
  store<u64>(CR4, value);
  if ((value ^ old) & (CR4_PSE | CR4_PAE | CR4_PGE)) flushAll();
  updateMode();
  return true;
}

/** Width of a control or debug register operand: 8 bytes in 64-bit mode, else 4. */
// @ts-ignore: decorator
@inline
function width(): i32 {
  return load<u32>(MODE) & MODE_LONG ? 8 : 4;
}

/** MOV CRn, r: REC_OP0 is n. */
export function movToControl(record: i32): i32 {
  const number = load<u32>(record, REC_OP0);
  if (number == 1 || (number > 4 && number != 8)) return undefinedOpcode();
  if (notPrivileged()) return STATUS_FAULT;
  const value = readOperand(record, 1, width());
  if (number == 8) {
    if (value > 15) return generalProtection(0);
    writeTaskPriority(<u32>value);
    return finishAtBoundary(record);
  }
  if (number == 2) {
    store<u64>(CR2, value);
    return STATUS_CONTINUE;
  }
  const done = number == 0 ? writeCr0(value) : number == 3 ? writeCr3(value) : writeCr4(value);
  return done ? finishAndLookUp(record) : STATUS_FAULT;
}

/** MOV r, CRn: REC_OP1 is n. */
export function movFromControl(record: i32): i32 {
  const number = load<u32>(record, REC_OP1);
  let value: u64 = 0;
  if (number == 0) value = load<u64>(CR0);
  else if (number == 2) value = load<u64>(CR2);
  else if (number == 3) value = load<u64>(CR3);
  else if (number == 4) value = load<u64>(CR4);
  else if (number != 8) return undefinedOpcode();
  if (notPrivileged()) return STATUS_FAULT;
  if (number == 8) value = readTaskPriority();
  writeOperand(record, 0, value, width());
  return STATUS_CONTINUE;
}

const DR4: u32 = DR0 + 32;
const DR5: u32 = DR0 + 40;
const DR7_GD: u64 = 1 << 13;
const DR6_BD: u64 = 1 << 13;

/** DR4 and DR5 are DR6 and DR7 unless CR4.DE is set (#UD). Intel SDM volume 3, 17.2.2. 0: a fault is pending. */
function debugRegister(register: u32): u32 {
  if (register == DR4 || register == DR5) {
    if (load<u64>(CR4) & CR4_DE) {
      undefinedOpcode();
      return 0;
    }
    register += 16;
  }
  if (notPrivileged()) return 0;
  if (load<u64>(DR7) & DR7_GD) {
    // General detect: a fault in front of the MOV, which clears GD. Intel SDM volume 3, 17.3.1.3.
    store<u64>(DR7, load<u64>(DR7) & ~DR7_GD);
    store<u64>(DR6, load<u64>(DR6) | DR6_BD);
    raise(VECTOR_DB, 0, 0);
    return 0;
  }
  return register;
}

/** MOV DRn, r: REC_OP0 is the address of DRn. Breakpoints are kept but never hit. */
export function movToDebug(record: i32): i32 {
  const register = debugRegister(load<u32>(record, REC_OP0));
  if (!register) return STATUS_FAULT;
  let value = readOperand(record, 1, width());
  if (register >= <u32>DR6) {
    if (value >> 32) return generalProtection(0);
    value = register == DR6 ? (value & 0xe00f) | 0xffff_0ff0 : (value & 0xffff_23ff) | 0x400;
  }
  store<u64>(register, value);
  return STATUS_CONTINUE;
}

/** MOV r, DRn: REC_OP1 is the address of DRn. */
export function movFromDebug(record: i32): i32 {
  const register = debugRegister(load<u32>(record, REC_OP1));
  if (!register) return STATUS_FAULT;
  writeOperand(record, 0, load<u64>(register), width());
  return STATUS_CONTINUE;
}

export function clts(record: i32): i32 {
  if (notPrivileged()) return STATUS_FAULT;
  store<u64>(CR0, load<u64>(CR0) & ~CR0_TS);
  updateMode();
  return finishAndLookUp(record);
}

/** LMSW r/m16: PE, MP, EM, TS; PE cannot be cleared. */
export function lmsw(record: i32): i32 {
  if (notPrivileged()) return STATUS_FAULT;
  const value = readOperand(record, 0, 2);
  if (faultPending()) return STATUS_FAULT;
  const old = load<u64>(CR0);
  const mask = CR0_PE | CR0_MP | CR0_EM | CR0_TS;
  return writeCr0((old & ~mask) | (value & mask) | (old & CR0_PE)) ? finishAndLookUp(record) : STATUS_FAULT;
}

// @ts-ignore: decorator
@inline
function storeMachineStatus(record: i32, bytes: i32): i32 {
  writeOperand(record, 0, load<u64>(CR0), isMemoryOperand(record, 0) ? 2 : bytes);
  return faultPending() ? STATUS_FAULT : STATUS_CONTINUE;
}

/** SMSW r/m16. */
export function smsw16(record: i32): i32 {
  return storeMachineStatus(record, 2);
}

/** SMSW r32/m16. */
export function smsw32(record: i32): i32 {
  return storeMachineStatus(record, 4);
}

/** SMSW r64/m16. */
export function smsw64(record: i32): i32 {
  return storeMachineStatus(record, 8);
}

/** INVLPG m: the address is not accessed; no fault but for privilege. */
export function invlpg(record: i32): i32 {
  if (notPrivileged()) return STATUS_FAULT;
  flushPage(effectiveAddress(record));
  return finishAndLookUp(record);
}
