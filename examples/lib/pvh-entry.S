/*
 * The PVH door: the ELF note that names the entry, and the way from 32-bit protected mode without paging to 64-bit mode.
 * Xen docs/misc/pvh ("x86/HVM direct boot ABI"): EBX = guest-physical address of hvm_start_info, flat CS, DS, ES and SS,
 * paging off, interrupts off, no usable stack or descriptor tables.
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
  mov %esp, entry + 56
  mov $stack_end, %esp
  pushfl
  popl entry + 40
  cld
  movl $2, entry + 0                # door: DOOR_PVH
  mov %ebx, entry + 64              # argument[0]
  mov %cr0, %eax
  mov %eax, entry + 8
  mov %cr3, %eax
  mov %eax, entry + 16
  mov %cr4, %eax
  mov %eax, entry + 24
  mov $0xc0000080, %ecx             # EFER
  rdmsr
  mov %eax, entry + 32
  mov %edx, entry + 36
  xor %eax, %eax
  mov %cs, %ax
  mov %eax, entry + 48

  /* Identity map of the first 4 GiB in 2 MiB pages. Intel SDM volume 3, 4.5. */
  mov $pdpt + 3, %eax
  mov %eax, pml4
  mov $page_directories + 3, %eax
  mov $pdpt, %edi
  mov $4, %ecx
1:mov %eax, (%edi)
  add $0x1000, %eax
  add $8, %edi
  loop 1b
  mov $0x83, %eax                   # present, writable, 2 MiB page
  mov $page_directories, %edi
  mov $2048, %ecx
2:mov %eax, (%edi)
  add $0x200000, %eax
  add $8, %edi
  loop 2b

  /* Intel SDM volume 3, 10.8.5: PAE, then the page tables, then EFER.LME, then paging. */
  mov %cr4, %eax
  or $0x20, %eax
  mov %eax, %cr4
  mov $pml4, %eax
  mov %eax, %cr3
  mov $0xc0000080, %ecx
  rdmsr
  or $0x100, %eax
  wrmsr
  mov %cr0, %eax
  or $0x80000001, %eax
  mov %eax, %cr0
  lgdt gdt_pointer
  ljmp $0x08, $long_mode

  .code64
long_mode:
  mov $0x10, %eax
  mov %eax, %ds
  mov %eax, %es
  mov %eax, %ss
  mov $stack_end, %esp
  mov $entry, %edi
  call guest_main
3:cli
  hlt
  jmp 3b

  .section .rodata
  .balign 8
gdt:
  .quad 0
  .quad 0x00af9b000000ffff          # 0x08: 64-bit code
  .quad 0x00cf93000000ffff          # 0x10: data
gdt_pointer:
  .word gdt_pointer - gdt - 1
  .long gdt

  .bss
  .balign 4096
pml4:
  .skip 4096
pdpt:
  .skip 4096
page_directories:
  .skip 4 * 4096
entry:
  .skip 80
  .balign 16
  .skip 0x8000
stack_end:

  .section .note.GNU-stack, "", @progbits
