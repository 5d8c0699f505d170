import type { ElfImage } from '../loaders/image.js';
import type { GuestMemory } from '../memory/guest-memory.js';
import { isRam, ramRanges } from '../memory/ram-map.js';
import { BootError } from './boot-protocol.js';

export const pageBytes = 4096;

/** Guest-physical bytes from `start` up to, not including, `end`. */
export interface Range {
  readonly start: number;
  readonly end: number;
  readonly what: string;
}

export const alignUp = (value: number, alignment: number): number => Math.ceil(value / alignment) * alignment;
export const alignDown = (value: number, alignment: number): number => Math.floor(value / alignment) * alignment;
export const mebibytes = (bytes: number): string => `${String(Math.ceil(bytes / 2 ** 20))} MiB`;

/** Hands out pages from the top of RAM downwards, around what is already taken. Addresses are guest-physical bytes. */
export class TopDownPlacement {
  private readonly taken: Range[];
  constructor(
    private readonly memory: GuestMemory,
    taken: readonly Range[],
    private readonly floor: number,
  ) {
    this.taken = [...taken];
  }

  /** The highest free page-aligned address whose last byte is at most `highest`. Throws BootError when there is none. */
  place(bytes: number, what: string, highest = Number.MAX_SAFE_INTEGER): number {
    const start = this.find(bytes, highest);
    if (start !== undefined) {
      this.taken.push({ start, end: start + Math.max(bytes, 1), what });
      return start;
    }
    const ram = ramRanges(this.memory).filter((range) => range.start <= highest);
    const total = ram.reduce((sum, range) => sum + range.end - range.start, 0);
    throw new BootError(
      `${what} of ${mebibytes(bytes)} does not fit into ${mebibytes(total)} of RAM beside ${this.taken.map((range) => range.what).join(', ')}: give more with --memory`,
    );
  }

  /** What place would answer; undefined when there is no room. */
  find(bytes: number, highest = Number.MAX_SAFE_INTEGER): number | undefined {
    const size = Math.max(bytes, 1);
    for (const range of ramRanges(this.memory).toReversed()) {
      const floor = Math.max(range.start, this.floor);
      let end = Math.min(range.end, highest + 1);
      for (;;) {
        const start = alignDown(end - size, pageBytes);
        if (start < floor) break;
        const obstacle = this.taken.find((other) => other.start < start + size && start < other.end);
        if (obstacle === undefined) return start;
        end = obstacle.start;
      }
    }
    return undefined;
  }
}

/** What to do when RAM does not reach up to an address below 4 GiB. */
export function moreRam(memory: GuestMemory, end: number): string {
  const size = `${String(Math.ceil(end / 2 ** 20))}M`;
  return ramRanges(memory).length > 1 ? `leave at least ${size} of RAM below 4 GiB` : `give at least --memory ${size}`;
}

/** Stores bytes and, behind them, zeros up to `memoryBytes`. Guest-physical. */
export function writeWithZeros(memory: GuestMemory, address: number, bytes: Uint8Array, memoryBytes: number): void {
  memory.writePhysical(address, bytes);
  writeZeros(memory, address + bytes.length, memoryBytes - bytes.length);
}

function writeZeros(memory: GuestMemory, address: number, length: number): void {
  const zeros = new Uint8Array(Math.min(2 ** 16, length));
  for (let at = 0; at < length; at += zeros.length) {
    memory.writePhysical(address + at, zeros.subarray(0, Math.min(zeros.length, length - at)));
  }
}

/**
 * Copies the PT_LOAD segments of a kernel to their physical addresses (p_paddr: Linux's per-CPU segment has p_vaddr 0),
 * all of them moved up by `offset`, unless they were unpacked there, and returns the range they take. Throws BootError
 * when they do not fit between 1 MiB and the end of RAM.
 */
export function loadSegments(memory: GuestMemory, elf: ElfImage, lowest: number, offset = 0): Range {
  const linked = linkedRange(elf);
  const start = linked.start + offset;
  const end = linked.end + offset;
  if (start < lowest) {
    throw new BootError(
      `the kernel has a segment at guest-physical 0x${start.toString(16)}, below 0x${lowest.toString(16)}, where firmware tables lie: link it higher`,
    );
  }
  if (!isRam(memory, { start, end })) {
    const low = ramRanges(memory)[0]?.end ?? 0;
    throw new BootError(
      `the kernel reaches up to guest-physical 0x${end.toString(16)}, RAM ends at 0x${low.toString(16)}: ${moreRam(memory, end)}`,
    );
  }
  if (elf.loadedInto !== undefined && elf.loadedInto !== memory) {
    throw new BootError('the kernel was unpacked into the memory of another machine: read its image anew');
  }
  const contents = offset === 0 || elf.loadedInto === undefined ? undefined : takeSegments(memory, elf);
  elf.segments.forEach(({ physicalAddress, fileOffset, fileBytes, memoryBytes }, index) => {
    const at = physicalAddress + offset;
    if (elf.loadedInto === memory && contents === undefined) {
      writeZeros(memory, at + fileBytes, memoryBytes - fileBytes);
    } else {
      const bytes = contents?.[index] ?? elf.bytes.subarray(fileOffset, fileOffset + fileBytes);
      writeWithZeros(memory, at, bytes, memoryBytes);
    }
  });
  return { start, end, what: 'the kernel' };
}

/** From the first byte of a segment to the last, where the kernel was linked. Guest-physical. */
export function linkedRange(elf: ElfImage): Pick<Range, 'start' | 'end'> {
  return {
    start: Math.min(...elf.segments.map((segment) => segment.physicalAddress)),
    end: Math.max(...elf.segments.map((segment) => segment.physicalAddress + segment.memoryBytes)),
  };
}

/** What was unpacked where the segments were linked, taken out of memory: it is cleared there. */
function takeSegments(memory: GuestMemory, elf: ElfImage): Uint8Array[] {
  const contents = elf.segments.map(({ physicalAddress, fileBytes }) =>
    memory.readPhysical(physicalAddress, fileBytes),
  );
  for (const { physicalAddress, fileBytes } of elf.segments) writeZeros(memory, physicalAddress, fileBytes);
  return contents;
}

/** Text as UTF-8 with a NUL behind it. */
export function zeroTerminated(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x1_0000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
  }
  return Uint8Array.of(...bytes, 0);
}
