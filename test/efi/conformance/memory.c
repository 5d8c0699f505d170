/* Memory services. UEFI 2.10 section 7.2. */
#include "conformance.h"

static const char get_map[] = "7.2.3 GetMemoryMap";
static const char allocate_pages[] = "7.2.1 AllocatePages";
static const char free_pages[] = "7.2.2 FreePages";
static const char allocate_pool[] = "7.2.4 AllocatePool";
static const char free_pool[] = "7.2.5 FreePool";

enum { Any, Max, Address };

static int entries_are_whole(void) {
  for (u64 i = 0; i < map_entries(); i++) {
    const EFI_MEMORY_DESCRIPTOR *entry = map_entry(i);
    if ((entry->PhysicalStart & 4095) != 0 || entry->NumberOfPages == 0 || entry->VirtualStart != 0) return 0;
  }
  return 1;
}

static int overlap(void) {
  for (u64 i = 0; i < map_entries(); i++)
    for (u64 j = 0; j < i; j++) {
      const EFI_MEMORY_DESCRIPTOR *a = map_entry(i), *b = map_entry(j);
      if (a->PhysicalStart < b->PhysicalStart + (b->NumberOfPages << 12) &&
          b->PhysicalStart < a->PhysicalStart + (a->NumberOfPages << 12))
        return 1;
    }
  return 0;
}

static int unmerged(void) {
  for (u64 i = 1; i < map_entries(); i++) {
    const EFI_MEMORY_DESCRIPTOR *a = map_entry(i - 1), *b = map_entry(i);
    if (a->PhysicalStart + (a->NumberOfPages << 12) == b->PhysicalStart && a->Type == b->Type && a->Attribute == b->Attribute)
      return 1;
  }
  return 0;
}

static int runtime_attribute_is_right(void) {
  for (u64 i = 0; i < map_entries(); i++) {
    const EFI_MEMORY_DESCRIPTOR *entry = map_entry(i);
    const int runtime = (entry->Attribute & EFI_MEMORY_RUNTIME) != 0;
    if (entry->Type == EfiRuntimeServicesCode || entry->Type == EfiRuntimeServicesData) {
      if (!runtime) return 0;
    } else if (entry->Type <= EfiConventionalMemory && runtime) {
      return 0;
    }
  }
  return 1;
}

static int type_at(const void *address, u32 type) {
  const EFI_MEMORY_DESCRIPTOR *entry = map_find((u64)address);
  return entry != 0 && entry->Type == type;
}

/* What a callee must keep, and DF clear. UEFI 2.10 section 2.3.4.2. */
static int registers_survive(void) {
  u64 size = 0, ok, *argument = &size;
  __asm__ volatile(
      "push %%rbp\n\tpush %%rbx\n\tmov %%rsp, %%r12\n\tand $-16, %%rsp\n\tsub $48, %%rsp\n\tmovq $0, 32(%%rsp)\n\t"
      "mov $0x1111, %%ebx\n\tmov $0x2222, %%ebp\n\tmov $0x3333, %%esi\n\tmov $0x4444, %%edi\n\t"
      "mov $0x5555, %%r13d\n\tmov $0x6666, %%r14d\n\tmov %%rsp, %%r15\n\t"
      "xor %%edx, %%edx\n\txor %%r8d, %%r8d\n\txor %%r9d, %%r9d\n\tcall *%%rax\n\t"
      "pushfq\n\tpop %%rax\n\tand $0x400, %%eax\n\t"
      "sub $0x1111, %%rbx\n\tor %%rbx, %%rax\n\tsub $0x2222, %%rbp\n\tor %%rbp, %%rax\n\t"
      "sub $0x3333, %%rsi\n\tor %%rsi, %%rax\n\tsub $0x4444, %%rdi\n\tor %%rdi, %%rax\n\t"
      "sub $0x5555, %%r13\n\tor %%r13, %%rax\n\tsub $0x6666, %%r14\n\tor %%r14, %%rax\n\t"
      "sub %%rsp, %%r15\n\tor %%r15, %%rax\n\tmov %%r12, %%rsp\n\tpop %%rbx\n\tpop %%rbp"
      : "=a"(ok), "+c"(argument)
      : "a"(BOOT(GetMemoryMap))
      : "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory", "cc");
  return ok == 0 && size != 0;
}

