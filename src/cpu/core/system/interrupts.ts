/** External interrupts; INT n, INT3, INTO, INT1. Intel SDM volume 3, 6.3 and 6.4, volume 2, INT n. */
import { CR0, FLAGS_AUX, REC_IMMEDIATE, RIP, STATUS_CONTINUE, STATUS_FAULT, STATUS_JUMP, TRAP_HELD } from '../../state-layout';
import { deliver, deliverException, EXTERNAL, SOFTWARE } from './exceptions';
import { VECTOR_BP, VECTOR_DB, VECTOR_OF } from '../fault';
import { readFlags } from './flags-register';
import { CR0_PE, inLongMode, nextRip, undefinedOpcode, unimplemented, UNIMPLEMENTED_REAL_MODE } from './mode';

/** An external interrupt at the boundary in front of RIP. 0 when a handler was entered, 1 after a triple fault. */
export function deliverInterrupt(vector: i32): i32 {
  if (!(load<u64>(CR0) & CR0_PE)) {
    unimplemented(UNIMPLEMENTED_REAL_MODE, vector);
    return 1;
  }
  if (deliver(vector, 0, false, EXTERNAL, load<u64>(RIP), readFlags())) return 0;
  return deliverException();
}

function softwareInterrupt(record: i32, vector: u32, source: u32): i32 {
  if (!deliver(vector, 0, false, source, nextRip(record), readFlags())) return STATUS_FAULT;
  store<u32>(TRAP_HELD, 1); // TF is clear: the handler is not stepped. Intel SDM volume 3, 18.3.1.4
  return STATUS_JUMP;
}

/** INT imm8: REC_IMMEDIATE is the vector. */
export function intN(record: i32): i32 {
  return softwareInterrupt(record, load<u8>(record, REC_IMMEDIATE), SOFTWARE);
}

export function int3(record: i32): i32 {
  return softwareInterrupt(record, VECTOR_BP, SOFTWARE);
}

/** INT1: as hardware's #DB, the gate's DPL does not count. */
export function int1(record: i32): i32 {
  return softwareInterrupt(record, VECTOR_DB, EXTERNAL);
}

export function into(record: i32): i32 {
  if (inLongMode()) return undefinedOpcode();
  const aux = load<u64>(FLAGS_AUX);
  if (!((aux ^ (aux << 1)) >> 63)) return STATUS_CONTINUE;
  return softwareInterrupt(record, VECTOR_OF, SOFTWARE);
}
