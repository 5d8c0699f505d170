/* void enter_linux(void *to, const void *from, u64 bytes, struct boot_params *params); see linux.h. */
  .text
  .globl enter_linux
enter_linux:
  cli
  cld
  lea stack_end(%rip), %rsp         # the firmware's stack may be what the kernel overwrites
  mov %rdx, %r8                     # bytes
  mov %rcx, %r9                     # params
  mov %rdi, %r10                    # to
  mov %rsi, %r11                    # from

  /* 4 GiB in 2 MiB pages. Intel SDM volume 3, 4.5. */
  lea page_directories + 3(%rip), %rax
  lea pdpt(%rip), %rdi
  mov $4, %ecx
1:mov %rax, (%rdi)
  add $0x1000, %rax
  add $8, %rdi
  loop 1b
  mov $0x83, %eax                   # present, writable, 2 MiB page
  lea page_directories(%rip), %rdi
  mov $2048, %ecx
2:mov %rax, (%rdi)
  add $0x200000, %rax
  add $8, %rdi
  loop 2b
  lea pdpt + 3(%rip), %rax
  mov %rax, pml4(%rip)
  lea pml4(%rip), %rax
  mov %rax, %cr3

  lea gdt(%rip), %rax
  sub $16, %rsp
  movw $31, 6(%rsp)
  mov %rax, 8(%rsp)
  lgdt 6(%rsp)
  mov $0x18, %eax
  mov %eax, %ds
  mov %eax, %es
  mov %eax, %ss
  lea 3f(%rip), %rax
  push $0x10
  push %rax
  lretq
3:
  mov %r10, %rdi
  mov %r11, %rsi
  mov %r8, %rcx
  rep movsb
  mov %r9, %rsi
  lea 0x200(%r10), %rax             # Startup64
  jmp *%rax

  .section .rodata
  .balign 8
gdt:
  .quad 0, 0
  .quad 0x00af9b000000ffff          # 0x10: 64-bit code
  .quad 0x00cf93000000ffff          # 0x18: data

  .bss
  .balign 4096
pml4:
  .skip 4096
pdpt:
  .skip 4096
page_directories:
  .skip 4 * 4096
  .skip 4096
stack_end:

  .section .note.GNU-stack, "", @progbits
