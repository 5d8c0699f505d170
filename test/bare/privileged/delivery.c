/* Delivery through the IDT: frames, stacks, gates, error codes, double faults. Intel SDM volume 3, chapter 6. */
#include "tests.h"

static u8 second_stack[1024] __attribute__((aligned(16)));
#define SECOND_STACK ((u64)second_stack + sizeof second_stack)

static void set_ist(int index, u64 top) {
  task[9 + 2 * (index - 1)] = (u32)top;
  task[10 + 2 * (index - 1)] = (u32)(top >> 32);
}

static void frames(void) {
  begin("6.14.2: the frame lies below RSP rounded down to a multiple of 16; RSP and SS are always pushed");
  RUN_KERNEL("lea -5(%%rsp), %%rsp", "ud2");
  want_trap(UD, 0, (void *)spot);
  want("top", trapped_top, trapped.rsp & ~15ul);
  want("rsp", trapped.rsp & 7, 3);
  want("ss", trapped.ss, KERNEL_DATA);
  want("cs", trapped.cs, KERNEL_CODE);
  done();
  begin("6.14.4: from CPL 3 the stack is RSP0, SS becomes null, the frame holds the user's SS:RSP and CS");
  RUN_USER("", "ud2");
  want_trap(UD, 0, (void *)spot);
  want("top", trapped_top, (u64)trap_stack_end);
  want("ss in the handler", trapped_ss, 0);
  want("ss", trapped.ss, USER_DATA | 3);
  want("cs", trapped.cs, USER_CODE | 3);
  want("rsp", trapped.rsp, USER_STACK);
  done();
  set_ist(2, SECOND_STACK);
  set_gate(UD, 0x8e, 2);
  begin("6.14.5: an IST entry switches the stack at CPL 0; SS stays");
  RUN_KERNEL("", "ud2");
  want("top", trapped_top, SECOND_STACK);
  want("ss in the handler", trapped_ss, KERNEL_DATA);
  done();
  begin("6.14.5: an IST entry takes the place of RSP0 from CPL 3");
  RUN_USER("", "ud2");
  want("top", trapped_top, SECOND_STACK);
  want("ss in the handler", trapped_ss, 0);
  done();
  set_ist(2, SECOND_STACK - 8);
  begin("6.14.2: a stack from the IST is rounded down to a multiple of 16");
  RUN_KERNEL("", "ud2");
  want("top", trapped_top, SECOND_STACK - 16);
  done();
  set_ist(2, SECOND_STACK);
  set_gate(UD, 0x8e, 0);

  begin("6.12.1.3: an interrupt gate clears IF and NT, a trap gate leaves IF and clears NT");
  RUN_KERNEL("pushf\n orl $0x4200, (%%rsp)\n popf", "ud2");
  want("pushed", trapped.rflags & (FLAG_IF | FLAG_NT), FLAG_IF | FLAG_NT);
  want("interrupt gate", trapped_flags & (FLAG_IF | FLAG_NT), 0);
  set_gate(UD, 0x8f, 0);
  RUN_KERNEL("pushf\n orl $0x4200, (%%rsp)\n popf", "ud2");
  want("trap gate", trapped_flags & (FLAG_IF | FLAG_NT), FLAG_IF);
  set_gate(UD, 0x8e, 0);
  done();
  begin("18.3.1.1: a fault pushes RF = 1");
  RUN_KERNEL("", "ud2");
  want("RF", trapped.rflags & FLAG_RF, FLAG_RF);
  done();
  begin("18.3.1.1: a software interrupt pushes RF = 0");
  RUN_KERNEL("", "int $0x80");
  want("vector", trapped.vector, 0x80);
  want("RF", trapped.rflags & FLAG_RF, 0);
  want("rip", trapped.rip, spot + 2);
  done();
  begin("6.15 #BP: INT3 is a trap: RIP is that of the next instruction");
  RUN_KERNEL("", "int3");
  want_trap(BP, 0, (void *)(spot + 1));
  done();
}

