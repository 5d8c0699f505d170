/* Hot code whose translation depends on where, in which mode and at which privilege it runs, or changes under it. */
  .section .user, "ax"
  .macro function name
  .globl \name
\name:
  .endm

/* spin_until(address, value): loads until the quadword is `value`; RAX counts turns. */
function spin_until
  xor %eax, %eax
1:add $1, %rax
  cmp %rsi, (%rdi)
  jne 1b
  ret

/* spin_for_ever(): the handler replaces the short jump by two NOPs. */
function spin_for_ever
  xor %eax, %eax
1:add $1, %rax
  .globl spin_for_ever_jump
spin_for_ever_jump:
  jmp 1b
  ret

/* store_down(address, count): stores the count. */
function store_down
  .globl store_down_at
1:
store_down_at:
  mov %rsi, (%rdi)
  dec %rsi
  jnz 1b
  ret

/* fibonacci(n), recursive: returns whose address alternates. */
function fibonacci
  cmp $2, %rdi
  jae 1f
  mov %rdi, %rax
  ret
1:push %rbx
  push %rdi
  dec %rdi
  call fibonacci
  mov %rax, %rbx
  pop %rdi
  sub $2, %rdi
  call fibonacci
  add %rbx, %rax
  pop %rbx
  ret

/* dispatch(count): an indirect jump with four targets, by the low bits of the count. */
function dispatch
  xor %eax, %eax
1:mov %rdi, %rcx
  and $3, %ecx
  lea 2f(%rip), %rdx
  shl $4, %ecx
  add %rcx, %rdx
  jmp *%rdx
  .balign 16
2:add $1, %rax
  jmp 3f
  .balign 16
  add $10, %rax
  jmp 3f
  .balign 16
  add $100, %rax
  jmp 3f
  .balign 16
  lea 1000(%rax), %rax
3:dec %rdi
  jnz 1b
  ret

/* rewrite_itself(count): REP STOSB writes the immediate of an instruction of this loop. */
function rewrite_itself
  mov %rdi, %rdx
  xor %r8d, %r8d
1:mov %edx, %eax
  and $0x3f, %eax
  lea 2f - 1(%rip), %rdi
  mov $1, %ecx
  rep stosb
  add $0, %r8
2:dec %rdx
  jnz 1b
  mov %r8, %rax
  ret

/* where_am_i: its own linear address. both_modes: INC RAX in 64-bit mode, DEC EAX and INC EAX in 32-bit mode. */
  .globl where_am_i, where_end, both_modes, both_end
where_am_i:
  lea where_am_i(%rip), %rax
  ret
where_end:
both_modes:
  .byte 0x48, 0xff, 0xc0
  .byte 0xff, 0xce                  # DEC ESI in both
  .byte 0x75, 0xf9                  # JNZ both_modes
  int $0x80
both_end:

  .section .note.GNU-stack, "", @progbits
