/*
 * What enters a Linux kernel by the 64-bit boot protocol. Linux Documentation/arch/x86/boot.rst and zero-page.rst;
 * offsets are those of struct boot_params, whose setup header lies at the same offsets in a bzImage.
 */
#ifndef LINUX_H
#define LINUX_H

#include "../lib/types.h"

struct setup_header {
  u8 setup_sects;
  u16 root_flags;
  u32 syssize;
  u16 ram_size, vid_mode, root_dev, boot_flag;
  u8 jump[2];
  u32 header; /* "HdrS" */
  u16 version;
  u32 realmode_swtch;
  u16 start_sys_seg, kernel_version;
  u8 type_of_loader, loadflags;
  u16 setup_move_size;
  u32 code32_start, ramdisk_image, ramdisk_size, bootsect_kludge;
  u16 heap_end_ptr;
  u8 ext_loader_ver, ext_loader_type;
  u32 cmd_line_ptr, initrd_addr_max, kernel_alignment;
  u8 relocatable_kernel, min_alignment;
  u16 xloadflags;
  u32 cmdline_size, hardware_subarch;
  u64 hardware_subarch_data;
  u32 payload_offset, payload_length;
  u64 setup_data, pref_address;
  u32 init_size, handover_offset, kernel_info_offset;
} __attribute__((packed));

enum {
  SetupHeader = 0x1f1,
  SetupHeaderJump = 0x201, /* its displacement: the header ends that many bytes after 0x202 */
  Startup64 = 0x200,       /* from the start of the protected-mode part */
  BootFlag = 0xaa55,
  HdrS = 0x53726448,
  Version212 = 0x020c, /* the first with xloadflags */
  XlfKernel64 = 1 << 0,
  LoaderUndefined = 0xff,
  VideoNormal = 0xffff
};

/* include/uapi/asm/setup_data.h: where the EFI tables were when boot services ended, and that virtual addresses stand. */
enum { SetupEfi = 4 };
struct setup_efi {
  u64 next;
  u32 type, length;
  u64 fw_vendor, unused, tables, smbios, reserved[8];
};

enum { E820Max = 128, E820Ram = 1, E820Reserved, E820Acpi, E820Nvs, E820Unusable, E820Persistent = 7 };
struct e820_entry {
  u64 start, size;
  u32 type;
} __attribute__((packed));

struct boot_params {
  u8 screen_info[0x70];
  u64 acpi_rsdp_addr;
  u8 before_ext[0xc0 - 0x78];
  u32 ext_ramdisk_image, ext_ramdisk_size, ext_cmd_line_ptr;
  u8 before_efi[0x1c0 - 0xcc];
  struct {
    char signature[4];
    u32 system, descriptor_size, descriptor_version, map, map_size, system_high, map_high;
  } efi;
  u8 before_e820[0x1e8 - 0x1e0];
  u8 e820_entries;
  u8 before_header[SetupHeader - 0x1e9];
  struct setup_header header;
  u8 before_table[0x2d0 - SetupHeader - sizeof(struct setup_header)];
  struct e820_entry e820[E820Max];
  u8 rest[0x1000 - 0x2d0 - E820Max * sizeof(struct e820_entry)];
} __attribute__((packed));

_Static_assert(sizeof(struct setup_header) == 0x26c - SetupHeader, "setup header");
_Static_assert(sizeof(struct boot_params) == 4096, "zero page");

/*
 * Turns interrupts off, loads an identity map of the first 4 GiB and flat segments (0x10 code, 0x18 data) of its own,
 * copies the protected-mode part to its place and enters startup_64 with RSI = boot_params. Never returns.
 */
__attribute__((noreturn)) void enter_linux(void *to, const void *from, u64 bytes, struct boot_params *params);

#endif
