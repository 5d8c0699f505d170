#ifndef TWO_DOORS_H
#define TWO_DOORS_H

#include "../lib/efi.h"
#include "../lib/entry.h"
#include "../lib/xen.h"

/* The memory map of either door, and the RAM it describes as sorted ranges without gaps, end exclusive. */
struct memory {
  u64 key, size, descriptor_size;
  u8 descriptors[32768];
  u32 ram_count;
  struct {
    u64 start, end;
  } ram[256];
};

EFI_STATUS memory_from_efi(const EFI_BOOT_SERVICES *boot, struct memory *memory);
void memory_from_start_info(const struct hvm_start_info *info, struct memory *memory);
void memory_print_efi(const struct memory *memory);
void memory_print_start_info(const struct hvm_start_info *info);

#endif
