import { PeDllCharacteristic, PeRelocation, PeSectionFlag } from '../../../firmware-tables/image/pe.js';
import { pageBytes } from '../../../firmware-tables/uefi/memory-descriptor.js';
import { FirmwareError } from '../errors.js';
import type { MemoryMap } from '../memory/memory-map.js';

/** What the loader needs of a PE32+ image; the PE reader's result fits. Offsets are bytes in the file, RVAs from the image base. */
export interface PeLayout {
  readonly imageBase: bigint;
  readonly entryPoint: number; // RVA
  readonly sizeOfImage: number;
  readonly sizeOfHeaders: number;
  readonly sectionAlignment?: number;
  readonly dllCharacteristics?: number;
  /** The image runs at its base only. */
  readonly relocationsStripped?: boolean;
  readonly sections: readonly {
    readonly name: string;
    readonly virtualAddress: number;
    readonly virtualSize: number;
    readonly fileOffset: number;
    readonly fileSize: number;
    readonly characteristics?: number;
  }[];
  readonly relocations?: { readonly rva: number; readonly size: number };
}

/** EDK II leaves what is below to real mode and loads no movable image there. */
const lowestBase = 0x10_0000;

/**
 * Where to load, as EDK II: at the image's own base when that is free, else at the highest free place at a multiple of
 * SectionAlignment, for images that can be moved. Throws FirmwareError.
 */
export function placeImage(map: MemoryMap, image: PeLayout): number {
  const pages = Math.ceil(image.sizeOfImage / pageBytes);
  const base = Number(image.imageBase);
  const alignment = Math.max(pageBytes, image.sectionAlignment ?? 0);
  const stripped = image.relocationsStripped === true;
  if ((base >= lowestBase || stripped) && base % alignment === 0 && map.isFree(base, pages)) return base;
  if (stripped) {
    throw new FirmwareError(
      `the image has no base relocations and its base 0x${base.toString(16)} is not free RAM at a multiple of SectionAlignment 0x${alignment.toString(16)}: link it with relocations, or at another base`,
    );
  }
  const slack = alignment > pageBytes ? alignment / pageBytes : 0;
  const place = map.findFree(pages + slack);
  if (place === undefined) {
    throw new FirmwareError(
      `no free run of ${String(image.sizeOfImage)} bytes at a multiple of 0x${alignment.toString(16)} for the image: give the machine more memory`,
    );
  }
  return Math.ceil(place / alignment) * alignment;
}

/** Some bytes of an image in memory, at an address relative to its base. */
export interface ImagePiece {
  readonly rva: number;
  readonly bytes: Uint8Array;
}

/**
 * The image as it stands in memory at `base`, to its last page: headers, sections, zero fill, relocations applied. An image
 * that is not changed, as a kernel, is handed over where it stands in the file. Throws FirmwareError.
 */
export function imagePieces(image: PeLayout, file: Uint8Array, base: number): readonly ImagePiece[] {
  const length = Math.ceil(image.sizeOfImage / pageBytes) * pageBytes;
  const parts = filePieces(image, file, length);
  const { relocations } = image;
  const delta = BigInt(base) - image.imageBase;
  const isMoved = relocations !== undefined && relocations.size > 0 && delta !== 0n;
  const pieces = isMoved ? undefined : withZeros(parts, length);
  if (pieces !== undefined && (relocations === undefined || relocations.rva + relocations.size <= length))
    return pieces;
  const memory = new Uint8Array(length);
  for (const { rva, bytes } of parts) memory.set(bytes, rva);
  if (relocations) relocate(memory.subarray(0, image.sizeOfImage), relocations, delta);
  return [{ rva: 0, bytes: memory }];
}

/** The headers and sections; a later one hides what it lies over. Throws FirmwareError. */
function filePieces(image: PeLayout, file: Uint8Array, length: number): readonly ImagePiece[] {
  const sections = image.sections.map((section) => {
    const size = Math.min(section.fileSize, section.virtualSize || section.fileSize);
    if (
      section.virtualAddress + Math.max(size, section.virtualSize) > length ||
      section.fileOffset + size > file.length
    ) {
      throw new FirmwareError(`section ${section.name} does not lie within the image: the file is damaged`);
    }
    return { rva: section.virtualAddress, bytes: file.subarray(section.fileOffset, section.fileOffset + size) };
  });
  const filled = sections.filter(({ bytes }) => bytes.length > 0);
  return [{ rva: 0, bytes: file.subarray(0, Math.min(image.sizeOfHeaders, length)) }, ...filled];
}

