import { bytes, struct, u32, u8 } from '../layout.js';

/** DESCRIPTION_HEADER: opens every ACPI table but RSDP and FACS. ACPI 6.5 section 5.2.6. */
export const TableHeader = struct('AcpiTableHeader', 36, [
  bytes('Signature', 4),
  u32('Length'), // bytes, the whole table
  u8('Revision'),
  u8('Checksum'), // the whole table sums to 0
  bytes('OEMID', 6),
  bytes('OEMTableID', 8),
  u32('OEMRevision'),
  bytes('CreatorID', 4),
  u32('CreatorRevision'),
]);