void check_map(void) {
  static u8 after;
  u64 size = 0, key = 0, stride = 0;
  u32 version = 0;
  check_status(get_map, "when MemoryMapSize is NULL", call5(BOOT(GetMemoryMap), 0, &map, &key, &stride, &version),
               EFI_INVALID_PARAMETER);
  check_status(get_map, "when the buffer has no bytes", call5(BOOT(GetMemoryMap), &size, 0, &key, &stride, &version),
               EFI_BUFFER_TOO_SMALL);
  check(get_map, "too small a buffer: the size needed, key, descriptor size and version are told",
        size != 0 && stride != 0 && size % stride == 0 && version == 1);
  check(get_map, "descriptors lie further apart than EFI_MEMORY_DESCRIPTOR is long, at a multiple of 8",
        stride > sizeof(EFI_MEMORY_DESCRIPTOR) && stride % 8 == 0);
  memset(map.bytes, 0xa5, sizeof map.bytes);
  size = stride;
  check_status(get_map, "when the map has more entries than the buffer", call5(BOOT(GetMemoryMap), &size, map.bytes, &key, 0, 0),
               EFI_BUFFER_TOO_SMALL);
  check(get_map, "too small a buffer is left as it was", map.bytes[0] == 0xa5 && map.bytes[stride - 1] == 0xa5);
  size = sizeof map.bytes;
  check_status(get_map, "when MemoryMap is NULL and MemoryMapSize is large enough",
               call5(BOOT(GetMemoryMap), &size, 0, &key, &stride, &version), EFI_INVALID_PARAMETER);
  check(get_map, "MemoryMap NULL: the size is told all the same", size != sizeof map.bytes && size % stride == 0);
  size = sizeof map.bytes;
  check_status(get_map, "without MapKey, DescriptorSize and DescriptorVersion", call5(BOOT(GetMemoryMap), &size, map.bytes, 0, 0, 0),
               EFI_SUCCESS);
  memset(map.bytes, 0xa5, sizeof map.bytes);
  check_status(get_map, "with a buffer that is large enough", read_map(), EFI_SUCCESS);
  after = map.bytes[map.size];
  if (ours) check(get_map, "nothing is written behind the map", after == 0xa5); /* EDK II merges entries in the buffer */
  key = map.key;
  read_map();
  check(get_map, "the key stays while the map does", key == map.key);
  size = map.size;
  if (ours) /* as EDK II asks for the size before the merge */
    check_status(get_map, "with a buffer of exactly the map's size", call5(BOOT(GetMemoryMap), &size, map.bytes, &key, 0, 0), EFI_SUCCESS);
  check(get_map, "entries are whole pages, none is empty, VirtualStart is 0", entries_are_whole());
  check(get_map, "entries do not overlap", !overlap());
  check(get_map, "neighbours of one kind are merged", !unmerged());
  check(get_map, "run-time types and no others up to EfiConventionalMemory carry EFI_MEMORY_RUNTIME", runtime_attribute_is_right());
  check(get_map, "this code is EfiLoaderCode", type_at((const void *)check_map, EfiLoaderCode));
  check(get_map, "the stack is EfiBootServicesData", type_at(&size, EfiBootServicesData));
  check(get_map, "the System Table is EfiRuntimeServicesData", type_at(systab, EfiRuntimeServicesData));
  check(get_map, "the runtime services table is EfiRuntimeServicesData", type_at(systab->RuntimeServices, EfiRuntimeServicesData));
  if (ours) check(get_map, "the boot services table is EfiBootServicesData", type_at(boot_table, EfiBootServicesData));
  check(get_map, "runtime services are EfiRuntimeServicesCode", type_at((const void *)RUNTIME(ResetSystem), EfiRuntimeServicesCode));
  check(get_map, "boot services are EfiBootServicesCode", type_at((const void *)BOOT(GetMemoryMap), EfiBootServicesCode));
  check("2.3.4.2 calling convention", "RBX, RBP, RSI, RDI, R12 to R15, RSP survive a call, DF is clear", registers_survive());
}

