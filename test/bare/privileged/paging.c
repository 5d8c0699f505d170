/* Page-table rights, error codes, accessed and dirty bits, invalidation. Intel SDM volume 3, chapter 4. */
#include "tests.h"

/* A path of its own from the PDPT on: PROBE is mapped by pdpt[2], directory[0] and table[0]. */
#define PROBE 0x80000000ul
#define LARGE_PHYSICAL 0x400000ul
static u64 directory[512] __attribute__((aligned(4096)));
static u64 table[512] __attribute__((aligned(4096)));

enum { READ, WRITE, FETCH };
static const char *const access_names[] = { "read", "write", "fetch" };

static void flush(void) { write_cr3(read_cr3()); }

static void rebuild(void) {
  pdpt[2] = (u64)directory | P | RW | US;
  directory[0] = (u64)table | P | RW | US;
  table[0] = (u64)frame(1) | P | RW | US;
  *(u16 *)frame(1) = 0x80cd; // INT 0x80
  *(u16 *)LARGE_PHYSICAL = 0x80cd;
  flush();
}

/* One access at CPL 0 or 3; true when it went through. */
static int try(int access, int from_user) {
  argument[0] = PROBE;
  argument[1] = 0x80cd;
  if (!from_user) {
    if (access == READ) RUN_KERNEL("", "movw (%%rdi), %%ax");
    else if (access == WRITE) RUN_KERNEL("", "movw %%si, (%%rdi)");
    else RUN_KERNEL("", "call *%%rdi");
  } else {
    if (access == READ) RUN_USER("", "movw (%%rdi), %%ax");
    else if (access == WRITE) RUN_USER("", "movw %%si, (%%rdi)");
    else RUN_USER("", "jmp *%%rdi");
  }
  return trapped.vector == NO_TRAP || trapped.vector == USER_DONE;
}

static char label[64];
static void name(u64 flags, int access) {
  const char *letters[] = { flags & P ? "P " : "- ", flags & RW ? "RW " : "- ", flags & US ? "US " : "- ", flags & NX ? "NX " : "- ", access_names[access] };
  char *to = label;
  for (int i = 0; i < 5; i++) {
    for (const char *from = letters[i]; *from;) *to++ = *from++;
  }
  *to = 0;
}

/* 4.6.1 and 4.7, for one entry on the path and one kind of access; all the others allow everything. */
static void rights(const char *title, u64 *entry, u64 rest, int from_user, int protect) {
  begin(title);
  write_cr0(protect ? read_cr0() | 0x10000 : read_cr0() & ~0x10000ul);
  for (int combination = 0; combination < 16; combination++) {
    u64 flags = (combination & 1 ? P : 0) | (combination & 2 ? RW : 0) | (combination & 4 ? US : 0) | (combination & 8 ? NX : 0);
    for (int access = READ; access <= FETCH; access++) {
      u64 error = 0;
      int denied = !(flags & P) || (from_user && !(flags & US)) || (access == FETCH && flags & NX);
      if (access == WRITE && !(flags & RW) && (from_user || protect)) denied = 1;
      if (denied) error = (flags & P ? PF_P : 0) | (access == WRITE ? PF_W : 0) | (from_user ? PF_U : 0) | (access == FETCH ? PF_I : 0);
      rebuild();
      *entry = rest | flags;
      flush();
      int through = try(access, from_user);
      name(flags, access);
      want(label, through, !denied);
      if (!denied || through) continue;
      want(label, trapped.vector, PF);
      want(label, trapped.error, error);
      want(label, trapped_cr2, PROBE);
      want(label, trapped.cs, from_user ? USER_CODE | 3 : KERNEL_CODE);
      if (access == FETCH) want(label, trapped.rip, PROBE);
      else want(label, trapped.rip, spot);
    }
  }
  write_cr0(read_cr0() | 0x10000);
  rebuild();
  done();
}

static void reserved(const char *title, u64 *entry, u64 value, u64 error) {
  rebuild();
  *entry = value;
  flush();
  try(error & PF_W ? WRITE : READ, (error & PF_U) != 0);
  begin(title);
  want_trap(PF, error, (void *)spot);
  want("cr2", trapped_cr2, PROBE);
  done();
  rebuild();
}

