/** MASKMOVDQU: bytes of a register whose mask bytes are negative go to [rDI]. Intel SDM volume 2. */
import { RDI, REC_FLAGS, REC_ADDRESS32, REC_IMMEDIATE, REC_OP1, REC_SEGMENT, STATUS_CONTINUE, STATUS_FAULT } from '../state-layout';
import { faultPending } from './fault';
import { prepareWrite, storeSlow } from './memory-access';
import { checkSse } from './fpu-state';
import { stackOf } from './operands';

/** The record's immediate is the address of the mask's register. */
export function maskmovdqu(record: i32): i32 {
  if (checkSse()) return STATUS_FAULT;
  const source = load<u32>(record, REC_OP1);
  const mask = load<u32>(record, REC_IMMEDIATE);
  const stack = stackOf(record);
  let offset = load<u64>(RDI);
  if (load<u8>(record, REC_FLAGS) & REC_ADDRESS32) offset &= 0xffff_ffff;
  const address = offset + load<u64>(load<u32>(record, REC_SEGMENT));
  prepareWrite(address, 16, stack);
  if (faultPending()) return STATUS_FAULT;
  for (let i: u32 = 0; i < 16; i++) {
    if (load<u8>(mask + i) & 0x80) storeSlow(address + i, load<u8>(source + i), 1, stack);
  }
  return STATUS_CONTINUE;
}
