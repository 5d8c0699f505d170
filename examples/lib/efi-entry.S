/*
 * The PE32+ headers, written by hand so that the image is a plain flat file and the same bytes on every build: no time
 * stamp, no base relocations (the code is position independent). PE format: Microsoft PE/COFF specification; entry:
 * UEFI 2.10 section 2.3.4. Sizes and addresses come from efi.ld.
 */
  .section .header, "a"
image:
  .ascii "MZ"
  .zero 58
  .long pe_header - image           # e_lfanew
pe_header:
  .ascii "PE\0\0"
  .word 0x8664                      # Machine: x86-64
  .word 2                           # NumberOfSections
  .long 0, 0, 0                     # TimeDateStamp, PointerToSymbolTable, NumberOfSymbols
  .word section_table - optional_header
  .word 0x0226                      # Characteristics: executable, no line numbers, large addresses, no debug data
optional_header:
  .word 0x020b                      # Magic: PE32+
  .byte 0, 0                        # linker version
  .long text_raw_size               # SizeOfCode
  .long data_raw_size               # SizeOfInitializedData
  .long bss_size                    # SizeOfUninitializedData
  .long entry_rva                   # AddressOfEntryPoint
  .long text_rva                    # BaseOfCode
  .quad 0                           # ImageBase
  .long 0x1000                      # SectionAlignment
  .long 0x200                       # FileAlignment
  .word 0, 0, 0, 0, 0, 0            # operating system, image and subsystem version
  .long 0                           # Win32VersionValue
  .long image_size                  # SizeOfImage
  .long header_size                 # SizeOfHeaders
  .long 0                           # CheckSum
  .word 10                          # Subsystem: EFI application
  .word 0x0100                      # DllCharacteristics: NX compatible
  .quad 0, 0, 0, 0                  # stack and heap, reserve and commit
  .long 0                           # LoaderFlags
  .long 6                           # NumberOfRvaAndSizes
  .quad 0, 0, 0, 0, 0, 0            # no directory is used
section_table:
  .ascii ".text\0\0\0"
  .long text_raw_size, text_rva     # VirtualSize, VirtualAddress
  .long text_raw_size, text_offset  # SizeOfRawData, PointerToRawData
  .long 0, 0, 0                     # relocations and line numbers
  .long 0x60000020                  # code, execute, read
  .ascii ".data\0\0\0"
  .long data_virtual_size, data_rva
  .long data_raw_size, data_offset
  .long 0, 0, 0
  .long 0xc0000040                  # initialised data, read, write

/*
 * EFI_STATUS efi_entry(EFI_HANDLE rcx, EFI_SYSTEM_TABLE *rdx) in the MS x64 ABI: RSP+8 is a multiple of 16; RDI and RSI
 * belong to the caller, unlike in the System V ABI of guest_main. Fills struct entry (entry.h) on the stack.
 */
  .text
  .globl efi_entry
efi_entry:
  mov %rsp, %rax
  push %rdi
  push %rsi
  sub $88, %rsp
  movq $1, 0(%rsp)                  # door: DOOR_EFI
  mov %rax, 56(%rsp)                # rsp
  mov %rcx, 64(%rsp)                # argument[0]
  mov %rdx, 72(%rsp)                # argument[1]
  pushfq
  pop %rax
  mov %rax, 40(%rsp)                # rflags
  cld
  mov %cr0, %rax
  mov %rax, 8(%rsp)
  mov %cr3, %rax
  mov %rax, 16(%rsp)
  mov %cr4, %rax
  mov %rax, 24(%rsp)
  mov $0xc0000080, %ecx             # EFER
  rdmsr
  shl $32, %rdx
  or %rdx, %rax
  mov %rax, 32(%rsp)
  xor %eax, %eax
  mov %cs, %ax
  mov %rax, 48(%rsp)
  mov %rsp, %rdi
  call guest_main
  add $88, %rsp
  pop %rsi
  pop %rdi
  ret

  .section .note.GNU-stack, "", @progbits
