/**
 * Execution mode: what follows from CR0, EFER, CS, SS and the CPL, and the small things that every helper needs (where
 * the instruction is, how it ends, privilege). Intel SDM volume 3, 2.2 and 9.8.5.
 */
import {
  BUDGET,
  CPL,
  CR0,
  CR4,
  EFER,
  FLAGS_SYSTEM,
  INTERRUPT_LINE,
  LEAVE_BOUNDARY,
  LEAVE_REASON,
  MODE,
  MODE_CODE32,
  MODE_EMULATE,
  MODE_LMA,
  MODE_LONG,
  MODE_NO_FXSR,
  MODE_TASK_SWITCHED,
  MODE_PAGING,
  MODE_SEGMENTED,
  MODE_STACK32,
  MODE_USER,
  REC_NEXT_RIP,
  RIP,
  RSP,
  RUN_END,
  SEG_CS,
  SEG_DS,
  SEG_ES,
  SEG_SS,
  SEGMENT_ATTRIBUTES,
  SEGMENT_BASE,
  STATUS_CONTINUE,
  STATUS_FAULT,
  STATUS_JUMP,
  STATUS_LEAVE,
  STOP_REQUESTED,
  TLB_DATA,
  TLB_FETCH,
  TLB_FETCH_SUPERVISOR,
  TLB_FETCH_USER,
  TLB_SUPERVISOR,
  TLB_USER,
} from '../../state-layout';
import { bumpJumpEpoch } from '../memory/tlb';
import { raise, VECTOR_GP, VECTOR_UD } from '../fault';

export const CR0_PE: u64 = 1 << 0;
export const CR0_MP: u64 = 1 << 1;
export const CR0_EM: u64 = 1 << 2;
export const CR0_TS: u64 = 1 << 3;
export const CR0_ET: u64 = 1 << 4;
export const CR0_WP: u64 = 1 << 16;
export const CR0_NW: u64 = 1 << 29;
export const CR0_CD: u64 = 1 << 30;
export const CR0_PG: u64 = 1 << 31;

export const EFER_SCE: u64 = 1 << 0;
export const EFER_LME: u64 = 1 << 8;
export const EFER_LMA: u64 = 1 << 10;
export const EFER_NXE: u64 = 1 << 11;

// Bits of SEGMENT_ATTRIBUTES.
export const ATTRIBUTE_LONG: u32 = 1 << 13;
export const ATTRIBUTE_BIG: u32 = 1 << 14;

export const FLAG_TF: u64 = 1 << 8;
export const FLAG_IF: u64 = 1 << 9;
export const FLAG_DF: u64 = 1 << 10;
export const FLAG_NT: u64 = 1 << 14;
export const FLAG_RF: u64 = 1 << 16;
export const FLAG_VM: u64 = 1 << 17;

// First argument of host.unimplemented().
export const UNIMPLEMENTED_TASK_GATE = 1; // detail: vector
export const UNIMPLEMENTED_GATE16 = 2; // a 16-bit interrupt or trap gate; detail: vector
export const UNIMPLEMENTED_FAR_GATE = 3; // call gate, task gate or TSS in a far JMP or CALL; detail: selector
export const UNIMPLEMENTED_NESTED_TASK = 4; // IRET with NT set outside long mode
export const UNIMPLEMENTED_VM86 = 5; // IRET with VM set
export const UNIMPLEMENTED_REAL_MODE = 6; // an event with CR0.PE = 0; detail: vector

/** Something that this processor does not do was met; the guest gets a fault as well. */
// @ts-ignore: decorator
@external('host', 'unimplemented')
export declare function unimplemented(what: i32, detail: u32): void;

const CR4_OSFXSR: u64 = 1 << 9;

/** Recomputes MODE and the TLBs of the current CPL: after every change of CR0, EFER, CS, SS, DS, ES or the CPL. */
export function updateMode(): void {
  const cs = load<u32>(SEG_CS, SEGMENT_ATTRIBUTES);
  const longActive = (load<u64>(EFER) & EFER_LMA) != 0;
  let mode: u32 = longActive ? MODE_LMA : 0;
  if (longActive && cs & ATTRIBUTE_LONG) {
    mode |= MODE_LONG;
  } else {
    if (cs & ATTRIBUTE_BIG) mode |= MODE_CODE32;
    if (load<u32>(SEG_SS, SEGMENT_ATTRIBUTES) & ATTRIBUTE_BIG) mode |= MODE_STACK32;
    const bases =
      load<u64>(SEG_CS, SEGMENT_BASE) |
      load<u64>(SEG_DS, SEGMENT_BASE) |
      load<u64>(SEG_ES, SEGMENT_BASE) |
      load<u64>(SEG_SS, SEGMENT_BASE);
    if (bases) mode |= MODE_SEGMENTED;
  }
  const cr0 = load<u64>(CR0);
  if (cr0 & CR0_PG) mode |= MODE_PAGING;
  if (cr0 & CR0_TS) mode |= MODE_TASK_SWITCHED;
  if (cr0 & CR0_EM) mode |= MODE_EMULATE;
  if (!(load<u64>(CR4) & CR4_OSFXSR)) mode |= MODE_NO_FXSR;
  const user = load<u32>(CPL) == 3;
  if (user) mode |= MODE_USER;
  if (mode != load<u32>(MODE)) bumpJumpEpoch();
  store<u32>(MODE, mode);
  store<u32>(TLB_DATA, user ? TLB_USER : TLB_SUPERVISOR);
  store<u32>(TLB_FETCH, user ? TLB_FETCH_USER : TLB_FETCH_SUPERVISOR);
}

