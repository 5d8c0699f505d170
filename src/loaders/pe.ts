import {
  CoffHeader,
  DataDirectory,
  DataDirectoryIndex,
  DosHeader,
  dosMagic,
  OptionalHeader64,
  PeMachine,
  PeMagic,
  peSignature,
  PeSubsystem,
  SectionHeader,
} from '../../firmware-tables/image/pe.js';
import { layout } from '../memory/layout.js';
import { asciiAt, damaged, hex, requireRange } from './bounds.js';
import { ImageError, type PeImage, type PeSection } from './image.js';

const machineNames: ReadonlyMap<number, string> = new Map([
  [PeMachine.i386, '32-bit x86'],
  [PeMachine.arm, '32-bit ARM'],
  [PeMachine.arm64, 'arm64'],
  [PeMachine.riscv64, 'RISC-V'],
  [PeMachine.loongarch64, 'LoongArch'],
]);

export function isDosFile(bytes: Uint8Array): boolean {
  return bytes.length >= 2 && bytes[0] === (dosMagic & 0xff) && bytes[1] === dosMagic >> 8;
}

/** Whether a file that starts with 'MZ' carries a PE header (a bzImage without EFI stub does not). */
export function hasPeHeader(bytes: Uint8Array): boolean {
  if (!isDosFile(bytes) || bytes.length < DosHeader.size) return false;
  const at = DosHeader.decode(bytes).e_lfanew;
  return (
    at + 4 <= bytes.length &&
    CoffHeader.size + at <= bytes.length &&
    CoffHeader.decode(bytes, at).Signature === peSignature
  );
}

/** Reads and checks a PE32+ EFI application for x86-64. PE format specification; UEFI 2.10 section 2.1.1. Throws ImageError. */
export function readPe(bytes: Uint8Array): PeImage {
  requireRange(bytes, 0, DosHeader.size, 'PE file: the DOS header');
  const at = DosHeader.decode(bytes).e_lfanew;
  requireRange(bytes, at, CoffHeader.size, 'PE header that e_lfanew (offset 0x3c) points at');
  const coff = CoffHeader.decode(bytes, at);
  if (coff.Signature !== peSignature) {
    throw new ImageError(`no "PE" signature at offset ${hex(at)}, where e_lfanew (offset 0x3c) points: ${damaged}`, at);
  }
  checkMachine(coff.Machine, at + CoffHeader.offsetOf('Machine'));

  const optionalAt = at + CoffHeader.size;
  requireRange(bytes, optionalAt, OptionalHeader64.size, 'PE optional header');
  const optional = OptionalHeader64.decode(bytes, optionalAt);
  if (optional.Magic !== PeMagic.pe32Plus) {
    const name =
      optional.Magic === PeMagic.pe32 ? 'PE32, a 32-bit image: take the x86-64 build' : `not 0x20b (PE32+): ${damaged}`;
    throw new ImageError(
      `PE optional header Magic (offset ${hex(optionalAt)}) is ${hex(optional.Magic)}, ${name}`,
      optionalAt,
    );
  }
  const directoryBytes = optional.NumberOfRvaAndSizes * DataDirectory.size;
  if (coff.SizeOfOptionalHeader < OptionalHeader64.size + directoryBytes) {
    throw new ImageError(
      `PE SizeOfOptionalHeader ${String(coff.SizeOfOptionalHeader)} is too small for ${String(optional.NumberOfRvaAndSizes)} data directories (offset ${hex(at + 20)}): ${damaged}`,
      at + 20,
    );
  }
  checkOptional(bytes, optional, optionalAt);
  const sections = readSections(
    bytes,
    optionalAt + coff.SizeOfOptionalHeader,
    coff.NumberOfSections,
    optional.SizeOfImage,
  );
  const relocations = relocationDirectory(bytes, optionalAt, optional.NumberOfRvaAndSizes, optional.SizeOfImage);
  return {
    imageBase: optional.ImageBase,
    entryPoint: optional.AddressOfEntryPoint,
    sizeOfImage: optional.SizeOfImage,
    sizeOfHeaders: optional.SizeOfHeaders,
    sectionAlignment: optional.SectionAlignment,
    subsystem: optional.Subsystem,
    dllCharacteristics: optional.DllCharacteristics,
    sections,
    ...(relocations === undefined ? {} : { relocations }),
  };
}

function checkMachine(machine: number, offset: number): void {
  if (machine === PeMachine.x86_64) return;
  const name = machineNames.get(machine) ?? 'an unknown processor';
  throw new ImageError(
    `PE Machine (offset ${hex(offset)}) is ${hex(machine)}, ${name}: efikit emulates x86-64, take the amd64 build of this image`,
    offset,
  );
}

