/* Control registers, debug registers, MSRs, shadows, floating-point gates, opcodes. Intel SDM volume 3, 2.5; volume 2. */
#include "tests.h"

void test_control(void) {
  KERNEL("2.5: CR0: PG without PE: #GP(0)", GP, 0, "mov %%cr0, %%rax\n and $~1, %%rax", "mov %%rax, %%cr0");
  KERNEL("2.5: CR0: NW without CD: #GP(0)", GP, 0, "mov %%cr0, %%rax\n or $0x20000000, %%rax", "mov %%rax, %%cr0");
  KERNEL("2.5: CR0: a bit above 31: #GP(0)", GP, 0, "mov %%cr0, %%rax\n bts $32, %%rax", "mov %%rax, %%cr0");
  KERNEL("10.8.5.4: CR0: PG cleared in 64-bit mode: #GP(0)", GP, 0, "mov %%cr0, %%rax\n btr $31, %%rax", "mov %%rax, %%cr0");
  KERNEL("2.5: CR4: a reserved bit: #GP(0)", GP, 0, "mov %%cr4, %%rax\n bts $31, %%rax", "mov %%rax, %%cr4");
  KERNEL("2.5: CR4: a bit above 31: #GP(0)", GP, 0, "mov %%cr4, %%rax\n bts $63, %%rax", "mov %%rax, %%cr4");
  KERNEL("10.8.5: CR4: PAE cleared in IA-32e mode: #GP(0)", GP, 0, "mov %%cr4, %%rax\n btr $5, %%rax", "mov %%rax, %%cr4");
  KERNEL("4.5: CR3: a bit beyond MAXPHYADDR: #GP(0)", GP, 0, "mov %%cr3, %%rax\n bts $50, %%rax", "mov %%rax, %%cr3");
  KERNEL("2.5: CR8: a value above 15: #GP(0)", GP, 0, "mov $16, %%eax", "mov %%rax, %%cr8");
  KERNEL("volume 2, MOV: CR1: #UD", UD, 0, "", ".byte 0x0f, 0x20, 0xc8");
  KERNEL("volume 2, MOV: CR5: #UD", UD, 0, "", ".byte 0x0f, 0x22, 0xe8");
  begin("11.8.6: CR8 is TPR[7:4]");
  RUN_KERNEL("mov $5, %%eax\n mov %%rax, %%cr8\n mov %%cr8, %%rbx", "ud2");
  want("cr8", trapped.rbx, 5);
  want("TPR", APIC[0x80 / 4], 0x50);
  APIC[0x80 / 4] = 0;
  done();
  begin("2.5: CR2 can be written and read");
  RUN_KERNEL("movabs $0x123456789abcdef0, %%rax\n mov %%rax, %%cr2\n mov %%cr2, %%rbx", "ud2");
  want("cr2", trapped.rbx, 0x123456789abcdef0);
  done();
  KERNEL("volume 2, RDMSR: an MSR that does not exist: #GP(0)", GP, 0, "mov $0x12345678, %%ecx", "rdmsr");
  KERNEL("volume 2, WRMSR: an MSR that does not exist: #GP(0)", GP, 0, "mov $0x12345678, %%ecx", "wrmsr");
  KERNEL("10.8.5: EFER.LME changed with paging on: #GP(0)", GP, 0, "mov $0xc0000080, %%ecx\n rdmsr\n btr $8, %%eax", "wrmsr");
  KERNEL("volume 4, EFER: a reserved bit: #GP(0)", GP, 0, "mov $0xc0000080, %%ecx\n rdmsr\n bts $20, %%eax", "wrmsr");
  begin("10.8.5: EFER.LMA is read-only: a write ignores it");
  write_msr(0xc0000080, read_msr(0xc0000080));
  want("EFER", read_msr(0xc0000080), 0xd01);
  done();
  KERNEL("12.12.4: IA32_PAT: a reserved type: #GP(0)", GP, 0, "mov $0x277, %%ecx\n mov $2, %%eax\n xor %%edx, %%edx", "wrmsr");
  KERNEL("11.4.4: IA32_APIC_BASE: a reserved bit: #GP(0)", GP, 0, "mov $0x1b, %%ecx\n rdmsr\n or $1, %%eax", "wrmsr");
  KERNEL("volume 2, WRMSR: a non-canonical FS base: #GP(0)", GP, 0, "mov $0xc0000100, %%ecx\n xor %%eax, %%eax\n mov $0x8000, %%edx", "wrmsr");
  KERNEL("18.2.4: DR7: a bit above 31: #GP(0)", GP, 0, "mov $0x400, %%eax\n bts $40, %%rax", "mov %%rax, %%dr7");
  write_cr4(read_cr4() | 8);
  KERNEL("18.2.2: DR4 with CR4.DE = 1: #UD", UD, 0, "", "mov %%db4, %%rax");
  write_cr4(read_cr4() & ~8ul);
  KERNEL("18.2.2: DR4 with CR4.DE = 0 is DR6", NO_TRAP, 0, "", "mov %%db4, %%rax");
  KERNEL("18.3.1.3: DR7.GD: an access to a debug register: #DB in front of it", DB, 0, "mov $0x2400, %%eax\n mov %%rax, %%dr7", "mov %%dr6, %%rax");
  begin("18.3.1.3: #DB of general detect sets DR6.BD and clears DR7.GD");
  RUN_KERNEL("mov %%dr6, %%rax\n mov %%dr7, %%rbx", "ud2");
  want("vector", trapped.vector, UD);
  want("BD", trapped.rax & 0x2000, 0x2000);
  want("GD", trapped.rbx & 0x2000, 0);
  done();
  begin("18.3.1.4: a single step sets DR6.BS");
  RUN_KERNEL("mov $0xffff0ff0, %%eax\n mov %%rax, %%dr6\n pushf\n orl $0x100, (%%rsp)\n popf\n nop", "nop");
  want_trap(DB, 0, (void *)spot);
  RUN_KERNEL("mov %%dr6, %%rax", "ud2");
  want("BS", trapped.rax & 0x4000, 0x4000);
  done();
  KERNEL("6.8.3: MOV to SS holds back the single-step trap until behind the next instruction", DB, 0,
         "mov $0x10, %%eax\n pushf\n orl $0x100, (%%rsp)\n popf\n mov %%eax, %%ss\n nop", "nop");
  KERNEL("18.3.1.4: a single step over a software interrupt: the handler runs first, TF clear", 0x80, 0,
         "pushf\n orl $0x100, (%%rsp)\n popf\n int $0x80", "nop");
}

