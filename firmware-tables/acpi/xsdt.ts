import { struct, u32, u64 } from '../layout.js';

/** One entry of the Extended System Description Table, behind its header. ACPI 6.5 section 5.2.8. */
export const XsdtEntry = struct('XsdtEntry', 8, [
  u64('Address'), // physical
]);

/** One entry of the Root System Description Table, behind its header. ACPI 6.5 section 5.2.7. */
export const RsdtEntry = struct('RsdtEntry', 4, [
  u32('Address'), // physical
]);
