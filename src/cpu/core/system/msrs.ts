/**
 * Model-specific registers, time stamps, CPUID and random numbers. MSRs that belong to devices go to the host.
 * Intel SDM volume 4, table 2-2; volume 2.
 */
import {
  CPL,
  CR0,
  CR4,
  EFER,
  MSR_CSTAR,
  MSR_KERNEL_GS_BASE,
  MSR_LSTAR,
  MSR_MISC_ENABLE,
  MSR_PAT,
  MSR_SFMASK,
  MSR_STAR,
  MSR_SYSENTER_CS,
  MSR_SYSENTER_EIP,
  MSR_SYSENTER_ESP,
  MSR_TSC_ADJUST,
  MSR_TSC_AUX,
  RAX,
  RBX,
  RCX,
  RDX,
  REC_OP0,
  SCRATCH,
  SEG_FS,
  SEG_GS,
  SEGMENT_BASE,
  STATUS_CONTINUE,
  STATUS_FAULT,
  TELL_MSRS,
  TSC_OFFSET,
} from '../../state-layout';
import { CR4_TSD } from './control-registers';
import { ARITHMETIC_FLAGS, writeFlags } from './flags-register';
import {
  canonical,
  CR0_PG,
  EFER_LMA,
  EFER_LME,
  EFER_NXE,
  EFER_SCE,
  finishAndLookUp,
  finishAtBoundary,
  generalProtection,
  notPrivileged,
  now,
} from './mode';
import { writeRegister } from '../integer/operands';
import { flushAll } from '../memory/tlb';

/** 1: the value is at SCRATCH (u64); 0: #GP. */
// @ts-ignore: decorator
@external('host', 'readMsr')
declare function readMsr(index: u32): i32;

/** 1: done; 0: #GP. */
// @ts-ignore: decorator
@external('host', 'writeMsr')
declare function writeMsr(index: u32, low: u32, high: u32): i32;

/** RDMSR or WRMSR is done, or has raised a fault (1): called while TELL_MSRS is set. */
// @ts-ignore: decorator
@external('host', 'msrDone')
declare function msrDone(index: u32, write: u32, fault: u32, low: u32, high: u32): void;

/** Writes EAX, EBX, ECX, EDX to SCRATCH, u32 each. */
// @ts-ignore: decorator
@external('host', 'cpuid')
declare function hostCpuid(leaf: u32, subleaf: u32): void;

/** Writes a u64 to SCRATCH. */
// @ts-ignore: decorator
@external('host', 'random')
declare function random(): void;

const IA32_TIME_STAMP_COUNTER: u32 = 0x10;
const IA32_TSC_ADJUST: u32 = 0x3b;
const IA32_SYSENTER_CS: u32 = 0x174;
const IA32_SYSENTER_ESP: u32 = 0x175;
const IA32_SYSENTER_EIP: u32 = 0x176;
const IA32_MISC_ENABLE: u32 = 0x1a0;
const IA32_PAT: u32 = 0x277;
const IA32_EFER: u32 = 0xc000_0080;
const IA32_STAR: u32 = 0xc000_0081;
const IA32_LSTAR: u32 = 0xc000_0082;
const IA32_CSTAR: u32 = 0xc000_0083;
const IA32_FMASK: u32 = 0xc000_0084;
const IA32_FS_BASE: u32 = 0xc000_0100;
const IA32_GS_BASE: u32 = 0xc000_0101;
const IA32_KERNEL_GS_BASE: u32 = 0xc000_0102;
const IA32_TSC_AUX: u32 = 0xc000_0103;

const MISC_FAST_STRINGS: u64 = 1;
const MISC_XD_DISABLE: u64 = 1 << 34;

/** TSC: ticks plus what WRMSR added. */
// @ts-ignore: decorator
@inline
function timeStamp(): u64 {
  return <u64>now() + load<u64>(TSC_OFFSET);
}

