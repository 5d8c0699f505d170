/**
 * The state of x87, MMX and SSE: FXSAVE, FXRSTOR, control and status words, and the checks in front of every such
 * instruction. The state is an FXSAVE image (state-layout.ts). Intel SDM volume 1, 8.1 and 10.5; volume 3, 2.5 and 13.
 */
import { CR0, CR4, FX, FX_MXCSR, FX_ST, MODE, MODE_LONG, RAX, SCRATCH, STATUS_CONTINUE, STATUS_FAULT } from '../../state-layout';
import { CR4_OSFXSR } from '../system/control-registers';
import { faultPending, raise, VECTOR_MF, VECTOR_NM } from '../fault';
import { loadSlow, prepareWrite, storeSlow } from '../memory/memory-access';
import { CR0_EM, CR0_MP, CR0_TS, generalProtection, statusOf, undefinedOpcode } from '../system/mode';
import { effectiveAddress, readOperand, stackOf, writeOperand } from '../integer/operands';

// Fields of the image.
const FCW: u32 = FX;
const FSW: u32 = FX + 2;
const FTW: u32 = FX + 4; // a bit is 1 when the physical register is not empty
const FOP: u32 = FX + 6;
const FIP: u32 = FX + 8;
const FDP: u32 = FX + 16;

const FSW_SUMMARY: u32 = 0x80; // ES: an unmasked exception is pending
const FSW_BUSY: u32 = 0x8000;
const MXCSR_MASK: u32 = 0xffff;
const IMAGE_BYTES = 512;

/** #NM when CR0.EM or CR0.TS is set: in front of every x87 instruction. 1 when a fault was raised. */
export function checkFpuControl(): i32 {
  if (!(load<u64>(CR0) & (CR0_EM | CR0_TS))) return 0;
  raise(VECTOR_NM, 0, 0);
  return 1;
}

/** #MF when an unmasked x87 exception waits; CR0.NE is taken as set. 1 when it was raised. */
function checkPendingException(): i32 {
  if (!(load<u16>(FSW) & FSW_SUMMARY)) return 0;
  raise(VECTOR_MF, 0, 0);
  return 1;
}

/** The check of waiting x87 instructions: #NM, then #MF. 1 when a fault was raised. */
export function checkFpu(): i32 {
  return checkFpuControl() || checkPendingException();
}

/** #UD for CR0.EM, #NM for CR0.TS, #MF when pending: in front of MMX instructions. 1 when a fault was raised. */
export function checkMmx(): i32 {
  const cr0 = load<u64>(CR0);
  if (cr0 & CR0_EM) return undefinedOpcode();
  if (cr0 & CR0_TS) return raise(VECTOR_NM, 0, 0);
  return checkPendingException();
}

/** #UD for CR0.EM or without CR4.OSFXSR, #NM for CR0.TS: in front of SSE instructions. 1 when a fault was raised. */
export function checkSse(): i32 {
  const cr0 = load<u64>(CR0);
  if (cr0 & CR0_EM || !(load<u64>(CR4) & CR4_OSFXSR)) return undefinedOpcode();
  return cr0 & CR0_TS ? raise(VECTOR_NM, 0, 0) : 0;
}

/** FXSAVE and FXRSTOR do not ask for CR4.OSFXSR and do not wait. */
function checkFxsave(address: u64): i32 {
  const cr0 = load<u64>(CR0);
  if (cr0 & CR0_EM) return undefinedOpcode();
  if (cr0 & CR0_TS) return raise(VECTOR_NM, 0, 0);
  return address & 15 ? generalProtection(0) : 0;
}

/** Bytes up to the end of XMM15, or of XMM7 outside 64-bit mode: what lies behind stays as it is. Volume 1, 10.5.1. */
// @ts-ignore: decorator
@inline
function imageEnd(): u32 {
  return load<u32>(MODE) & MODE_LONG ? 416 : 288;
}

/** `wide`: REX.W, FIP and FDP have 64 bits; else 32 and a selector that reads 0. */
function saveImage(record: i32, wide: bool): i32 {
  const address = effectiveAddress(record);
  const stack = stackOf(record);
  if (checkFxsave(address)) return STATUS_FAULT;
  prepareWrite(address, IMAGE_BYTES, stack);
  if (faultPending()) return STATUS_FAULT;
  const end = imageEnd();
  for (let at: u32 = 0; at < end; at += 8) {
    let value = load<u64>(FX + at);
    if (at == 24) value = (value & 0xffff_ffff) | (<u64>MXCSR_MASK << 32);
    else if (!wide && (at == 8 || at == 16)) value &= 0xffff_ffff;
    storeSlow(address + at, value, 8, stack);
  }
  return STATUS_CONTINUE;
}

