import { struct, u64 } from '../layout.js';

/** One entry of the Extended System Description Table, behind its header. ACPI 6.5 section 5.2.8. */
export const XsdtEntry = struct('XsdtEntry', 8, [
  u64('Address'), // physical
]);
