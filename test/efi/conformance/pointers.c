/*
 * Pointers that cannot be followed: services run in the caller's context (UEFI 2.10 section 2.3.4), so a firmware's own
 * instruction faults. The pages that matter are mapped in the last canonical pages of the lower half, in page tables of
 * our own; #GP and #PF come to handlers of our own.
 */
#include "conformance.h"

#pragma GCC visibility push(hidden) /* guard.S; no global offset table */
extern u64 guard_call(u64 function, const u64 arguments[6]);
extern u64 guard_vector, guard_error, guard_address, guard_mend_entry, guard_mend_value;
extern void guard_page_fault(void), guard_general_protection(void);
#pragma GCC visibility pop

#define PAGE 4096
#define PRESENT 1
#define WRITABLE 2

/* The window: the 512 pages below the first address that is not canonical. */
#define WINDOW 0x7fffffe00000ULL
#define AT(page, offset) (WINDOW + (page)*PAGE + (offset))
enum { DEVICE = 500, READ_ONLY = 503, FIRST = 506, SECOND, ABSENT, LAST = 511 }; /* pages not named are absent */
#define NOT_CANONICAL 0x800000000000ULL

static u8 top[PAGE] __attribute__((aligned(PAGE))), directories[2][PAGE] __attribute__((aligned(PAGE)));
static u64 table[512] __attribute__((aligned(PAGE)));
static u8 pages[5][PAGE] __attribute__((aligned(PAGE)));
static struct {
  u64 low, high;
} idt[256] __attribute__((aligned(16)));

struct __attribute__((packed)) table_register {
  u16 limit;
  u64 base;
};
static struct table_register old_idt;
static u64 old_top;

static void set_gate(u64 vector, void (*handler)(void)) {
  const u64 at = (u64)handler;
  u16 selector;
  __asm__("mov %%cs, %0" : "=r"(selector));
  idt[vector].low = (at & 0xffff) | (u64)selector << 16 | 0x8e00ULL << 32 | (at >> 16 & 0xffff) << 48;
  idt[vector].high = at >> 32;
}

static void install(void) {
  __asm__ volatile("mov %%cr3, %0" : "=r"(old_top));
  memcpy(top, (void *)(old_top & ~4095ULL), PAGE);
  ((u64 *)top)[255] = A(directories[0]) | PRESENT | WRITABLE;
  ((u64 *)directories[0])[511] = A(directories[1]) | PRESENT | WRITABLE;
  ((u64 *)directories[1])[511] = A(table) | PRESENT | WRITABLE;
  table[DEVICE] = 0xfee00000 | PRESENT | WRITABLE; /* the local APIC */
  table[READ_ONLY] = A(pages[0]) | PRESENT;
  table[FIRST] = A(pages[1]) | PRESENT | WRITABLE;
  table[SECOND] = A(pages[2]) | PRESENT | WRITABLE;
  table[LAST] = A(pages[3]) | PRESENT | WRITABLE;
  __asm__ volatile("sidt %0" : "=m"(old_idt));
  const u64 bytes = old_idt.limit + 1UL;
  memcpy(idt, (void *)old_idt.base, bytes < sizeof idt ? bytes : sizeof idt);
  set_gate(13, guard_general_protection);
  set_gate(14, guard_page_fault);
  const struct table_register ours = {sizeof idt - 1, A(idt)};
  __asm__ volatile("lidt %0" : : "m"(ours));
  __asm__ volatile("mov %0, %%cr3" : : "r"(A(top)) : "memory");
}

static void remove(void) {
  __asm__ volatile("mov %0, %%cr3" : : "r"(old_top) : "memory");
  __asm__ volatile("lidt %0" : : "m"(old_idt));
}

#define guarded(fn, ...) guard_call(A(fn), (const u64[6]){__VA_ARGS__})

/* The call before this one must have ended in this fault. */
static void expect(const char *clause, const char *what, u64 vector, u64 error, u64 address) {
  if (guard_vector == vector && (vector == 0 || guard_error == error) && guard_address == address) {
    print("%s: %s: ok", clause, what);
  } else {
    print("%s: %s: FAILED got exception %x(%x) at %x", clause, what, guard_vector, guard_error, guard_address);
  }
}
static void expect_page_fault(const char *clause, const char *what, u64 error, u64 address) {
  expect(clause, what, 14, error, address);
}
static void expect_protection(const char *clause, const char *what) {
  expect(clause, what, 13, 0, 0);
}
static void expect_end(const char *clause, const char *what, EFI_STATUS got, EFI_STATUS wanted) {
  if (guard_vector == 0) check_status(clause, what, got, wanted);
  else expect(clause, what, 0, 0, 0);
}

