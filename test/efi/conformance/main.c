/*
 * Calls every service that a profile offers with every argument its section of UEFI 2.10 names, through the tables and in
 * the MS x64 ABI, and prints a line for each check to COM1. The words of the command line say what to do, in order.
 */
#include "conformance.h"
#include "xen.h"

EFI_HANDLE image;
EFI_SYSTEM_TABLE *systab;
const u64 *boot_table;
int ours;
struct map map;

const char *name_of(EFI_STATUS status) {
  if (status_name(status)) return status_name(status);
  switch (status) {
    case EFI_ERROR_BIT | 7: return "EFI_DEVICE_ERROR";
    case EFI_WRITE_PROTECTED: return "EFI_WRITE_PROTECTED";
    case EFI_ERROR_BIT | 15: return "EFI_ACCESS_DENIED";
    case EFI_ERROR_BIT | 17: return "EFI_NO_MAPPING";
    default: return 0;
  }
}

void check_status(const char *clause, const char *what, EFI_STATUS got, EFI_STATUS wanted) {
  if (got == wanted) print("%s: %s %s: ok", clause, name_of(wanted), what);
  else if (name_of(got)) print("%s: %s %s: FAILED got %s", clause, name_of(wanted), what, name_of(got));
  else print("%s: %s %s: FAILED got %x", clause, name_of(wanted), what, got);
}

void check(const char *clause, const char *what, int holds) {
  print("%s: %s: %s", clause, what, holds ? "ok" : "FAILED got something else");
}

int same(const void *a, const void *b, u64 bytes) {
  return memcmp(a, b, bytes) == 0;
}

int crc_holds(const void *table) {
  const EFI_TABLE_HEADER *header = table;
  u32 crc = ~0u;
  for (u32 i = 0; i < header->HeaderSize; i++) {
    crc ^= i >= 16 && i < 20 ? 0 : ((const u8 *)table)[i];
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
  }
  return ~crc == header->CRC32;
}

EFI_STATUS read_map(void) {
  map.size = sizeof map.bytes;
  return call5(BOOT(GetMemoryMap), &map.size, map.bytes, &map.key, &map.stride, &map.version);
}

EFI_MEMORY_DESCRIPTOR *map_entry(u64 index) {
  return (EFI_MEMORY_DESCRIPTOR *)(map.bytes + index * map.stride);
}

u64 map_entries(void) {
  return map.size / map.stride;
}

EFI_MEMORY_DESCRIPTOR *map_find(u64 address) {
  for (u64 i = 0; i < map_entries(); i++) {
    EFI_MEMORY_DESCRIPTOR *entry = map_entry(i);
    if (address >= entry->PhysicalStart && address - entry->PhysicalStart < entry->NumberOfPages << 12) return entry;
  }
  return 0;
}

const EFI_GUID loaded_image_guid = {0x5b1b31a1, 0x9562, 0x11d2, {0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}};

struct loaded_image *loaded_image_of(EFI_HANDLE handle) {
  struct loaded_image *loaded = 0;
  return call3(BOOT(HandleProtocol), handle, &loaded_image_guid, &loaded) == EFI_SUCCESS ? loaded : 0;
}

/* The command line: LoadedImage's, else the Xen table's. */
static void read_words(char *words, u64 room) {
  const struct hvm_start_info *start = efi_table(systab, XEN_TABLE_GUID);
  const struct loaded_image *loaded = loaded_image_of(image);
  ours = start != 0;
  u64 n = 0;
  if (loaded) {
    for (const CHAR16 *from = loaded->LoadOptions; from && *from && n < room - 1; from++) words[n++] = (char)*from;
  } else if (start) {
    for (const char *from = (const char *)start->cmdline_paddr; from && *from && n < room - 1; from++) words[n++] = *from;
  }
  words[n] = 0;
}

static int word_is(const char *at, const char *word) {
  const u64 length = strlen(word);
  return memcmp(at, word, length) == 0 && (at[length] == ' ' || at[length] == 0);
}

