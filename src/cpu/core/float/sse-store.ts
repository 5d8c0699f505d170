/** MASKMOVDQU and MASKMOVQ: bytes of a register whose mask bytes are negative go to [rDI]. Intel SDM volume 2. */
import { RDI, REC_ADDRESS32, REC_FLAGS, REC_IMMEDIATE, REC_OP1, REC_SEGMENT, STATUS_CONTINUE, STATUS_FAULT } from '../../state-layout';
import { faultPending } from '../fault';
import { checkMmx, checkSse } from './fpu-state';
import { prepareWrite, storeSlow } from '../memory/memory-access';
import { stackOf } from '../integer/operands';
import { enterMmxStack } from './x87-state';

/** Probes the operand; the record's immediate is the address of the mask's register. Check FAULT_PENDING. */
function prepare(record: i32, bytes: i32): u64 {
  let offset = load<u64>(RDI);
  if (load<u8>(record, REC_FLAGS) & REC_ADDRESS32) offset &= 0xffff_ffff;
  const address = offset + load<u64>(load<u32>(record, REC_SEGMENT));
  prepareWrite(address, bytes, stackOf(record));
  return address;
}

function storeMasked(record: i32, address: u64, bytes: u32): i32 {
  const source = load<u32>(record, REC_OP1);
  const mask = load<u32>(record, REC_IMMEDIATE);
  for (let i: u32 = 0; i < bytes; i++) {
    if (load<u8>(mask + i) & 0x80) storeSlow(address + i, load<u8>(source + i), 1, stackOf(record));
  }
  return STATUS_CONTINUE;
}

export function maskmovdqu(record: i32): i32 {
  if (checkSse()) return STATUS_FAULT;
  const address = prepare(record, 16);
  return faultPending() ? STATUS_FAULT : storeMasked(record, address, 16);
}

export function maskmovq(record: i32): i32 {
  if (checkMmx()) return STATUS_FAULT;
  const address = prepare(record, 8);
  if (faultPending()) return STATUS_FAULT;
  enterMmxStack();
  return storeMasked(record, address, 8);
}

/** For the definitions of MMX instructions: the transition; answers the new abridged tag word. */
export function enterMmx(_unused: u64): u64 {
  enterMmxStack();
  return 0xff;
}
