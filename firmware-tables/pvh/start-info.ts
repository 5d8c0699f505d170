import { struct, u32, u64 } from '../layout.js';

/** struct hvm_start_info, version 1; all addresses guest-physical, 0 means absent. Xen public/arch-x86/hvm/start_info.h. */
export const HvmStartInfo = struct('hvm_start_info', 56, [
  u32('magic'),
  u32('version'),
  u32('flags'), // SIF_*
  u32('nr_modules'),
  u64('modlist_paddr'),
  u64('cmdline_paddr'), // ends with a NUL
  u64('rsdp_paddr'),
  u64('memmap_paddr'), // this field and the following: version 1 only
  u32('memmap_entries'), // 0: no map here
  u32('reserved'),
]);

/** Bytes of the structure by its version: version 0 ends with rsdp_paddr. */
export const hvmStartInfoBytes = [40, 56] as const;

/** SIF_* of `flags`; a domU has none. Xen public/xen.h. */
export const StartInfoFlag = {
  PRIVILEGED: 1 << 0,
  INITDOMAIN: 1 << 1, // the domain that was started first
} as const;

/** struct hvm_modlist_entry. Xen public/arch-x86/hvm/start_info.h. */
export const HvmModlistEntry = struct('hvm_modlist_entry', 32, [
  u64('paddr'),
  u64('size'),
  u64('cmdline_paddr'),
  u64('reserved'),
]);

/** struct hvm_memmap_table_entry. Xen public/arch-x86/hvm/start_info.h. */
export const HvmMemmapEntry = struct('hvm_memmap_table_entry', 24, [
  u64('addr'),
  u64('size'),
  u32('type'),
  u32('reserved'),
]);

export const hvmStartMagic = 0x336ec578; // "xEn3" with the 0x80 bit of the "E" set
export const hvmStartVersion = 1;
/** XEN_HVM_MEMMAP_TYPE_*. */
export const HvmMemmapType = { RAM: 1, RESERVED: 2, ACPI: 3, NVS: 4, UNUSABLE: 5, DISABLED: 6, PMEM: 7 } as const;
