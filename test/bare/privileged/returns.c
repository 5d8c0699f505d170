/* IRET and far RET. Intel SDM volume 2, IRET and RET; volume 3, 6.14.3. */
#include "tests.h"

static void refused(const char *title, u64 vector, u64 error, u64 rip, u64 cs, u64 rsp, u64 ss) {
  enter(rip, cs, 2, rsp, ss);
  begin(title);
  want_trap(vector, error, iret_at);
  want("cs", trapped.cs, KERNEL_CODE);
  done();
}

static void iret_faults(void) {
  u64 rip = USER_STACK - 0x100;
  u64 rsp = USER_STACK;
  u64 cs = USER_CODE | 3, ss = USER_DATA | 3;
  refused("IRET: null CS: #GP(0)", GP, 0, rip, 3, rsp, ss);
  refused("IRET: CS beyond the GDT: #GP(selector)", GP, 0x1000, rip, 0x1003, rsp, ss);
  refused("IRET: CS names a data segment: #GP(selector)", GP, USER_DATA, rip, USER_DATA | 3, rsp, ss);
  refused("IRET: RPL of CS is not the segment's DPL: #GP(selector)", GP, USER_CODE, rip, USER_CODE, rsp, KERNEL_DATA);
  refused("IRET: a code segment that is not present: #NP(selector)", NP, ABSENT_CODE, rip, ABSENT_CODE, rsp, KERNEL_DATA);
  refused("IRET: a code segment with L and D: #GP(selector)", GP, BAD_CODE, rip, BAD_CODE, rsp, KERNEL_DATA);
  refused("IRET: CS with TI and no LDT: #GP(selector)", GP, 0xc, rip, 0xf, rsp, ss);
  refused("IRET: non-canonical RIP: #GP(0)", GP, 0, 1ul << 47, cs, rsp, ss);
  refused("IRET: null SS for CPL 3: #GP(0)", GP, 0, rip, cs, rsp, 3);
  refused("IRET: RPL of SS is not that of CS: #GP(selector)", GP, USER_DATA, rip, cs, rsp, USER_DATA);
  refused("IRET: DPL of SS is not RPL of CS: #GP(selector)", GP, KERNEL_DATA, rip, cs, rsp, KERNEL_DATA | 3);
  refused("IRET: SS is read-only: #GP(selector)", GP, READ_ONLY, rip, KERNEL_CODE, rsp, READ_ONLY);
  refused("IRET: SS names a code segment: #GP(selector)", GP, USER_CODE, rip, cs, rsp, USER_CODE | 3);
  refused("IRET: SS beyond the GDT: #GP(selector)", GP, 0x1000, rip, cs, rsp, 0x1003);
  refused("IRET: SS is not present: #SS(selector)", SS, ABSENT_DATA, rip, KERNEL_CODE, rsp, ABSENT_DATA);
  KERNEL("IRET with NT set in IA-32e mode: #GP(0)", GP, 0, "pushf\n orl $0x4000, (%%rsp)\n popf", "iretq");
  map(FREE_PAGE, frame(4), 0);
  set_gate(PF, 0x8e, 1);
  argument[0] = window(FREE_PAGE) - 16;
  map(FREE_PAGE - 1, frame(3), P | RW);
  *(u64 *)(frame(4) - 16) = 0;
  *(u64 *)(frame(4) - 8) = KERNEL_CODE;
  RUN_KERNEL("mov %%rdi, %%rsp", "iretq");
  begin("IRET: the frame's RFLAGS lie on an absent page: #PF at IRET, RSP unchanged");
  want_trap(PF, 0, (void *)spot);
  want("cr2", trapped_cr2, window(FREE_PAGE));
  want("rsp", trapped.rsp, argument[0]);
  done();
  set_gate(PF, 0x8e, 0);
  set_gate(SS, 0x8e, 1);
  KERNEL("IRET from a non-canonical stack: #SS(0)", SS, 0, "movabs $0x800000000000, %%rax\n mov %%rax, %%rsp", "iretq");
  set_gate(SS, 0x8e, 0);
}

