import { pageBytes } from '../../firmware-tables/uefi/memory-descriptor.js';
import { FirmwareError } from './errors.js';
import type { MemoryMap } from './memory-map.js';

/** What the loader needs of a PE32+ image; the PE reader's result fits. Offsets are bytes in the file, RVAs from the image base. */
export interface PeLayout {
  readonly imageBase: bigint;
  readonly entryPoint: number; // RVA
  readonly sizeOfImage: number;
  readonly sizeOfHeaders: number;
  readonly sections: readonly {
    readonly name: string;
    readonly virtualAddress: number;
    readonly virtualSize: number;
    readonly fileOffset: number;
    readonly fileSize: number;
  }[];
  readonly relocations?: { readonly rva: number; readonly size: number };
}

/** IMAGE_FILE_RELOCS_STRIPPED in the COFF header's Characteristics: the image runs at its base only. PE format, COFF File Header. */
const relocsStripped = 0x0001;
/** IMAGE_REL_BASED_*. PE format, Base Relocation Types. */
const Relocation = { ABSOLUTE: 0, HIGHLOW: 3, DIR64: 10 } as const;

/**
 * Where to load: at the image's own base when that is free (base 0 asks for no place), else at the highest free place,
 * for images that can be moved. Throws FirmwareError.
 */
export function placeImage(map: MemoryMap, image: PeLayout, file: Uint8Array): number {
  const pages = Math.ceil(image.sizeOfImage / pageBytes);
  const base = Number(image.imageBase);
  if (base > 0 && base % pageBytes === 0 && map.isFree(base, pages)) return base;
  if (base > 0 && characteristics(file) & relocsStripped) {
    throw new FirmwareError(
      `the image has no base relocations and its base 0x${base.toString(16)} is not free RAM: link it with relocations, or at a lower base`,
    );
  }
  const place = map.findFree(pages);
  if (place === undefined) {
    throw new FirmwareError(
      `no free run of ${String(image.sizeOfImage)} bytes for the image: give the machine more memory`,
    );
  }
  return place;
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
  if (relocations) relocate(memory, relocations, delta);
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
  return [{ rva: 0, bytes: file.subarray(0, Math.min(image.sizeOfHeaders, length)) }, ...sections];
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

/** Applies base relocations. PE format, The .reloc Section. */
function relocate(memory: Uint8Array, directory: { readonly rva: number; readonly size: number }, delta: bigint): void {
  const view = new DataView(memory.buffer);
  const end = directory.rva + directory.size;
  const damaged = (what: string, rva: number): FirmwareError =>
    new FirmwareError(`base relocations: ${what} at RVA 0x${rva.toString(16)}: the file is damaged`);
  if (end > memory.length) throw damaged('directory outside the image', directory.rva);
  if (delta === 0n) return;
  for (let at = directory.rva; at + 8 <= end;) {
    const page = view.getUint32(at, true);
    const size = view.getUint32(at + 4, true);
    if (size === 0) break; // padding behind the last block
    if (size < 8 || at + size > end) throw damaged(`block of ${String(size)} bytes`, at);
    for (let entry = at + 8; entry + 2 <= at + size; entry += 2) {
      const word = view.getUint16(entry, true);
      const target = page + (word & 0xfff);
      const kind = word >> 12;
      if (kind === Relocation.ABSOLUTE) continue;
      const width = kind === Relocation.DIR64 ? 8 : kind === Relocation.HIGHLOW ? 4 : 0;
      if (width === 0) throw damaged(`type ${String(kind)}, which x86-64 does not have,`, entry);
      if (target + width > memory.length) throw damaged('target outside the image', entry);
      if (width === 8) view.setBigUint64(target, BigInt.asUintN(64, view.getBigUint64(target, true) + delta), true);
      else view.setUint32(target, Number(BigInt.asUintN(32, BigInt(view.getUint32(target, true)) + delta)), true);
    }
    at += size;
  }
}

/** Characteristics of the COFF header; 0 when the file is too short to have one. */
function characteristics(file: Uint8Array): number {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length < 0x40) return 0;
  const header = view.getUint32(0x3c, true); // e_lfanew: "PE\0\0", then the COFF header
  return header + 24 <= file.length ? view.getUint16(header + 22, true) : 0;
}
