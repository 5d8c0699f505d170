import {
  Elf32Header,
  Elf32ProgramHeader,
  Elf64Header,
  Elf64ProgramHeader,
  ElfClass,
  ElfIdent,
  ElfMachine,
  ElfNoteHeader,
  ElfProgramType,
  ElfType,
  XenElfNote,
} from '../../firmware-tables/image/elf.js';
import { asciiAt, damaged, hex, requireRange } from './bounds.js';
import { ImageError, type ElfImage, type ElfSegment, type PvhRelocation } from './image.js';

const programHeaderLimit = 1024; // kernels have fewer than 20; a damaged count must not cost time
const noteLimit = 1024;
const physicalLimit = 2 ** 48; // bytes; segments above are no addresses of this machine

const machineNames: ReadonlyMap<number, string> = new Map([
  [ElfMachine.arm, '32-bit ARM'],
  [ElfMachine.aarch64, 'arm64'],
  [ElfMachine.riscv, 'RISC-V'],
  [ElfMachine.loongarch, 'LoongArch'],
]);

export function isElf(bytes: Uint8Array): boolean {
  return bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}

export interface ProgramHeader {
  readonly p_type: number;
  readonly p_offset: number | bigint;
  readonly p_vaddr: number | bigint;
  readonly p_paddr: number | bigint;
  readonly p_filesz: number | bigint;
  readonly p_memsz: number | bigint;
  readonly p_align: number | bigint;
}

/** What the ELF header says, and the program headers with their places in the file. */
interface ElfHeaders {
  readonly bits: 32 | 64;
  readonly entry: bigint;
  readonly tableOffset: number;
  readonly programs: readonly { readonly program: ProgramHeader; readonly index: number; readonly at: number }[];
}

/** Reads and checks both headers of an ELF executable; of `bytes` only they are looked at. Throws ImageError. */
export function readElfHeaders(bytes: Uint8Array): ElfHeaders {
  requireRange(bytes, 0, ElfIdent.size, 'ELF e_ident');
  const ident = ElfIdent.decode(bytes);
  if (!isElf(bytes)) throw new ImageError(`ELF magic is missing at offset 0x0: ${damaged}`, 0);
  if (ident.EI_CLASS !== ElfClass.bits32 && ident.EI_CLASS !== ElfClass.bits64) {
    throw new ImageError(`ELF EI_CLASS (offset 0x4) is ${String(ident.EI_CLASS)}, neither 1 nor 2: ${damaged}`, 4);
  }
  if (ident.EI_DATA !== 1) {
    throw new ImageError(
      `ELF EI_DATA (offset 0x5) is ${String(ident.EI_DATA)}, not little endian: take an image built for x86-64`,
      5,
    );
  }
  const bits = ident.EI_CLASS === ElfClass.bits64 ? 64 : 32;
  const Header = bits === 64 ? Elf64Header : Elf32Header;
  requireRange(bytes, 0, Header.size, 'ELF header');
  const header = Header.decode(bytes);
  if (header.e_machine !== ElfMachine.x86_64 && header.e_machine !== ElfMachine.i386) {
    const name = machineNames.get(header.e_machine) ?? 'another processor';
    throw new ImageError(
      `ELF e_machine (offset 0x12) is ${hex(header.e_machine)}, ${name}: efikit emulates x86-64, take the amd64 build of this kernel`,
      0x12,
    );
  }
  if (header.e_type !== ElfType.executable && header.e_type !== ElfType.shared) {
    throw new ImageError(
      `ELF e_type (offset 0x10) is ${String(header.e_type)}, no executable: take the linked kernel, not an object or a core file`,
      0x10,
    );
  }
  const Program = bits === 64 ? Elf64ProgramHeader : Elf32ProgramHeader;
  if (header.e_phnum === 0 || header.e_phnum > programHeaderLimit || header.e_phentsize !== Program.size) {
    throw new ImageError(
      `ELF has ${String(header.e_phnum)} program headers of ${String(header.e_phentsize)} bytes (offset ${hex(Header.offsetOf('e_phentsize'))}); ` +
        `1 to ${String(programHeaderLimit)} of ${String(Program.size)} bytes are expected: ${damaged}`,
      Header.offsetOf('e_phentsize'),
    );
  }
  const tableOffset = Number(header.e_phoff);
  requireRange(bytes, tableOffset, header.e_phnum * Program.size, 'ELF program header table');

  const programs = Array.from({ length: header.e_phnum }, (_, index) => {
    const at = tableOffset + index * Program.size;
    return { program: Program.decode(bytes, at), index, at };
  });
  return { bits, entry: BigInt(header.e_entry), tableOffset, programs };
}

/** Reads and checks an ELF executable for x86, 32 or 64 bits. System V ABI, chapters 4 and 5. Throws ImageError. */
export function readElf(bytes: Uint8Array): ElfImage {
  const { bits, entry, tableOffset, programs } = readElfHeaders(bytes);
  const segments: ElfSegment[] = [];
  const notes: ElfImage['notes'][number][] = [];
  for (const { program, index, at } of programs) {
    if (program.p_type === ElfProgramType.load) {
      const segment = readSegment(bytes, program, index, at);
      if (segment.memoryBytes > 0) segments.push(segment);
    } else if (program.p_type === ElfProgramType.note) {
      readNotes(bytes, Number(program.p_offset), Number(program.p_filesz), notes);
    }
  }
  if (segments.length === 0) {
    throw new ImageError(
      `ELF has no PT_LOAD segment among its program headers at offset ${hex(tableOffset)}: ${damaged}`,
      tableOffset,
    );
  }
  const pvhEntry = pvhEntryOf(notes);
  const pvhRelocation = pvhRelocationOf(notes, programs);
  return {
    bytes,
    bits,
    entry,
    segments,
    notes,
    ...(pvhEntry === undefined ? {} : { pvhEntry }),
    ...(pvhRelocation === undefined ? {} : { pvhRelocation }),
  };
}

