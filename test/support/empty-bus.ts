import { cpuid } from '../../src/cpu/cpuid.js';
import type { ProcessorBus } from '../../src/cpu/types.js';

/** A machine without devices and firmware: ports and addresses read as an empty bus does. */
export const emptyBus: ProcessorBus = {
  readPort: () => 0xff,
  writePort: () => undefined,
  readMmio: () => 0xff,
  writeMmio: () => undefined,
  acknowledgeInterrupt: () => undefined,
  readMsr: () => undefined,
  writeMsr: () => false,
  readTaskPriority: () => 0,
  writeTaskPriority: () => undefined,
  cpuid,
  random: () => 0n,
  gate: () => undefined,
  hypercall: () => undefined,
  unimplemented: () => undefined,
};