static void marks(void) {
  rebuild();
  begin("4.8: a load sets the accessed bit of every entry on the path, no dirty bit");
  try(READ, 0);
  want("PDPTE", pdpt[2] & (A | D), A);
  want("PDE", directory[0] & (A | D), A);
  want("PTE", table[0] & (A | D), A);
  done();
  begin("4.8: a store after a load sets the dirty bit of the last entry alone");
  try(WRITE, 0);
  want("PDPTE", pdpt[2] & (A | D), A);
  want("PDE", directory[0] & (A | D), A);
  want("PTE", table[0] & (A | D), A | D);
  done();
  begin("4.8: a fetch sets accessed, no dirty bit; a page that a TLB holds is walked again after MOV CR3");
  rebuild();
  try(FETCH, 1);
  want("PTE", table[0] & (A | D), A);
  table[0] &= ~A;
  flush();
  try(FETCH, 1);
  want("PTE again", table[0] & (A | D), A);
  done();
  begin("4.8: the dirty bit of a 2-MByte page is in its PDE");
  rebuild();
  directory[0] = LARGE_PHYSICAL | P | RW | US | PS;
  flush();
  try(READ, 1);
  want("after a load", directory[0] & (A | D), A);
  try(WRITE, 1);
  want("after a store", directory[0] & (A | D), A | D);
  done();
  begin("4.8: a load does not set the dirty bit of a page that was clean before a denied store");
  rebuild();
  table[0] = (u64)frame(1) | P | US;
  flush();
  try(WRITE, 0);
  try(READ, 0);
  want("PTE", table[0] & (A | D), A);
  done();
  begin("4.8: CMPXCHG that fails writes the destination: dirty bit, and #PF with W = 1 on a read-only page");
  rebuild();
  RUN_KERNEL("xor %%eax, %%eax", "lock cmpxchg %%rsi, (%%rdi)");
  want("PTE", table[0] & (A | D), A | D);
  table[0] = (u64)frame(1) | P | US;
  flush();
  RUN_KERNEL("xor %%eax, %%eax", "lock cmpxchg %%rsi, (%%rdi)");
  want_trap(PF, PF_P | PF_W, (void *)spot);
  done();
}

static void invalidation(void) {
  begin("4.10.2.3: a translation that faulted is not cached: none is needed after making a page present");
  rebuild();
  table[0] = 0;
  flush();
  want("absent", try(READ, 0), 0);
  table[0] = (u64)frame(1) | P | RW | US;
  want("present", try(READ, 0), 1);
  done();
  begin("4.10.4.3: a #PF whose cause is gone: the access works without INVLPG when it is repeated after the fault");
  table[0] = (u64)frame(1) | P | US;
  flush();
  try(READ, 0);
  want("denied", try(WRITE, 0), 0);
  table[0] |= RW;
  try(WRITE, 0);
  want("allowed", try(WRITE, 0), 1);
  done();
  begin("4.10.4.1: INVLPG of any byte of a 2-MByte page drops all of it");
  rebuild();
  *(u64 *)LARGE_PHYSICAL = 1;
  *(u64 *)(LARGE_PHYSICAL + 0x1ff000) = 2;
  *(u64 *)(LARGE_PHYSICAL + 0x200000) = 3;
  *(u64 *)(LARGE_PHYSICAL + 0x3ff000) = 4;
  directory[0] = LARGE_PHYSICAL | P | RW | PS;
  flush();
  want("first", *(volatile u64 *)PROBE, 1);
  want("last", *(volatile u64 *)(PROBE + 0x1ff000), 2);
  directory[0] = (LARGE_PHYSICAL + 0x200000) | P | RW | PS;
  invlpg(PROBE + 0x123456);
  want("first after it", *(volatile u64 *)PROBE, 3);
  want("last after it", *(volatile u64 *)(PROBE + 0x1ff000), 4);
  done();
  begin("4.10.4.1: INVLPG drops a global page; a change of CR4.PGE drops all");
  rebuild();
  write_cr4(read_cr4() | 0x80);
  *(u64 *)frame(1) = 1;
  *(u64 *)frame(2) = 2;
  table[0] = (u64)frame(1) | P | RW | G;
  invlpg(PROBE);
  want("first page", *(volatile u64 *)PROBE, 1);
  table[0] = (u64)frame(2) | P | RW | G;
  invlpg(PROBE);
  want("second page", *(volatile u64 *)PROBE, 2);
  table[0] = (u64)frame(1) | P | RW | G;
  write_cr4(read_cr4() & ~0x80ul);
  want("after PGE", *(volatile u64 *)PROBE, 1);
  done();
  begin("4.10.4.1: MOV to CR3 drops what is not global");
  write_cr4(read_cr4() | 0x80);
  table[0] = (u64)frame(1) | P | RW;
  invlpg(PROBE);
  want("first page", *(volatile u64 *)PROBE, 1);
  table[0] = (u64)frame(2) | P | RW;
  flush();
  want("second page", *(volatile u64 *)PROBE, 2);
  write_cr4(read_cr4() & ~0x80ul);
  done();
}