export function readSegment(bytes: Uint8Array, program: ProgramHeader, index: number, at: number): ElfSegment {
  const segment = {
    physicalAddress: Number(program.p_paddr),
    virtualAddress: BigInt(program.p_vaddr),
    fileOffset: Number(program.p_offset),
    fileBytes: Number(program.p_filesz),
    memoryBytes: Number(program.p_memsz),
  };
  const what = `ELF PT_LOAD segment ${String(index)}`;
  requireRange(bytes, segment.fileOffset, segment.fileBytes, what);
  if (segment.fileBytes > segment.memoryBytes) {
    throw new ImageError(
      `${what}: p_filesz ${hex(segment.fileBytes)} is larger than p_memsz ${hex(segment.memoryBytes)} (program header at ${hex(at)}): ${damaged}`,
      at,
    );
  }
  if (segment.physicalAddress + segment.memoryBytes > physicalLimit) {
    throw new ImageError(
      `${what}: p_paddr ${hex(segment.physicalAddress)} with ${hex(segment.memoryBytes)} bytes is beyond every physical address (program header at ${hex(at)}): ${damaged}`,
      at,
    );
  }
  return segment;
}

function readNotes(bytes: Uint8Array, offset: number, length: number, notes: ElfImage['notes'][number][]): void {
  requireRange(bytes, offset, length, 'ELF PT_NOTE segment');
  const end = offset + length;
  for (let at = offset; at + ElfNoteHeader.size <= end;) {
    const header = ElfNoteHeader.decode(bytes, at);
    const nameAt = at + ElfNoteHeader.size;
    const descriptionAt = nameAt + padded(header.n_namesz);
    if (descriptionAt + header.n_descsz > end) {
      throw new ImageError(
        `ELF note at offset ${hex(at)} runs past the end of its PT_NOTE segment at ${hex(end)}: ${damaged}`,
        at,
      );
    }
    if (notes.length === noteLimit) {
      throw new ImageError(`ELF note at offset ${hex(at)} is one of more than ${String(noteLimit)}: ${damaged}`, at);
    }
    notes.push({
      name: asciiAt(bytes, nameAt, header.n_namesz),
      type: header.n_type,
      description: bytes.subarray(descriptionAt, descriptionAt + header.n_descsz),
    });
    at = descriptionAt + padded(header.n_descsz);
  }
}

function padded(length: number): number {
  return Math.ceil(length / 4) * 4;
}

/** XEN_ELFNOTE_PHYS32_ENTRY: a numeric note of 4 or 8 bytes. Xen docs/misc/pvh, public/elfnote.h. */
function pvhEntryOf(notes: ElfImage['notes']): number | undefined {
  const note = notes.find(({ name, type }) => name === 'Xen' && type === XenElfNote.PHYS32_ENTRY);
  if (note === undefined) return undefined;
  const { description } = note;
  const view = new DataView(description.buffer, description.byteOffset, description.length);
  const value =
    description.length === 4
      ? BigInt(view.getUint32(0, true))
      : description.length === 8
        ? view.getBigUint64(0, true)
        : undefined;
  if (value === undefined || value > 0xffff_ffffn) {
    throw new ImageError(
      `Xen note PHYS32_ENTRY (type 18) is ${value === undefined ? `${String(description.length)} bytes long, not 4 or 8` : `${hex(value)}, no 32-bit address`}: ${damaged}`,
      description.byteOffset,
    );
  }
  return Number(value);
}

const relocationDefaults = { alignment: 0x20_0000, lowest: 0, highest: 0xffff_ffff } as const;
const smallestProgramAlignment = 0x1000;

/**
 * XEN_ELFNOTE_PHYS32_RELOC: up to three 32-bit values, alignment, lowest and highest address. Without the first, the
 * largest p_align of a segment counts when it is a page at least. Xen public/elfnote.h.
 */
function pvhRelocationOf(notes: ElfImage['notes'], programs: ElfHeaders['programs']): PvhRelocation | undefined {
  const note = notes.find(({ name, type }) => name === 'Xen' && type === XenElfNote.PHYS32_RELOC);
  if (note === undefined) return undefined;
  const { description } = note;
  const view = new DataView(description.buffer, description.byteOffset, description.length);
  const value = (index: number): number | undefined =>
    4 * index + 4 <= description.length ? view.getUint32(4 * index, true) : undefined;
  const loads = programs.filter(({ program }) => program.p_type === ElfProgramType.load);
  const align = Math.max(0, ...loads.map(({ program }) => Number(program.p_align)));
  return {
    alignment: (value(0) ?? 0) || (align >= smallestProgramAlignment ? align : relocationDefaults.alignment),
    lowest: value(1) ?? relocationDefaults.lowest,
    highest: value(2) ?? relocationDefaults.highest,
  };
}
