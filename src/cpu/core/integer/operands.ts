/** Operands of an instruction record, for the helpers that the generated handlers call. */
import {
  RAX,
  REC_BASE,
  REC_DISPLACEMENT,
  REC_FLAGS,
  REC_INDEX,
  REC_IS_MEMORY,
  REC_OP0,
  REC_SCALE,
  REC_SEGMENT,
  REC_SHIFT,
  REC_STACK_SEGMENT,
  STATUS_CONTINUE,
  STATUS_FAULT,
} from '../../state-layout';
import { faultPending } from '../fault';
import { loadSlow, storeSlow } from '../memory/memory-access';

/** Linear address of the memory operand: offset cut to the address size, plus segment base. Intel SDM volume 1, 3.7.5. */
export function effectiveAddress(record: i32): u64 {
  return addressBehind(record, 0);
}

/** XLAT: AL is a part of the offset, which is cut after it was added. Intel SDM volume 2. */
export function xlat(record: i32): i32 {
  const value = loadSlow(addressBehind(record, load<u8>(RAX)), 1, stackOf(record));
  if (faultPending()) return STATUS_FAULT;
  store<u8>(RAX, <u8>value);
  return STATUS_CONTINUE;
}

/** The effective address with `distance` more bytes in its offset. */
function addressBehind(record: i32, distance: u64): u64 {
  const base = load<u64>(load<u32>(record, REC_BASE));
  const index = load<u64>(load<u32>(record, REC_INDEX));
  const offset = base + (index << <u64>load<u8>(record, REC_SCALE)) + <u64>(<i64>load<i32>(record, REC_DISPLACEMENT)) + distance;
  const shift: u64 = load<u8>(record, REC_SHIFT);
  return ((offset << shift) >> shift) + load<u64>(load<u32>(record, REC_SEGMENT));
}

/** Address of the register that is operand `which` (0 or 1); 0 when it is the memory operand. */
// @ts-ignore: decorator
@inline
function operandRegister(record: i32, which: i32): u32 {
  return load<u32>(record + (which << 2), REC_OP0);
}

/** REC_STACK_SEGMENT as the slow paths want it. */
export function stackOf(record: i32): i32 {
  return load<u8>(record, REC_FLAGS) & REC_STACK_SEGMENT;
}

/** Whether operand `which` is the memory operand: the record names no register for it. */
export function isMemoryOperand(record: i32, which: i32): bool {
  return (load<u8>(record, REC_FLAGS) & REC_IS_MEMORY) != 0 && operandRegister(record, which) == 0;
}

/** Operand `which` (0 or 1), `bytes` 1 to 8, zero-extended. Check FAULT_PENDING after a memory operand. */
export function readOperand(record: i32, which: i32, bytes: i32): u64 {
  if (isMemoryOperand(record, which)) return loadSlow(effectiveAddress(record), bytes, stackOf(record));
  return readRegister(operandRegister(record, which), bytes);
}

/** Writes operand `which`. Check FAULT_PENDING after a memory operand. */
export function writeOperand(record: i32, which: i32, value: u64, bytes: i32): void {
  if (isMemoryOperand(record, which)) storeSlow(effectiveAddress(record), value, bytes, stackOf(record));
  else writeRegister(operandRegister(record, which), value, bytes);
}

/** The register whose lowest byte is at this address of the state. */
export function readRegister(address: u32, bytes: i32): u64 {
  if (bytes == 8) return load<u64>(address);
  if (bytes == 4) return load<u32>(address);
  if (bytes == 2) return load<u16>(address);
  return load<u8>(address);
}

/** A 32-bit write clears bits 63:32, narrower ones keep the rest. Intel SDM volume 1, 3.4.1.1. */
export function writeRegister(address: u32, value: u64, bytes: i32): void {
  if (bytes == 8) store<u64>(address, value);
  else if (bytes == 4) store<u64>(address, value & 0xffff_ffff);
  else if (bytes == 2) store<u16>(address, <u16>value);
  else store<u8>(address, <u8>value);
}
