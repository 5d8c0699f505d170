/*
 * Calls that may fault: #GP and #PF end the call and say what happened, or mend the page table and go on. The handlers
 * stand in a copy of the firmware's IDT (pointers.c). Intel SDM volume 3, 6.14.
 */
  .bss
  .balign 8
  .globl guard_vector, guard_error, guard_address, guard_mend_entry, guard_mend_value
guard_vector:                       # 0: the call ended by itself
  .quad 0
guard_error:
  .quad 0
guard_address:                      # CR2
  .quad 0
guard_mend_entry:                   # where to write guard_mend_value at the next #PF; 0: nowhere
  .quad 0
guard_mend_value:
  .quad 0
frame:
  .quad 0

/* u64 guard_call(void *function, const u64 arguments[6]): RAX of an MS x64 function, or all ones after a fault. */
  .text
  .globl guard_call
guard_call:
  push %rbx
  push %rbp
  push %r12
  push %r13
  push %r14
  push %r15
  pushfq
  movq $0, guard_vector(%rip)
  mov %rsp, frame(%rip)
  sub $56, %rsp
  and $-16, %rsp
  mov %rdi, %rax
  mov 32(%rsi), %rcx
  mov %rcx, 32(%rsp)
  mov 40(%rsi), %rcx
  mov %rcx, 40(%rsp)
  mov 0(%rsi), %rcx
  mov 8(%rsi), %rdx
  mov 16(%rsi), %r8
  mov 24(%rsi), %r9
  call *%rax
back:
  mov frame(%rip), %rsp
  cld
  popfq
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbp
  pop %rbx
  ret

  .globl guard_page_fault
guard_page_fault:
  cmpq $0, guard_mend_entry(%rip)
  jne mend
  movq $14, guard_vector(%rip)
  mov %cr2, %rax
  mov %rax, guard_address(%rip)
  jmp fault
  .globl guard_general_protection
guard_general_protection:
  movq $13, guard_vector(%rip)
  movq $0, guard_address(%rip)
fault:
  pop %rax
  mov %rax, guard_error(%rip)
  mov $-1, %rax
  jmp back

mend:
  push %rax
  push %rcx
  mov guard_mend_entry(%rip), %rax
  mov guard_mend_value(%rip), %rcx
  mov %rcx, (%rax)
  movq $0, guard_mend_entry(%rip)
  pop %rcx
  pop %rax
  add $8, %rsp
  iretq

  .section .note.GNU-stack, "", @progbits