static EFI_STATUS pages(u64 type, u64 memory_type, u64 count, u64 *memory) {
  return call4(BOOT(AllocatePages), type, memory_type, count, memory);
}

/* Three pages in a row, the middle one freed, then the others: splits and merges. */
static void check_splitting(void) {
  u64 at = 0;
  read_map();
  const u64 before = map_entries(), key = map.key;
  check_status(allocate_pages, "for three pages", pages(Any, 0x80000001u, 3, &at), EFI_SUCCESS);
  read_map();
  const EFI_MEMORY_DESCRIPTOR *entry = map_find(at);
  check(get_map, "an allocation is an entry of its own type", entry && entry->Type == 0x80000001u && entry->PhysicalStart == at &&
        entry->NumberOfPages == 3);
  check(get_map, "an allocation changes the key", key != map.key);
  const u64 key2 = map.key;
  check_status(free_pages, "for the page in the middle", call2(BOOT(FreePages), at + 4096, 1), EFI_SUCCESS);
  read_map();
  const EFI_MEMORY_DESCRIPTOR *a = map_find(at), *b = map_find(at + 4096), *c = map_find(at + 8192);
  check(get_map, "a page freed in the middle splits the entry in three",
        a && b && c && a != b && b != c && a->NumberOfPages == 1 && c->NumberOfPages == 1 && b->NumberOfPages == 1 &&
            a->Type == 0x80000001u && c->Type == 0x80000001u && b->Type == EfiConventionalMemory);
  check(get_map, "a release changes the key", key2 != map.key);
  check_status(free_pages, "for a page that is free already", call2(BOOT(FreePages), at + 4096, 1), EFI_NOT_FOUND);
  if (ours) { /* EDK II frees what it meets before it fails */
    check_status(free_pages, "for three pages of which one is free", call2(BOOT(FreePages), at, 3), EFI_NOT_FOUND);
    read_map();
    check(free_pages, "a refused release changes nothing", map_find(at) && map_find(at)->Type == 0x80000001u);
  }
  check_status(free_pages, "for the first page", call2(BOOT(FreePages), at, 1), EFI_SUCCESS);
  check_status(free_pages, "for the last page", call2(BOOT(FreePages), at + 8192, 1), EFI_SUCCESS);
  read_map();
  check(get_map, "what was split merges again", map_entries() == before && !unmerged());
}

static void check_placing(void) {
  u64 at = 0, there = 0;
  check_status(allocate_pages, "AllocateAnyPages for 8 pages", pages(Any, EfiLoaderData, 8, &there), EFI_SUCCESS);
  check(allocate_pages, "the address is a multiple of 4096", there != 0 && (there & 4095) == 0);
  at = there;
  check_status(allocate_pages, "AllocateAddress where memory is taken", pages(Address, EfiLoaderData, 1, &at), EFI_NOT_FOUND);
  check(allocate_pages, "a refused call leaves *Memory as it was", at == there);
  call2(BOOT(FreePages), there, 8);
  at = there;
  check_status(allocate_pages, "AllocateAddress where memory is free", pages(Address, EfiLoaderData, 8, &at), EFI_SUCCESS);
  check(allocate_pages, "AllocateAddress gives that address", at == there);
  call2(BOOT(FreePages), there + 4 * 4096, 4);
  at = there + 3 * 4096;
  check_status(allocate_pages, "AllocateAddress where the first page is taken", pages(Address, EfiLoaderData, 2, &at), EFI_NOT_FOUND);
  call2(BOOT(FreePages), there, 4);
  at = there + 1;
  check_status(allocate_pages, "AllocateAddress that is no multiple of 4096", pages(Address, EfiLoaderData, 1, &at), EFI_NOT_FOUND);
  at = 1ULL << 50;
  check_status(allocate_pages, "AllocateAddress outside of memory", pages(Address, EfiLoaderData, 1, &at), EFI_NOT_FOUND);
  at = ~4095ULL;
  check_status(allocate_pages, "AllocateAddress of a range that wraps around", pages(Address, EfiLoaderData, 2, &at), EFI_NOT_FOUND);
  at = there;
  check_status(allocate_pages, "AllocateAddress of no pages", pages(Address, EfiLoaderData, 0, &at), EFI_NOT_FOUND);
  at = there + 4095;
  check_status(allocate_pages, "AllocateMaxAddress", pages(Max, EfiLoaderData, 1, &at), EFI_SUCCESS);
  check(allocate_pages, "AllocateMaxAddress: the last byte is at most the address", at <= there);
  call2(BOOT(FreePages), at, 1);
  at = there + 4094;
  check_status(allocate_pages, "AllocateMaxAddress one byte lower", pages(Max, EfiLoaderData, 1, &at), EFI_SUCCESS);
  check(allocate_pages, "AllocateMaxAddress one byte lower: the page is a lower one", at < there);
  call2(BOOT(FreePages), at, 1);
  at = ~0ULL;
  check_status(allocate_pages, "AllocateMaxAddress of all addresses", pages(Max, EfiLoaderData, 1, &at), EFI_SUCCESS);
  call2(BOOT(FreePages), at, 1);
  at = 4094;
  check_status(allocate_pages, "AllocateMaxAddress below the end of the first page", pages(Max, EfiLoaderData, 1, &at),
               EFI_OUT_OF_RESOURCES);
}

