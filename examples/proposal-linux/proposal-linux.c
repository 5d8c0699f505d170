/*
 * The patch nobody wrote in 2016: Linux started with GetMemoryMap, ExitBootServices and the Xen configuration table
 * alone. The first module that is a bzImage is the kernel, the first that is not the kernel the initrd, and the command
 * line is start_info's. It does what the kernel's own EFI stub does with forty calls: fills boot_params, leaves boot services,
 * and enters startup_64 of the unmodified kernel.
 */
#include "../lib/console.h"
#include "../lib/cpu.h"
#include "../lib/entry.h"
#include "../lib/xen.h"
#include "linux.h"

#define MIB (1024 * 1024ULL)
#define PAGE 4096ULL
#define MAPPED (4096 * MIB) /* what enter_linux maps */

struct range {
  u64 start, end;
};

/* The firmware's map, in the form in which the kernel gets it too. */
static struct {
  u64 size, key, descriptor_size;
  u32 version;
  u8 descriptors[32768];
} map;
static struct boot_params params;
static struct setup_efi setup_efi;

extern const u8 image_start[]; /* efi.ld: where this image lies */
extern const u8 image_end[];

static EFI_MEMORY_DESCRIPTOR *descriptor(u64 at) {
  return (EFI_MEMORY_DESCRIPTOR *)(map.descriptors + at);
}

static EFI_STATUS read_map(const EFI_BOOT_SERVICES *boot) {
  map.size = sizeof map.descriptors;
  return boot->GetMemoryMap(&map.size, map.descriptors, &map.key, &map.descriptor_size, &map.version);
}

static const struct setup_header *kernel_header(const struct hvm_modlist_entry *module) {
  const struct setup_header *header = (const struct setup_header *)(module->paddr + SetupHeader);
  if (module->size < sizeof(struct boot_params)) return 0;
  return header->boot_flag == BootFlag && header->header == HdrS ? header : 0;
}

/* Why this kernel cannot be entered at startup_64, or null. */
static const char *unfit(const struct setup_header *header, u64 size) {
  if (header->version < Version212 || (header->xloadflags & XlfKernel64) == 0) return "it has no 64-bit entry point";
  if (!header->relocatable_kernel || header->kernel_alignment == 0) return "it is not relocatable";
  if ((header->setup_sects + 1) * 512ULL + Startup64 >= size) return "the file is cut short";
  return 0;
}

/* What the kernel may use at once. Linux's stub (setup_e820) makes the same choice. */
static u32 e820_type(const EFI_MEMORY_DESCRIPTOR *d) {
  switch (d->Type) {
    case EfiLoaderCode:
    case EfiLoaderData:
    case EfiBootServicesCode:
    case EfiBootServicesData:
    case EfiConventionalMemory: return E820Ram;
    case EfiACPIReclaimMemory: return E820Acpi;
    case EfiACPIMemoryNVS: return E820Nvs;
    case EfiUnusableMemory: return E820Unusable;
    case EfiPersistentMemory: return E820Persistent;
    default: return E820Reserved;
  }
}

/* Fills e820 from the map, neighbours of one type as one entry; 0 when they are too many. */
static int fill_e820(void) {
  u32 n = 0;
  for (u64 at = 0; at < map.size; at += map.descriptor_size) {
    const EFI_MEMORY_DESCRIPTOR *d = descriptor(at);
    u64 size = d->NumberOfPages * PAGE;
    u32 type = e820_type(d);
    struct e820_entry *last = n > 0 ? &params.e820[n - 1] : 0;
    if (last && last->type == type && last->start + last->size == d->PhysicalStart) {
      last->size += size;
      continue;
    }
    if (n == E820Max) return 0;
    params.e820[n++] = (struct e820_entry){d->PhysicalStart, size, type};
  }
  params.e820_entries = (u8)n;
  return 1;
}

/*
 * The lowest place for the kernel: aligned, not below the address it was linked for, in RAM that is nobody's any more
 * once boot services have ended, and clear of every range in `taken`. 0 when there is none.
 */
static u64 find_place(const struct setup_header *header, const struct range *taken, u32 count) {
  u64 align = header->kernel_alignment, best = 0;
  for (u32 i = 0; i < params.e820_entries; i++) {
    const struct e820_entry *ram = &params.e820[i];
    if (ram->type != E820Ram) continue;
    u64 start = ram->start > header->pref_address ? ram->start : header->pref_address;
    for (u32 t = 0;;) {
      start = (start + align - 1) / align * align;
      for (t = 0; t < count && !(taken[t].start < start + header->init_size && start < taken[t].end); t++) continue;
      if (t == count) break;
      start = taken[t].end;
    }
    u64 end = start + header->init_size;
    if (end <= ram->start + ram->size && end <= MAPPED && (best == 0 || start < best)) best = start;
  }
  return best;
}

/*
 * The kernel learns that it came by EFI. The proposal has no SetVirtualAddressMap, so runtime services stay at their
 * physical addresses for good: what SETUP_EFI says to a kernel started by kexec, with virtual = physical.
 */
