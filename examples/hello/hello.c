/*
 * A first EFI application, with one deliberate mistake. Build it in examples/ with
 *   gcc -O2 -ffreestanding -fpie -mno-red-zone -mgeneral-regs-only -fno-stack-protector -fcf-protection=none \
 *     -fno-asynchronous-unwind-tables -nostdlib -pie -Wl,--build-id=none,--no-dynamic-linker,-T,lib/efi.ld,--oformat=binary \
 *     -o hello/hello.efi lib/efi-entry.S lib/memory.c hello/hello.c
 */
#include "../lib/efi.h"
#include "../lib/entry.h"

static u8 map[32768];

u64 guest_main(const struct entry *entry) {
  EFI_HANDLE image = (EFI_HANDLE)entry->argument[0];
  EFI_SYSTEM_TABLE *system = (EFI_SYSTEM_TABLE *)entry->argument[1];
  EFI_BOOT_SERVICES *boot = system->BootServices;
  u64 size = sizeof map, key, descriptor_size, page;
  u32 version;

  system->ConOut->OutputString(system->ConOut, u"Hello from an EFI application.\r\n");
  EFI_STATUS status = boot->GetMemoryMap(&size, map, &key, &descriptor_size, &version);
  if (status == EFI_SUCCESS) status = boot->AllocatePages(0, EfiLoaderData, 1, &page);
  if (status == EFI_SUCCESS) status = boot->ExitBootServices(image, key);
  if (status != EFI_SUCCESS) {
    system->ConOut->OutputString(system->ConOut, u"Boot services did not end.\r\n");
    return boot->Exit(image, status, 0, 0);
  }
  for (;;) __asm__ volatile("cli; hlt"); /* nobody is left to return to */
}
