import { DataDirectory, DataDirectoryIndex, OptionalHeader64, SectionHeader } from '../../firmware-tables/image/pe.js';
import { asciiAt, damaged, hex, requireRange } from './bounds.js';
import { ImageError, type PeSection } from './image.js';

/** What of the headers the sections and directories are held against. */
export interface PeBounds {
  readonly sizeOfImage: number;
  readonly sizeOfHeaders: number;
}

/**
 * Reads the section table at file offset `at`. As EDK II, it refuses sections with data in the headers, outside the file
 * or outside the image; beyond EDK II, those that lie one over another. PE format, Section Table. Throws ImageError.
 */
export function readSections(bytes: Uint8Array, at: number, count: number, bounds: PeBounds): PeSection[] {
  requireRange(bytes, at, count * SectionHeader.size, 'PE section table');
  const sections: PeSection[] = [];
  for (let index = 0; index < count; index++)
    sections.push(readSection(bytes, at + index * SectionHeader.size, bounds));
  refuseOverlaps(sections, at);
  return sections;
}

function readSection(bytes: Uint8Array, offset: number, { sizeOfImage, sizeOfHeaders }: PeBounds): PeSection {
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
  const inHeaders = (field: 'VirtualAddress' | 'PointerToRawData'): void => {
    if (header[field] >= sizeOfHeaders) return;
    const fieldAt = offset + SectionHeader.offsetOf(field);
    throw new ImageError(
      `${what}: ${field} (offset ${hex(fieldAt)}) is ${hex(header[field])}, within the headers (SizeOfHeaders ${hex(sizeOfHeaders)}): ${damaged}`,
      fieldAt,
    );
  };
  if (header.SizeOfRawData > 0) {
    inHeaders('VirtualAddress');
    inHeaders('PointerToRawData');
    requireRange(bytes, header.PointerToRawData, header.SizeOfRawData, what);
  }
  const memoryBytes = header.VirtualSize === 0 ? header.SizeOfRawData : header.VirtualSize;
  if (header.VirtualAddress + memoryBytes > sizeOfImage) {
    throw new ImageError(
      `${what}: RVA ${hex(header.VirtualAddress)} with ${hex(memoryBytes)} bytes lies outside SizeOfImage ${hex(sizeOfImage)}: ${damaged}`,
      offset,
    );
  }
  return {
    name,
    virtualAddress: header.VirtualAddress,
    virtualSize: memoryBytes,
    fileOffset: header.PointerToRawData,
    fileSize: header.SizeOfRawData,
    characteristics: header.Characteristics,
  };
}

function refuseOverlaps(sections: readonly PeSection[], tableAt: number): void {
  const filled = sections
    .map((section, index) => ({ section, at: tableAt + index * SectionHeader.size }))
    .filter(({ section }) => section.virtualSize > 0)
    .sort((a, b) => a.section.virtualAddress - b.section.virtualAddress);
  filled.forEach(({ section, at }, index) => {
    const before = filled[index - 1];
    if (!before) return;
    const end = before.section.virtualAddress + before.section.virtualSize;
    if (section.virtualAddress >= end) return;
    throw new ImageError(
      `PE section ${section.name} (header at offset ${hex(at)}): RVA ${hex(section.virtualAddress)} lies within section ${before.section.name} ` +
        `(header at offset ${hex(before.at)}), which ends at RVA ${hex(end)}: ${damaged}`,
      at,
    );
  });
}

export interface Directory {
  readonly at: number; // of its entry in the file
  readonly rva: number;
  readonly size: number;
}

/** An entry of the data directories that is not empty. PE format, Optional Header Data Directories. */
export function dataDirectory(
  bytes: Uint8Array,
  optionalAt: number,
  count: number,
  index: number,
): Directory | undefined {
  if (count <= index) return undefined;
  const at = optionalAt + OptionalHeader64.size + index * DataDirectory.size;
  requireRange(bytes, at, DataDirectory.size, 'PE data directory');
  const { VirtualAddress, Size } = DataDirectory.decode(bytes, at);
  return Size === 0 ? undefined : { at, rva: VirtualAddress, size: Size };
}

/** The base relocations' place in the image; undefined when it has none. Throws ImageError. */
export function relocationDirectory(
  bytes: Uint8Array,
  optionalAt: number,
  count: number,
  sizeOfImage: number,
): { rva: number; size: number } | undefined {
  const found = dataDirectory(bytes, optionalAt, count, DataDirectoryIndex.baseRelocation);
  if (!found) return undefined;
  const { at, rva, size } = found;
  if (rva + size > sizeOfImage) {
    throw new ImageError(
      `PE base relocation directory (offset ${hex(at)}): RVA ${hex(rva)} with ${hex(size)} bytes lies outside SizeOfImage ${hex(sizeOfImage)}: ${damaged}`,
      at,
    );
  }
  return { rva, size };
}

/** Certificates lie in the file, outside the image. PE format, The Attribute Certificate Table. Throws ImageError. */
export function checkSecurityDirectory(bytes: Uint8Array, optionalAt: number, count: number): void {
  const found = dataDirectory(bytes, optionalAt, count, DataDirectoryIndex.security);
  if (!found || found.rva + found.size <= bytes.length) return;
  throw new ImageError(
    `PE security directory (offset ${hex(found.at)}): file offset ${hex(found.rva)} with ${hex(found.size)} bytes of certificates does not lie within the ${String(bytes.length)} bytes there are: ${damaged}`,
    found.at,
  );
}