function checkOptional(
  bytes: Uint8Array,
  optional: {
    SizeOfImage: number;
    SizeOfHeaders: number;
    SectionAlignment: number;
    AddressOfEntryPoint: number;
    Subsystem: number;
  },
  at: number,
): void {
  const fail = (field: keyof typeof optional, why: string): never => {
    const offset = at + OptionalHeader64.offsetOf(field);
    throw new ImageError(`PE ${field} (offset ${hex(offset)}) is ${hex(optional[field])}: ${why}`, offset);
  };
  const { SizeOfImage, SizeOfHeaders, SectionAlignment, AddressOfEntryPoint, Subsystem } = optional;
  if (SizeOfImage === 0) fail('SizeOfImage', damaged);
  if (SizeOfImage > layout.ramLimit)
    fail('SizeOfImage', 'more than the 3 GiB of RAM a machine can have; take a smaller image');
  if (SizeOfHeaders === 0 || SizeOfHeaders > bytes.length || SizeOfHeaders > SizeOfImage) {
    fail('SizeOfHeaders', `it must lie within file and image; ${damaged}`);
  }
  if (SectionAlignment < 0x20 || (SectionAlignment & (SectionAlignment - 1)) !== 0 || SectionAlignment > 0x1000_0000) {
    fail('SectionAlignment', `not a power of two of at least 32; ${damaged}`);
  }
  if (AddressOfEntryPoint === 0 || AddressOfEntryPoint >= SizeOfImage) {
    fail('AddressOfEntryPoint', `it must lie within the image of ${hex(SizeOfImage)} bytes; ${damaged}`);
  }
  const subsystems: readonly number[] = Object.values(PeSubsystem);
  if (!subsystems.includes(Subsystem)) fail('Subsystem', 'no EFI image (10, 11 or 12); take an EFI application');
}

function readSections(bytes: Uint8Array, at: number, count: number, sizeOfImage: number): PeSection[] {
  requireRange(bytes, at, count * SectionHeader.size, 'PE section table');
  const sections: PeSection[] = [];
  for (let index = 0; index < count; index++) {
    const offset = at + index * SectionHeader.size;
    const header = SectionHeader.decode(bytes, offset);
    const name = asciiAt(header.Name, 0, 8);
    if (name === '.linux') {
      throw new ImageError(
        `section .linux (header at offset ${hex(offset)}) makes this a unified kernel image: take the kernel out of it with ` +
          '"objcopy -O binary --only-section=.linux IMAGE vmlinuz" (and .initrd likewise) and boot that',
        offset,
      );
    }
    const what = `PE section ${name} (header at offset ${hex(offset)})`;
    if (header.SizeOfRawData > 0) requireRange(bytes, header.PointerToRawData, header.SizeOfRawData, what);
    const memoryBytes = header.VirtualSize === 0 ? header.SizeOfRawData : header.VirtualSize;
    if (header.VirtualAddress + memoryBytes > sizeOfImage) {
      throw new ImageError(
        `${what}: RVA ${hex(header.VirtualAddress)} with ${hex(memoryBytes)} bytes lies outside SizeOfImage ${hex(sizeOfImage)}: ${damaged}`,
        offset,
      );
    }
    sections.push({
      name,
      virtualAddress: header.VirtualAddress,
      virtualSize: memoryBytes,
      fileOffset: header.PointerToRawData,
      fileSize: header.SizeOfRawData,
      characteristics: header.Characteristics,
    });
  }
  return sections;
}

function relocationDirectory(
  bytes: Uint8Array,
  optionalAt: number,
  directories: number,
  sizeOfImage: number,
): { rva: number; size: number } | undefined {
  if (directories <= DataDirectoryIndex.baseRelocation) return undefined;
  const at = optionalAt + OptionalHeader64.size + DataDirectoryIndex.baseRelocation * DataDirectory.size;
  requireRange(bytes, at, DataDirectory.size, 'PE base relocation directory');
  const directory = DataDirectory.decode(bytes, at);
  if (directory.Size === 0) return undefined;
  if (directory.VirtualAddress + directory.Size > sizeOfImage) {
    throw new ImageError(
      `PE base relocation directory (offset ${hex(at)}): RVA ${hex(directory.VirtualAddress)} with ${hex(directory.Size)} bytes lies outside SizeOfImage ${hex(sizeOfImage)}: ${damaged}`,
      at,
    );
  }
  return { rva: directory.VirtualAddress, size: directory.Size };
}