/* Ends the image as the word says; comes back when it did not end. */
static u64 end(const char *word) {
  static const CHAR16 text[] = u"out of sugar";
  static const u8 data[] = {'n', 0, 'o', 0, 0, 0, 0xff, 0xfe};
  if (word_is(word, "exit-foreign")) {
    check_status("7.4.5 Exit", "for a handle that is no image", call4(BOOT(Exit), 0, EFI_ABORTED, 0, 0), EFI_INVALID_PARAMETER);
    check_status("7.4.5 Exit", "for a handle that is not in the database", call4(BOOT(Exit), &map, EFI_ABORTED, 0, 0),
                 EFI_INVALID_PARAMETER);
    check_status("7.4.5 Exit", "for the System Table's console handle",
                 call4(BOOT(Exit), systab->ConsoleOutHandle, EFI_ABORTED, 0, 0), EFI_INVALID_PARAMETER);
  }
  if (word_is(word, "exit-success")) call4(BOOT(Exit), image, EFI_SUCCESS, 0, 0);
  if (word_is(word, "exit-ignored")) call4(BOOT(Exit), image, EFI_SUCCESS, 64, 1ULL << 47);
  if (word_is(word, "exit-error")) call4(BOOT(Exit), image, EFI_ABORTED, 0, 0);
  if (word_is(word, "exit-text")) call4(BOOT(Exit), image, EFI_ABORTED, sizeof text, text);
  if (word_is(word, "exit-data")) call4(BOOT(Exit), image, EFI_ABORTED, sizeof data, data);
  if (word_is(word, "exit-cut")) call4(BOOT(Exit), image, EFI_ABORTED, 6, text);
  if (word_is(word, "leave-foreign")) {
    read_map();
    check_status("7.4.6 ExitBootServices", "for the current key, whatever the handle", call2(BOOT(ExitBootServices), systab->ConsoleOutHandle, map.key),
                 EFI_SUCCESS);
  }
  if (word_is(word, "exit-after")) {
    read_map();
    call2(BOOT(ExitBootServices), image, map.key);
    check_status("7.4.5 Exit", "after ExitBootServices", call4(BOOT(Exit), image, EFI_SUCCESS, 0, 0), EFI_UNSUPPORTED);
    return EFI_NOT_FOUND;
  }
  for (u64 type = 0; type < 5; type++) {
    static const char words[][16] = {"reset-cold", "reset-warm", "reset-shutdown", "reset-platform", "reset-unknown"};
    if (word_is(word, words[type])) call4(RUNTIME(ResetSystem), type, EFI_SUCCESS, 0, 0);
  }
  if (word_is(word, "nested")) {
    const EFI_STATUS status = start_child(u"exit-text", 0, 0);
    release_children();
    return status == EFI_ABORTED ? EFI_NOT_FOUND : EFI_SUCCESS;
  }
  if (word_is(word, "exit-parent")) return call4(BOOT(Exit), loaded_image_of(image)->ParentHandle, EFI_ABORTED, 0, 0);
  if (word_is(word, "return-error")) return EFI_LOAD_ERROR;
  return EFI_SUCCESS;
}

/* Checks that leave boot services, and then the machine. */
static void switch_off_after(void (*check)(void)) {
  check();
  call4(RUNTIME(ResetSystem), 2, EFI_SUCCESS, 0, 0);
}

static void check_pointers_after(void) {
  read_map();
  call2(BOOT(ExitBootServices), image, map.key);
  check_pointers(0);
}

u64 guest_main(const struct entry *entry) {
  static char words[256];
  image = (EFI_HANDLE)entry->argument[0];
  systab = (EFI_SYSTEM_TABLE *)entry->argument[1];
  boot_table = (const u64 *)systab->BootServices;
  console_open(0);
  read_words(words, sizeof words);
  u64 result = EFI_SUCCESS;
  for (const char *at = words; *at;) {
    if (word_is(at, "map")) check_map();
    else if (word_is(at, "pages")) check_pages();
    else if (word_is(at, "pools")) check_pools();
    else if (word_is(at, "handles")) check_handles();
    else if (word_is(at, "paths")) check_paths();
    else if (word_is(at, "initrd")) check_initrd();
    else if (word_is(at, "console")) check_console();
    else if (word_is(at, "tables")) check_tables();
    else if (word_is(at, "images")) check_images();
    else if (word_is(at, "pointers")) check_pointers(1);
    else if (word_is(at, "pointers-variables")) check_pointers(0);
    else if (word_is(at, "pointers-after")) switch_off_after(check_pointers_after);
    else if (word_is(at, "variables")) check_variables();
    else if (word_is(at, "variables-after")) switch_off_after(check_variables_after);
    else if (word_is(at, "leave")) check_leave();
    else if (word_is(at, "absent-linux")) check_absent("linux");
    else if (word_is(at, "absent-proposal")) check_absent("proposal");
    else result = end(at);
    while (*at && *at != ' ') at++;
    while (*at == ' ') at++;
  }
  return result;
}
