/* ExitBootServices and what works after it. UEFI 2.10 sections 7.4.6, 8.4 and 4.3. */
#include "conformance.h"

static const char leave[] = "7.4.6 ExitBootServices";
static const char set_map[] = "8.4.1 SetVirtualAddressMap";

/* Where run-time memory goes: everything physical once more, at the first address of the upper half. */
static const u64 upper = 0xffff800000000000ULL;

static int interrupts_on(void) {
  u64 flags;
  __asm__ volatile("pushfq\n\tpop %0" : "=r"(flags));
  return (flags & 0x200) != 0;
}

static u64 read_cr3(void) {
  u64 value;
  __asm__ volatile("mov %%cr3, %0" : "=r"(value));
  return value & ~4095ULL;
}

/* Writes an entry of the top page table, which a firmware may have made read-only. */
static void set_top_entry(volatile u64 *table, u64 index, u64 value) {
  u64 cr0;
  __asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
  __asm__ volatile("mov %0, %%cr0" : : "r"(cr0 & ~0x10000ULL));
  table[index] = value;
  __asm__ volatile("mov %0, %%cr0\n\tmov %%cr3, %0\n\tmov %0, %%cr3" : "+r"(cr0) : : "memory");
}

/* A map of the run-time entries alone, each at `offset` behind its physical address; every entry but `left_out`. */
static struct {
  u8 bytes[16384];
  u64 size;
} runtime;

static void build_runtime_map(u64 offset, u64 left_out) {
  u64 n = 0;
  runtime.size = 0;
  for (u64 i = 0; i < map_entries(); i++) {
    if ((map_entry(i)->Attribute & EFI_MEMORY_RUNTIME) == 0 || n++ == left_out) continue;
    EFI_MEMORY_DESCRIPTOR *entry = (EFI_MEMORY_DESCRIPTOR *)(runtime.bytes + runtime.size);
    memcpy(entry, map_entry(i), sizeof *entry);
    entry->VirtualStart = entry->PhysicalStart + offset;
    runtime.size += map.stride;
  }
}

static EFI_STATUS set_virtual(u64 fn, u64 size, u64 stride, u64 version) {
  return call4(fn, size, stride, version, runtime.bytes);
}

static const EFI_GUID vendor = {0x9e3a7d14, 0x60cb, 0x4b8f, {0xb2, 0x4e, 0x71, 0x0d, 0x5c, 0xa8, 0x36, 0xf9}};

/* Called through its address in the upper half, with its stack there: the identity mapping is gone meanwhile. */
static __attribute__((noinline)) EFI_STATUS without_identity(u64 get_variable, volatile u64 *top) {
  const u64 saved = top[0];
  u64 size = 0;
  set_top_entry(top, 0, 0);
  const EFI_STATUS status = call5(get_variable, u"No such variable", &vendor, 0, &size, 0);
  set_top_entry(top, 0, saved);
  return status;
}

static EFI_STATUS run_in_upper_half(u64 get_variable) {
  EFI_STATUS status;
  u64 table = read_cr3() + upper, offset = upper;
  __asm__ volatile(
      "mov %%rsp, %%rbx\n\tadd %%rdx, %%rsp\n\tand $-16, %%rsp\n\tcall *%%rax\n\tmov %%rbx, %%rsp"
      : "=a"(status), "+D"(get_variable), "+S"(table), "+d"(offset)
      : "a"((u64)without_identity + upper)
      : "rbx", "rcx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory", "cc");
  return status;
}

static void check_gone(void) {
  int all = 1;
  check("4.3 EFI_SYSTEM_TABLE", "after ExitBootServices no console and no boot services",
        !systab->ConsoleInHandle && !systab->ConIn && !systab->ConsoleOutHandle && !systab->ConOut &&
            !systab->StandardErrorHandle && !systab->StdErr && !systab->BootServices);
  check("4.2 EFI_TABLE_HEADER", "after ExitBootServices the System Table's CRC32 holds", crc_holds(systab));
  check("4.2 EFI_TABLE_HEADER", "after ExitBootServices the runtime services' CRC32 holds", crc_holds(systab->RuntimeServices));
  check("4.6 EFI_CONFIGURATION_TABLE", "after ExitBootServices ACPI 2.0 is still there", efi_table(systab, EFI_ACPI_20_TABLE_GUID) != 0);
  if (!ours) return; /* EDK II makes all slots NULL */
  for (u64 slot = RaiseTPL; slot < BootSlots; slot++) {
    const EFI_STATUS status = call5(boot_table[slot], 0, 0, 0, 0, 0);
    if (status != EFI_UNSUPPORTED && status != EFI_NOT_FOUND) all = 0;
  }
  check(leave, "afterwards no boot service acts any more", all);
  u64 size = sizeof map.bytes, key = 0;
  check_status(leave, "for GetMemoryMap afterwards", call5(BOOT(GetMemoryMap), &size, map.bytes, &key, 0, 0), EFI_UNSUPPORTED);
  check_status(leave, "for AllocatePages afterwards", call4(BOOT(AllocatePages), 0, EfiLoaderData, 1, &key), EFI_UNSUPPORTED);
  check_status(leave, "for ExitBootServices afterwards", call2(BOOT(ExitBootServices), image, map.key), EFI_UNSUPPORTED);
}

