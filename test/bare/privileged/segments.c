/* Loads of segment registers, LTR, LLDT, canonical addresses. Intel SDM volume 2, MOV, LTR, LLDT; volume 3, chapter 5. */
#include "tests.h"

static u64 task_type(void) { return gdt[TASK / 8] >> 40 & 0x1f; }

static void loads(void) {
  KERNEL("MOV to DS: beyond the GDT: #GP(selector)", GP, 0x1000, "mov $0x1000, %%eax", "mov %%eax, %%ds");
  KERNEL("MOV to DS: not present: #NP(selector)", NP, ABSENT_DATA, "mov $0x48, %%eax", "mov %%eax, %%ds");
  KERNEL("MOV to DS: a system segment: #GP(selector)", GP, TASK, "mov $0x30, %%eax", "mov %%eax, %%ds");
  KERNEL("MOV to DS: TI set without an LDT: #GP(selector)", GP, 0x14, "mov $0x14, %%eax", "mov %%eax, %%ds");
  KERNEL("MOV to DS: a null selector loads", NO_TRAP, 0, "xor %%eax, %%eax", "mov %%eax, %%ds");
  KERNEL("MOV to SS: not present: #SS(selector)", SS, ABSENT_DATA, "mov $0x48, %%eax", "mov %%eax, %%ss");
  KERNEL("MOV to SS: read-only: #GP(selector)", GP, READ_ONLY, "mov $0x58, %%eax", "mov %%eax, %%ss");
  KERNEL("MOV to SS: a code segment: #GP(selector)", GP, KERNEL_CODE, "mov $0x8, %%eax", "mov %%eax, %%ss");
  KERNEL("MOV to SS: RPL is not the CPL: #GP(selector)", GP, KERNEL_DATA, "mov $0x13, %%eax", "mov %%eax, %%ss");
  KERNEL("MOV to SS: DPL is not the CPL: #GP(selector)", GP, USER_DATA, "mov $0x20, %%eax", "mov %%eax, %%ss");
  KERNEL("MOV to SS: null with RPL 0 loads in 64-bit mode at CPL 0", NO_TRAP, 0, "xor %%eax, %%eax",
         "mov %%eax, %%ss\n mov $0x10, %%eax\n mov %%eax, %%ss");
  USER("MOV to SS: null at CPL 3: #GP(0)", GP, 0, "xor %%eax, %%eax", "mov %%eax, %%ss");
  USER("MOV to DS at CPL 3: a segment of DPL 0: #GP(selector)", GP, KERNEL_DATA, "mov $0x13, %%eax", "mov %%eax, %%ds");
  USER("MOV to DS at CPL 3: conforming code of DPL 0 loads", USER_DONE, 0, "mov $0x63, %%eax", "mov %%eax, %%ds");
  KERNEL("MOV to CS: #UD", UD, 0, "mov $8, %%eax", ".byte 0x8e, 0xc8");
  KERNEL("LLDT of a segment that is no LDT: #GP(selector)", GP, KERNEL_DATA, "mov $0x10, %%eax", "lldt %%ax");
  begin("LLDT, then a selector with TI names the LDT's descriptor; LLDT of null ends that");
  RUN_KERNEL("mov $0x80, %%eax\n lldt %%ax\n mov $0x14, %%eax\n mov %%eax, %%ds\n xor %%eax, %%eax\n lldt %%ax\n mov $0x14, %%eax", "mov %%eax, %%ds");
  want_trap(GP, 0x14, (void *)spot);
  done();
  begin("3.4.5.1: a load sets the descriptor's accessed bit");
  gdt[READ_ONLY / 8] &= ~(1ul << 40);
  RUN_KERNEL("mov $0x58, %%eax", "mov %%eax, %%ds");
  want("vector", trapped.vector, NO_TRAP);
  want("type", gdt[READ_ONLY / 8] >> 40 & 0xff, 0x91);
  done();
}

