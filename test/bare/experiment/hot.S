/* The hot code of the experiment. Functions take RDI, RSI, RDX, RCX as the System V ABI has it, and answer in RAX. */
  .section .user, "ax"
  .macro function name
  .globl \name
\name:
  .endm

/* multiply_add(result, number, words, factor): result += number * factor; answers the carry. The loop of RSA. */
function multiply_add
  mov %rdx, %r8
  xor %r9d, %r9d
1:mov (%rsi), %rax
  mul %rcx
  add %r9, %rax
  adc $0, %rdx
  add %rax, (%rdi)
  adc $0, %rdx
  mov %rdx, %r9
  add $8, %rsi
  add $8, %rdi
  dec %r8
  jnz 1b
  mov %r9, %rax
  ret

/* calls(count): nested calls across three pages. */
function calls
  push %rbx
  mov %rdi, %rbx
  xor %eax, %eax
1:call calls_a
  dec %rbx
  jnz 1b
  pop %rbx
  ret
calls_a:
  add $1, %rax
  call calls_b
  lea 2(%rax,%rax,2), %rax
  ret

/* returns(count): a callee that moves its return address over an instruction when bit 3 of the count is set. */
function returns
  xor %eax, %eax
1:call 3f
  add $16, %rax                     # four bytes, sometimes stepped over
  add $1, %rax
  dec %rdi
  jnz 1b
  ret
3:test $8, %edi
  jz 4f
  addq $4, (%rsp)
4:ret

/* add_along(address, value): 5,000 unaligned read-modify-writes, 8 bytes apart. RBX counts carries. */
function add_along
  xor %ebx, %ebx
  mov $5000, %edx
1:cmp %rsi, %rsi                    # CF = 0, ZF = 1: the flags at the fault
  .globl add_along_at
add_along_at:
  add %rsi, (%rdi)
  adc $0, %rbx
  add $8, %rdi
  dec %edx
  jnz 1b
  ret

/* count_until(address of a u32, limit): RAX counts turns, R8 thrice that. The labels tell the handler what to expect. */
function count_until
  xor %eax, %eax
  xor %r8d, %r8d
  .globl count_0, count_1, count_2, count_3
count_0:
  add $1, %rax
count_1:
  add $3, %r8
count_2:
  cmp %esi, (%rdi)
count_3:
  jb count_0
  ret

/* fill_until(buffer, bytes, address of a u32, limit): REP STOSB over the buffer until the handler has run often enough. */
function fill_until
  mov %rdx, %r8
  mov %ecx, %r9d
  mov %rdi, %r10
1:mov %r10, %rdi
  mov %rsi, %rcx
  add $1, %eax
  .globl fill_at
fill_at:
  rep stosb
  cmp %r9d, (%r8)
  jb 1b
  ret

/* copy_until: the same with REP MOVSQ from the buffer to itself, one quadword on. */
function copy_until
  mov %rdx, %r8
  mov %ecx, %r9d
  mov %rdi, %r10
  mov %rsi, %r11
1:lea 8(%r10), %rdi
  mov %r10, %rsi
  mov %r11, %rcx
  .globl copy_at
copy_at:
  rep movsq
  cmp %r9d, (%r8)
  jb 1b
  ret

/* patch_once(count, address of patch_once_at's byte through an alias): from 1,000 turns before the end on it adds 5. */
function patch_once
  xor %eax, %eax
1:add $1, %rax
  .globl patch_once_byte
  .set patch_once_byte, . - 1
  dec %rdi
  jz 2f
  cmp $1000, %rdi
  jne 1b
  movb $5, (%rsi)
  jmp 1b
2:ret

/* patch_always(count, alias): each turn rewrites the immediate of the instruction that follows the store. */
function patch_always
  xor %eax, %eax
1:mov %edi, %ecx
  and $0x3f, %ecx
  movb %cl, (%rsi)
  add $1, %rax
  .globl patch_always_byte
  .set patch_always_byte, . - 1
  dec %rdi
  jnz 1b
  ret

/* store_beside(count): its counter lies in the bytes that follow the loop; answers the counter. */
function store_beside
  movq $0, 2f(%rip)
1:addq $3, 2f(%rip)
  addb $1, 2f + 8(%rip)
  dec %rdi
  jnz 1b
  mov 2f(%rip), %rax
  ret
  .balign 8
2:.quad 0, 0

/* call_often(function, count): the sum of what it answers. */
function call_often
  push %rbx
  push %rbp
  push %r12
  mov %rdi, %rbx
  mov %rsi, %rbp
  xor %r12d, %r12d
1:call *%rbx
  add %rax, %r12
  dec %rbp
  jnz 1b
  mov %r12, %rax
  pop %r12
  pop %rbp
  pop %rbx
  ret

/* sum_loads(address, count): the sum of `count` loads of the same quadword. */
function sum_loads
  xor %eax, %eax
