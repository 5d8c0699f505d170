/* What CPL 3 may not do; I/O; shadows. Intel SDM volume 3, 5.9; volume 1, 19.5. */
#include "tests.h"

#define REFUSED(name, before, at) USER("5.9: " name " at CPL 3: #GP(0)", GP, 0, before, at)
#define ALLOWED(name, at) USER(name, USER_DONE, 0, "lea -64(%%rsp), %%rdi", at)

void test_privilege(void) {
  REFUSED("HLT", "", "hlt");
  REFUSED("CLI with IOPL 0", "", "cli");
  REFUSED("STI with IOPL 0", "", "sti");
  REFUSED("RDMSR", "mov $0xc0000080, %%ecx", "rdmsr");
  REFUSED("WRMSR", "mov $0xc0000080, %%ecx", "wrmsr");
  REFUSED("MOV from CR0", "", "mov %%cr0, %%rax");
  REFUSED("MOV to CR3", "", "mov %%rax, %%cr3");
  REFUSED("MOV from CR8", "", "mov %%cr8, %%rax");
  REFUSED("MOV from DR7", "", "mov %%dr7, %%rax");
  REFUSED("LGDT", "", "lgdt (%%rsp)");
  REFUSED("LIDT", "", "lidt (%%rsp)");
  REFUSED("LLDT", "xor %%eax, %%eax", "lldt %%ax");
  REFUSED("LTR", "mov $0x30, %%eax", "ltr %%ax");
  REFUSED("LMSW", "", "lmsw %%ax");
  REFUSED("CLTS", "", "clts");
  REFUSED("INVLPG", "", "invlpg (%%rsp)");
  REFUSED("WBINVD", "", "wbinvd");
  REFUSED("INVD", "", "invd");
  REFUSED("SWAPGS", "", "swapgs");
  REFUSED("SYSRET", "", "sysretq");
  REFUSED("SYSEXIT", "", "sysexitq");
  REFUSED("RDPMC with CR4.PCE = 0", "xor %%ecx, %%ecx", "rdpmc");
  ALLOWED("volume 2: SGDT, SIDT, SLDT, STR, SMSW without UMIP at CPL 3", "sgdt (%%rdi)\n sidt (%%rdi)\n sldt (%%rdi)\n str (%%rdi)\n smsw (%%rdi)");
  ALLOWED("volume 2: RDTSC with CR4.TSD = 0 at CPL 3", "rdtsc");
  write_cr4(read_cr4() | 4);
  REFUSED("RDTSC with CR4.TSD = 1", "", "rdtsc");
  write_cr4(read_cr4() & ~4ul);
  begin("volume 2, POPF: at CPL 3 with IOPL 0 IF and IOPL stay, without a fault");
  RUN_USER("push $0x3ad7", "popf");
  want("vector", trapped.vector, USER_DONE);
  want("flags", trapped.rflags & 0x3ad7, 0x08d7);
  done();
  user_flags = 0x3002;
  begin("volume 2, POPF: at CPL 3 with IOPL 3 IF changes, IOPL stays");
  RUN_USER("push $0x0202", "popf");
  want("flags", trapped.rflags & 0x3202, 0x3202);
  done();
  ALLOWED("volume 2, CLI and STI at CPL 3 with IOPL 3", "sti\n cli");
  USER("5.9: HLT at CPL 3 with IOPL 3: #GP(0)", GP, 0, "", "hlt");
  user_flags = 2;
  map(FREE_PAGE, frame(4), P | RW);
  USER("4.6.1: user code reads a supervisor page: #PF with P and U", PF, PF_P | PF_U, "mov $0x40010000, %%eax", "mov (%%rax), %%eax");
  RUN_USER("mov $0x40010000, %%eax", "jmp *%%rax");
  expect_trap("4.6.1: user code jumps to a supervisor page: #PF with P, U and I/D, RIP is the target", PF, PF_P | PF_U | PF_I, (void *)window(FREE_PAGE));
}

#define IN_BYTE "in %%dx, %%al"

void test_ports(void) {
  u8 *bitmap = (u8 *)task + 104;
  USER("volume 1, 19.5.2: IN at CPL 3 with its bit set in the bitmap: #GP(0)", GP, 0, "mov $0x3ff, %%edx", IN_BYTE);
  USER("volume 1, 19.5.2: OUT at CPL 3 with its bit set in the bitmap: #GP(0)", GP, 0, "mov $0x3ff, %%edx", "out %%al, %%dx");
  bitmap[0x3ff / 8] &= ~0x80;
  USER("volume 1, 19.5.2: IN at CPL 3 with its bit clear", USER_DONE, 0, "mov $0x3ff, %%edx", IN_BYTE);
  USER("volume 1, 19.5.2: a word needs both bits: the first is set", GP, 0, "mov $0x3fe, %%edx", "in %%dx, %%ax");
  USER("volume 1, 19.5.2: a word needs both bits: the second, in the next byte, is set", GP, 0, "mov $0x3ff, %%edx", "in %%dx, %%ax");
  bitmap[0x400 / 8] &= ~1;
  USER("volume 1, 19.5.2: a word across two bytes of the bitmap with both bits clear", USER_DONE, 0, "mov $0x3ff, %%edx", "in %%dx, %%ax");
  USER("volume 2, INS: the bitmap is asked before the memory", GP, 0, "mov $0x3f8, %%edx\n xor %%edi, %%edi", "insb");
  USER("volume 2, OUTS at CPL 3 with its bit clear", USER_DONE, 0, "mov $0x3ff, %%edx\n mov %%rsp, %%rsi", "outsb");
  user_flags = 0x3002;
  USER("volume 1, 19.5.1: IN at CPL 3 with IOPL 3 asks no bitmap", USER_DONE, 0, "mov $0x3fa, %%edx", IN_BYTE);
  user_flags = 0x2002;
  USER("volume 1, 19.5.1: IN at CPL 3 with IOPL 2 asks the bitmap", GP, 0, "mov $0x3fa, %%edx", IN_BYTE);
  user_flags = 2;
  task[25] = 0xffff0000;
  USER("volume 1, 19.5.2: an I/O map base beyond the TSS's limit: #GP(0)", GP, 0, "mov $0x3ff, %%edx", IN_BYTE);
  task[25] = 104u << 16;
  bitmap[0x3ff / 8] = bitmap[0x400 / 8] = 0xff;
}
