/* SYSCALL, SYSRET, SYSENTER, SYSEXIT, SWAPGS; 32-bit code under IA-32e mode. Intel SDM volume 2; volume 3, 5.8. */
#include "tests.h"

enum { EFER = 0xc0000080, STAR = 0xc0000081, LSTAR = 0xc0000082, SFMASK = 0xc0000084, GS_BASE = 0xc0000101, KERNEL_GS_BASE = 0xc0000102 };

void syscall_trap(void), syscall_return(void), syscall_return32(void), sysenter_return(void);
extern u8 syscall_trap_at[];
__asm__(".text\n"
        "syscall_trap: syscall_trap_at: ud2\n"
        "syscall_return: mov $0x77, %eax\n sysretq\n"
        "syscall_return32: mov $0x78, %eax\n sysretl\n"
        "sysenter_return: mov $0x79, %eax\n sysexitq\n");

static void system_calls(void) {
  write_msr(STAR, (u64)USER_CODE32 << 48 | (u64)KERNEL_CODE << 32);
  write_msr(LSTAR, (u64)syscall_trap);
  write_msr(SFMASK, 0x4600);
  user_flags = 0x202 | FLAG_DF | FLAG_CF;
  begin("SYSCALL: CS, SS from STAR, RIP from LSTAR, RCX and R11 saved, SFMASK applied, RSP unchanged");
  RUN_USER("stc\n std", "syscall\n 9:");
  want_trap(UD, 0, syscall_trap_at);
  want("cs", trapped.cs, KERNEL_CODE);
  want("ss", trapped.ss, KERNEL_DATA);
  want("rcx", trapped.rcx, spot + 2);
  want("r11", trapped.r11, 0x603 | (user_flags & 0xd4));
  want("flags", trapped.rflags & ~FLAG_RF, 0x003);
  want("rsp", trapped.rsp, USER_STACK);
  done();
  user_flags = 2;
  write_msr(LSTAR, (u64)syscall_return);
  begin("SYSRET to 64-bit mode: RIP from RCX, RFLAGS from R11, CS and SS from STAR with RPL 3");
  RUN_USER("stc\n std", "syscall");
  want_trap(USER_DONE, 0, (void *)spot);
  want("rax", trapped.rax, 0x77);
  want("cs", trapped.cs, USER_CODE | 3);
  want("ss", trapped.ss, USER_DATA | 3);
  want("flags", trapped.rflags, 0x403);
  done();
  write_msr(LSTAR, (u64)syscall_return32);
  begin("SYSRET to compatibility mode: CS is STAR[63:48] with RPL 3");
  RUN_USER("", "syscall");
  want_trap(USER_DONE, 0, (void *)spot);
  want("rax", trapped.rax, 0x78);
  want("cs", trapped.cs, USER_CODE32 | 3);
  want("ss", trapped.ss, USER_DATA | 3);
  done();
  begin("SYSRET with a non-canonical RCX: #GP(0) at CPL 0");
  RUN_KERNEL("movabs $0x800000000000, %%rcx\n mov $2, %%r11d", "sysretq");
  want_trap(GP, 0, (void *)spot);
  want("cs", trapped.cs, KERNEL_CODE);
  done();
  write_msr(EFER, read_msr(EFER) & ~1ul);
  USER("SYSCALL with EFER.SCE = 0: #UD", UD, 0, "", "syscall");
  KERNEL("SYSRET with EFER.SCE = 0: #UD", UD, 0, "", "sysretq");
  write_msr(EFER, read_msr(EFER) | 1);
  KERNEL("WRMSR of a non-canonical LSTAR: #GP(0)", GP, 0, "mov $0xc0000082, %%ecx\n xor %%eax, %%eax\n mov $0x8000, %%edx", "wrmsr");

  begin("SWAPGS exchanges the bases of GS");
  write_msr(GS_BASE, 0x1234560000);
  write_msr(KERNEL_GS_BASE, 0x7654320000);
  RUN_KERNEL("", "swapgs");
  want("GS", read_msr(GS_BASE), 0x7654320000);
  want("KERNEL_GS", read_msr(KERNEL_GS_BASE), 0x1234560000);
  write_msr(GS_BASE, 0);
  done();

  write_msr(0x174, 0);
  USER("SYSENTER with a null IA32_SYSENTER_CS: #GP(0)", GP, 0, "", "sysenter");
  write_msr(0x174, KERNEL_CODE);
  write_msr(0x175, (u64)trap_stack_end);
  write_msr(0x176, (u64)syscall_trap);
  begin("SYSENTER: CS, SS, RSP, RIP from the MSRs, IF clear");
  user_flags = 0x202;
  RUN_USER("", "sysenter");
  user_flags = 2;
  want_trap(UD, 0, syscall_trap_at);
  want("cs", trapped.cs, KERNEL_CODE);
  want("ss", trapped.ss, KERNEL_DATA);
  want("rsp", trapped.rsp, (u64)trap_stack_end);
  want("IF", trapped.rflags & FLAG_IF, 0);
  done();
}

