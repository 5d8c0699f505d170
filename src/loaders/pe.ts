import {
  CoffHeader,
  DataDirectory,
  DosHeader,
  dosMagic,
  OptionalHeader64,
  PeFileCharacteristic,
  PeMachine,
  PeMagic,
  peSignature,
  PeSubsystem,
  SectionHeader,
} from '../../firmware-tables/image/pe.js';
import { layout } from '../memory/layout.js';
import { damaged, hex, requireRange } from './bounds.js';
import { ImageError, type PeImage } from './image.js';
import { checkSecurityDirectory, readSections, relocationDirectory } from './pe-sections.js';

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

/** EFI_IMAGE_NUMBER_OF_DIRECTORY_ENTRIES: EDK II refuses more. */
const mostDirectories = 16;

/**
 * Reads and checks a PE32+ EFI application for x86-64: what EDK II's BasePeCoffLib and DXE core refuse is refused, and
 * sections that lie one over another are. PE format specification; UEFI 2.10 section 2.1.1. Throws ImageError.
 */
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
  const directories = optional.NumberOfRvaAndSizes;
  checkOptionalSize(coff.SizeOfOptionalHeader, directories, at, optionalAt);
  const sectionsAt = optionalAt + coff.SizeOfOptionalHeader;
  checkOptional(bytes, optional, optionalAt);
  checkHeaderRoom(optional, optionalAt, sectionsAt, coff.NumberOfSections);
  const relocationsStripped = (coff.Characteristics & PeFileCharacteristic.relocationsStripped) !== 0;
  if (relocationsStripped && optional.Subsystem === PeSubsystem.efiRuntimeDriver) {
    const offset = at + CoffHeader.offsetOf('Characteristics');
    throw new ImageError(
      `PE Characteristics (offset ${hex(offset)}) are ${hex(coff.Characteristics)}, relocations stripped, and Subsystem is a runtime driver, which SetVirtualAddressMap moves: link it with relocations`,
      offset,
    );
  }
  checkSecurityDirectory(bytes, optionalAt, directories);
  const sections = readSections(bytes, sectionsAt, coff.NumberOfSections, {
    sizeOfImage: optional.SizeOfImage,
    sizeOfHeaders: optional.SizeOfHeaders,
  });
  const relocations = relocationsStripped
    ? undefined
    : relocationDirectory(bytes, optionalAt, directories, optional.SizeOfImage);
  return {
    imageBase: optional.ImageBase,
    entryPoint: optional.AddressOfEntryPoint,
    sizeOfImage: optional.SizeOfImage,
    sizeOfHeaders: optional.SizeOfHeaders,
    sectionAlignment: optional.SectionAlignment,
    subsystem: optional.Subsystem,
    dllCharacteristics: optional.DllCharacteristics,
    relocationsStripped,
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

/** The optional header and its directories fill SizeOfOptionalHeader exactly, as EDK II wants it. */
function checkOptionalSize(size: number, directories: number, at: number, optionalAt: number): void {
  if (directories > mostDirectories) {
    const offset = optionalAt + OptionalHeader64.offsetOf('NumberOfRvaAndSizes');
    throw new ImageError(
      `PE NumberOfRvaAndSizes (offset ${hex(offset)}) is ${String(directories)}, more than the ${String(mostDirectories)} data directories there are: ${damaged}`,
      offset,
    );
  }
  if (size === OptionalHeader64.size + directories * DataDirectory.size) return;
  const offset = at + CoffHeader.offsetOf('SizeOfOptionalHeader');
  const wrong = size < OptionalHeader64.size + directories * DataDirectory.size ? 'too small' : 'too large';
  throw new ImageError(
    `PE SizeOfOptionalHeader (offset ${hex(offset)}) is ${String(size)}, ${wrong} for ${String(directories)} data directories: ${damaged}`,
    offset,
  );
}

/** Headers with the whole section table, and an image that is larger than they are. */
function checkHeaderRoom(
  { SizeOfHeaders, SizeOfImage }: { readonly SizeOfHeaders: number; readonly SizeOfImage: number },
  optionalAt: number,
  sectionsAt: number,
  count: number,
): void {
  const end = sectionsAt + count * SectionHeader.size;
  const offset = optionalAt + OptionalHeader64.offsetOf('SizeOfHeaders');
  if (SizeOfHeaders < end || SizeOfHeaders === sectionsAt) {
    throw new ImageError(
      `PE SizeOfHeaders (offset ${hex(offset)}) is ${hex(SizeOfHeaders)}, but ${String(count)} section headers end at ${hex(end)}: ${damaged}`,
      offset,
    );
  }
  if (SizeOfHeaders < SizeOfImage) return;
  throw new ImageError(
    `PE SizeOfHeaders (offset ${hex(offset)}) is ${hex(SizeOfHeaders)}, which leaves nothing of SizeOfImage ${hex(SizeOfImage)}: ${damaged}`,
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
