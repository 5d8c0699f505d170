import { struct, u32, u8 } from '../layout.js';

/** Multiple APIC Description Table behind its header, before the entries. ACPI 6.5 section 5.2.12. */
export const MadtBody = struct('MadtBody', 8, [
  u32('LocalInterruptControllerAddress'), // physical
  u32('Flags'), // MadtFlag
]);

/** Flags of the table. ACPI 6.5 table 5.20. */
export const MadtFlag = {
  PCAT_COMPAT: 1 << 0, // a dual 8259 exists
} as const;

/** Entry type 0. ACPI 6.5 section 5.2.12.2. */
export const MadtLocalApic = struct('MadtLocalApic', 8, [
  u8('Type'),
  u8('Length'),
  u8('ACPIProcessorUID'),
  u8('APICID'),
  u32('Flags'), // bit 0 enabled
]);

/** Entry type 1. ACPI 6.5 section 5.2.12.3. */
export const MadtIoApic = struct('MadtIoApic', 12, [
  u8('Type'),
  u8('Length'),
  u8('IOAPICID'),
  u8('Reserved'),
  u32('IOAPICAddress'), // physical
  u32('GlobalSystemInterruptBase'),
]);

/** Values of Type. ACPI 6.5 table 5.21. */
export const MadtType = { localApic: 0, ioApic: 1 } as const;
export const madtLocalApicEnabled = 1;
