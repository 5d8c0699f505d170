import { gzipSync } from 'fflate';
import {
  Elf32Header,
  Elf32ProgramHeader,
  Elf64Header,
  Elf64ProgramHeader,
  ElfNoteHeader,
} from '../../firmware-tables/image/elf.js';
import {
  CoffHeader,
  DataDirectory,
  DosHeader,
  OptionalHeader64,
  SectionHeader,
} from '../../firmware-tables/image/pe.js';
import { SetupHeader } from '../../firmware-tables/linux/setup-header.js';

/** Small images that are right in every field, for tests to damage. */

function join(length: number, parts: readonly (readonly [number, Uint8Array])[]): Uint8Array {
  const bytes = new Uint8Array(length);
  for (const [offset, part] of parts) bytes.set(part, offset);
  return bytes;
}

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
const code = Uint8Array.from({ length: 512 }, (_, i) => (i * 37) & 0xff);

export function xenNote(type: number, description: Uint8Array): Uint8Array {
  return join(16 + Math.ceil(description.length / 4) * 4, [
    [0, ElfNoteHeader.encode({ n_namesz: 4, n_descsz: description.length, n_type: type })],
    [12, ascii('Xen\0')],
    [16, description],
  ]);
}

export interface ElfParts {
  readonly bits?: 32 | 64;
  readonly physicalAddress?: number;
  readonly memoryBytes?: number;
  readonly machine?: number;
  readonly note?: Uint8Array | undefined;
}

/** One PT_LOAD segment of 512 bytes, 2 KiB in memory, at 1 MiB with its PVH entry 16 bytes in. */
export function smallElf(parts: ElfParts = {}): Uint8Array {
  const { bits = 64, physicalAddress = 0x10_0000, memoryBytes = 2048 } = parts;
  const note = parts.note ?? xenNote(18, Uint8Array.from(new Uint8Array(Uint32Array.of(physicalAddress + 16).buffer)));
  const Header = bits === 64 ? Elf64Header : Elf32Header;
  const Program = bits === 64 ? Elf64ProgramHeader : Elf32ProgramHeader;
  const noteAt = Header.size + 2 * Program.size;
  const loadAt = noteAt + note.length;
  return join(loadAt + code.length, [
    [
      0,
      Header.encode({
        e_ident: Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, bits / 32, 1, 1),
        e_type: 2,
        e_machine: parts.machine ?? (bits === 64 ? 62 : 3),
        e_version: 1,
        e_entry: physicalAddress,
        e_phoff: Header.size,
        e_ehsize: Header.size,
        e_phentsize: Program.size,
        e_phnum: 2,
      }),
    ],
    [
      Header.size,
      Program.encode({
        p_type: 1,
        p_flags: 7,
        p_offset: loadAt,
        p_vaddr: physicalAddress,
        p_paddr: physicalAddress,
        p_filesz: code.length,
        p_memsz: memoryBytes,
        p_align: 1,
      }),
    ],
    [
      Header.size + Program.size,
      Program.encode({
        p_type: 4,
        p_offset: noteAt,
        p_filesz: note.length,
        p_memsz: note.length,
      }),
    ],
    [noteAt, note],
    [loadAt, code],
  ]);
}

/** Two sections; the second is zero fill behind 512 bytes. */
export function smallPe(options: { machine?: number; magic?: number; section?: string } = {}): Uint8Array {
  const optionalAt = DosHeader.size + CoffHeader.size;
  const sectionsAt = optionalAt + OptionalHeader64.size + 6 * DataDirectory.size;
  const section = (name: string, address: number, size: number, at: number): Uint8Array =>
    SectionHeader.encode({
      Name: ascii(name),
      VirtualSize: size,
      VirtualAddress: address,
      SizeOfRawData: 512,
      PointerToRawData: at,
      Characteristics: 0x6000_0020,
    });
  return join(512 + 1024, [
    [0, DosHeader.encode({ e_magic: 0x5a4d, e_lfanew: DosHeader.size })],
    [
      DosHeader.size,
      CoffHeader.encode({
        Signature: 0x4550,
        Machine: options.machine ?? 0x8664,
        NumberOfSections: 2,
        SizeOfOptionalHeader: sectionsAt - optionalAt,
        Characteristics: 0x22,
      }),
    ],
    [
      optionalAt,
      OptionalHeader64.encode({
        Magic: options.magic ?? 0x20b,
        AddressOfEntryPoint: 0x1000,
        SectionAlignment: 0x1000,
        FileAlignment: 0x200,
        SizeOfImage: 0x4000,
        SizeOfHeaders: 0x200,
        Subsystem: 10,
        NumberOfRvaAndSizes: 6,
      }),
    ],
    [sectionsAt, section(options.section ?? '.text', 0x1000, 512, 512)],
    [sectionsAt + SectionHeader.size, section('.data', 0x2000, 0x1800, 1024)],
    [512, code],
    [1024, code],
  ]);
}

export interface BzImageParts {
  /** The payload as it stands in the file, size trailer included; by default the small ELF in gzip. */
  readonly payload?: Uint8Array;
  readonly initSize?: number;
  readonly xloadflags?: number;
  readonly version?: number;
}

/** One setup sector, 1 KiB of "decompressor", the payload. No PE header. */
export function smallBzImage(parts: BzImageParts = {}): Uint8Array {
  const payload = parts.payload ?? gzipSync(smallElf({ physicalAddress: 0x100_0000 }));
  const setupBytes = 1024;
  const protectedBytes = Math.ceil((1024 + payload.length) / 16) * 16;
  const header = SetupHeader.encode({
    setup_sects: 1,
    syssize: protectedBytes / 16,
    boot_flag: 0xaa55,
    jump: 0x6aeb,
    header: 0x53726448,
    version: parts.version ?? 0x20f,
    kernel_version: 0x80,
    loadflags: 1,
    initrd_addr_max: 0x7fff_ffff,
    kernel_alignment: 0x20_0000,
    relocatable_kernel: 1,
    min_alignment: 21,
    xloadflags: parts.xloadflags ?? 0x7f,
    cmdline_size: 2047,
    payload_offset: 1024,
    payload_length: payload.length,
    pref_address: 0x100_0000,
    init_size: parts.initSize ?? 0x10_0000,
  });
  return join(setupBytes + protectedBytes, [
    [0x1f1, header],
    [0x280, ascii('6.1.0-test (efikit) #1\0')],
    [setupBytes, code],
    [setupBytes + 1024, payload],
  ]);
}

/** Appends the size trailer as the kernel's build does. */
export function withSize(stream: Uint8Array, size: number): Uint8Array {
  return Uint8Array.of(...stream, size & 0xff, (size >> 8) & 0xff, (size >> 16) & 0xff, size >>> 24);
}

/** Seeded numbers below 2^32. Marsaglia's xorshift32. */
export function random(seed: number): (below: number) => number {
  let state = seed >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
