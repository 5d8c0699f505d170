/** RFLAGS between its lazy form (state-layout.ts) and a register image; PUSHF, POPF, CLI, STI. Intel SDM volume 1, 3.4.3. */
import {
  CPL,
  FLAGS_AUX,
  FLAGS_RESULT,
  FLAGS_SYSTEM,
  RSP,
  SHADOW_TICK,
  STATUS_CONTINUE,
  STATUS_FAULT,
} from '../../state-layout';
import { faultPending } from '../fault';
import { loadSlow, storeSlow } from '../memory/memory-access';
import { finishAtBoundary, FLAG_IF, generalProtection, ioPrivilege, now, setStackPointer, stackLinear } from './mode';

/** CF, PF, AF, ZF, SF, OF. */
export const ARITHMETIC_FLAGS: u64 = 0x8d5;
/** Every flag that exists. */
export const ALL_FLAGS: u64 = 0x3f_7fd5;
const FLAG_IOPL: u64 = 0x3000;
/** What POPF and IRET may change at any CPL: CF PF AF ZF SF TF DF OF NT AC ID. RF is never kept: nothing looks at it. */
export const USER_FLAGS: u64 = 0x24_4dd5;

/** RFLAGS as PUSHF would see it, RF and VM included. */
export function readFlags(): u64 {
  const result = load<u64>(FLAGS_RESULT);
  const aux = load<u64>(FLAGS_AUX);
  const odd = popcnt<u64>((result ^ (aux >> 8)) & 0xff) & 1;
  let flags = load<u64>(FLAGS_SYSTEM) | 2;
  flags |= aux >> 63; // CF
  flags |= (odd ^ 1) << 2; // PF
  flags |= (aux & 8) << 1; // AF
  if (result == 0) flags |= 0x40; // ZF
  flags |= ((result >> 63) ^ (aux & 1)) << 7; // SF
  flags |= ((aux >> 63) ^ ((aux >> 62) & 1)) << 11; // OF
  return flags;
}

/** Replaces the flags in `mask`. */
export function writeFlags(value: u64, mask: u64): void {
  if (mask & ~ARITHMETIC_FLAGS) {
    const system = mask & ALL_FLAGS & ~ARITHMETIC_FLAGS;
    store<u64>(FLAGS_SYSTEM, (load<u64>(FLAGS_SYSTEM) & ~system) | (value & system) | 2);
  }
  if (!(mask & ARITHMETIC_FLAGS)) return;
  const flags = (readFlags() & ~mask) | (value & mask);
  const zero = (flags >> 6) & 1;
  const result = zero ^ 1;
  const carry = flags & 1;
  const parity = (flags >> 2) & 1;
  // Parity is even when RESULT and AUX bits 15:8 have an even number of ones together.
  const aux =
    (carry << 63) |
    ((carry ^ ((flags >> 11) & 1)) << 62) |
    ((result ^ parity ^ 1) << 8) |
    ((flags >> 1) & 8) |
    ((flags >> 7) & 1);
  store<u64>(FLAGS_RESULT, result);
  store<u64>(FLAGS_AUX, aux);
}

/** The flags that POPF and IRET may change at this CPL. Intel SDM volume 2, POPF. */
export function writableFlags(privilege: u32): u64 {
  let mask = USER_FLAGS;
  if (privilege == 0) mask |= FLAG_IOPL;
  if (privilege <= ioPrivilege()) mask |= FLAG_IF;
  return mask;
}

// @ts-ignore: decorator
@inline
function pushFlags(bytes: i32): i32 {
  const rsp = load<u64>(RSP) - bytes;
  storeSlow(stackLinear(rsp), readFlags() & 0xfc_ffff, bytes, 1);
  if (faultPending()) return STATUS_FAULT;
  setStackPointer(rsp);
  return STATUS_CONTINUE;
}

// @ts-ignore: decorator
@inline
function popFlags(record: i32, bytes: i32): i32 {
  const rsp = load<u64>(RSP);
  const value = loadSlow(stackLinear(rsp), bytes, 1);
  if (faultPending()) return STATUS_FAULT;
  const mask = writableFlags(load<u32>(CPL));
  setStackPointer(rsp + bytes);
  writeFlags(value, bytes == 2 ? mask & 0xffff : mask);
  return finishAtBoundary(record);
}

/** PUSHF, 16 bits. */
export function pushf16(_record: i32): i32 {
  return pushFlags(2);
}

/** PUSHFD. */
export function pushf32(_record: i32): i32 {
  return pushFlags(4);
}

/** PUSHFQ. */
export function pushf64(_record: i32): i32 {
  return pushFlags(8);
}

/** POPF, 16 bits. */
export function popf16(record: i32): i32 {
  return popFlags(record, 2);
}

/** POPFD. */
export function popf32(record: i32): i32 {
  return popFlags(record, 4);
}

/** POPFQ. */
export function popf64(record: i32): i32 {
  return popFlags(record, 8);
}

/** CLI. Intel SDM volume 2; no virtual interrupt flag. */
export function cli(_record: i32): i32 {
  if (load<u32>(CPL) > ioPrivilege()) return generalProtection(0);
  store<u64>(FLAGS_SYSTEM, load<u64>(FLAGS_SYSTEM) & ~FLAG_IF);
  return STATUS_CONTINUE;
}

/** STI: if IF was 0, interrupts stay blocked until the next instruction is done. Intel SDM volume 2. */
export function sti(record: i32): i32 {
  if (load<u32>(CPL) > ioPrivilege()) return generalProtection(0);
  const flags = load<u64>(FLAGS_SYSTEM);
  if (!(flags & FLAG_IF)) store<f64>(SHADOW_TICK, now());
  store<u64>(FLAGS_SYSTEM, flags | FLAG_IF);
  return finishAtBoundary(record);
}