static void restore(void) {
  write_cr0((read_cr0() & ~0xcul) | 2);
  __asm__ volatile("fninit");
}

void test_floating_point(void) {
  write_cr0(read_cr0() | 8);
  KERNEL("2.5: CR0.TS: x87: #NM", NM, 0, "", "fld1");
  KERNEL("2.5: CR0.TS: SSE: #NM", NM, 0, "", "movaps %%xmm0, %%xmm1");
  KERNEL("2.5: CR0.TS: MMX: #NM", NM, 0, "", "movq %%mm0, %%mm1");
  KERNEL("2.5: CR0.TS and MP: WAIT: #NM", NM, 0, "", "fwait");
  KERNEL("volume 2, FXSAVE: CR0.TS: #NM", NM, 0, "sub $512, %%rsp\n and $-16, %%rsp", "fxsave (%%rsp)");
  KERNEL("volume 2: CR0.TS does not matter to PREFETCH, SFENCE, MOVNTI, PAUSE", NO_TRAP, 0, "", "sfence\n prefetchnta (%%rsp)\n movnti %%rax, -8(%%rsp)\n pause");
  write_cr0(read_cr0() & ~2ul);
  KERNEL("2.5: CR0.TS without MP: WAIT passes", NO_TRAP, 0, "", "fwait");
  KERNEL("2.5: CLTS clears TS", NO_TRAP, 0, "clts", "fld1");
  restore();
  write_cr0(read_cr0() | 4);
  KERNEL("2.5: CR0.EM: x87: #NM", NM, 0, "", "fld1");
  KERNEL("2.5: CR0.EM: SSE: #UD", UD, 0, "", "movaps %%xmm0, %%xmm1");
  KERNEL("2.5: CR0.EM: MMX: #UD", UD, 0, "", "movq %%mm0, %%mm1");
  restore();
  write_cr4(read_cr4() & ~0x200ul);
  KERNEL("2.5: CR4.OSFXSR = 0: SSE: #UD", UD, 0, "", "movaps %%xmm0, %%xmm1");
  KERNEL("2.5: CR4.OSFXSR = 0: SSE2 on XMM registers: #UD", UD, 0, "", "paddb %%xmm0, %%xmm1");
  write_cr4(read_cr4() | 0x200);
  KERNEL("volume 1, 8.7: x87: a division by zero unmasked: #MF at the next waiting instruction", MF, 0,
         "fninit\n push $0x37b\n fldcw (%%rsp)\n fld1\n fldz\n fdivrp\n nop", "fwait");
  restore();
  KERNEL("volume 1, 8.7: the instruction itself and those that do not wait raise nothing", NO_TRAP, 0,
         "fninit\n push $0x37b\n fldcw (%%rsp)\n fld1\n fldz\n fdivrp\n fnstsw %%ax\n fnclex\n pop %%rax", "fwait");
  restore();
  KERNEL("volume 1, 11.5.4: SSE: a division by zero unmasked: #XM", XM, 0,
         "push $0x1d80\n ldmxcsr (%%rsp)\n xorps %%xmm0, %%xmm0\n mov $0x3f800000, %%eax\n movd %%eax, %%xmm1", "divss %%xmm0, %%xmm1");
  write_cr4(read_cr4() & ~0x400ul);
  KERNEL("2.5: CR4.OSXMMEXCPT = 0: the same: #UD", UD, 0,
         "push $0x1d80\n ldmxcsr (%%rsp)\n xorps %%xmm0, %%xmm0\n mov $0x3f800000, %%eax\n movd %%eax, %%xmm1", "divss %%xmm0, %%xmm1");
  write_cr4(read_cr4() | 0x400);
  KERNEL("volume 2, LDMXCSR: a reserved bit: #GP(0)", GP, 0, "push $0x10000", "ldmxcsr (%%rsp)");
  KERNEL("volume 2, LDMXCSR: the default", NO_TRAP, 0, "push $0x1f80\n ldmxcsr (%%rsp)", "pop %%rax");
  KERNEL("volume 2, MOVAPS: a misaligned operand: #GP(0)", GP, 0, "and $-16, %%rsp", "movaps 8(%%rsp), %%xmm0");
  KERNEL("volume 2, PADDB: a misaligned operand: #GP(0)", GP, 0, "and $-16, %%rsp", "paddb 8(%%rsp), %%xmm0");
  KERNEL("volume 2, FXSAVE: a misaligned operand: #GP(0)", GP, 0, "and $-16, %%rsp", "fxsave -520(%%rsp)");
  KERNEL("volume 2, MOVUPS: any operand", NO_TRAP, 0, "", "movups 1(%%rsp), %%xmm0");
  write_cr0(read_cr0() | 0x40000);
  user_flags = 2 | FLAG_AC;
  USER("6.15 #AC: an aligned load passes", USER_DONE, 0, "and $-16, %%rsp", "mov 4(%%rsp), %%eax");
  user_flags = 2;
  KERNEL("6.15 #AC: never at CPL 0", NO_TRAP, 0, "pushf\n orl $0x40000, (%%rsp)\n popf", "mov 1(%%rsp), %%eax\n pushf\n andl $~0x40000, (%%rsp)\n popf");
  write_cr0(read_cr0() & ~0x40000ul);
}