static void gates(void) {
  USER("volume 2, INT n: #GP(gate) when the gate's DPL is below the CPL", GP, 0x30 * 8 + 2, "", "int $0x30");
  USER("volume 2, INT3: the gate's DPL counts: #GP(gate)", GP, BP * 8 + 2, "", "int3");
  begin("volume 2, INT1: the gate's DPL does not count");
  RUN_USER("", ".byte 0xf1");
  want_trap(DB, 0, (void *)(spot + 1));
  done();
  set_gate(0x30, 0x0e, 0);
  KERNEL("6.15 #NP: INT n through a gate that is not present: #NP(gate), EXT = 0", NP, 0x30 * 8 + 2, "", "int $0x30");
  set_gate(UD, 0x0e, 0);
  KERNEL("6.15 #NP: the gate of #UD is not present: #NP(gate) with EXT = 1", NP, UD * 8 + 3, "", "ud2");
  set_gate(UD, 0x8e, 0);
  set_gate(0x30, 0x8c, 0);
  KERNEL("volume 2, INT n: a call gate in the IDT: #GP(gate)", GP, 0x30 * 8 + 2, "", "int $0x30");
  set_gate(0x30, 0x85, 0);
  KERNEL("6.14.1: a task gate in the IDT of IA-32e mode: #GP(gate)", GP, 0x30 * 8 + 2, "", "int $0x30");
  set_gate(0x30, 0x8e, 0);
  u64 stub = (u64)trap_stubs + 16 * 0x30;
  set_gate_target(0x30, 0, stub);
  KERNEL("volume 2, INT n: a null selector in the gate: #GP(0)", GP, 0, "", "int $0x30");
  set_gate_target(0x30, KERNEL_DATA, stub);
  KERNEL("volume 2, INT n: a data segment in the gate: #GP(selector)", GP, KERNEL_DATA, "", "int $0x30");
  set_gate_target(0x30, 0x1000, stub);
  KERNEL("volume 2, INT n: a selector beyond the GDT in the gate: #GP(selector)", GP, 0x1000, "", "int $0x30");
  set_gate_target(0x30, ABSENT_CODE, stub);
  KERNEL("volume 2, INT n: a code segment that is not present in the gate: #NP(selector)", NP, ABSENT_CODE, "", "int $0x30");
  set_gate_target(0x30, KERNEL_CODE32, stub);
  KERNEL("6.14.1: a 32-bit code segment in the gate: #GP(selector)", GP, KERNEL_CODE32, "", "int $0x30");
  set_gate_target(0x30, USER_CODE, stub);
  KERNEL("6.12.1.1: a code segment of an outer level in the gate: #GP(selector)", GP, USER_CODE, "", "int $0x30");
  set_gate_target(0x30, KERNEL_CODE, 1ul << 47);
  KERNEL("volume 2, INT n: a handler at a non-canonical address: #GP(0)", GP, 0, "", "int $0x30");
  set_gate(0x30, 0x8e, 0);
  struct table_pointer small = { 0x30 * 16 + 14, (u64)idt };
  __asm__ volatile("lidt %0" : : "m"(small));
  KERNEL("6.10: a gate that ends beyond the IDT's limit: #GP(gate)", GP, 0x30 * 8 + 2, "", "int $0x30");
  __asm__ volatile("lidt %0" : : "m"(idt_pointer));

  timer_start(OTHER_TIMER, 50);
  while (!(APIC[0x210 / 4] & 2)) {
  }
  set_gate(OTHER_TIMER, 0x0e, 0);
  begin("6.13: an external interrupt through a gate that is not present: #NP(gate) with EXT = 1");
  RUN_KERNEL("sti", "nop\n nop");
  want("vector", trapped.vector, NP);
  want("error", trapped.error, OTHER_TIMER * 8 + 3);
  want("IF", trapped.rflags & FLAG_IF, FLAG_IF);
  done();
  end_of_interrupt();
  set_gate(OTHER_TIMER, 0x8e, 0);

  __asm__ volatile("ltr %w0" : : "r"(SMALL_TASK));
  set_gate(0x30, 0x8e, 1);
  KERNEL("8.7: an IST entry beyond the TSS's limit: #TS(TR)", TS, SMALL_TASK, "", "int $0x30");
  set_gate(0x30, 0x8e, 0);
  gdt[TASK / 8] &= ~(2ul << 40); // no longer busy
  __asm__ volatile("ltr %w0" : : "r"(TASK));
}

