/** CMPXCHG8B and CMPXCHG16B: ZF alone changes. Intel SDM volume 2. */
import { RAX, RBX, RCX, RDX, STATUS_CONTINUE, STATUS_FAULT } from '../../state-layout';
import { faultPending, raise, VECTOR_GP } from '../fault';
import { writeFlags } from '../system/flags-register';
import { loadForWriteSlow, storeSlow } from '../memory/memory-access';
import { effectiveAddress, stackOf, writeRegister } from './operands';

const FLAG_ZF: u64 = 0x40;

export function cmpxchg8b(record: i32): i32 {
  const address = effectiveAddress(record);
  const stack = stackOf(record);
  const old = loadForWriteSlow(address, 8, stack);
  if (faultPending()) return STATUS_FAULT;
  const wanted = (load<u64>(RDX) << 32) | <u64>load<u32>(RAX);
  const equal = old == wanted;
  storeSlow(address, equal ? (load<u64>(RCX) << 32) | <u64>load<u32>(RBX) : old, 8, stack);
  if (!equal) {
    writeRegister(RAX, old & 0xffff_ffff, 4);
    writeRegister(RDX, old >> 32, 4);
  }
  writeFlags(equal ? FLAG_ZF : 0, FLAG_ZF);
  return STATUS_CONTINUE;
}

/** The operand must be aligned to 16 bytes, else #GP(0). */
export function cmpxchg16b(record: i32): i32 {
  const address = effectiveAddress(record);
  const stack = stackOf(record);
  if (address & 15) return raise(VECTOR_GP, 0, 1);
  const low = loadForWriteSlow(address, 8, stack);
  if (faultPending()) return STATUS_FAULT;
  const high = loadForWriteSlow(address + 8, 8, stack);
  if (faultPending()) return STATUS_FAULT;
  const equal = low == load<u64>(RAX) && high == load<u64>(RDX);
  storeSlow(address, equal ? load<u64>(RBX) : low, 8, stack);
  storeSlow(address + 8, equal ? load<u64>(RCX) : high, 8, stack);
  if (!equal) {
    store<u64>(RAX, low);
    store<u64>(RDX, high);
  }
  writeFlags(equal ? FLAG_ZF : 0, FLAG_ZF);
  return STATUS_CONTINUE;
}
