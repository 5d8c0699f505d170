import { bytes, struct, u16, u32, u64, u8 } from '../layout.js';

/** e_ident: the first 16 bytes of every ELF file. System V ABI, chapter 4, "ELF Identification". */
export const ElfIdent = struct('ElfIdent', 16, [
  bytes('EI_MAG', 4), // 7f 'E' 'L' 'F'
  u8('EI_CLASS'), // 1: 32 bits, 2: 64 bits
  u8('EI_DATA'), // 1: little endian
  u8('EI_VERSION'),
  u8('EI_OSABI'),
  u8('EI_ABIVERSION'),
  bytes('EI_PAD', 7),
]);

/** Elf32_Ehdr. System V ABI, chapter 4, "ELF Header". */
export const Elf32Header = struct('Elf32_Ehdr', 52, [
  bytes('e_ident', 16),
  u16('e_type'),
  u16('e_machine'),
  u32('e_version'),
  u32('e_entry'),
  u32('e_phoff'),
  u32('e_shoff'),
  u32('e_flags'),
  u16('e_ehsize'),
  u16('e_phentsize'),
  u16('e_phnum'),
  u16('e_shentsize'),
  u16('e_shnum'),
  u16('e_shstrndx'),
]);

/** Elf64_Ehdr. System V ABI, chapter 4, "ELF Header". */
export const Elf64Header = struct('Elf64_Ehdr', 64, [
  bytes('e_ident', 16),
  u16('e_type'),
  u16('e_machine'),
  u32('e_version'),
  u64('e_entry'),
  u64('e_phoff'),
  u64('e_shoff'),
  u32('e_flags'),
  u16('e_ehsize'),
  u16('e_phentsize'),
  u16('e_phnum'),
  u16('e_shentsize'),
  u16('e_shnum'),
  u16('e_shstrndx'),
]);

/** Elf32_Phdr. System V ABI, chapter 5, "Program Header". */
export const Elf32ProgramHeader = struct('Elf32_Phdr', 32, [
  u32('p_type'),
  u32('p_offset'),
  u32('p_vaddr'),
  u32('p_paddr'),
  u32('p_filesz'),
  u32('p_memsz'),
  u32('p_flags'),
  u32('p_align'),
]);

/** Elf64_Phdr. System V ABI, chapter 5, "Program Header". */
export const Elf64ProgramHeader = struct('Elf64_Phdr', 56, [
  u32('p_type'),
  u32('p_flags'),
  u64('p_offset'),
  u64('p_vaddr'),
  u64('p_paddr'),
  u64('p_filesz'),
  u64('p_memsz'),
  u64('p_align'),
]);

/** Opens each entry of a PT_NOTE segment; name and description follow, each padded to 4 bytes. System V ABI, chapter 5. */
export const ElfNoteHeader = struct('Elf_Nhdr', 12, [u32('n_namesz'), u32('n_descsz'), u32('n_type')]);

export const ElfClass = { bits32: 1, bits64: 2 } as const;
export const ElfType = { executable: 2, shared: 3 } as const;
export const ElfMachine = { i386: 3, arm: 40, x86_64: 62, aarch64: 183, riscv: 243, loongarch: 258 } as const;
export const ElfProgramType = { load: 1, note: 4 } as const;

/** Types of the notes named "Xen". Xen public/elfnote.h. */
export const XenElfNote = {
  INFO: 0,
  ENTRY: 1,
  HYPERCALL_PAGE: 2,
  VIRT_BASE: 3,
  PADDR_OFFSET: 4,
  XEN_VERSION: 5,
  GUEST_OS: 6,
  GUEST_VERSION: 7,
  LOADER: 8,
  PAE_MODE: 9,
  FEATURES: 10,
  BSD_SYMTAB: 11,
  HV_START_LOW: 12,
  L1_MFN_VALID: 13,
  SUSPEND_CANCEL: 14,
  INIT_P2M: 15,
  MOD_START_PFN: 16,
  SUPPORTED_FEATURES: 17,
  PHYS32_ENTRY: 18,
  PHYS32_RELOC: 19,
} as const;
