/**
 * The x87 register stack and status word. Registers are kept in ST order, so that a change of TOP moves them; tags are
 * by physical register. Intel SDM volume 1, 8.1 and 8.5.
 */
import { FX, FX_ST, REC_LENGTH, REC_NEXT_RIP } from '../../state-layout';
import { effectiveAddress, isMemoryOperand } from '../integer/operands';
import {
  begin,
  DENORMAL,
  INEXACT,
  INVALID,
  raised,
  raiseFlags,
  roundedUp,
  setSpecial,
  KIND_INDEFINITE,
  Unpacked,
  ZERO_DIVIDE,
} from './softfloat';
import { pack80Exponent, pack80Significand, unpack80 } from './softfloat-formats';

export const FCW: u32 = FX;
export const FSW: u32 = FX + 2;
export const FTW: u32 = FX + 4;
export const FOP: u32 = FX + 6;
export const FIP: u32 = FX + 8;
export const FDP: u32 = FX + 16;

export const C0: u32 = 0x100;
export const C1: u32 = 0x200;
export const C2: u32 = 0x400;
export const C3: u32 = 0x4000;
const STACK_FAULT: u32 = 0x40;
const SUMMARY_BUSY: u32 = 0x8080;

const OVERFLOW_C1: u32 = STACK_FAULT | C1;

/** STACK_FAULT, with C1 for an overflow, when the operation at hand met one. */
let stackFault: u32 = 0;
let current: i32 = 0;

// @ts-ignore: decorator
@inline
export function x87Rounding(): i32 {
  return <i32>((load<u16>(FCW) >> 10) & 3);
}

// @ts-ignore: decorator
@inline
export function x87Unmasked(): i32 {
  return <i32>(~load<u16>(FCW) & 0x3f);
}

/** Bits of precision that PC asks for. */
export function x87Precision(): i32 {
  const control = (load<u16>(FCW) >> 8) & 3;
  return control == 0 ? 24 : control == 2 ? 53 : 64;
}

/** Starts an operation. */
export function begin87(record: i32): void {
  begin(x87Rounding(), x87Unmasked(), false);
  stackFault = 0;
  current = record;
}

// @ts-ignore: decorator
@inline
export function top(): u32 {
  return (load<u16>(FSW) >> 11) & 7;
}

// @ts-ignore: decorator
@inline
function tagBit(i: u32): u32 {
  return 1 << ((top() + i) & 7);
}

export function isEmpty(i: u32): bool {
  return !(load<u8>(FTW) & tagBit(i));
}

export function setEmpty(i: u32): void {
  store<u8>(FTW, load<u8>(FTW) & ~tagBit(i));
}

// @ts-ignore: decorator
@inline
export function slot(i: u32): u32 {
  return FX_ST + (i << 4);
}

export function loadRegister(to: Unpacked, i: u32): void {
  unpack80(to, load<u16>(slot(i), 8), load<u64>(slot(i)));
}

/** ST(i) = R. */
export function storeResult(i: u32): void {
  store<u64>(slot(i), pack80Significand());
  store<u64>(slot(i), pack80Exponent(), 8);
  store<u8>(FTW, load<u8>(FTW) | tagBit(i));
}

/** ST(i) = the default NaN. */
export function storeIndefinite(i: u32): void {
  setSpecial(KIND_INDEFINITE, 1);
  storeResult(i);
}

/** Changes TOP; every physical register stays where it is. */
export function setTop(value: u32): void {
  const distance = (value - top()) & 7;
  store<u16>(FSW, <u16>((load<u16>(FSW) & ~0x3800) | ((value & 7) << 11)));
  for (let n: u32 = 0; n < distance; n++) {
    const low = load<u64>(FX_ST);
    const high = load<u64>(FX_ST, 8);
    memory.copy(FX_ST, FX_ST + 16, 112);
    store<u64>(FX_ST, low, 112);
    store<u64>(FX_ST, high, 120);
  }
}

/** The transition to MMX: TOP 0, every register valid. Intel SDM volume 1, 9.5.1. */
export function enterMmxStack(): void {
  setTop(0);
  store<u8>(FTW, 0xff);
}

/** Makes room for a new ST(0). */
export function push(): void {
  const high = load<u64>(FX_ST, 120);
  const low = load<u64>(FX_ST, 112);
  memory.copy(FX_ST + 16, FX_ST, 112);
  store<u64>(FX_ST, low);
  store<u64>(FX_ST, high, 8);
  store<u16>(FSW, <u16>((load<u16>(FSW) & ~0x3800) | (((top() - 1) & 7) << 11)));
}

export function pop(): void {
  setEmpty(0);
  setTop(top() + 1);
}

/** A register that must be full is empty. */
export function stackUnderflow(): void {
  raiseFlags(INVALID);
  stackFault = STACK_FAULT;
}

/** A register that must be empty is full. */
export function stackOverflow(): void {
  raiseFlags(INVALID);
  stackFault = OVERFLOW_C1;
}

export function isUnmasked(flags: i32): bool {
  return (raised & flags & x87Unmasked()) != 0;
}

/** Whether an unmasked exception forbids any result. Intel SDM volume 1, 8.6. */
export function isRefused(): bool {
  return isUnmasked(INVALID | DENORMAL | ZERO_DIVIDE);
}

/**
 * Ends the operation: exception flags, ES and B, and C1 (rounding up, or the direction of a stack fault), and
 * the pointers to instruction and operand.
 */
export function settle(): void {
  store<u64>(FIP, load<u64>(current, REC_NEXT_RIP) - <u64>load<u8>(current, REC_LENGTH));
  if (isMemoryOperand(current, 0)) store<u64>(FDP, effectiveAddress(current));
  const early = INVALID | DENORMAL | ZERO_DIVIDE;
  const flags = isRefused() ? raised & early : raised;
  let status: u32 = (load<u16>(FSW) & ~C1) | <u32>flags | stackFault;
  if (flags & INEXACT && roundedUp) status |= C1;
  if (status & <u32>x87Unmasked()) status |= SUMMARY_BUSY;
  store<u16>(FSW, <u16>status);
}

/** settle() for what leaves C1 alone unless the stack is at fault: FCOMI, FCMOV. */
export function settleKeepingC1(): void {
  const kept = load<u16>(FSW) & C1;
  settle();
  if (stackFault == 0) store<u16>(FSW, load<u16>(FSW) | <u16>kept);
}

/** Replaces C3, C2 and C0. */
export function setConditions(codes: u32): void {
  store<u16>(FSW, <u16>((load<u16>(FSW) & ~(C3 | C2 | C0)) | codes));
}
