/* Image services: this image starts itself again, with other words. UEFI 2.10 section 7.4. */
#include "conformance.h"

static const char load_image[] = "7.4.1 LoadImage";
static const char start_image[] = "7.4.2 StartImage";
static const char unload_image[] = "7.4.3 UnloadImage";
static const char exit_image[] = "7.4.5 Exit";

static u8 *file;
static u64 file_size;

static u32 read32(const u8 *at) {
  u32 value;
  memcpy(&value, at, 4);
  return value;
}

/* This image's file, put together from its sections in memory. */
static int rebuild_file(void) {
  const struct loaded_image *loaded = loaded_image_of(image);
  if (loaded == 0) return 0;
  const u8 *base = loaded->ImageBase;
  const u8 *pe = base + read32(base + 60);
  const u32 sections = pe[6];
  const u8 *section = pe + 24 + pe[20];
  for (u32 i = 0; i < sections; i++) {
    const u64 end = (u64)read32(section + 40 * i + 20) + read32(section + 40 * i + 16);
    if (end > file_size) file_size = end;
  }
  if (call3(BOOT(AllocatePool), EfiLoaderData, file_size, &file) != EFI_SUCCESS) return 0;
  memcpy(file, base, read32(pe + 84));
  for (u32 i = 0; i < sections; i++) {
    const u8 *header = section + 40 * i;
    memcpy(file + read32(header + 20), base + read32(header + 12), read32(header + 16));
  }
  return 1;
}

static EFI_STATUS load(EFI_HANDLE *child) {
  return call6(BOOT(LoadImage), 0, image, 0, file, file_size, child);
}

EFI_STATUS start_child(const CHAR16 *words, u64 *size, CHAR16 **data) {
  EFI_HANDLE child = 0;
  if (file == 0 && !rebuild_file()) return EFI_OUT_OF_RESOURCES;
  EFI_STATUS status = load(&child);
  if (status != EFI_SUCCESS) return status;
  struct loaded_image *loaded = loaded_image_of(child);
  u32 length = 0;
  while (words[length++]) continue;
  loaded->LoadOptions = (void *)words;
  loaded->LoadOptionsSize = length * 2;
  return call3(BOOT(StartImage), child, size, data);
}

void release_children(void) {
  if (file) call1(BOOT(FreePool), file);
  file = 0;
}

static void check_load(void) {
  EFI_HANDLE child = 0;
  check_status(load_image, "when ImageHandle is NULL", load(0), EFI_INVALID_PARAMETER);
  check_status(load_image, "when ParentImageHandle is NULL", call6(BOOT(LoadImage), 0, 0, 0, file, file_size, &child), EFI_INVALID_PARAMETER);
  check_status(load_image, "when ParentImageHandle is no image",
               call6(BOOT(LoadImage), 0, systab->ConsoleOutHandle, 0, file, file_size, &child), EFI_INVALID_PARAMETER);
  if (ours) /* EDK II: EFI_INVALID_PARAMETER, against the specification */
    check_status(load_image, "when SourceBuffer and DevicePath are NULL", call6(BOOT(LoadImage), 0, image, 0, 0, 0, &child), EFI_NOT_FOUND);
  u8 *pe = file + read32(file + 60);
  const u8 machine = pe[4], subsystem = pe[92], letter = pe[0];
  pe[4] = 0x4c;
  check_status(load_image, "for a 32-bit image", load(&child), EFI_UNSUPPORTED);
  pe[4] = machine;
  pe[92] = 3;
  check_status(load_image, "for a subsystem that is not EFI's", load(&child), EFI_UNSUPPORTED);
  pe[92] = subsystem;
  pe[0] = 'N';
  check_status(load_image, "for a file without a PE signature", load(&child), EFI_UNSUPPORTED);
  pe[0] = letter;
  check(load_image, "a refused call gives no handle", child == 0);
  check_status(load_image, "from memory", load(&child), EFI_SUCCESS);
  const struct loaded_image *loaded = loaded_image_of(child);
  check("9.1 LoadedImage", "of a loaded image: its parent, the System Table, no options, memory of its own",
        loaded && loaded->ParentHandle == image && loaded->SystemTable == systab && loaded->LoadOptionsSize == 0 &&
            loaded->ImageBase != loaded_image_of(image)->ImageBase && loaded->ImageCodeType == EfiLoaderCode);
  read_map();
  check(load_image, "its memory is EfiLoaderCode", loaded && map_find((u64)loaded->ImageBase)->Type == EfiLoaderCode);
  check_status(unload_image, "for a handle that is none", call1(BOOT(UnloadImage), &map), EFI_INVALID_PARAMETER);
  check_status(unload_image, "for a started image without an unload function", call1(BOOT(UnloadImage), image), EFI_UNSUPPORTED);
  check_status(unload_image, "for an image that was not started", call1(BOOT(UnloadImage), child), EFI_SUCCESS);
  check(unload_image, "its handle is gone", loaded_image_of(child) == 0);
  check_status(unload_image, "when it is unloaded again", call1(BOOT(UnloadImage), child), EFI_INVALID_PARAMETER);
  load(&child);
  check_status(exit_image, "for an image that was not started", call4(BOOT(Exit), child, EFI_ABORTED, 0, 0), EFI_SUCCESS);
  check(exit_image, "an image that was not started is unloaded", loaded_image_of(child) == 0);
}