#define INVALID(name, bytes) KERNEL("volume 2: " name ": #UD", UD, 0, "", ".byte " bytes)

void test_opcodes(void) {
  INVALID("UD2", "0x0f, 0x0b");
  INVALID("UD1", "0x0f, 0xb9, 0xc0");
  INVALID("PUSH ES in 64-bit mode", "0x06");
  INVALID("DAA in 64-bit mode", "0x27");
  INVALID("PUSHA in 64-bit mode", "0x60");
  INVALID("82H in 64-bit mode", "0x82, 0xc0, 0x01");
  INVALID("AAM in 64-bit mode", "0xd4, 0x0a");
  INVALID("INTO in 64-bit mode", "0xce");
  INVALID("CALL ptr16:32 in 64-bit mode", "0x9a, 0, 0, 0, 0, 8, 0");
  INVALID("JMP ptr16:32 in 64-bit mode", "0xea, 0, 0, 0, 0, 8, 0");
  INVALID("LOCK with a register destination", "0xf0, 0x01, 0xc0");
  INVALID("LOCK with an instruction that takes none", "0xf0, 0x8b, 0x00");
  INVALID("LEA with a register operand", "0x8d, 0xc0");
  INVALID("FEH /7", "0xfe, 0xf8");
  INVALID("XSETBV with CR4.OSXSAVE = 0", "0x0f, 0x01, 0xd1");
  INVALID("VMCALL without VMX", "0x0f, 0x01, 0xc1");
  INVALID("RSM outside SMM", "0x0f, 0xaa");
  KERNEL("6.15 #GP: an instruction of 16 bytes: #GP(0)", GP, 0, "", ".rept 15\n .byte 0x66\n .endr\n nop");
  KERNEL("volume 2, 2.1: an instruction of 15 bytes", NO_TRAP, 0, "", ".rept 14\n .byte 0x66\n .endr\n nop");
  KERNEL("volume 2, DIV: a quotient that does not fit: #DE", DE, 0, "mov $1, %%edx\n xor %%eax, %%eax\n mov $1, %%ecx", "div %%ecx");
  KERNEL("volume 2, IDIV: the lowest number by -1: #DE", DE, 0, "mov $0x80000000, %%eax\n cdq\n mov $-1, %%ecx", "idiv %%ecx");
  KERNEL("volume 2, CMPXCHG16B: a misaligned operand: #GP(0)", GP, 0, "and $-16, %%rsp", "cmpxchg16b 8(%%rsp)");
}
