import { isRam, type RamSizes } from '../memory/ram-map.js';
import { ElfProgramType } from '../../firmware-tables/image/elf.js';
import { unpackPieces, type Payload } from './decompress/index.js';
import { readElf, readElfHeaders, readSegment } from './elf.js';
import { ImageError, type ElfImage, type ElfSegment, type UnpackTarget } from './image.js';

/** Offsets in the unpacked file, bytes. */
interface FileRange {
  readonly fileOffset: number;
  readonly fileBytes: number;
}

/** Which parts of the unpacked file are wanted. */
interface Plan {
  readonly segments: readonly ElfSegment[];
  readonly notes: readonly FileRange[];
}

/**
 * Unpacks a payload piece by piece and stores what belongs to a segment at its guest-physical address; the zeros behind
 * it are the caller's to write. undefined, with nothing written, when the payload comes as a whole only or when the
 * segments do not allow it: below the target's lowest address, outside of RAM, one over another. Throws ImageError.
 */
export function loadPieces(payload: Payload, { memory, lowest }: UnpackTarget): ElfImage | undefined {
  let file = new Uint8Array(0); // the headers and notes at their offsets; pages that nobody writes cost nothing
  let plan: Plan | undefined;
  const isDone = unpackPieces(payload, (piece, at, size) => {
    if (at === 0) {
      file = new Uint8Array(size);
      plan = planOf(piece, file, memory, lowest);
    }
    if (plan === undefined) return false;
    for (const segment of plan.segments) {
      const part = overlap(segment, piece, at);
      if (part !== undefined) memory.writePhysical(segment.physicalAddress + part.at - segment.fileOffset, part.bytes);
    }
    for (const note of plan.notes) {
      const part = overlap(note, piece, at);
      if (part !== undefined) file.set(part.bytes, part.at);
    }
    return true;
  });
  return isDone ? { ...readElf(file), loadedInto: memory } : undefined;
}

/** Copies the headers into `file` and finds the parts that are wanted; undefined when the layout does not allow it. */
function planOf(first: Uint8Array, file: Uint8Array, ram: RamSizes, lowest: number): Plan | undefined {
  try {
    const { tableOffset, programs } = readElfHeaders(first);
    const tableEnd = programs.at(-1)?.at ?? tableOffset;
    file.set(first.subarray(0, Math.min(first.length, tableEnd + pageBytes)));
    const segments = programs
      .filter(({ program }) => program.p_type === ElfProgramType.load)
      .map(({ program, index, at }) => readSegment(file, program, index, at))
      .filter(({ memoryBytes }) => memoryBytes > 0);
    const notes = programs
      .filter(({ program }) => program.p_type === ElfProgramType.note)
      .map(({ program }) => ({ fileOffset: Number(program.p_offset), fileBytes: Number(program.p_filesz) }));
    return fits(segments, ram, lowest) ? { segments, notes } : undefined;
  } catch (error) {
    if (error instanceof ImageError) return undefined; // the whole file will tell
    throw error;
  }
}

const pageBytes = 4096;

/** Each segment lies in RAM from `lowest` on and over no other. */
function fits(segments: readonly ElfSegment[], ram: RamSizes, lowest: number): boolean {
  let end = lowest;
  for (const segment of [...segments].sort((a, b) => a.physicalAddress - b.physicalAddress)) {
    if (segment.physicalAddress < end) return false;
    end = segment.physicalAddress + segment.memoryBytes;
  }
  return isRam(ram, { start: lowest, end });
}

/** What of a range lies in a piece of the file that starts at `at`. */
function overlap(
  { fileOffset, fileBytes }: FileRange,
  piece: Uint8Array,
  at: number,
): { readonly bytes: Uint8Array; readonly at: number } | undefined {
  const start = Math.max(fileOffset, at);
  const end = Math.min(fileOffset + fileBytes, at + piece.length);
  return start < end ? { bytes: piece.subarray(start - at, end - at), at: start } : undefined;
}
