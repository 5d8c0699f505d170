/**
 * Every fixed guest-physical address of the machine, in bytes. RAM is 0 to the memory size (64 MiB to 3 GiB); devices
 * lie above it; on a machine with little RAM below 4 GiB (ram-map.ts) the rest of it lies above them. What a door places at run time (kernel, initrd, command line) is allocated, not fixed, and not here.
 */
export const layout = {
  /** Largest RAM that fits below the devices. */
  ramLimit: 0xc000_0000,
  /** Where RAM goes on that does not lie below 4 GiB. */
  highRam: 0x1_0000_0000,
  /** I/O APIC register window. Intel 82093AA section 3. */
  ioApic: 0xfec0_0000,
  /** Local APIC register window. Intel SDM volume 3, 11.4.1. */
  localApic: 0xfee0_0000,
  /** ACPI tables (RSDP first), inside the first MiB so that scanning kernels find them too. */
  acpiTables: 0x000e_0000,
  acpiTablesBytes: 0x1_0000,
  /** hvm_start_info with its module list, memory map and command lines (PVH door). */
  hvmStartInfo: 0x0000_9000,
  hvmStartInfoBytes: 0x7000,
  /** boot_params, GDT, identity page tables and command line (linux64 door). */
  linuxBootParams: 0x0001_0000,
  linuxBootParamsBytes: 0x1_0000,
  /** EFI tables without services and their memory map (linux64 door, profile `tables`). */
  linuxEfiTables: 0x0002_0000,
  linuxEfiTablesBytes: 0x4000,
  /** End of conventional memory: 0xa0000 to 0xfffff is reserved on a PC. */
  lowMemoryEnd: 0x000a_0000,
  highMemoryStart: 0x0010_0000,
  /** Where libxl puts the ACPI tables of a PVH domain: struct acpi_info first, the RSDP in the last 64 bytes. */
  xenAcpi: 0xfc00_0000,
  xenAcpiBytes: 0x8040,
  xenRsdp: 0xfc00_8000,
  /** The special pages of an HVM or PVH domain. Xen tools/libs/guest/xg_dom_x86.c. */
  specialPages: 0xfeff_8000,
  specialPagesBytes: 0x8000,
} as const;