static void compatibility(void) {
  begin("IRETQ to compatibility mode and back through INT: frame of 64-bit size, CS of the 32-bit segment");
  RUN_USER32("mov $0x12345678, %%eax\n push %%eax\n pop %%ebx\n .byte 0x41\n mov %%esp, %%edx", "nop"); // 41: INC ECX, no REX
  want_trap(USER_DONE, 0, (void *)spot);
  want("rbx", trapped.rbx, 0x12345678);
  want("rdx", trapped.rdx, USER_STACK);
  want("rsp", trapped.rsp, USER_STACK);
  want("cs", trapped.cs, USER_CODE32 | 3);
  want("ss", trapped.ss, USER_DATA | 3);
  done();
  begin("volume 1, 3.4.1.1: compatibility mode: 40H to 4FH are INC and DEC, not REX");
  RUN_USER32("xor %%ecx, %%ecx\n .byte 0x41, 0x41, 0x41, 0x49", "nop");
  want("rcx", trapped.rcx, 2);
  done();
  USER32("volume 1, 3.3.7: compatibility mode: effective addresses wrap at 4 GBytes: a supervisor page", PF, PF_P | PF_U, "mov $0xfffffff0, %%eax", "mov 0x1010(%%eax), %%eax");
  begin("volume 1, 3.3.7: compatibility mode: CR2 holds the wrapped address");
  want("cr2", trapped_cr2, 0x1000);
  done();
  USER32("SYSCALL in compatibility mode: #UD on Intel processors", UD, 0, "", "syscall");
  begin("5.8.1: a far RET from compatibility mode to 64-bit code");
  RUN_USER32("push $0x2b\n call 1f\n 1: addl $(2f - 1b), (%%esp)\n lret\n .code64\n 2: movabs $0x123456789abcdef0, %%r8\n", "nop");
  want("vector", trapped.vector, USER_DONE);
  want("r8", trapped.r8, 0x123456789abcdef0);
  want("cs", trapped.cs, USER_CODE | 3);
  done();
  map(0, user_start, P | US);
  USER32("5.3: compatibility mode: an access inside a small segment", USER_DONE, 0, "mov $0xa3, %%eax\n mov %%eax, %%es", "mov %%es:0xffc, %%eax");
  begin("3.4.3: compatibility mode: a segment's base counts");
  RUN_USER32("mov $0xa3, %%eax\n mov %%eax, %%es\n mov %%es:0x10, %%eax\n mov $0x40000010, %%ebx\n mov (%%ebx), %%ebx", "nop");
  want("rax", trapped.rax, *(u32 *)(user_start + 0x10));
  want("rbx", trapped.rbx, *(u32 *)(user_start + 0x10));
  done();
  USER32("5.9: CLI in compatibility mode at CPL 3: #GP(0)", GP, 0, "", "cli");
  USER32("volume 2, INTO: #OF is a trap; from CPL 3 its gate needs DPL 3: #GP(gate)", GP, OF * 8 + 2, "mov $0x7f, %%al\n add $1, %%al", "into");
  USER32("volume 2, BOUND: outside: #BR", 5, 0, "push $20\n push $10\n mov $30, %%eax", "bound %%eax, (%%esp)");
  USER32("volume 2, PUSHA in compatibility mode", USER_DONE, 0, "", "pusha\n popa");
  begin("volume 2, DAA, AAM in compatibility mode");
  RUN_USER32("mov $0x0f, %%al\n daa\n mov %%al, %%bl\n mov $23, %%al", "aam");
  want("vector", trapped.vector, USER_DONE);
  want("DAA", trapped.rbx & 0xff, 0x15);
  want("AAM", trapped.rax & 0xffff, 0x203);
  done();
}

void test_system_calls(void) { system_calls(); }
void test_compatibility(void) { compatibility(); }
