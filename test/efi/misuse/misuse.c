/*
 * Breaks one rule of UEFI for each word of the command line, in a function of its own, and prints
 * `WORD: from ADDRESS to ADDRESS`: where that function lies. `clean` does nothing wrong.
 */
#include "conformance.h"

EFI_HANDLE image;
EFI_SYSTEM_TABLE *systab;
const u64 *boot_table;
const EFI_GUID loaded_image_guid = {0x5b1b31a1, 0x9562, 0x11d2, {0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}};

static u8 *pool(u64 bytes) {
  u8 *block = 0;
  call3(BOOT(AllocatePool), 4 /* EfiBootServicesData */, bytes, &block);
  return block;
}

static void fill(volatile u8 *at, u64 bytes) {
  for (u64 i = 0; i < bytes; i++) at[i] = 0x5a;
}

struct map map;

EFI_STATUS read_map(void) {
  map.size = sizeof map.bytes;
  return call5(BOOT(GetMemoryMap), &map.size, map.bytes, &map.key, &map.stride, &map.version);
}

static EFI_STATUS leave(void) {
  read_map();
  return call2(BOOT(ExitBootServices), image, map.key);
}

/* Blocks of every size, pages, a map: nothing wrong. */
static void clean(void) {
  static u8 *blocks[64];
  for (u64 i = 0; i < 64; i++) {
    blocks[i] = pool(i * 37 + 1);
    fill(blocks[i], i * 37 + 1);
  }
  for (u64 i = 0; i < 64; i += 2) call1(BOOT(FreePool), blocks[i]);
  for (u64 i = 0; i < 64; i += 2) fill(blocks[i] = pool(i * 5 + 3), i * 5 + 3);
  for (u64 i = 0; i < 64; i++) call1(BOOT(FreePool), blocks[i]);
  u64 pages = 0;
  call4(BOOT(AllocatePages), 0, 2, 4, &pages);
  fill((u8 *)pages, 0x4000);
  call2(BOOT(FreePages), pages, 4);
  read_map();
}

static void overrun(void) {
  u8 *block = pool(100);
  for (volatile u8 *at = block; at < block + 102; at++) *at = 1;
}

/* With red zones alone: a neighbour begins where the block ends. */
static void overrun_far(void) {
  u8 *block = pool(96);
  pool(96);
  pool(96);
  u8 *at = block + 96;
  u64 count = 9;
  __asm__ volatile("rep stosb" : "+D"(at), "+c"(count) : "a"(7) : "memory");
}

static void underrun(void) {
  volatile u8 *block = pool(48);
  block[-1];
}

static void after_free(void) {
  volatile u64 *block = (volatile u64 *)pool(64);
  pool(64);
  call1(BOOT(FreePool), block);
  block[2];
}

static void freed_pages(void) {
  u64 pages = 0;
  call4(BOOT(AllocatePages), 0, 2, 3, &pages);
  call2(BOOT(FreePages), pages, 3);
  *(volatile u32 *)(pages + 0x1ffe) = 1;
}

static void unallocated(void) {
  read_map();
  for (u64 at = 0; at < map.size; at += map.stride) {
    const EFI_MEMORY_DESCRIPTOR *entry = (const void *)(map.bytes + at);
    if (entry->Type != 7) continue;
    *(volatile u8 *)entry->PhysicalStart = 1;
    return;
  }
}

static void double_free(void) {
  u8 *block = pool(32);
  call1(BOOT(FreePool), block);
  call1(BOOT(FreePool), block);
}

static void pages_twice(void) {
  u64 pages = 0;
  call4(BOOT(AllocatePages), 0, 2, 2, &pages);
  call2(BOOT(FreePages), pages, 2);
  call2(BOOT(FreePages), pages + 0x1000, 1);
}

static void bad_free(void) {
  u8 *block = pool(32);
  call1(BOOT(FreePool), block + 16);
}

/* The firmware writes more than the block takes, because it is told of a larger one. */
static void small_buffer(void) {
  u8 *block = pool(200);
  map.size = sizeof map.bytes;
  call5(BOOT(GetMemoryMap), &map.size, block, &map.key, &map.stride, &map.version);
}

static void stale_key(void) {
  read_map();
  pool(16);
  call2(BOOT(ExitBootServices), image, map.key);
}

static void late_call(void) {
  const u64 fn = BOOT(FreePool);
  leave();
  call1(fn, 0);
}

static void boot_memory(void) {
  volatile u64 *table = (volatile u64 *)boot_table;
  leave();
  table[3];
  table[3] = 0; /* the page is the guest's now */
  table[4];
}

static void bent_stack(void) {
  const u64 fn = BOOT(GetMemoryMap);
  __asm__ volatile("mov %%rsp, %%rbx; and $-16, %%rsp; sub $0x28, %%rsp; xor %%ecx, %%ecx; call *%0; mov %%rbx, %%rsp"
                   :
                   : "r"(fn)
                   : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "memory");
}

static void backwards(void) {
  const u64 fn = BOOT(GetMemoryMap);
  __asm__ volatile("mov %%rsp, %%rbx; and $-16, %%rsp; sub $0x20, %%rsp; xor %%ecx, %%ecx; std; call *%0; cld; mov %%rbx, %%rsp"
                   :
                   : "r"(fn)
                   : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "memory");
}

static void last(void) {
}

/* The word is the command line: does it. */
static void when(const CHAR16 *given, const char *word, void (*function)(void), void (*next)(void)) {
  for (const char *at = word; *at; at++, given++)
    if (*given != (CHAR16)*at) return;
  if (*given) return;
  print("%s: from %x to %x", word, A(function), A(next));
  function();
}

u64 guest_main(const struct entry *entry) {
  image = (EFI_HANDLE)entry->argument[0];
  systab = (EFI_SYSTEM_TABLE *)entry->argument[1];
  boot_table = (const u64 *)systab->BootServices;
  console_open(0);
  struct loaded_image *loaded = 0;
  if (call3(BOOT(HandleProtocol), image, &loaded_image_guid, &loaded) != EFI_SUCCESS) return EFI_UNSUPPORTED;
  static CHAR16 word[32];
  for (u64 i = 0; i < 31 && ((const CHAR16 *)loaded->LoadOptions)[i]; i++) word[i] = ((const CHAR16 *)loaded->LoadOptions)[i];
  when(word, "clean", clean, overrun);
  when(word, "overrun", overrun, overrun_far);
  when(word, "overrun-far", overrun_far, underrun);
  when(word, "underrun", underrun, after_free);
  when(word, "after-free", after_free, freed_pages);
  when(word, "freed-pages", freed_pages, unallocated);
  when(word, "unallocated", unallocated, double_free);
  when(word, "double-free", double_free, pages_twice);
  when(word, "pages-twice", pages_twice, bad_free);
  when(word, "bad-free", bad_free, small_buffer);
  when(word, "small-buffer", small_buffer, stale_key);
  when(word, "stale-key", stale_key, late_call);
  when(word, "late-call", late_call, boot_memory);
  when(word, "boot-memory", boot_memory, bent_stack);
  when(word, "bent-stack", bent_stack, backwards);
  when(word, "backwards", backwards, last);
  return EFI_SUCCESS;
}