static void faults_in_delivery(const char *title, u64 vector, u64 error) {
  begin(title);
  want_trap(vector, error, (void *)spot);
  if (vector == DF) want("stack", trapped_top, (u64)ist_stack_end);
  done();
}

void test_delivery(void) {
  frames();
  gates();
}

void test_double_faults(void) {
  set_gate(GP, 0x0e, 0);
  RUN_KERNEL("xor %%eax, %%eax\n mov $0x1000, %%ax", "mov %%ax, %%ds");
  faults_in_delivery("6.15 #DF: #GP, then #NP for its gate: contributory after contributory: #DF(0) at the first instruction", DF, 0);
  set_gate(GP, 0x8e, 0);
  set_gate(PF, 0x0e, 0);
  RUN_KERNEL("mov $0x40100000, %%eax", "mov (%%rax), %%eax");
  faults_in_delivery("6.15 #DF: #PF, then #NP for its gate: contributory after page fault: #DF(0)", DF, 0);
  set_gate(PF, 0x8e, 0);
  map(FREE_PAGE, frame(4), 0);
  argument[0] = window(FREE_PAGE) + 0x800;
  RUN_KERNEL("mov $0x40100000, %%eax\n mov %%rdi, %%rsp", "mov (%%rax), %%eax");
  begin("6.15 #DF: #PF, then #PF for its stack: #DF(0); CR2 is that of the second");
  want_trap(DF, 0, (void *)spot);
  want("cr2 page", trapped_cr2 & ~0xffful, window(FREE_PAGE));
  done();
  set_gate(PF, 0x8e, 1);
  RUN_KERNEL("mov %%rdi, %%rsp", "ud2");
  begin("6.15 #DF: #UD, then #PF for its stack: benign first: the #PF is delivered, with W = 1");
  want_trap(PF, PF_W, (void *)spot);
  want("cr2 page", trapped_cr2 & ~0xffful, window(FREE_PAGE));
  done();
  RUN_KERNEL("mov %%rdi, %%rsp\n mov $0x1000, %%eax", "mov %%ax, %%ds");
  begin("table 6-5: #GP, then #PF for its stack: contributory first: the #PF is delivered");
  want_trap(PF, PF_W, (void *)spot);
  done();
  RUN_KERNEL("mov %%rdi, %%rsp", "int $0x80");
  begin("volume 2, INT n: #PF for its stack is the fault of INT n");
  want_trap(PF, PF_W, (void *)spot);
  want("rsp", trapped.rsp, argument[0]);
  done();
  set_gate(PF, 0x8e, 0);
  map(FREE_PAGE, frame(4), P);
  set_gate(PF, 0x8e, 1);
  RUN_KERNEL("mov %%rdi, %%rsp", "ud2");
  begin("6.14.2: a read-only stack: #PF with P = 1, W = 1, U = 0");
  want_trap(PF, PF_P | PF_W, (void *)spot);
  done();
  set_gate(PF, 0x8e, 0);
  set_gate(SS, 0x8e, 1);
  RUN_KERNEL("movabs $0x800000000800, %%rax\n mov %%rax, %%rsp", "ud2");
  begin("6.14.2: #UD on a non-canonical stack: #SS with EXT = 1");
  want_trap(SS, 1, (void *)spot);
  done();
  set_gate(SS, 0x8e, 0);
  RUN_KERNEL("movabs $0x800000000010, %%rax\n mov %%rax, %%rsp", "push %%rax");
  faults_in_delivery("table 6-5: PUSH on a non-canonical stack: #SS, then #SS for its frame: #DF(0)", DF, 0);
}

/* A #GP whose gate, and that of #DF, lie beyond the IDT's limit. Intel SDM volume 3, 6.15, #DF. */
void triple_fault(void) {
  struct table_pointer none = { 0, 0 };
  print("triple fault now\n");
  __asm__ volatile("lidt %0\n int3" : : "m"(none));
  print("still here\n");
}