void check_pages(void) {
  static const u32 refused[] = {EfiConventionalMemory, EfiPersistentMemory, 15, 16, 0x6fffffff};
  static const char refused_names[][28] = {
      "EfiConventionalMemory", "EfiPersistentMemory", "EfiUnacceptedMemoryType", "EfiMaxMemoryType", "0x6fffffff"};
  static const u32 taken[] = {EfiReservedMemoryType, EfiLoaderCode, EfiLoaderData, EfiBootServicesCode, EfiBootServicesData,
                              EfiRuntimeServicesCode, EfiRuntimeServicesData, EfiUnusableMemory, EfiACPIReclaimMemory,
                              EfiACPIMemoryNVS, 0x70000000, 0x7fffffff, 0x80000000, 0xffffffff};
  u64 at = 0;
  check_status(allocate_pages, "for a Type behind AllocateAddress", pages(3, EfiLoaderData, 1, &at), EFI_INVALID_PARAMETER);
  check_status(allocate_pages, "for Type 0xffffffff", pages(0xffffffff, EfiLoaderData, 1, &at), EFI_INVALID_PARAMETER);
  for (u64 i = 0; i < sizeof refused / sizeof *refused; i++)
    check_status(allocate_pages, refused_names[i], pages(Any, refused[i], 1, &at), EFI_INVALID_PARAMETER);
  check_status(allocate_pages, "when Memory is NULL", pages(Any, EfiLoaderData, 1, 0), EFI_INVALID_PARAMETER);
  check_status(allocate_pages, "for no pages", pages(Any, EfiLoaderData, 0, &at), EFI_OUT_OF_RESOURCES);
  check_status(allocate_pages, "for more pages than there are", pages(Any, EfiLoaderData, 1ULL << 40, &at), EFI_OUT_OF_RESOURCES);
  check_status(allocate_pages, "for so many pages that their bytes wrap around", pages(Any, EfiLoaderData, ~0ULL, &at),
               EFI_OUT_OF_RESOURCES);
  int all = 1;
  for (u64 i = 0; i < sizeof taken / sizeof *taken; i++) {
    u64 page = 0;
    if (pages(Any, taken[i], 1, &page) != EFI_SUCCESS) all = 0;
    read_map();
    if (map_find(page) == 0 || map_find(page)->Type != taken[i]) all = 0;
    if (call2(BOOT(FreePages), page, 1) != EFI_SUCCESS) all = 0;
  }
  check(allocate_pages, "every allocatable type, of OEMs and loaders too, is given and stands in the map", all);
  check_placing();
  check_splitting();
  pages(Any, EfiLoaderData, 2, &at);
  check_status(free_pages, "when Memory is no multiple of 4096", call2(BOOT(FreePages), at + 1, 1), EFI_INVALID_PARAMETER);
  check_status(free_pages, "for no pages", call2(BOOT(FreePages), at, 0), EFI_INVALID_PARAMETER);
  check_status(free_pages, "outside of memory", call2(BOOT(FreePages), 1ULL << 50, 1), EFI_NOT_FOUND);
  check_status(free_pages, "for both pages", call2(BOOT(FreePages), at, 2), EFI_SUCCESS);
  if (ours) /* EDK II gives back whatever is not free */
    check_status(free_pages, "for pages that AllocatePages never gave", call2(BOOT(FreePages), (u64)systab & ~4095ULL, 1), EFI_NOT_FOUND);
}