void test_paging(void) {
  rights("4.6.1: rights of a PTE, supervisor, CR0.WP = 1", table, (u64)frame(1), 0, 1);
  rights("4.6.1: rights of a PTE, supervisor, CR0.WP = 0", table, (u64)frame(1), 0, 0);
  rights("4.6.1: rights of a PTE, user", table, (u64)frame(1), 1, 1);
  rights("4.6.1: rights of a PTE, user, CR0.WP = 0", table, (u64)frame(1), 1, 0);
  rights("4.6.1: rights of a PDE, supervisor, CR0.WP = 1", directory, (u64)table, 0, 1);
  rights("4.6.1: rights of a PDE, supervisor, CR0.WP = 0", directory, (u64)table, 0, 0);
  rights("4.6.1: rights of a PDE, user", directory, (u64)table, 1, 1);
  rights("4.6.1: rights of a PDE that maps 2 MBytes, supervisor", directory, LARGE_PHYSICAL | PS, 0, 1);
  rights("4.6.1: rights of a PDE that maps 2 MBytes, user", directory, LARGE_PHYSICAL | PS, 1, 1);
  rights("4.6.1: rights of a PDPTE, supervisor", &pdpt[2], (u64)directory, 0, 1);
  rights("4.6.1: rights of a PDPTE, user", &pdpt[2], (u64)directory, 1, 1);
  marks();
  reserved("4.7: a PTE with a bit beyond MAXPHYADDR: RSVD", table, (u64)frame(1) | P | RW | US | 1ul << 51, PF_P | PF_R);
  reserved("4.7: the same from a user's store: RSVD, W and U", table, (u64)frame(1) | P | RW | US | 1ul << 51, PF_P | PF_R | PF_W | PF_U);
  reserved("4.5: bits 20:13 of a PDE that maps 2 MBytes are reserved", directory, (LARGE_PHYSICAL + 0x2000) | P | RW | US | PS, PF_P | PF_R);
  reserved("4.5: PS in a PDPTE is reserved without 1-GByte pages in CPUID", &pdpt[2], P | RW | US | PS, PF_P | PF_R);
  write_msr(0xc0000080, read_msr(0xc0000080) & ~0x800ul);
  map(USER_STACK_PAGE, frame(0), P | RW | US);
  reserved("4.7: bit 63 is reserved while EFER.NXE = 0", table, (u64)frame(1) | P | RW | US | NX, PF_P | PF_R);
  rebuild();
  table[0] = 0;
  flush();
  try(FETCH, 1);
  expect_trap("4.7: while EFER.NXE = 0 a fetch is not told apart: I/D = 0", PF, PF_U, (void *)PROBE);
  write_msr(0xc0000080, read_msr(0xc0000080) | 0x800);
  map(USER_STACK_PAGE, frame(0), P | RW | US | NX);
  rebuild();
  table[1] = 0;
  argument[0] = PROBE + 4096 - 4;
  RUN_KERNEL("", "mov (%%rdi), %%rax");
  begin("6.15 #PF: a load across two pages whose second is absent: CR2 is the second page's first byte");
  want_trap(PF, 0, (void *)spot);
  want("cr2", trapped_cr2, PROBE + 4096);
  done();
  RUN_KERNEL("movq $-1, %%rax", "mov %%rax, (%%rdi)");
  begin("6.15 #PF: a store across two pages whose second is absent writes nothing");
  want_trap(PF, PF_W, (void *)spot);
  want("cr2", trapped_cr2, PROBE + 4096);
  want("first page", *(u32 *)(frame(1) + 4092), 0);
  done();
  invalidation();
  pdpt[2] = 0;
  flush();
}