static const EFI_GUID vendor = {0x51c3a0de, 0x22b7, 0x4d90, {0x9f, 0x13, 0x6a, 0xe8, 0x04, 0x7d, 0xb1, 0x2c}};
static const CHAR16 name[] = u"Pointers";
static const CHAR16 missing[] = u"Missing";

static u64 variable_size(const CHAR16 *of) {
  u64 size = 0;
  const EFI_STATUS status = call5(RUNTIME(GetVariable), of, &vendor, 0, &size, 0);
  return status == EFI_BUFFER_TOO_SMALL ? size : 0;
}

static void check_get_variable(const char *clause) {
  const u64 get = RUNTIME(GetVariable);
  u64 size = 16;
  u8 data[16];
  guarded(get, AT(ABSENT, 0), A(&vendor), 0, A(&size), A(data));
  expect_page_fault(clause, "#PF(0) for a VariableName that is not there", 0, AT(ABSENT, 0));
  guarded(get, NOT_CANONICAL, A(&vendor), 0, A(&size), A(data));
  expect_protection(clause, "#GP for a VariableName that is not canonical");
  for (u64 i = 0; i < PAGE; i += 2) pages[2][i] = 'x', pages[2][i + 1] = 0;
  guarded(get, AT(SECOND, PAGE - 32), A(&vendor), 0, A(&size), A(data));
  if (ours) /* EDK II compares no further than the first character that differs */
    expect_page_fault(clause, "#PF(0) at the page behind a VariableName without an end", 0, AT(ABSENT, 0));
  pages[2][PAGE - 2] = 0;
  expect_end(clause, "for a VariableName that ends with its page", guarded(get, AT(SECOND, PAGE - 32), A(&vendor), 0, A(&size), A(data)), EFI_NOT_FOUND);
  guarded(get, A(name), AT(ABSENT, 8), 0, A(&size), A(data));
  expect_page_fault(clause, "#PF(0) for a VendorGuid that is not there", 0, AT(ABSENT, 8));
  guarded(get, A(name), A(&vendor), 0, AT(ABSENT, 8), A(data));
  expect_page_fault(clause, "#PF(0) for a DataSize that is not there", 0, AT(ABSENT, 8));
  guarded(get, A(name), A(&vendor), 0, NOT_CANONICAL, A(data));
  expect_protection(clause, "#GP for a DataSize that is not canonical");
  guarded(get, A(name), A(&vendor), 0, A(&size), AT(READ_ONLY, 8));
  expect_page_fault(clause, "#PF(3) for Data that is read-only", 3, AT(READ_ONLY, 8));
  guarded(get, A(name), A(&vendor), 0, A(&size), AT(ABSENT, 8));
  expect_page_fault(clause, "#PF(2) for Data that is not there", 2, AT(ABSENT, 8));
  guarded(get, A(name), A(&vendor), 0, A(&size), AT(SECOND, PAGE - 8));
  expect_page_fault(clause, "#PF(2) at the second page of Data", 2, AT(ABSENT, 0));
  guarded(get, A(name), A(&vendor), AT(READ_ONLY, 0), A(&size), A(data));
  expect_page_fault(clause, "#PF(3) for Attributes that are read-only", 3, AT(READ_ONLY, 0));
  expect_end(clause, "when an argument is NULL, also where another is not there",
             guarded(get, AT(ABSENT, 0), 0, 0, A(&size), A(data)), EFI_INVALID_PARAMETER);
  size = 16;
  expect_end(clause, "with Data in device memory", guarded(get, A(name), A(&vendor), 0, A(&size), AT(DEVICE, 0x30)), EFI_SUCCESS);
  size = 16;
  guard_mend_value = A(pages[4]) | PRESENT | WRITABLE;
  guard_mend_entry = A(&table[ABSENT]);
  expect_end(clause, "when the page fault's handler maps the page", guarded(get, A(name), A(&vendor), 0, A(&size), AT(SECOND, PAGE - 8)), EFI_SUCCESS);
  check(clause, "the data is in both pages then", size == 16 && pages[2][PAGE - 8] == 0 && pages[2][PAGE - 1] == 7 && pages[4][0] == 8 && pages[4][7] == 15);
  table[ABSENT] = 0;
  __asm__ volatile("invlpg (%0)" : : "r"(AT(ABSENT, 0)) : "memory");
}