static void tasks(void) {
  begin("LTR marks the TSS busy");
  want("type", task_type(), 0xb);
  done();
  KERNEL("LTR of a busy TSS: #GP(selector)", GP, TASK, "mov $0x30, %%eax", "ltr %%ax");
  KERNEL("LTR of a null selector: #GP(0)", GP, 0, "xor %%eax, %%eax", "ltr %%ax");
  KERNEL("LTR of a TSS that is not present: #NP(selector)", NP, ABSENT_TASK, "mov $0x90, %%eax", "ltr %%ax");
  KERNEL("LTR of a data segment: #GP(selector)", GP, KERNEL_DATA, "mov $0x10, %%eax", "ltr %%ax");
  KERNEL("LTR with TI: #GP(selector)", GP, 0x34, "mov $0x34, %%eax", "ltr %%ax");
  KERNEL("LTR beyond the GDT: #GP(selector)", GP, 0x1000, "mov $0x1000, %%eax", "ltr %%ax");
  begin("STR and SLDT answer the selectors");
  RUN_KERNEL("", "str %%eax\n sldt %%ebx\n ud2");
  want("tr", trapped.rax, TASK);
  want("ldtr", trapped.rbx, 0);
  done();
}

static void canonical_addresses(void) {
  KERNEL("volume 1, 3.3.7.1: a load from a non-canonical address: #GP(0)", GP, 0, "movabs $0x800000000000, %%rax", "mov (%%rax), %%rax");
  KERNEL("volume 1, 3.3.7.1: a store to a non-canonical address: #GP(0)", GP, 0, "movabs $0x7fffffffffff, %%rax\n inc %%rax", "mov %%rax, (%%rax)");
  KERNEL("volume 1, 3.3.7.1: below the upper half: #GP(0)", GP, 0, "movabs $0xffff7fffffffffff, %%rax", "movb $0, (%%rax)");
  KERNEL("volume 1, 3.3.7.1: with base RBP it is #SS(0)", SS, 0, "movabs $0x800000000000, %%rbp", "mov (%%rbp), %%rax");
  set_gate(SS, 0x8e, 1);
  KERNEL("volume 1, 3.3.7.1: with base RSP it is #SS(0)", SS, 0, "movabs $0x800000000000, %%rax\n mov %%rax, %%rsp", "mov 8(%%rsp), %%rax");
  KERNEL("volume 1, 3.3.7.1: POP: #SS(0)", SS, 0, "movabs $0x800000000000, %%rax\n mov %%rax, %%rsp", "pop %%rax");
  KERNEL("volume 1, 3.3.7.1: CALL on a non-canonical stack: #SS(0)", SS, 0, "movabs $0x800000000010, %%rax\n mov %%rax, %%rsp", "call 1f\n 1:");
  set_gate(SS, 0x8e, 0);
  KERNEL("volume 1, 3.3.7.1: GS: with a non-canonical sum: #GP(0)", GP, 0, "movabs $0x7fffffffffff, %%rbp", "movb %%gs:1(%%rbp), %%al");
  KERNEL("volume 1, 3.3.7.1: the first page of the upper half is canonical: #PF", PF, 0, "movabs $0xffff800000000000, %%rax", "mov (%%rax), %%rax");
  KERNEL("REP MOVSB from a non-canonical address: #GP(0)", GP, 0, "movabs $0x800000000000, %%rsi\n mov %%rsp, %%rdi\n mov $1, %%ecx", "rep movsb");
  KERNEL("REP MOVSB with RCX = 0 touches nothing", NO_TRAP, 0, "movabs $0x800000000000, %%rsi\n xor %%ecx, %%ecx", "rep movsb");
  KERNEL("INVLPG of a non-canonical address does nothing", NO_TRAP, 0, "movabs $0x800000000000, %%rax", "invlpg (%%rax)");
  KERNEL("LGDT with a non-canonical base: #GP(0)", GP, 0, "movabs $0x800000000000, %%rax\n push %%rax\n pushw $0xff", "lgdt (%%rsp)");
  KERNEL("CLFLUSH where CPUID does not announce it: #UD", UD, 0, "", "clflush (%%rsp)");
}

void test_segments(void) {
  loads();
  tasks();
  canonical_addresses();
}
