/* What efi-entry.S and pvh-entry.S hand to the program; offsets are repeated there. */
#ifndef EXAMPLES_ENTRY_H
#define EXAMPLES_ENTRY_H

#include "types.h"

#define DOOR_EFI 1 /* argument[0] = EFI_HANDLE of the image, argument[1] = EFI_SYSTEM_TABLE * */
#define DOOR_PVH 2 /* argument[0] = guest-physical address of hvm_start_info */

/* The processor as the program found it, before it changed anything. */
struct entry {
  u64 door;
  u64 cr0, cr3, cr4, efer, rflags, cs, rsp;
  u64 argument[2];
};

/* The program. Its result is the EFI_STATUS returned to the firmware; through PVH nobody takes it and the CPU halts. */
u64 guest_main(const struct entry *entry);

#endif