1:add (%rdi), %rax
  dec %rsi
  jnz 1b
  ret

/* port_loop(port, count): writes and reads a byte register. */
function port_loop
  mov %edi, %edx
  xor %ecx, %ecx
1:mov %esi, %eax
  out %al, %dx
  xor %eax, %eax
  in %dx, %al
  add %rax, %rcx
  dec %rsi
  jnz 1b
  mov %rcx, %rax
  ret

/* mmio_loop(address, count): writes and reads a register of 32 bits. */
function mmio_loop
  xor %ecx, %ecx
1:mov %esi, %eax
  shl $4, %eax
  and $0xf0, %eax
  mov %eax, (%rdi)
  mov (%rdi), %eax
  add %rax, %rcx
  dec %rsi
  jnz 1b
  mov %rcx, %rax
  ret

/* divide_down(count): divides by the count, at last by zero, in the middle of a block with known registers and flags. */
function divide_down
  mov $0x7fffffffffffffff, %r10
  xor %r8d, %r8d
1:mov %rdi, %r9
  mov $1000, %eax
  xor %edx, %edx
  mov %r10, %r11
  add $1, %r11                      # OF SF AF PF
  .globl divide_down_at
divide_down_at:
  div %r9
  add %rax, %r8
  dec %rdi
  jmp 1b

/* load_down(address, count): loads downwards until the page below faults; RAX the sum, CF set at each load. */
function load_down
  xor %eax, %eax
1:mov %rsi, %r8
  stc
  .globl load_down_at
load_down_at:
  adc (%rdi), %rax
  lea -8(%rdi), %rdi
  dec %rsi
  jnz 1b
  ret

/* fill_into(address, bytes): REP STOSB of AL = 0x5a. */
function fill_into
  mov %rsi, %rcx
  mov $0x5a, %al
  .globl fill_into_at
fill_into_at:
  rep stosb
  ret

/* stepped(count): runs with TF set between the two POPF; 5 instructions a turn. */
function stepped
  xor %eax, %eax
  pushf
  orl $0x100, (%rsp)
  popf
  .globl stepped_first, stepped_last
stepped_first:
  nop
1:add $1, %rax
  mov %rax, %rcx
  imul %rcx, %rcx
  dec %rdi
  jnz 1b
  pushf
  andl $~0x100, (%rsp)
stepped_last:
  popf
  nop
  ret

/* dead_flags(count): PUSHF between operations whose flags are otherwise dead; answers the sum of the images. */
function dead_flags
  push %rbx
  xor %ebx, %ebx
1:mov $0xff, %eax
  mov $1, %ecx
  sub %ecx, %ecx
  mov $1, %ecx
  add %cl, %al                      # CF PF AF ZF
  pushf
  sub $5, %eax
  stc
  inc %ecx                          # CF stays
  pushf
  xor %eax, %eax
  mov $0x7f, %al
  cmp $0xff, %al                    # CF SF OF
  pushf
  test %eax, %eax
  pop %rdx
  and $0x8d5, %edx
  add %rdx, %rbx
  pop %rdx
  and $0x8d5, %edx
  add %rdx, %rbx
  pop %rdx
  and $0x8d5, %edx
  add %rdx, %rbx
  dec %rdi
  jnz 1b
  mov %rbx, %rax
  pop %rbx
  ret

/* clock_loop(count): the sum of RDTSC's differences, each at least 1; 0 when one was not. */
function clock_loop
  xor %r8d, %r8d
  rdtsc
  shl $32, %rdx
  lea (%rax,%rdx), %r9
1:rdtsc
  shl $32, %rdx
  add %rdx, %rax
  mov %rax, %rcx
  sub %r9, %rcx
  jbe 2f
  add %rcx, %r8
  mov %rax, %r9
  dec %rdi
  jnz 1b
  mov %r8, %rax
  ret
2:xor %eax, %eax
  ret

/* sti_halt, sti_nop, popf_nop: interrupts on with one pending; the handler notes the address that it returns to. */
function sti_halt
  sti
  hlt
  .globl after_halt
after_halt:
  nop
  cli
  ret
function sti_nop
  sti
  nop
  .globl after_sti_nop
after_sti_nop:
  nop
  cli
  ret
function sti_cli
  sti
  cli
  nop
  ret
function popf_nop
  pushf
  orl $0x200, (%rsp)
  popf
  .globl after_popf
after_popf:
  nop
  nop
  cli
  ret

  .balign 4096
calls_b:
  xor $0x55, %rax
  call calls_c
  test $1, %al
  jz 1f
  call calls_c
1:ret

  .balign 4096
calls_c:
  add $7, %rax
  rol $3, %rax
  ret

/* Pieces that are copied to wherever a test wants them. */
  .globl answer_1, answer_2, answer_end
answer_1:
  mov $1, %eax
  ret
answer_2:
  mov $2, %eax
  ret
answer_end:

  .section .note.GNU-stack, "", @progbits
