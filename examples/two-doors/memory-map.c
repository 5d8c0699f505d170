/* The two memory maps: EFI descriptors and hvm_start_info entries, and the RAM in each. */
#include "two-doors.h"

#include "../lib/console.h"

/* Adds a range, keeping the list sorted and merging neighbours, so that equal RAM prints equal lines. */
static void add_ram(struct memory *memory, u64 start, u64 end) {
  u32 at = 0, next;
  while (at < memory->ram_count && memory->ram[at].end < start) at++;
  for (next = at; next < memory->ram_count && memory->ram[next].start <= end; next++) {
    if (memory->ram[next].start < start) start = memory->ram[next].start;
    if (memory->ram[next].end > end) end = memory->ram[next].end;
  }
  u32 limit = sizeof memory->ram / sizeof memory->ram[0];
  if (next == at && memory->ram_count == limit) return;
  if (next == at)
    for (u32 i = memory->ram_count; i > at; i--) memory->ram[i] = memory->ram[i - 1];
  else
    for (u32 i = next; i < memory->ram_count; i++) memory->ram[at + 1 + i - next] = memory->ram[i];
  memory->ram_count = memory->ram_count + 1 - (next - at);
  memory->ram[at].start = start;
  memory->ram[at].end = end;
}

static const char *efi_type(u32 type) {
  switch (type) {
    case EfiReservedMemoryType: return "ReservedMemoryType";
    case EfiLoaderCode: return "LoaderCode";
    case EfiLoaderData: return "LoaderData";
    case EfiBootServicesCode: return "BootServicesCode";
    case EfiBootServicesData: return "BootServicesData";
    case EfiRuntimeServicesCode: return "RuntimeServicesCode";
    case EfiRuntimeServicesData: return "RuntimeServicesData";
    case EfiConventionalMemory: return "ConventionalMemory";
    case EfiUnusableMemory: return "UnusableMemory";
    case EfiACPIReclaimMemory: return "ACPIReclaimMemory";
    case EfiACPIMemoryNVS: return "ACPIMemoryNVS";
    case EfiMemoryMappedIO: return "MemoryMappedIO";
    case EfiMemoryMappedIOPortSpace: return "MemoryMappedIOPortSpace";
    case EfiPalCode: return "PalCode";
    case EfiPersistentMemory: return "PersistentMemory";
    default: return "(unknown)";
  }
}

static const char *memmap_type(u32 type) {
  switch (type) {
    case MemmapRam: return "RAM";
    case MemmapReserved: return "RESERVED";
    case MemmapAcpi: return "ACPI";
    case MemmapNvs: return "NVS";
    case MemmapUnusable: return "UNUSABLE";
    case MemmapDisabled: return "DISABLED";
    case MemmapPersistent: return "PMEM";
    default: return "(unknown)";
  }
}

/*
 * RAM is what a kernel may use once it has copied what it needs, and what the firmware keeps for its runtime services:
 * PVH's map, which knows no runtime services, calls both RAM. ACPI tables are told apart by both maps.
 */
static int efi_ram(u32 type) {
  return type >= EfiLoaderCode && type <= EfiConventionalMemory;
}

EFI_STATUS memory_from_efi(const EFI_BOOT_SERVICES *boot, struct memory *memory) {
  u32 version;
  memory->size = sizeof memory->descriptors;
  EFI_STATUS status =
      boot->GetMemoryMap(&memory->size, memory->descriptors, &memory->key, &memory->descriptor_size, &version);
  if (status != EFI_SUCCESS) return status;
  memory->ram_count = 0;
  for (u64 at = 0; at < memory->size; at += memory->descriptor_size) {
    const EFI_MEMORY_DESCRIPTOR *d = (const EFI_MEMORY_DESCRIPTOR *)(memory->descriptors + at);
    if (efi_ram(d->Type)) add_ram(memory, d->PhysicalStart, d->PhysicalStart + d->NumberOfPages * 4096);
  }
  return EFI_SUCCESS;
}

void memory_from_start_info(const struct hvm_start_info *info, struct memory *memory) {
  const struct hvm_memmap_entry *map = (const struct hvm_memmap_entry *)info->memmap_paddr;
  memory->ram_count = 0;
  for (u32 i = 0; info->version >= 1 && i < info->memmap_entries; i++)
    if (map[i].type == MemmapRam) add_ram(memory, map[i].addr, map[i].addr + map[i].size);
}

void memory_print_efi(const struct memory *memory) {
  print("memory-map: %u descriptors of %u bytes", memory->size / memory->descriptor_size, memory->descriptor_size);
  for (u64 at = 0; at < memory->size; at += memory->descriptor_size) {
    const EFI_MEMORY_DESCRIPTOR *d = (const EFI_MEMORY_DESCRIPTOR *)(memory->descriptors + at);
    print("memory: %X-%X %s %x", d->PhysicalStart, d->PhysicalStart + d->NumberOfPages * 4096 - 1, efi_type(d->Type),
          d->Attribute);
  }
}

void memory_print_start_info(const struct hvm_start_info *info) {
  const struct hvm_memmap_entry *map = (const struct hvm_memmap_entry *)info->memmap_paddr;
  u32 entries = info->version >= 1 ? info->memmap_entries : 0;
  print("memory-map: %u entries of 24 bytes", (u64)entries);
  for (u32 i = 0; i < entries; i++) print("memory: %X-%X %s", map[i].addr, map[i].addr + map[i].size - 1, memmap_type(map[i].type));
}
