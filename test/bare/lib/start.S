/*
 * The PVH door of the bare guests: from 32-bit protected mode without paging to 64-bit mode, then the traps.
 * Xen docs/misc/pvh ("x86/HVM direct boot ABI"): EBX = guest-physical address of hvm_start_info.
 */
  .section .note.Xen, "a", @note
  .balign 4
  .long 4, 8, 18                    # name size, descriptor size, XEN_ELFNOTE_PHYS32_ENTRY
  .ascii "Xen\0"
  .quad pvh_entry

  .text
  .code32
  .globl pvh_entry
pvh_entry:
  cld
  mov $stack_end, %esp
  mov %ebx, start_info

  /* The first and the fourth GiB identity-mapped in 2 MiB pages; the second is the window of bare.h. */
  movl $pdpt + 7, pml4               # user code lies in the window: the rights are the leaf's
  movl $low_directory + 3, pdpt
  movl $window_directory + 7, pdpt + 8
  movl $high_directory + 3, pdpt + 24
  movl $window_table + 7, window_directory
  mov $0x83, %eax                   # present, writable, 2 MiB page
  mov $low_directory, %edi
  mov $512, %ecx
1:mov %eax, (%edi)
  add $0x200000, %eax
  add $8, %edi
  loop 1b
  mov $0xc0000083, %eax
  mov $high_directory, %edi
  mov $512, %ecx
2:mov %eax, (%edi)
  add $0x200000, %eax
  add $8, %edi
  loop 2b

  /* Intel SDM volume 3, 10.8.5: PAE, then the page tables, then EFER.LME, then paging. */
  mov $0x620, %eax                  # PAE, OSFXSR, OSXMMEXCPT
  mov %eax, %cr4
  mov $pml4, %eax
  mov %eax, %cr3
  mov $0xc0000080, %ecx
  mov $0x901, %eax                  # NXE, LME, SCE
  xor %edx, %edx
  wrmsr
  mov $0x80010033, %eax             # PG, WP, NE, ET, MP, PE
  mov %eax, %cr0
  lgdt gdt_pointer
  ljmp $0x08, $long_mode

  .code64
long_mode:
  mov $0x10, %eax
  mov %eax, %ds
  mov %eax, %es
  mov %eax, %ss
  xor %eax, %eax
  mov %eax, %fs
  mov %eax, %gs
  mov $stack_end, %esp
  mov start_info, %edi
  call guest_main
  .globl power_off
power_off:
  mov $0x600, %edx                  # SLEEP_CONTROL_REG: SLP_TYP 5, SLP_EN
  mov $0x34, %al
  out %al, %dx
  mov $0x501, %edx                  # only QEMU comes this far: isa-debug-exit
  out %al, %dx
3:cli
  hlt
  jmp 3b

/* One stub a vector, 16 bytes each: the error code, or 0 in its place, then the vector. */
  .balign 16
  .globl trap_stubs
trap_stubs:
  .set vector, 0
  .rept 129
  .balign 16
  .if !((vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17))
  push $0
  .endif
  push $vector
  jmp trap_entry
  .set vector, vector + 1
  .endr

trap_entry:
  cld
  push %rax
  push %rcx
  push %rdx
  push %rbx
  push %rbp
  push %rsi
  push %rdi
  push %r8
  push %r9
  push %r10
  push %r11
  push %r12
  push %r13
  push %r14
  push %r15
  mov %rsp, %rbx
  mov %rsp, %rdi
  and $-16, %rsp
  call trap_dispatch
  test %eax, %eax
  jz resume
  mov %rbx, %rsp
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %r11
  pop %r10
  pop %r9
  pop %r8
  pop %rdi
  pop %rsi
  pop %rbp
  pop %rbx
  pop %rdx
  pop %rcx
  pop %rax
  add $16, %rsp
  .globl trap_return
trap_return:
  iretq

/* Back to whoever called attempt or attempt_user: its stack, its saved registers, interrupts off. */
resume:
  mov recover, %rsp
  mov $0x10, %eax
  mov %eax, %ss
  mov %eax, %ds
  mov %eax, %es
leave:
  cli
  cld
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbp
  pop %rbx
  ret

  .macro remember
  push %rbx
  push %rbp
  push %r12
  push %r13
  push %r14
  push %r15
  mov %rsp, recover
  .endm

/* void attempt(void (*code)(u64, u64), u64 rdi, u64 rsi): calls code; a trap that no handler takes ends it. */
  .globl attempt
attempt:
  remember
  mov %rdi, %rax
  mov %rsi, %rdi
  mov %rdx, %rsi
  call *%rax
  mov recover, %rsp
  jmp leave

/* void attempt_iret(const struct iret_frame *frame, u64 rdi, u64 rsi): IRETQ from a copy of the frame. */
  .globl attempt_iret
attempt_iret:
  remember
  sub $8, %rsp
  push 32(%rdi)
  push 24(%rdi)
  push 16(%rdi)
  push 8(%rdi)
  push (%rdi)
  mov %rsi, %rdi
  mov %rdx, %rsi
  mov $0x23, %eax
  mov %eax, %ds
  mov %eax, %es
  xor %eax, %eax
  .globl iret_at
iret_at:
  iretq

  .bss
  .balign 4096
  .globl pml4, pdpt, low_directory, window_directory, window_table
pml4:
  .skip 4096
pdpt:
  .skip 4096
low_directory:
  .skip 4096
high_directory:
  .skip 4096
window_directory:
  .skip 4096
window_table:
  .skip 4096
  .globl stack_end, trap_stack_end, ist_stack_end
  .skip 0x4000
stack_end:
  .skip 0x2000
trap_stack_end:
  .skip 0x2000
ist_stack_end:
start_info:
  .skip 4
  .balign 8
recover:
  .skip 8

  .section .note.GNU-stack, "", @progbits