static void fill_efi(const EFI_SYSTEM_TABLE *system) {
  for (u64 at = 0; at < map.size; at += map.descriptor_size) descriptor(at)->VirtualStart = descriptor(at)->PhysicalStart;
  memcpy(params.efi.signature, "EL64", 4);
  params.efi.system = (u32)(u64)system;
  params.efi.system_high = (u32)((u64)system >> 32);
  params.efi.map = (u32)(u64)map.descriptors;
  params.efi.map_high = (u32)((u64)map.descriptors >> 32);
  params.efi.map_size = (u32)map.size;
  params.efi.descriptor_size = (u32)map.descriptor_size;
  params.efi.descriptor_version = map.version;
  setup_efi.type = SetupEfi;
  setup_efi.length = sizeof setup_efi - 16;
  setup_efi.fw_vendor = (u64)system->FirmwareVendor;
  setup_efi.tables = (u64)system->ConfigurationTable;
  setup_efi.next = params.header.setup_data;
  params.header.setup_data = (u64)&setup_efi;
}

static void fill_header(const struct hvm_start_info *info, const struct setup_header *header,
                        const struct hvm_modlist_entry *initrd) {
  const u8 *file = (const u8 *)header - SetupHeader;
  memcpy(&params.header, header, 0x202 + file[SetupHeaderJump] - SetupHeader);
  params.header.type_of_loader = LoaderUndefined;
  params.header.vid_mode = VideoNormal;
  params.header.cmd_line_ptr = (u32)info->cmdline_paddr;
  params.ext_cmd_line_ptr = (u32)(info->cmdline_paddr >> 32);
  params.acpi_rsdp_addr = info->rsdp_paddr;
  if (initrd == 0) return;
  params.header.ramdisk_image = (u32)initrd->paddr;
  params.header.ramdisk_size = (u32)initrd->size;
  params.ext_ramdisk_image = (u32)(initrd->paddr >> 32);
  params.ext_ramdisk_size = (u32)(initrd->size >> 32);
}

/* Everything up to the point of no return; a reason when it cannot be done. */
static const char *start(EFI_HANDLE image, const EFI_SYSTEM_TABLE *system, EFI_STATUS *status) {
  const struct hvm_start_info *info = efi_table(system, XEN_TABLE_GUID);
  const struct hvm_modlist_entry *modules, *kernel, *initrd, *end;
  const struct setup_header *header = 0;
  const char *reason;

  *status = EFI_NOT_FOUND;
  if (info == 0) return "no Xen configuration table: this firmware names no kernel";
  if (info->magic != HVM_START_MAGIC || info->version < 1) return "the Xen configuration table is no hvm_start_info";
  modules = (const struct hvm_modlist_entry *)info->modlist_paddr;
  end = modules + info->nr_modules;
  kernel = modules;
  while (kernel < end && (header = kernel_header(kernel)) == 0) kernel++;
  if (header == 0) return "no module is a bzImage";
  initrd = modules + (kernel == modules);
  if (initrd >= end) initrd = 0;

  *status = EFI_UNSUPPORTED;
  if ((reason = unfit(header, kernel->size)) != 0) return reason;
  if (info->cmdline_paddr != 0 && strlen((const char *)info->cmdline_paddr) > header->cmdline_size)
    return "the command line is longer than the kernel takes";
  if ((u64)image_end > MAPPED || kernel->paddr + kernel->size > MAPPED) return "the kernel or this program lies above 4 GiB";
  fill_header(info, header, initrd);

  /* No call may come between these two: it could change the map. Once more if an event of the firmware did. */
  u64 place = 0;
  for (int attempt = 0; attempt < 2; attempt++) {
    if ((*status = read_map(system->BootServices)) != EFI_SUCCESS) return "GetMemoryMap failed";
    *status = EFI_OUT_OF_RESOURCES;
    if (!fill_e820()) return "the memory map has more ranges than boot_params holds";
    const struct range taken[] = {
        {(u64)image_start, (u64)image_end},
        {kernel->paddr, kernel->paddr + kernel->size},
        {initrd ? initrd->paddr : 0, initrd ? initrd->paddr + initrd->size : 0},
        {info->cmdline_paddr, info->cmdline_paddr ? info->cmdline_paddr + header->cmdline_size : 0},
    };
    place = find_place(header, taken, sizeof taken / sizeof taken[0]);
    if (place == 0) return "no free RAM is large enough for the kernel";
    *status = system->BootServices->ExitBootServices(image, map.key);
    if (*status == EFI_SUCCESS) break;
  }
  if (*status != EFI_SUCCESS) return "ExitBootServices failed";

  u64 skip = (header->setup_sects + 1) * 512ULL, bytes = kernel->size - skip;
  if (header->syssize != 0 && bytes > header->syssize * 16ULL) bytes = header->syssize * 16ULL;
  fill_efi(system);
  enter_linux((void *)place, (const void *)(kernel->paddr + skip), bytes, &params);
}

u64 guest_main(const struct entry *entry) {
  EFI_HANDLE image = (EFI_HANDLE)entry->argument[0];
  const EFI_SYSTEM_TABLE *system = (const EFI_SYSTEM_TABLE *)entry->argument[1];
  EFI_STATUS status;
  const char *reason = start(image, system, &status);

  console_open(0); /* COM1: OutputString is not part of the proposal */
  print("proposal-linux: %s (%s)", reason, status_name(status) ? status_name(status) : "EFI error");
  return system->BootServices->Exit(image, status, 0, 0);
}