/** Where an MSR that is a plain u64 of the state lives; 0 when it is none. */
function plainMsr(index: u32): u32 {
  switch (index) {
    case IA32_TSC_ADJUST:
      return MSR_TSC_ADJUST;
    case IA32_SYSENTER_CS:
      return MSR_SYSENTER_CS;
    case IA32_SYSENTER_ESP:
      return MSR_SYSENTER_ESP;
    case IA32_SYSENTER_EIP:
      return MSR_SYSENTER_EIP;
    case IA32_PAT:
      return MSR_PAT;
    case IA32_EFER:
      return EFER;
    case IA32_STAR:
      return MSR_STAR;
    case IA32_LSTAR:
      return MSR_LSTAR;
    case IA32_CSTAR:
      return MSR_CSTAR;
    case IA32_FMASK:
      return MSR_SFMASK;
    case IA32_FS_BASE:
      return SEG_FS + SEGMENT_BASE;
    case IA32_GS_BASE:
      return SEG_GS + SEGMENT_BASE;
    case IA32_KERNEL_GS_BASE:
      return MSR_KERNEL_GS_BASE;
    case IA32_TSC_AUX:
      return MSR_TSC_AUX;
    case IA32_MISC_ENABLE:
      return MSR_MISC_ENABLE;
    default:
      return 0;
  }
}

function setPair(value: u64): void {
  store<u64>(RAX, value & 0xffff_ffff);
  store<u64>(RDX, value >> 32);
}

/** RDMSR: ECX names the register. */
export function rdmsr(_record: i32): i32 {
  const index = load<u32>(RCX);
  const status = readNamed();
  if (load<u32>(TELL_MSRS)) msrDone(index, 0, status == STATUS_FAULT ? 1 : 0, load<u32>(RAX), load<u32>(RDX));
  return status;
}

function readNamed(): i32 {
  if (notPrivileged()) return STATUS_FAULT;
  const index = load<u32>(RCX);
  const plain = plainMsr(index);
  let value: u64 = 0;
  if (index == IA32_TIME_STAMP_COUNTER) {
    value = timeStamp();
  } else if (plain) {
    value = load<u64>(plain);
    if (index == IA32_MISC_ENABLE) value = (value | MISC_FAST_STRINGS) & ~MISC_XD_DISABLE;
  } else {
    if (!readMsr(index)) return generalProtection(0);
    value = load<u64>(SCRATCH);
  }
  setPair(value);
  return STATUS_CONTINUE;
}

/** Memory types of IA32_PAT: 0, 1, 4, 5, 6, 7. Intel SDM volume 3, table 11-10. */
function validPat(value: u64): bool {
  for (let i = 0; i < 8; i++) {
    const type = value & 0xff;
    if (type > 7 || type == 2 || type == 3) return false;
    value >>= 8;
  }
  return true;
}

/** Whether a plain MSR takes the value; otherwise WRMSR is #GP(0). */
function accepts(index: u32, value: u64): bool {
  switch (index) {
    case IA32_LSTAR:
    case IA32_CSTAR:
    case IA32_FS_BASE:
    case IA32_GS_BASE:
    case IA32_KERNEL_GS_BASE:
    case IA32_SYSENTER_ESP:
    case IA32_SYSENTER_EIP:
      return canonical(value);
    case IA32_FMASK:
    case IA32_TSC_AUX:
      return value >> 32 == 0;
    case IA32_PAT:
      return validPat(value);
    case IA32_MISC_ENABLE:
      return (value & MISC_XD_DISABLE) == 0;
    default:
      return true;
  }
}

/** IA32_EFER. Intel SDM volume 3, 2.2.1: LME may not change while paging is on, LMA ignores writes. */
function writeEfer(record: i32, value: u64): i32 {
  const old = load<u64>(EFER);
  if (value & ~(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)) return generalProtection(0);
  if ((value ^ old) & EFER_LME && load<u64>(CR0) & CR0_PG) return generalProtection(0);
  store<u64>(EFER, (value & ~EFER_LMA) | (old & EFER_LMA));
  if ((value ^ old) & EFER_NXE) flushAll();
  return finishAndLookUp(record);
}

