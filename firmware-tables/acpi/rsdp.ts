import { bytes, struct, u32, u64, u8 } from '../layout.js';

/** Root System Description Pointer, revision 2. ACPI 6.5 section 5.2.5.3. */
export const Rsdp = struct('Rsdp', 36, [
  bytes('Signature', 8), // "RSD PTR "
  u8('Checksum'), // the first 20 bytes sum to 0
  bytes('OEMID', 6),
  u8('Revision'), // 2 since ACPI 2.0
  u32('RsdtAddress'), // physical; 0 when only the XSDT exists
  u32('Length'), // bytes, the whole structure
  u64('XsdtAddress'), // physical
  u8('ExtendedChecksum'), // all bytes sum to 0
  bytes('Reserved', 3),
]);

/** Bytes that `Checksum` covers: the structure of ACPI 1.0. */
export const rsdpLegacyBytes = 20;
