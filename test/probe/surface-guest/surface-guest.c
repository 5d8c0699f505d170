/*
 * Reads known fields of what it is given, each a known number of times, so that a test can say who reads what of the
 * interface. Through EFI it returns EFI_SUCCESS, through PVH the processor halts for good.
 */
#include "../../../examples/lib/cpu.h"
#include "../../../examples/lib/efi.h"
#include "../../../examples/lib/entry.h"
#include "../../../examples/lib/xen.h"

/* One load of the field, which no compiler leaves out or makes twice. */
#define READ(place) ((void)*(volatile __typeof__(place) *)&(place))
#define TIMES(n) for (int i = 0; i < (n); i++)

static void copy(void *to, const void *from, u64 bytes) {
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
}

static const EFI_GUID loaded_image = {0x5b1b31a1, 0x9562, 0x11d2, {0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}};
static const EFI_GUID no_protocol = {0x11111111, 0x2222, 0x3333, {0x44, 0x44, 0x44, 0x44, 0x44, 0x44, 0x44, 0x44}};

struct loaded_image {
  u32 revision;
  void *parent, *system, *device, *path, *reserved;
  u32 options_size;
  CHAR16 *options;
};

static u8 map[4096] __attribute__((aligned(4096)));
static EFI_CONFIGURATION_TABLE table __attribute__((aligned(4096)));

static u64 through_efi(EFI_HANDLE image, EFI_SYSTEM_TABLE *system) {
  EFI_BOOT_SERVICES *boot = system->BootServices; /* BootServices: 1 */
  TIMES(3) READ(system->Hdr.Signature);
  READ(system->FirmwareVendor[1]); /* FirmwareVendor: 1, its text: 1 */

  struct loaded_image *loaded;
  if (boot->HandleProtocol(image, &loaded_image, (void **)&loaded)) return EFI_ABORTED; /* the slot: 1 */
  READ(loaded->options_size);
  void *nothing;
  boot->HandleProtocol(image, &no_protocol, &nothing); /* the slot: 2, and the GUID is not found */

  u64 size = sizeof map, key, stride;
  u32 version;
  if (boot->GetMemoryMap(&size, map, &key, &stride, &version)) return EFI_ABORTED;
  EFI_MEMORY_DESCRIPTOR *first = (void *)map, *second = (void *)(map + stride);
  READ(first->Type);
  TIMES(2) READ(second->PhysicalStart);
  *(volatile u64 *)&second->VirtualStart = 1;
  READ(second->VirtualStart); /* its own store, so no read of the firmware's */
  if (boot->GetMemoryMap(&size, map, &key, &stride, &version)) return EFI_ABORTED;
  READ(second->NumberOfPages); /* of the second map, which replaced the first one */

  EFI_CONFIGURATION_TABLE *tables = system->ConfigurationTable; /* ConfigurationTable: 1 */
  u8 *rsdp = tables[0].VendorTable;                             /* VendorTable: 1 */
  copy(&table, &tables[0], sizeof table);
  TIMES(2) READ(table.VendorTable); /* of the copy: 2 */

  u8 sum = 0;
  for (int i = 0; i < 36; i++) sum += ((volatile u8 *)rsdp)[i];
  return sum == 0 ? EFI_SUCCESS : EFI_ABORTED;
}

static u64 through_pvh(struct hvm_start_info *info) {
  READ(info->magic);
  TIMES(2) READ(info->flags);
  struct hvm_memmap_entry *entries = (void *)info->memmap_paddr; /* memmap_paddr: 1 */
  READ(entries[1].type);
  *(volatile u32 *)&info->version = 1;
  READ(info->version); /* its own store */
  READ(((char *)info->cmdline_paddr)[2]);
  return 0;
}

u64 guest_main(const struct entry *entry) {
  if (entry->door == DOOR_EFI) return through_efi((void *)entry->argument[0], (void *)entry->argument[1]);
  return through_pvh((void *)entry->argument[0]);
}