/** WRMSR. */
export function wrmsr(record: i32): i32 {
  const status = writeNamed(record);
  if (load<u32>(TELL_MSRS)) {
    msrDone(load<u32>(RCX), 1, status == STATUS_FAULT ? 1 : 0, load<u32>(RAX), load<u32>(RDX));
  }
  return status;
}

function writeNamed(record: i32): i32 {
  if (notPrivileged()) return STATUS_FAULT;
  const index = load<u32>(RCX);
  const low = load<u32>(RAX);
  const high = load<u32>(RDX);
  const value = (<u64>high << 32) | low;
  if (index == IA32_EFER) return writeEfer(record, value);
  if (index == IA32_TIME_STAMP_COUNTER || index == IA32_TSC_ADJUST) {
    // Each moves the other by the same amount. Intel SDM volume 3, 17.17.3.
    const delta = index == IA32_TSC_ADJUST ? value - load<u64>(MSR_TSC_ADJUST) : value - timeStamp();
    store<u64>(TSC_OFFSET, load<u64>(TSC_OFFSET) + delta);
    store<u64>(MSR_TSC_ADJUST, load<u64>(MSR_TSC_ADJUST) + delta);
    return finishAtBoundary(record);
  }
  const plain = plainMsr(index);
  if (!plain) {
    if (!writeMsr(index, low, high)) return generalProtection(0);
    return finishAtBoundary(record);
  }
  if (!accepts(index, value)) return generalProtection(0);
  store<u64>(plain, index == IA32_SYSENTER_CS ? value & 0xffff_ffff : value);
  return finishAtBoundary(record);
}

/** CR4.TSD keeps RDTSC and RDTSCP to CPL 0. */
function timeStampForbidden(): bool {
  if (!(load<u64>(CR4) & CR4_TSD) || load<u32>(CPL) == 0) return false;
  generalProtection(0);
  return true;
}

export function rdtsc(_record: i32): i32 {
  if (timeStampForbidden()) return STATUS_FAULT;
  setPair(timeStamp());
  return STATUS_CONTINUE;
}

export function rdtscp(_record: i32): i32 {
  if (timeStampForbidden()) return STATUS_FAULT;
  setPair(timeStamp());
  store<u64>(RCX, load<u64>(MSR_TSC_AUX) & 0xffff_ffff);
  return STATUS_CONTINUE;
}

/** RDPMC: no counter exists. */
export function rdpmc(_record: i32): i32 {
  return generalProtection(0);
}

export function cpuid(_record: i32): i32 {
  hostCpuid(load<u32>(RAX), load<u32>(RCX));
  store<u64>(RAX, load<u32>(SCRATCH));
  store<u64>(RBX, load<u32>(SCRATCH, 4));
  store<u64>(RCX, load<u32>(SCRATCH, 8));
  store<u64>(RDX, load<u32>(SCRATCH, 12));
  return STATUS_CONTINUE;
}

// @ts-ignore: decorator
@inline
function randomNumber(record: i32, bytes: i32): i32 {
  random();
  writeRegister(load<u32>(record, REC_OP0), load<u64>(SCRATCH), bytes);
  writeFlags(1, ARITHMETIC_FLAGS); // CF: a number was there
  return STATUS_CONTINUE;
}

/** RDRAND and RDSEED r16. */
export function rdrand16(record: i32): i32 {
  return randomNumber(record, 2);
}

/** RDRAND and RDSEED r32. */
export function rdrand32(record: i32): i32 {
  return randomNumber(record, 4);
}

/** RDRAND and RDSEED r64. */
export function rdrand64(record: i32): i32 {
  return randomNumber(record, 8);
}