function restoreImage(record: i32, wide: bool): i32 {
  const address = effectiveAddress(record);
  const stack = stackOf(record);
  if (checkFxsave(address)) return STATUS_FAULT;
  // Both ends: the image touches two pages at most.
  loadSlow(address, 1, stack);
  if (faultPending()) return STATUS_FAULT;
  loadSlow(address + IMAGE_BYTES - 1, 1, stack);
  if (faultPending()) return STATUS_FAULT;
  if (<u32>loadSlow(address + 24, 4, stack) & ~MXCSR_MASK) return generalProtection(0);
  const end = imageEnd();
  for (let at: u32 = 0; at < end; at += 8) {
    let value = loadSlow(address + at, 8, stack);
    if (at == 24) value = (value & 0xffff_ffff) | (<u64>MXCSR_MASK << 32);
    else if (!wide && (at == 8 || at == 16)) value &= 0xffff_ffff;
    store<u64>(FX + at, value);
  }
  store<u8>(FTW + 1, 0);
  setControl(load<u16>(FCW));
  return STATUS_CONTINUE;
}

export function fxsave(record: i32): i32 {
  return saveImage(record, false);
}

export function fxsave64(record: i32): i32 {
  return saveImage(record, true);
}

export function fxrstor(record: i32): i32 {
  return restoreImage(record, false);
}

export function fxrstor64(record: i32): i32 {
  return restoreImage(record, true);
}

/** Sets FCW; ES and B follow what is now unmasked. Bit 6 reads 1, reserved bits 0. Intel SDM volume 1, 8.1.5. */
export function setControl(value: u32): void {
  store<u16>(FCW, <u16>((value & 0x1f3f) | 0x40));
  let status: u32 = load<u16>(FSW);
  if (status & ~value & 0x3f) status |= FSW_SUMMARY | FSW_BUSY;
  else status &= ~(FSW_SUMMARY | FSW_BUSY);
  store<u16>(FSW, <u16>status);
}

/** The registers are kept in ST order: a new TOP of 0 moves them to their physical places. */
function rotateToZero(): void {
  const top: u32 = (<u32>load<u16>(FSW) >> 11) & 7;
  if (top == 0) return;
  const copy: u32 = SCRATCH + 128;
  memory.copy(copy, FX_ST, 128);
  for (let i: u32 = 0; i < 8; i++) memory.copy(<u32>FX_ST + (((i + top) & 7) << 4), copy + (i << 4), 16);
}

/** FNINIT: Intel SDM volume 2, FINIT. */
export function fninit(_record: i32): i32 {
  if (checkFpuControl()) return STATUS_FAULT;
  rotateToZero();
  store<u16>(FCW, 0x37f);
  store<u16>(FSW, 0);
  store<u16>(FTW, 0);
  store<u16>(FOP, 0);
  store<u64>(FIP, 0);
  store<u64>(FDP, 0);
  return STATUS_CONTINUE;
}

/** FNSTCW m16. */
export function fnstcw(record: i32): i32 {
  if (checkFpuControl()) return STATUS_FAULT;
  storeSlow(effectiveAddress(record), load<u16>(FCW), 2, stackOf(record));
  return statusOf(faultPending());
}

/** FLDCW m16. */
export function fldcw(record: i32): i32 {
  if (checkFpu()) return STATUS_FAULT;
  const value = <u32>loadSlow(effectiveAddress(record), 2, stackOf(record));
  if (faultPending()) return STATUS_FAULT;
  setControl(value);
  return STATUS_CONTINUE;
}

/** FNSTSW m16. */
export function fnstsw(record: i32): i32 {
  if (checkFpuControl()) return STATUS_FAULT;
  storeSlow(effectiveAddress(record), load<u16>(FSW), 2, stackOf(record));
  return statusOf(faultPending());
}

/** FNSTSW AX. */
export function fnstswAx(_record: i32): i32 {
  if (checkFpuControl()) return STATUS_FAULT;
  store<u16>(RAX, load<u16>(FSW));
  return STATUS_CONTINUE;
}

/** FNCLEX: clears the exception flags, SF, ES and B. */
export function fnclex(_record: i32): i32 {
  if (checkFpuControl()) return STATUS_FAULT;
  store<u16>(FSW, load<u16>(FSW) & 0x7f00);
  return STATUS_CONTINUE;
}

/** FWAIT: #NM only when CR0.MP and CR0.TS are both set. */
export function fwait(_record: i32): i32 {
  const both = CR0_MP | CR0_TS;
  if ((load<u64>(CR0) & both) == both) return raise(VECTOR_NM, 0, 0);
  return checkPendingException() ? STATUS_FAULT : STATUS_CONTINUE;
}

/** LDMXCSR m32: #GP(0) for reserved bits. */
export function ldmxcsr(record: i32): i32 {
  if (checkSse()) return STATUS_FAULT;
  const value = <u32>readOperand(record, 0, 4);
  if (faultPending()) return STATUS_FAULT;
  if (value & ~MXCSR_MASK) return generalProtection(0);
  store<u32>(FX_MXCSR, value);
  return STATUS_CONTINUE;
}

/** STMXCSR m32. */
export function stmxcsr(record: i32): i32 {
  if (checkSse()) return STATUS_FAULT;
  writeOperand(record, 0, load<u32>(FX_MXCSR), 4);
  return statusOf(faultPending());
}

/** EMMS: all registers empty, TOP 0. Intel SDM volume 1, table 9-3. */
export function emms(_record: i32): i32 {
  if (checkMmx()) return STATUS_FAULT;
  rotateToZero();
  store<u16>(FSW, load<u16>(FSW) & ~0x3800);
  store<u16>(FTW, 0);
  return STATUS_CONTINUE;
}