/** The pieces with zeros between and behind them; undefined when one lies over another. */
function withZeros(parts: readonly ImagePiece[], length: number): readonly ImagePiece[] | undefined {
  const pieces: ImagePiece[] = [];
  let end = 0;
  const zerosTo = (next: number): void => {
    if (next > end) pieces.push({ rva: end, bytes: new Uint8Array(next - end) });
  };
  for (const piece of [...parts].sort((a, b) => a.rva - b.rva)) {
    if (piece.rva < end) return undefined;
    zerosTo(piece.rva);
    pieces.push(piece);
    end = piece.rva + piece.bytes.length;
  }
  zerosTo(length);
  return pieces;
}

/** Applies the base relocations that EDK II knows; a damaged block is refused before anything runs. PE format, The .reloc Section. */
function relocate(memory: Uint8Array, directory: { readonly rva: number; readonly size: number }, delta: bigint): void {
  const view = new DataView(memory.buffer, memory.byteOffset, memory.length);
  const end = directory.rva + directory.size;
  const damaged = (what: string, rva: number): FirmwareError =>
    new FirmwareError(`base relocations: ${what} at RVA 0x${rva.toString(16)}: the file is damaged`);
  if (end > memory.length) throw damaged('directory outside the image', directory.rva);
  if (delta === 0n) return;
  for (let at = directory.rva; at + 8 <= end;) {
    const page = view.getUint32(at, true);
    const size = view.getUint32(at + 4, true);
    if (size < 8 || at + size > end) throw damaged(`block of ${String(size)} bytes`, at);
    for (let entry = at + 8; entry + 2 <= at + size; entry += 2) {
      const word = view.getUint16(entry, true);
      const kind = word >> 12;
      if (kind === PeRelocation.absolute) continue;
      const width = relocationWidths.get(kind);
      if (width === undefined) throw damaged(`type ${String(kind)}, which x86-64 does not have,`, entry);
      const target = page + (word & 0xfff);
      if (target + width > memory.length) throw damaged('target outside the image', entry);
      move(view, target, kind, delta);
    }
    at += size;
  }
}

/** Bytes that each type changes. */
const relocationWidths: ReadonlyMap<number, number> = new Map([
  [PeRelocation.high, 2],
  [PeRelocation.low, 2],
  [PeRelocation.highLow, 4],
  [PeRelocation.dir64, 8],
]);

function move(view: DataView, target: number, kind: number, delta: bigint): void {
  if (kind === PeRelocation.dir64) {
    view.setBigUint64(target, BigInt.asUintN(64, view.getBigUint64(target, true) + delta), true);
  } else if (kind === PeRelocation.highLow) {
    view.setUint32(target, Number(BigInt.asUintN(32, BigInt(view.getUint32(target, true)) + delta)), true);
  } else {
    const part = Number(BigInt.asUintN(16, kind === PeRelocation.high ? delta >> 16n : delta));
    view.setUint16(target, view.getUint16(target, true) + part, true);
  }
}

/** A range of pages with what code may do there; what no range names may be written and executed. */
export interface PageProtection {
  readonly start: number; // bytes
  readonly end: number; // exclusive
  readonly writable: boolean;
  readonly executable: boolean;
}

/**
 * W^X of an image that says NX_COMPAT and whose sections start on pages, as EDK II protects images: sections with code
 * that are not writable are read-only, the rest of the image is not executable. Empty for every other image. `base` is
 * guest-physical. PE format, DLL Characteristics; UEFI 2.10 section 2.3.7.
 */
export function imageProtection(image: PeLayout, base: number): readonly PageProtection[] {
  const compatible = ((image.dllCharacteristics ?? 0) & PeDllCharacteristic.nxCompat) !== 0;
  const alignment = image.sectionAlignment ?? 0;
  if (!compatible || alignment < pageBytes) return [];
  const end = base + Math.ceil(image.sizeOfImage / pageBytes) * pageBytes;
  const code = image.sections
    .filter(({ characteristics = 0 }) => (characteristics & PeSectionFlag.execute) !== 0)
    .filter(({ characteristics = 0 }) => (characteristics & PeSectionFlag.write) === 0)
    .filter(({ virtualAddress, virtualSize }) => virtualAddress % pageBytes === 0 && virtualSize > 0)
    .sort((a, b) => a.virtualAddress - b.virtualAddress);
  if (code.length === 0) return [];
  const ranges: PageProtection[] = [];
  let at = base;
  for (const { virtualAddress, virtualSize } of code) {
    const start = base + virtualAddress;
    const codeEnd = Math.min(end, base + Math.ceil((virtualAddress + virtualSize) / pageBytes) * pageBytes);
    if (start > at) ranges.push({ start: at, end: start, writable: true, executable: false });
    ranges.push({ start, end: codeEnd, writable: false, executable: true });
    at = codeEnd;
  }
  if (at < end) ranges.push({ start: at, end, writable: true, executable: false });
  return ranges;
}
