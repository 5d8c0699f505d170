import { struct, u16, u32, u64, u8 } from '../layout.js';

/** struct setup_header, at 0x1f1 of a bzImage and of boot_params. Linux Documentation/arch/x86/boot.rst. */
export const SetupHeader = struct('setup_header', 123, [
  u8('setup_sects'), // 512-byte sectors behind the boot sector; 0 means 4
  u16('root_flags'),
  u32('syssize'), // protected-mode part, units of 16 bytes
  u16('ram_size'),
  u16('vid_mode'),
  u16('root_dev'),
  u16('boot_flag'), // 0xaa55
  u16('jump'), // a short jump; its second byte + 0x202 is where this header ends
  u32('header'), // 'HdrS'
  u16('version'), // major << 8 | minor
  u32('realmode_swtch'),
  u16('start_sys_seg'),
  u16('kernel_version'), // 0, or offset of a text, less 0x200
  u8('type_of_loader'),
  u8('loadflags'),
  u16('setup_move_size'),
  u32('code32_start'),
  u32('ramdisk_image'),
  u32('ramdisk_size'),
  u32('bootsect_kludge'),
  u16('heap_end_ptr'),
  u8('ext_loader_ver'),
  u8('ext_loader_type'),
  u32('cmd_line_ptr'),
  u32('initrd_addr_max'), // highest address of the last byte
  u32('kernel_alignment'),
  u8('relocatable_kernel'),
  u8('min_alignment'), // power of two
  u16('xloadflags'),
  u32('cmdline_size'), // without the NUL
  u32('hardware_subarch'),
  u64('hardware_subarch_data'),
  u32('payload_offset'), // from the start of the protected-mode part
  u32('payload_length'),
  u64('setup_data'),
  u64('pref_address'),
  u32('init_size'), // bytes that the kernel needs from its load address on
  u32('handover_offset'),
  u32('kernel_info_offset'),
]);

export const setupHeaderOffset = 0x1f1;
export const bootFlag = 0xaa55;
export const headerMagic = 0x53726448; // 'HdrS'
export const LoadFlag = { loadedHigh: 1, kaslr: 2 } as const;
export const XLoadFlag = { kernel64: 1, above4G: 2, efiHandover32: 4, efiHandover64: 8 } as const;
/** type_of_loader of a boot loader without a number of its own. */
export const undefinedLoader = 0xff;
/** hardware_subarch: which kind of machine. Linux X86_SUBARCH_*. */
export const HardwareSubarch = { pc: 0, lguest: 1, xen: 2, intelMid: 3, ce4100: 4 } as const;
