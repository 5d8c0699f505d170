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

/* What the door brought of Xen; null where it brought none. CPUID is the same through every door. */
struct signals {
  const struct hvm_start_info *table;      /* EFI: the Xen configuration table */
  const struct hvm_start_info *start_info; /* PVH: EBX at the entry */
  int asked_handle;
  EFI_STATUS handle_status;
  const struct hvm_start_info *handle; /* EFI: the protocol on the image handle */
};

void signals_print(const struct signals *signals);

#endif