static void check_set_variable(const char *clause) {
  const u64 set = RUNTIME(SetVariable);
  const u8 data[4] = {1, 2, 3, 4};
  guarded(set, AT(ABSENT, 0), A(&vendor), 7, 4, A(data));
  expect_page_fault(clause, "#PF(0) for a VariableName that is not there", 0, AT(ABSENT, 0));
  guarded(set, A(missing), AT(ABSENT, 8), 7, 4, A(data));
  expect_page_fault(clause, "#PF(0) for a VendorGuid that is not there", 0, AT(ABSENT, 8));
  guarded(set, A(missing), A(&vendor), 7, 16, AT(SECOND, PAGE - 8));
  expect_page_fault(clause, "#PF(0) at the second page of Data", 0, AT(ABSENT, 0));
  guarded(set, A(missing), A(&vendor), 7, 4, NOT_CANONICAL);
  expect_protection(clause, "#GP for Data that is not canonical");
  guarded(set, A(missing), A(&vendor), 7, 16, NOT_CANONICAL - 8);
  expect_protection(clause, "#GP for Data whose end is not canonical");
  check(clause, "no variable came of these", variable_size(missing) == 0);
}

static void check_other_variables(void) {
  static const char next[] = "8.2.2 GetNextVariableName", query[] = "8.2.4 QueryVariableInfo";
  u64 size = 2, out[3];
  EFI_GUID guid = vendor;
  CHAR16 text[2] = {0};
  guarded(RUNTIME(GetNextVariableName), AT(ABSENT, 0), A(text), A(&guid));
  expect_page_fault(next, "#PF(0) for a VariableNameSize that is not there", 0, AT(ABSENT, 0));
  guarded(RUNTIME(GetNextVariableName), A(&size), AT(ABSENT, 0), A(&guid));
  expect_page_fault(next, "#PF(0) for a VariableName that is not there", 0, AT(ABSENT, 0));
  size = 1024;
  guarded(RUNTIME(GetNextVariableName), A(&size), AT(READ_ONLY, 0), A(&guid));
  expect_page_fault(next, "#PF(3) for a VariableName that is read-only", 3, AT(READ_ONLY, 0));
  guarded(RUNTIME(QueryVariableInfo), 7, AT(ABSENT, 0), A(out), A(out + 1));
  expect_page_fault(query, "#PF(2) for a size that is not there", 2, AT(ABSENT, 0));
  guarded(RUNTIME(QueryVariableInfo), 7, A(out), A(out + 1), AT(READ_ONLY, 0));
  expect_page_fault(query, "#PF(3) for a size that is read-only", 3, AT(READ_ONLY, 0));
}

