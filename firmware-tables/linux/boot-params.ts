import { array, bytes, nested, struct, u16, u32, u64, u8 } from '../layout.js';
import { SetupHeader } from './setup-header.js';

/** struct boot_e820_entry. Linux arch/x86/include/uapi/asm/setup_data.h. */
export const E820Entry = struct('boot_e820_entry', 20, [u64('addr'), u64('size'), u32('type')]);
/** Values of type. ACPI 6.5 section 15, table 15.4. */
export const E820Type = { ram: 1, reserved: 2, acpi: 3, nvs: 4 } as const;
export const e820Maximum = 128;

/** efi_loader_signature of a 64-bit EFI: "EL64". Linux arch/x86/include/asm/efi.h. */
export const efiLoaderSignature64 = 0x3436_4c45;

/** struct efi_info. Linux arch/x86/include/uapi/asm/bootparam.h. */
export const EfiInfo = struct('efi_info', 32, [
  u32('efi_loader_signature'), // 'EL64'
  u32('efi_systab'),
  u32('efi_memdesc_size'),
  u32('efi_memdesc_version'),
  u32('efi_memmap'),
  u32('efi_memmap_size'),
  u32('efi_systab_hi'),
  u32('efi_memmap_hi'),
]);

/** struct boot_params, the "zero page". Linux Documentation/arch/x86/zero-page.rst. */
export const BootParams = struct('boot_params', 4096, [
  bytes('screen_info', 64),
  bytes('apm_bios_info', 20),
  bytes('_pad2', 4),
  u64('tboot_addr'),
  bytes('ist_info', 16),
  u64('acpi_rsdp_addr'),
  bytes('_pad3', 8),
  bytes('hd0_info', 16),
  bytes('hd1_info', 16),
  bytes('sys_desc_table', 16),
  bytes('olpc_ofw_header', 16),
  u32('ext_ramdisk_image'),
  u32('ext_ramdisk_size'),
  u32('ext_cmd_line_ptr'),
  bytes('_pad4', 112),
  u32('cc_blob_address'),
  bytes('edid_info', 128),
  nested('efi_info', EfiInfo),
  u32('alt_mem_k'),
  u32('scratch'),
  u8('e820_entries'),
  u8('eddbuf_entries'),
  u8('edd_mbr_sig_buf_entries'),
  u8('kbd_status'),
  u8('secure_boot'),
  u16('_pad5'),
  u8('sentinel'),
  u8('_pad6'),
  nested('hdr', SetupHeader),
  bytes('_pad7', 36),
  bytes('edd_mbr_sig_buffer', 64),
  array('e820_table', E820Entry, e820Maximum),
  bytes('_pad8', 48),
  bytes('eddbuf', 492),
  bytes('_pad9', 276),
]);