static int text_is(const CHAR16 *text, const CHAR16 *wanted) {
  if (text == 0) return 0;
  while (*text && *text == *wanted) text++, wanted++;
  return *text == *wanted;
}

void check_images(void) {
  u64 size = 1;
  CHAR16 *data = (CHAR16 *)1;
  if (!rebuild_file()) {
    check(load_image, "memory for this image", 0);
    return;
  }
  check_load();
  check_status(start_image, "for a handle that is none", call3(BOOT(StartImage), &map, &size, &data), EFI_INVALID_PARAMETER);
  check_status(start_image, "for an image that runs already", call3(BOOT(StartImage), image, &size, &data), EFI_INVALID_PARAMETER);
  read_map();
  const u64 before = map_entries();
  size = 1;
  check_status(start_image, "of an image that returns it", start_child(u"return-success", &size, &data), EFI_SUCCESS);
  check(start_image, "an image that returns has no exit data", size == 0 && data == 0);
  check_status(start_image, "of an image that returns it", start_child(u"return-error", 0, 0), EFI_LOAD_ERROR);
  check_status(exit_image, "of a started image: StartImage returns it", start_child(u"exit-success", &size, &data), EFI_SUCCESS);
  check_status(exit_image, "of a started image: StartImage returns it", start_child(u"exit-error", &size, &data), EFI_ABORTED);
  check(exit_image, "without exit data: size 0 and NULL", size == 0 && data == 0);
  check_status(exit_image, "of a started image with exit data", start_child(u"exit-text", &size, &data), EFI_ABORTED);
  check(exit_image, "StartImage gives the exit data and its size", size == 26 && text_is(data, u"out of sugar"));
  check_status("7.2.5 FreePool", "for exit data", call1(BOOT(FreePool), data), EFI_SUCCESS);
  check_status(exit_image, "of a started image with text and bytes", start_child(u"exit-data", &size, &data), EFI_ABORTED);
  check(exit_image, "the bytes behind the text come along", size == 8 && data && data[3] == 0xfeff);
  call1(BOOT(FreePool), data);
  check_status(exit_image, "with exit data that nobody wants", start_child(u"exit-text", 0, 0), EFI_ABORTED);
  check_status(exit_image, "of a grandchild: its parent's StartImage alone returns", start_child(u"nested", &size, &data), EFI_NOT_FOUND);
  check_status(exit_image, "for the handle of the parent, which does not run innermost", start_child(u"exit-parent", &size, &data),
               EFI_INVALID_PARAMETER);
  read_map();
  if (ours) check(start_image, "applications that ended have left no memory behind", map_entries() == before);
  release_children();
}
