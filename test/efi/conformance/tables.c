/* The System Table and InstallConfigurationTable. UEFI 2.10 sections 4.2 to 4.6 and 7.5.6. */
#include "conformance.h"

static const char install[] = "7.5.6 InstallConfigurationTable";
static const char header[] = "4.2 EFI_TABLE_HEADER";

static EFI_GUID numbered(u32 n) {
  return (EFI_GUID){0x51c0ffee, 0x77a1, 0x4d0b, {0x90, 0x1e, 0x3c, 0x5a, (u8)(n >> 24), (u8)(n >> 16), (u8)(n >> 8), (u8)n}};
}

static EFI_STATUS set(u32 n, u64 table) {
  const EFI_GUID guid = numbered(n);
  return call2(BOOT(InstallConfigurationTable), &guid, table);
}

static void check_headers(void) {
  check(header, "System Table: signature, revision 2.x, size", systab->Hdr.Signature == 0x5453595320494249ULL &&
        systab->Hdr.Revision >> 16 == 2 && systab->Hdr.HeaderSize == 120);
  check(header, "System Table: CRC32", crc_holds(systab));
  check(header, "boot services: signature and CRC32",
        systab->BootServices->Hdr.Signature == 0x56524553544f4f42ULL && crc_holds(systab->BootServices));
  check(header, "runtime services: signature and CRC32",
        systab->RuntimeServices->Hdr.Signature == 0x56524553544e5552ULL && crc_holds(systab->RuntimeServices));
  check("4.3 EFI_SYSTEM_TABLE", "vendor, console handles and console tables are there",
        systab->FirmwareVendor && systab->ConsoleInHandle && systab->ConIn && systab->ConsoleOutHandle && systab->ConOut &&
            systab->StandardErrorHandle && systab->StdErr);
  check("4.6 EFI_CONFIGURATION_TABLE", "ACPI 2.0 is there", efi_table(systab, EFI_ACPI_20_TABLE_GUID) != 0);
}

void check_tables(void) {
  check_headers();
  const u64 before = systab->NumberOfTableEntries;
  check_status(install, "when Guid is NULL", call2(BOOT(InstallConfigurationTable), 0, &map), EFI_INVALID_PARAMETER);
  check_status(install, "when Table is NULL and there is no such entry", set(0, 0), EFI_NOT_FOUND);
  check(install, "a refused call changes nothing", systab->NumberOfTableEntries == before && crc_holds(systab));
  check_status(install, "for a new entry", set(0, 0x1000), EFI_SUCCESS);
  check(install, "added: one entry more, with its pointer", systab->NumberOfTableEntries == before + 1 &&
        efi_table(systab, numbered(0)) == (void *)0x1000);
  check(install, "added: CRC32", crc_holds(systab));
  check_status(install, "for an entry that is there", set(0, 0x2000), EFI_SUCCESS);
  check(install, "updated: as many entries, the new pointer", systab->NumberOfTableEntries == before + 1 &&
        efi_table(systab, numbered(0)) == (void *)0x2000);
  check(install, "updated: CRC32", crc_holds(systab));
  int right = 1;
  for (u32 n = 1; n < 80; n++) right &= set(n, 0x1000 + n) == EFI_SUCCESS && crc_holds(systab);
  for (u32 n = 1; n < 80; n++) right &= efi_table(systab, numbered(n)) == (void *)(u64)(0x1000 + n);
  check(install, "80 entries: all there, the CRC32 right after each", right && systab->NumberOfTableEntries == before + 80);
  read_map();
  const EFI_MEMORY_DESCRIPTOR *entry = map_find((u64)systab->ConfigurationTable);
  check(install, "the array that grew is EfiRuntimeServicesData", entry && entry->Type == EfiRuntimeServicesData);
  check(install, "the firmware's own entries are still there", efi_table(systab, EFI_ACPI_20_TABLE_GUID) != 0);
  check_status(install, "with Table NULL for an entry that is there", set(40, 0), EFI_SUCCESS);
  right = efi_table(systab, numbered(40)) == 0 && efi_table(systab, numbered(39)) && efi_table(systab, numbered(41));
  check(install, "deleted: one entry less, the others stay", right && systab->NumberOfTableEntries == before + 79);
  check(install, "deleted: CRC32", crc_holds(systab));
  check_status(install, "when it is deleted again", set(40, 0), EFI_NOT_FOUND);
  right = 1;
  for (u32 n = 0; n < 80; n++)
    if (n != 40) right &= set(n, 0) == EFI_SUCCESS && crc_holds(systab);
  check(install, "all deleted: as many entries as before", right && systab->NumberOfTableEntries == before);
}