// @ts-ignore: decorator
@inline
export function inLongMode(): bool {
  return (load<u32>(MODE) & MODE_LONG) != 0;
}

// @ts-ignore: decorator
@inline
export function longModeActive(): bool {
  return (load<u32>(MODE) & MODE_LMA) != 0;
}

/** The current tick: the running instruction has been charged. */
// @ts-ignore: decorator
@inline
export function now(): f64 {
  return load<f64>(RUN_END) - <f64>load<i32>(BUDGET);
}

/** Intel SDM volume 1, 3.3.7.1, with 48 bits. */
// @ts-ignore: decorator
@inline
export function canonical(address: u64): bool {
  return <u64>((<i64>address << 16) >> 16) == address;
}

/** I/O privilege level of RFLAGS. */
// @ts-ignore: decorator
@inline
export function ioPrivilege(): u32 {
  return (<u32>load<u64>(FLAGS_SYSTEM) >> 12) & 3;
}

// @ts-ignore: decorator
@inline
export function generalProtection(errorCode: u32): i32 {
  return raise(VECTOR_GP, errorCode, 1);
}

// @ts-ignore: decorator
@inline
export function undefinedOpcode(): i32 {
  return raise(VECTOR_UD, 0, 0);
}

/** Helper for an instruction that does not exist here: #UD. */
export function undefinedInstruction(_record: i32): i32 {
  return undefinedOpcode();
}

/** The offset of the next instruction. */
// @ts-ignore: decorator
@inline
export function nextRip(record: i32): u64 {
  return load<u64>(record, REC_NEXT_RIP);
}

// @ts-ignore: decorator
@inline
export function windowOpen(): bool {
  const flags = load<u64>(FLAGS_SYSTEM);
  return (
    load<u32>(STOP_REQUESTED) != 0 ||
    (flags & FLAG_TF) != 0 || // the host steps from here on
    (load<u32>(INTERRUPT_LINE) != 0 && (flags & FLAG_IF) != 0)
  );
}

/** Ends an instruction after which the host may want to look: it does if it asked to, or if an interrupt can enter. */
export function finishAtBoundary(record: i32): i32 {
  if (!windowOpen()) return STATUS_CONTINUE;
  store<u64>(RIP, nextRip(record));
  return leave(LEAVE_BOUNDARY);
}

/** The same after an instruction that wrote RIP. */
export function jumpOrLeave(): i32 {
  return windowOpen() ? leave(LEAVE_BOUNDARY) : STATUS_JUMP;
}

/** Ends an instruction after which the following ones must be looked up anew: mode, mapping or rights changed. */
export function finishAndLookUp(record: i32): i32 {
  store<u64>(RIP, nextRip(record));
  return jumpOrLeave();
}

export function leave(reason: i32): i32 {
  store<u32>(LEAVE_REASON, reason);
  return STATUS_LEAVE;
}

/** #GP(0) unless at CPL 0: true when it was raised. */
// @ts-ignore: decorator
@inline
export function notPrivileged(): bool {
  if (load<u32>(CPL) == 0) return false;
  generalProtection(0);
  return true;
}

/** Linear address of an offset in the stack segment. Intel SDM volume 3, 6.14.2 and volume 1, 6.2.3. */
export function stackLinear(offset: u64): u64 {
  const mode = load<u32>(MODE);
  if (mode & MODE_LONG) return offset;
  return (load<u64>(SEG_SS, SEGMENT_BASE) + (offset & (mode & MODE_STACK32 ? 0xffff_ffff : 0xffff))) & 0xffff_ffff;
}

/** RSP, ESP or SP by the size of the stack. */
export function setStackPointer(value: u64): void {
  const mode = load<u32>(MODE);
  if (mode & MODE_LONG) store<u64>(RSP, value);
  else if (mode & MODE_STACK32) store<u64>(RSP, value & 0xffff_ffff);
  else store<u16>(RSP, <u16>value);
}

// @ts-ignore: decorator
@inline
export function statusOf(faulted: bool): i32 {
  return faulted ? STATUS_FAULT : STATUS_CONTINUE;
}