static void check_memory(void) {
  static const char get[] = "7.2.3 GetMemoryMap", allocate[] = "7.2.1 AllocatePages", pool[] = "7.2.4 AllocatePool";
  u64 size = 0, key = 0, after = 0;
  guarded(BOOT(GetMemoryMap), AT(ABSENT, 0), 0, 0, 0, 0);
  expect_page_fault(get, "#PF(0) for a MemoryMapSize that is not there", 0, AT(ABSENT, 0));
  guarded(BOOT(GetMemoryMap), AT(READ_ONLY, 0), 0, A(&key), 0, 0);
  expect_page_fault(get, "#PF(3) for a MemoryMapSize that is read-only", 3, AT(READ_ONLY, 0));
  guarded(BOOT(GetMemoryMap), A(&size), 0, AT(ABSENT, 0), 0, 0);
  expect_page_fault(get, "#PF(2) for a MapKey that is not there", 2, AT(ABSENT, 0));
  size = sizeof map.bytes;
  guarded(BOOT(GetMemoryMap), A(&size), AT(READ_ONLY, 0), 0, 0, 0);
  expect_page_fault(get, "#PF(3) for a MemoryMap that is read-only", 3, AT(READ_ONLY, 0));
  if (!ours) return; /* EDK II has allocated when it writes the pointer, and holds its lock */
  read_map();
  key = map.key;
  guarded(BOOT(AllocatePages), 0, EfiLoaderData, 1, AT(ABSENT, 0));
  expect_page_fault(allocate, "#PF(2) for a Memory that is not there", 2, AT(ABSENT, 0));
  guarded(BOOT(AllocatePages), 2, EfiLoaderData, 1, AT(ABSENT, 0));
  expect_page_fault(allocate, "#PF(0) for a Memory that is not there and says where", 0, AT(ABSENT, 0));
  guarded(BOOT(AllocatePages), 0, EfiLoaderData, 1, AT(READ_ONLY, 0));
  expect_page_fault(allocate, "#PF(3) for a Memory that is read-only", 3, AT(READ_ONLY, 0));
  guarded(BOOT(AllocatePool), EfiLoaderData, 64, AT(ABSENT, 0));
  expect_page_fault(pool, "#PF(2) for a Buffer that is not there", 2, AT(ABSENT, 0));
  guarded(BOOT(AllocatePool), EfiLoaderData, 64, NOT_CANONICAL - 4);
  expect_protection(pool, "#GP for a Buffer whose end is not canonical");
  size = sizeof map.bytes;
  call5(BOOT(GetMemoryMap), &size, map.bytes, &after, &map.stride, &map.version);
  check(allocate, "these calls change nothing in the memory map", after == key);
}

static void check_protocols(void) {
  static const char handle[] = "7.3.7 HandleProtocol", locate[] = "7.3.16 LocateProtocol", find[] = "7.3.6 LocateHandle",
                    path[] = "7.3.8 LocateDevicePath", install[] = "7.5.6 InstallConfigurationTable";
  u64 out = 0, size = 8;
  guarded(BOOT(HandleProtocol), A(image), AT(ABSENT, 0), A(&out));
  expect_page_fault(handle, "#PF(0) for a Protocol that is not there", 0, AT(ABSENT, 0));
  guarded(BOOT(HandleProtocol), A(image), A(&loaded_image_guid), AT(READ_ONLY, 0));
  expect_page_fault(handle, "#PF(3) for an Interface that is read-only", 3, AT(READ_ONLY, 0));
  guarded(BOOT(LocateProtocol), AT(ABSENT, 0), 0, A(&out));
  if (ours) /* EDK II still holds the lock of a call that faulted */
    expect_page_fault(locate, "#PF(0) for a Protocol that is not there", 0, AT(ABSENT, 0));
  guarded(BOOT(LocateHandle), 2, A(&loaded_image_guid), 0, AT(ABSENT, 0), A(&out));
  expect_page_fault(find, "#PF(0) for a BufferSize that is not there", 0, AT(ABSENT, 0));
  size = 8192;
  guarded(BOOT(LocateHandle), 2, A(&loaded_image_guid), 0, A(&size), AT(READ_ONLY, 0));
  expect_page_fault(find, "#PF(3) for a Buffer that is read-only", 3, AT(READ_ONLY, 0));
  out = AT(ABSENT, 0);
  guarded(BOOT(LocateDevicePath), A(&loaded_image_guid), A(&out), A(&size));
  expect_page_fault(path, "#PF(0) for a path that is not there", 0, AT(ABSENT, 0));
  guarded(BOOT(InstallConfigurationTable), AT(ABSENT, 0), 0);
  expect_page_fault(install, "#PF(0) for a Guid that is not there", 0, AT(ABSENT, 0));
  if (!ours) return; /* EDK II's terminal may stop at the first character */
  guarded(((u64 *)systab->ConOut)[1], A(systab->ConOut), AT(ABSENT, 0));
  expect_page_fault("12.4.3 SimpleTextOutput.OutputString", "#PF(0) for a String that is not there", 0, AT(ABSENT, 0));
}

void check_pointers(int boot) {
  static const u8 data[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  call5(RUNTIME(SetVariable), name, &vendor, 7, sizeof data, data);
  install();
  check_get_variable("8.2.1 GetVariable");
  check_set_variable("8.2.3 SetVariable");
  check_other_variables();
  if (boot) check_memory();
  if (boot) check_protocols();
  remove();
  call5(RUNTIME(SetVariable), name, &vendor, 7, 0, 0);
}
