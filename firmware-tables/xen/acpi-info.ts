import { struct, u16, u32, u64, u8 } from '../layout.js';

/** struct acpi_info, at 0xfc000000: what the AML of Xen's DSDT reads. Xen tools/libacpi/build.c. */
export const XenAcpiInfo = struct('acpi_info', 40, [
  u8('present'), // bit 0 COM1, 1 COM2, 2 LPT1, 3 HPET
  u8('reserved'),
  u16('nr_cpus'),
  u32('pci_min'),
  u32('pci_len'),
  u32('madt_csum_addr'), // physical, of the MADT's checksum
  u32('madt_lapic0_addr'), // physical, of the MADT's first local APIC
  u32('vm_gid_addr'),
  u64('pci_hi_min'),
  u64('pci_hi_len'),
]);
