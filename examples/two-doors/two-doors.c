/*
 * One program with two doors: through EFI (two-doors.efi) and through PVH (two-doors.elf). It prints what it was given,
 * one "key: value" a line, and stops the machine. Of EFI it uses only what the 2016 proposal offers: GetMemoryMap,
 * ExitBootServices, Exit and the configuration tables; OutputString is tried and may fail, and the image handle is asked
 * for the protocol that would tag it (signals).
 */
#include "two-doors.h"

#include "../lib/acpi.h"
#include "../lib/console.h"
#include "../lib/cpu.h"

static const char *text_or_none(u64 address) {
  return address == 0 ? "(none)" : (const char *)address;
}

static void print_entry(const struct entry *entry) {
  int long_mode = (entry->efer & 1 << 10) != 0;
  int paging = (entry->cr0 & 1ULL << 31) != 0;
  print("door: %s", entry->door == DOOR_EFI ? "efi" : "pvh");
  print("mode: %s, paging %s", long_mode ? "64-bit" : "32-bit protected", paging ? "on" : "off");
  print("interrupts: %s", entry->rflags & 1 << 9 ? "on" : "off");
  print("cr0: %x", entry->cr0);
  print("cr3: %x", entry->cr3);
  print("cr4: %x", entry->cr4);
  print("efer: %x", entry->efer);
  print("rflags: %x", entry->rflags);
  print("cs: %x", entry->cs);
  print("rsp: %x", entry->rsp);
}

/* FNV-1a, 64 bits. */
static u64 hash(const u8 *bytes, u64 size) {
  u64 value = 0xcbf29ce484222325;
  for (u64 i = 0; i < size; i++) value = (value ^ bytes[i]) * 0x100000001b3;
  return value;
}

/* What both doors must agree on, then where this door put it. */
static void print_start_info(const struct hvm_start_info *info) {
  if (info == 0) {
    print("start-info: (none)");
    print("command-line: (none)");
    print("modules: 0");
    return;
  }
  const struct hvm_modlist_entry *modules = (const struct hvm_modlist_entry *)info->modlist_paddr;
  print("command-line: %s", text_or_none(info->cmdline_paddr));
  print("modules: %u", (u64)info->nr_modules);
  for (u64 i = 0; i < info->nr_modules; i++) {
    print("module %u size: %u", i, modules[i].size);
    print("module %u fnv1a: %X", i, hash((const u8 *)modules[i].paddr, modules[i].size));
    print("module %u command-line: %s", i, text_or_none(modules[i].cmdline_paddr));
    print("module %u address: %x", i, modules[i].paddr);
  }
  print("start-info: %p", (u64)info);
  print("start-info magic: %x", (u64)info->magic);
  print("start-info version: %u", (u64)info->version);
  print("start-info flags: %x", (u64)info->flags);
  print("start-info modlist_paddr: %x", info->modlist_paddr);
  print("start-info cmdline_paddr: %x", info->cmdline_paddr);
  print("start-info rsdp_paddr: %x", info->rsdp_paddr);
  if (info->version == 0) return;
  print("start-info memmap_paddr: %x", info->memmap_paddr);
  print("start-info memmap_entries: %u", (u64)info->memmap_entries);
}

static void print_memory(const struct memory *memory) {
  u64 total = 0;
  for (u32 i = 0; i < memory->ram_count; i++) total += memory->ram[i].end - memory->ram[i].start;
  print("ram total: %u KiB", total / 1024);
  for (u32 i = 0; i < memory->ram_count; i++)
    print("ram range: %X-%X", memory->ram[i].start, memory->ram[i].end - 1);
}

static void stop(u64 rsdp) {
  u16 port = acpi_sleep_port(rsdp);
  if (port != 0) {
    print("stop: ACPI sleep register, port %x", (u64)port);
    acpi_power_off(port);
  }
  print("stop: %s", xen_present() ? "Xen's shutdown hypercall" : "halt, there is no hardware-reduced ACPI");
  xen_power_off();
  halt_for_good();
}

/* Whether the command line has this word. */
static int has_word(const struct hvm_start_info *info, const char *word) {
  const char *text = info == 0 || info->cmdline_paddr == 0 ? "" : (const char *)info->cmdline_paddr;
  size_t length = strlen(word);
  for (const char *at = text; *at != 0; at++)
    if ((at == text || at[-1] == ' ') && strlen(at) >= length && memcmp(at, word, length) == 0 &&
        (at[length] == 0 || at[length] == ' '))
      return 1;
  return 0;
}

/*
 * The image handle is asked on request, or when there is no Xen table to request it: HandleProtocol is more of EFI than
 * the proposal wants.
 */
static struct signals efi_signals(const EFI_SYSTEM_TABLE *system, EFI_HANDLE image) {
  struct signals signals = {0};
  signals.table = efi_table(system, XEN_TABLE_GUID);
  if (signals.table != 0 && !has_word(signals.table, "image-handle")) return signals;
  if (system->BootServices->HandleProtocol == 0) return signals;
  EFI_GUID guid = XEN_PROTOCOL_GUID;
  void *interface = 0;
  signals.asked_handle = 1;
  signals.handle_status = system->BootServices->HandleProtocol(image, &guid, &interface);
  if (signals.handle_status == EFI_SUCCESS) signals.handle = interface;
  return signals;
}

static u64 through_efi(const struct entry *entry) {
  EFI_HANDLE image = (EFI_HANDLE)entry->argument[0];
  const EFI_SYSTEM_TABLE *system = (const EFI_SYSTEM_TABLE *)entry->argument[1];
  const struct hvm_start_info *info = efi_table(system, XEN_TABLE_GUID);
  u64 rsdp = (u64)efi_table(system, EFI_ACPI_20_TABLE_GUID);
  static struct memory memory;

  console_open(system);
  print_entry(entry);
  print("rsdp: %x", rsdp);
  print_start_info(info);
  EFI_STATUS status = memory_from_efi(system->BootServices, &memory);
  if (status != EFI_SUCCESS) {
    print("error: GetMemoryMap: %x", status);
    return system->BootServices->Exit(image, status, 0, 0);
  }
  print_memory(&memory);
  memory_print_efi(&memory);
  struct signals signals = efi_signals(system, image);
  signals_print(&signals);

  /* Printing may have changed the map: only a key read just now ends boot services. */
  status = memory_from_efi(system->BootServices, &memory);
  if (status == EFI_SUCCESS) status = system->BootServices->ExitBootServices(image, memory.key);
  if (status != EFI_SUCCESS) {
    print("error: ExitBootServices: %x", status);
    return system->BootServices->Exit(image, status, 0, 0);
  }
  interrupts_off();
  console_open(0);
  print("exit-boot-services: done");
  stop(rsdp);
  return EFI_ABORTED;
}

static u64 through_pvh(const struct entry *entry) {
  const struct hvm_start_info *info = (const struct hvm_start_info *)entry->argument[0];
  static struct memory memory;

  print_entry(entry);
  print("rsdp: %x", info->rsdp_paddr);
  print_start_info(info);
  memory_from_start_info(info, &memory);
  print_memory(&memory);
  memory_print_start_info(info);
  struct signals signals = {.start_info = info};
  signals_print(&signals);
  stop(info->rsdp_paddr);
  return 0;
}

u64 guest_main(const struct entry *entry) {
  return entry->door == DOOR_EFI ? through_efi(entry) : through_pvh(entry);
}
