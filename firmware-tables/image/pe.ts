import { bytes, struct, u16, u32, u64, u8 } from '../layout.js';

/** The DOS header as far as PE files use it. PE format specification, "MS-DOS Stub". */
export const DosHeader = struct('IMAGE_DOS_HEADER', 64, [
  u16('e_magic'), // 'MZ'
  bytes('e_unused', 58),
  u32('e_lfanew'), // file offset of the PE signature
]);

/** "PE\0\0" and IMAGE_FILE_HEADER. PE format specification, "COFF File Header". */
export const CoffHeader = struct('IMAGE_FILE_HEADER', 24, [
  u32('Signature'),
  u16('Machine'),
  u16('NumberOfSections'),
  u32('TimeDateStamp'),
  u32('PointerToSymbolTable'),
  u32('NumberOfSymbols'),
  u16('SizeOfOptionalHeader'),
  u16('Characteristics'),
]);

/** PE32+ optional header without its data directories. PE format specification, "Optional Header". */
export const OptionalHeader64 = struct('IMAGE_OPTIONAL_HEADER64', 112, [
  u16('Magic'), // 0x20b; PE32 has 0x10b
  u8('MajorLinkerVersion'),
  u8('MinorLinkerVersion'),
  u32('SizeOfCode'),
  u32('SizeOfInitializedData'),
  u32('SizeOfUninitializedData'),
  u32('AddressOfEntryPoint'), // RVA
  u32('BaseOfCode'),
  u64('ImageBase'),
  u32('SectionAlignment'),
  u32('FileAlignment'),
  u16('MajorOperatingSystemVersion'),
  u16('MinorOperatingSystemVersion'),
  u16('MajorImageVersion'),
  u16('MinorImageVersion'),
  u16('MajorSubsystemVersion'),
  u16('MinorSubsystemVersion'),
  u32('Win32VersionValue'),
  u32('SizeOfImage'),
  u32('SizeOfHeaders'),
  u32('CheckSum'),
  u16('Subsystem'),
  u16('DllCharacteristics'),
  u64('SizeOfStackReserve'),
  u64('SizeOfStackCommit'),
  u64('SizeOfHeapReserve'),
  u64('SizeOfHeapCommit'),
  u32('LoaderFlags'),
  u32('NumberOfRvaAndSizes'),
]);

/** IMAGE_DATA_DIRECTORY. PE format specification, "Optional Header Data Directories". */
export const DataDirectory = struct('IMAGE_DATA_DIRECTORY', 8, [u32('VirtualAddress'), u32('Size')]);
export const DataDirectoryIndex = { security: 4, baseRelocation: 5 } as const;

/** IMAGE_SECTION_HEADER. PE format specification, "Section Table". */
export const SectionHeader = struct('IMAGE_SECTION_HEADER', 40, [
  bytes('Name', 8),
  u32('VirtualSize'),
  u32('VirtualAddress'), // RVA
  u32('SizeOfRawData'),
  u32('PointerToRawData'), // file offset
  u32('PointerToRelocations'),
  u32('PointerToLinenumbers'),
  u16('NumberOfRelocations'),
  u16('NumberOfLinenumbers'),
  u32('Characteristics'),
]);

export const dosMagic = 0x5a4d;
export const peSignature = 0x4550;
export const PeMagic = { pe32: 0x10b, pe32Plus: 0x20b } as const;
export const PeMachine = {
  i386: 0x14c,
  arm: 0x1c2,
  riscv64: 0x5064,
  loongarch64: 0x6264,
  x86_64: 0x8664,
  arm64: 0xaa64,
} as const;
/** UEFI 2.10 section 2.1.1. */
export const PeSubsystem = { efiApplication: 10, efiBootServiceDriver: 11, efiRuntimeDriver: 12 } as const;
/** IMAGE_FILE_*. PE format, Characteristics. */
export const PeFileCharacteristic = { relocationsStripped: 0x0001 } as const;
/** IMAGE_DLLCHARACTERISTICS_*. PE format, DLL Characteristics. */
export const PeDllCharacteristic = { nxCompat: 0x0100 } as const;
/** IMAGE_SCN_*. PE format, Section Flags. */
export const PeSectionFlag = { execute: 0x2000_0000, read: 0x4000_0000, write: 0x8000_0000 } as const;
/** IMAGE_REL_BASED_*. PE format, Base Relocation Types. */
export const PeRelocation = { absolute: 0, high: 1, low: 2, highLow: 3, dir64: 10 } as const;