static void iret_works(void) {
  begin("IRET to 64-bit code at CPL 0 may load a null SS");
  SNIPPET(".text.snippets", "", "ud2", "");
  enter(spot, KERNEL_CODE, 2, (u64)ist_stack_end, 0);
  want_trap(UD, 0, (void *)spot);
  want("ss", trapped.ss, 0);
  want("rsp", trapped.rsp, (u64)ist_stack_end);
  done();
  begin("IRET at CPL 0 loads every flag but VM: IOPL, IF, DF, AC, ID");
  SNIPPET(".user", "", "ud2", "");
  enter(user(spot), USER_CODE | 3, 0x247ed7 & ~FLAG_TF & ~FLAG_NT, USER_STACK, USER_DATA | 3);
  want("flags", trapped.rflags & ~FLAG_RF, 0x247ed7 & ~FLAG_TF & ~FLAG_NT);
  done();
  begin("IRET at CPL 3 leaves IF and IOPL as they are");
  RUN_USER("mov %%rsp, %%rax\n push $0x23\n push %%rax\n push $0x3ad7\n push $0x2b\n lea 1f(%%rip), %%rax\n push %%rax\n iretq\n 1:", "int $0x80");
  want("vector", trapped.vector, USER_DONE);
  want("flags", trapped.rflags & 0x3ad7, 0x08d7);
  done();
  USER("IRET at CPL 3 to an inner level: #GP(selector)", GP, KERNEL_CODE, "push $0x10\n push %%rsp\n push $2\n push $8\n push $0", "iretq");
  begin("volume 2, IRET: DS and ES more privileged than the new CPL become null");
  RUN_KERNEL("mov $0x10, %%eax\n mov %%eax, %%ds\n mov $0x23, %%eax\n mov %%eax, %%es\n"
             "push $0x23\n push $0x40009f00\n push $2\n push $0x2b\n"
             ".pushsection .user, \"ax\"\n 9: mov %%ds, %%eax\n mov %%es, %%ebx\n int $0x80\n .popsection\n mov $9b, %%ecx\n sub $user_start, %%ecx\n add $0x40000000, %%ecx\n push %%rcx",
             "iretq");
  want("vector", trapped.vector, USER_DONE);
  want("ds", trapped.rax & 0xffff, 0);
  want("es", trapped.rbx & 0xffff, 0x23);
  done();
  begin("volume 3, 18.3.1.1: IRET that restores TF: the trap comes behind the first instruction returned to");
  RUN_USER("mov %%rsp, %%rax\n push $0x23\n push %%rax\n push $0x102\n push $0x2b\n lea 1f(%%rip), %%rax\n push %%rax\n iretq\n 1: nop", "nop");
  want_trap(DB, 0, (void *)spot);
  want("TF", trapped.rflags & FLAG_TF, FLAG_TF);
  done();
}

static void far_returns(void) {
  KERNEL("RET far: null CS: #GP(0)", GP, 0, "push $0\n push $0", "lretq");
  KERNEL("RET far: CS names a data segment: #GP(selector)", GP, KERNEL_DATA, "push $0x10\n push $0", "lretq");
  KERNEL("RET far: a code segment that is not present: #NP(selector)", NP, ABSENT_CODE, "push $0x50\n push $0", "lretq");
  KERNEL("RET far: non-canonical RIP: #GP(0)", GP, 0, "push $8\n movabs $0x800000000000, %%rax\n push %%rax", "lretq");
  USER("RET far at CPL 3 to an inner level: #GP(selector)", GP, KERNEL_CODE, "push $8\n push $0", "lretq");
  begin("RET far from CPL 0 to CPL 3 pops SS:RSP and releases the parameters on both stacks");
  RUN_KERNEL("push $0x23\n push $0x40009e00\n sub $24, %%rsp\n push $0x2b\n"
             ".pushsection .user, \"ax\"\n 9: ud2\n .popsection\n mov $9b, %%ecx\n sub $user_start, %%ecx\n add $0x40000000, %%ecx\n push %%rcx",
             "lretq $24");
  want("vector", trapped.vector, UD);
  want("rsp", trapped.rsp, window(USER_STACK_PAGE) + 0xe00 + 24);
  want("cs", trapped.cs, USER_CODE | 3);
  want("ss", trapped.ss, USER_DATA | 3);
  done();
  begin("RET near to a non-canonical address: #GP(0) at RET, RSP unchanged");
  RUN_KERNEL("movabs $0x800000000000, %%rax\n push %%rax\n mov %%rsp, %%rbx", "ret");
  want_trap(GP, 0, (void *)spot);
  want("rsp", trapped.rsp, trapped.rbx);
  done();
  KERNEL("JMP to a non-canonical address: #GP(0) at JMP", GP, 0, "movabs $0x800000000000, %%rax", "jmp *%%rax");
  begin("CALL to a non-canonical address: #GP(0) at CALL, nothing pushed");
  RUN_KERNEL("movabs $0x800000000000, %%rax\n mov %%rsp, %%rbx", "call *%%rax");
  want_trap(GP, 0, (void *)spot);
  want("rsp", trapped.rsp, trapped.rbx);
  done();
}

void test_returns(void) {
  iret_faults();
  iret_works();
  far_returns();
}