static void check_virtual(void) {
  const u64 set = RUNTIME(SetVirtualAddressMap);
  build_runtime_map(upper, ~0ULL);
  check_status(set_map, "for DescriptorVersion 0", set_virtual(set, runtime.size, map.stride, 0), EFI_INVALID_PARAMETER);
  check_status(set_map, "for DescriptorVersion 2", set_virtual(set, runtime.size, map.stride, 2), EFI_INVALID_PARAMETER);
  check_status(set_map, "for a DescriptorSize below EFI_MEMORY_DESCRIPTOR's", set_virtual(set, runtime.size, 39, 1), EFI_INVALID_PARAMETER);
  if (ours) { /* EDK II checks no more than that */
    check_status(set_map, "when VirtualMap is NULL", call4(set, runtime.size, map.stride, 1, 0), EFI_INVALID_PARAMETER);
    build_runtime_map(upper, 0);
    check_status(set_map, "when a range that needs a mapping has none", set_virtual(set, runtime.size, map.stride, 1), EFI_NO_MAPPING);
    check_status(set_map, "for an empty map", set_virtual(set, 0, map.stride, 1), EFI_NO_MAPPING);
    build_runtime_map(upper, ~0ULL);
    EFI_MEMORY_DESCRIPTOR *more = (EFI_MEMORY_DESCRIPTOR *)(runtime.bytes + runtime.size);
    *more = (EFI_MEMORY_DESCRIPTOR){EfiRuntimeServicesData, 1ULL << 50, upper, 1, EFI_MEMORY_RUNTIME};
    check_status(set_map, "for a range that the memory map does not have",
                 set_virtual(set, runtime.size + map.stride, map.stride, 1), EFI_NOT_FOUND);
    check(set_map, "a refused call changes no pointer", RUNTIME(SetVirtualAddressMap) == set && crc_holds(systab));
  }
  volatile u64 *top = (volatile u64 *)read_cr3();
  set_top_entry(top, 256, top[0]);
  build_runtime_map(upper, ~0ULL);
  const EFI_RUNTIME_SERVICES *services = systab->RuntimeServices;
  const u64 get = RUNTIME(GetVariable), tables = (u64)systab->ConfigurationTable, name = (u64)systab->FirmwareVendor;
  void *acpi = efi_table(systab, EFI_ACPI_20_TABLE_GUID);
  check_status(set_map, "with a virtual address for each run-time range", set_virtual(set, runtime.size, map.stride, 1), EFI_SUCCESS);
  check(set_map, "the System Table's pointers are virtual",
        (u64)systab->RuntimeServices == (u64)services + upper && (u64)systab->ConfigurationTable == tables + upper &&
            (u64)systab->FirmwareVendor == name + upper);
  check(set_map, "the runtime services' pointers are virtual", RUNTIME(GetVariable) == get + upper);
  check(set_map, "what configuration tables point at stays", efi_table(systab, EFI_ACPI_20_TABLE_GUID) == acpi);
  check("4.2 EFI_TABLE_HEADER", "after SetVirtualAddressMap the System Table's CRC32 holds", crc_holds(systab));
  check("4.2 EFI_TABLE_HEADER", "after SetVirtualAddressMap the runtime services' CRC32 holds", crc_holds(systab->RuntimeServices));
  check_status(set_map, "when called again", set_virtual(ours ? set + upper : set, runtime.size, map.stride, 1), EFI_UNSUPPORTED);
  u64 size = 0;
  check_status(set_map, "then GetVariable at its virtual address", call5(RUNTIME(GetVariable), u"No such variable", &vendor, 0, &size, 0), EFI_NOT_FOUND);
  if (ours) /* elsewhere the variables' memory may be a device that this mapping lacks */
    check_status(set_map, "then GetVariable while the identity mapping is gone", run_in_upper_half(RUNTIME(GetVariable)), EFI_NOT_FOUND);
}

void check_leave(void) {
  const u64 virtual = RUNTIME(SetVirtualAddressMap);
  int offered = 1;
  read_map();
  u64 page = 0;
  if (call4(BOOT(AllocatePages), 0, EfiLoaderData, 1, &page) == EFI_SUCCESS) {
    check_status(leave, "for a key from before an allocation", call2(BOOT(ExitBootServices), image, map.key), EFI_INVALID_PARAMETER);
  } else {
    offered = 0;
    check_status(leave, "for a key that is none", call2(BOOT(ExitBootServices), image, map.key + 1), EFI_INVALID_PARAMETER);
  }
  check_status(leave, "for a key that is wrong and a handle that is no image", call2(BOOT(ExitBootServices), 0, map.key + 1000), EFI_INVALID_PARAMETER);
  check(leave, "after a refusal interrupts are on and the System Table is as it was",
        interrupts_on() && systab->BootServices == (void *)boot_table && systab->ConOut && crc_holds(systab));
  check(leave, "after a refusal memory services go on", read_map() == EFI_SUCCESS &&
        (!offered || call2(BOOT(FreePages), page, 1) == EFI_SUCCESS));
  read_map();
  if (offered) {
    build_runtime_map(0, ~0ULL);
    check_status(set_map, "before ExitBootServices", set_virtual(virtual, runtime.size, map.stride, map.version), EFI_UNSUPPORTED);
  }
  check_status(leave, "for the current key", call2(BOOT(ExitBootServices), image, map.key), EFI_SUCCESS);
  check(leave, "interrupts are off", !interrupts_on());
  check_gone();
  if (offered) check_virtual();
  if (offered) call4(RUNTIME(ResetSystem), 2, EFI_SUCCESS, 0, 0);
  check_status("8.4.1 SetVirtualAddressMap", "where the profile lacks it", set_virtual(virtual, 0, 0, 0), EFI_UNSUPPORTED);
}
