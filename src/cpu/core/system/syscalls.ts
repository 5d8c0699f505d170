/** SYSCALL, SYSRET, SYSENTER, SYSEXIT: segments with fixed contents, nothing read from a table. Intel SDM volume 2. */
import {
  CPL,
  CR0,
  EFER,
  MSR_LSTAR,
  MSR_SFMASK,
  MSR_STAR,
  MSR_SYSENTER_CS,
  MSR_SYSENTER_EIP,
  MSR_SYSENTER_ESP,
  R11,
  RCX,
  RDX,
  RIP,
  RSP,
  SEG_CS,
  SEG_SS,
  STATUS_FAULT,
  STATUS_JUMP,
} from '../../state-layout';
import { setHidden } from './descriptors';
import { readFlags, writeFlags } from './flags-register';
import {
  canonical,
  CR0_PE,
  EFER_SCE,
  FLAG_IF,
  FLAG_RF,
  FLAG_VM,
  generalProtection,
  inLongMode,
  jumpOrLeave,
  longModeActive,
  nextRip,
  notPrivileged,
  undefinedOpcode,
  updateMode,
} from './mode';

// Attributes: flat, present, accessed; the DPL is added.
const CODE64: u32 = 0xa09b;
const CODE32: u32 = 0xc09b;
const DATA: u32 = 0xc093;

/** Loads CS and SS with flat segments of a privilege, and the CPL. */
function enterFlat(codeSelector: u32, code: u32, stackSelector: u32, privilege: u32): void {
  setHidden(SEG_CS, codeSelector | privilege, code | (privilege << 5), 0, 0xffff_ffff);
  setHidden(SEG_SS, stackSelector | privilege, DATA | (privilege << 5), 0, 0xffff_ffff);
  store<u32>(CPL, privilege);
  updateMode();
}

/** SYSCALL: 64-bit mode only, as Intel has it. */
export function syscall(record: i32): i32 {
  if (!inLongMode() || !(load<u64>(EFER) & EFER_SCE)) return undefinedOpcode();
  store<u64>(RCX, nextRip(record));
  store<u64>(R11, readFlags() & ~FLAG_RF);
  store<u64>(RIP, load<u64>(MSR_LSTAR));
  writeFlags(0, load<u64>(MSR_SFMASK) | FLAG_RF);
  const selector = <u32>(load<u64>(MSR_STAR) >> 32) & 0xfffc;
  enterFlat(selector, CODE64, selector + 8, 0);
  return STATUS_JUMP;
}

function sysret(long: bool): i32 {
  if (!inLongMode() || !(load<u64>(EFER) & EFER_SCE)) return undefinedOpcode();
  if (notPrivileged()) return STATUS_FAULT;
  const rip = load<u64>(RCX);
  // On Intel at CPL 0, in front of the return.
  if (long && !canonical(rip)) return generalProtection(0);
  store<u64>(RIP, long ? rip : rip & 0xffff_ffff);
  writeFlags(load<u64>(R11) & 0x3c_7fd7, ~<u64>0);
  const base = <u32>(load<u64>(MSR_STAR) >> 48);
  const code = long ? (base + 16) & 0xffff : base;
  enterFlat(code, long ? CODE64 : CODE32, (base + 8) & 0xffff, 3);
  return jumpOrLeave();
}

/** SYSRET to compatibility mode. */
export function sysretd(_record: i32): i32 {
  return sysret(false);
}

/** SYSRET with REX.W: to 64-bit mode. */
export function sysretq(_record: i32): i32 {
  return sysret(true);
}

export function sysenter(_record: i32): i32 {
  const selector = load<u32>(MSR_SYSENTER_CS) & 0xfffc;
  if (!(load<u64>(CR0) & CR0_PE) || selector == 0) return generalProtection(0);
  const long = longModeActive();
  writeFlags(0, FLAG_IF | FLAG_VM | FLAG_RF);
  const rsp = load<u64>(MSR_SYSENTER_ESP);
  const rip = load<u64>(MSR_SYSENTER_EIP);
  store<u64>(RSP, long ? rsp : rsp & 0xffff_ffff);
  store<u64>(RIP, long ? rip : rip & 0xffff_ffff);
  enterFlat(selector, long ? CODE64 : CODE32, selector + 8, 0);
  return STATUS_JUMP;
}

function sysexit(long: bool): i32 {
  const selector = load<u32>(MSR_SYSENTER_CS) & 0xfffc;
  if (!(load<u64>(CR0) & CR0_PE) || selector == 0) return generalProtection(0);
  if (notPrivileged()) return STATUS_FAULT;
  const rip = load<u64>(RDX);
  const rsp = load<u64>(RCX);
  if (long && (!canonical(rip) || !canonical(rsp))) return generalProtection(0);
  store<u64>(RIP, long ? rip : rip & 0xffff_ffff);
  store<u64>(RSP, long ? rsp : rsp & 0xffff_ffff);
  const code = selector + (long ? 32 : 16);
  enterFlat(code, long ? CODE64 : CODE32, code + 8, 3);
  return jumpOrLeave();
}

/** SYSEXIT to 32-bit code. */
export function sysexitd(_record: i32): i32 {
  return sysexit(false);
}

/** SYSEXIT with REX.W: to 64-bit code. */
export function sysexitq(_record: i32): i32 {
  return sysexit(true);
}