static EFI_STATUS pool(u64 type, u64 size, void *buffer) {
  return call3(BOOT(AllocatePool), type, size, buffer);
}

void check_pools(void) {
  u8 *a = 0, *b = 0, *big = 0;
  check_status(allocate_pool, "when Buffer is NULL", pool(EfiLoaderData, 8, 0), EFI_INVALID_PARAMETER);
  check_status(allocate_pool, "EfiConventionalMemory", pool(EfiConventionalMemory, 8, &a), EFI_INVALID_PARAMETER);
  check_status(allocate_pool, "EfiPersistentMemory", pool(EfiPersistentMemory, 8, &a), EFI_INVALID_PARAMETER);
  if (ours) /* not yet known to Debian 12's OVMF */
    check_status(allocate_pool, "EfiUnacceptedMemoryType", pool(15, 8, &a), EFI_INVALID_PARAMETER);
  check_status(allocate_pool, "EfiMaxMemoryType", pool(16, 8, &a), EFI_INVALID_PARAMETER);
  check_status(allocate_pool, "0x6fffffff", pool(0x6fffffff, 8, &a), EFI_INVALID_PARAMETER);
  a = (u8 *)1;
  check_status(allocate_pool, "for more than there is", pool(EfiLoaderData, 1ULL << 40, &a), EFI_OUT_OF_RESOURCES);
  check(allocate_pool, "nothing given: the pointer is NULL", a == 0);
  check_status(allocate_pool, "for a size that wraps around", pool(EfiLoaderData, ~0ULL, &a), EFI_OUT_OF_RESOURCES);
  check_status(allocate_pool, "for 24 bytes", pool(EfiLoaderData, 24, &a), EFI_SUCCESS);
  check_status(allocate_pool, "for no bytes", pool(EfiLoaderData, 0, &b), EFI_SUCCESS);
  check(allocate_pool, "buffers are multiples of 8 and do not overlap",
        ((u64)a & 7) == 0 && ((u64)b & 7) == 0 && (b >= a + 24 || b < a));
  check_status(allocate_pool, "of a loader's type for 20000 bytes", pool(0x80000001u, 20000, &big), EFI_SUCCESS);
  read_map();
  check(allocate_pool, "the type stands in the map, from the first byte to the last",
        type_at(big, 0x80000001u) && type_at(big + 19999, 0x80000001u));
  memset(a, 1, 24);
  memset(big, 2, 20000);
  check(allocate_pool, "a buffer keeps its bytes", a[23] == 1 && big[0] == 2 && big[19999] == 2);
  check_status(free_pool, "when Buffer is NULL", call1(BOOT(FreePool), 0), EFI_INVALID_PARAMETER);
  if (ours) { /* EDK II looks for a signature in front and may take what lies there */
    check_status(free_pool, "for a pointer into a buffer", call1(BOOT(FreePool), big + 8), EFI_INVALID_PARAMETER);
    check_status(free_pool, "outside of memory", call1(BOOT(FreePool), 1ULL << 50), EFI_INVALID_PARAMETER);
  }
  check_status(free_pool, "for the large buffer", call1(BOOT(FreePool), big), EFI_SUCCESS);
  read_map();
  check(free_pool, "a large buffer goes back to the map", !type_at(big, 0x80000001u));
  check_status(free_pool, "for the small buffer", call1(BOOT(FreePool), a), EFI_SUCCESS);
  check_status(free_pool, "for the empty buffer", call1(BOOT(FreePool), b), EFI_SUCCESS);
  if (ours) check_status(free_pool, "for a buffer that is free already", call1(BOOT(FreePool), b), EFI_INVALID_PARAMETER);
}
