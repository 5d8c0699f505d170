import type { ElfImage } from '../loaders/image.js';

/**
 * Finds where a kernel was placed. With KASLR, and under every door but pvh, the kernel proper runs at another
 * guest-physical address than it was linked for; its entry (startup_64) is recognised when it is about to execute.
 */
export interface KernelLocator {
  /** Guest-physical address of the entry when the kernel runs where it was linked. */
  readonly linkedEntry: number;
  /** The first bytes of the entry as they are in the file. */
  readonly expected: Uint8Array;
  /**
   * Whether code about to execute at a guest-physical address is the kernel's entry; if so, the distance from where it
   * was linked, to be added to SymbolTable.physicalOf. Cheap when it is not: one comparison in all but one of 2^21 cases.
   */
  check(readPhysical: (address: number, length: number) => Uint8Array, physical: number): number | undefined;
}

/** Kernels move by multiples of CONFIG_PHYSICAL_ALIGN, at least 2 MiB. Linux arch/x86/Kconfig. */
const alignmentMask = 0x1f_ffff;
const comparedBytes = 256;
/** Relocation changes the 4 or 8 bytes of an absolute address; most of early code has none. */
const allowedMismatches = comparedBytes / 4;

/** undefined when the ELF's entry lies in none of its segments, or too close to the end of one to be recognised. */
export function kernelLocator(elf: ElfImage): KernelLocator | undefined {
  const found = entryInFile(elf);
  if (found === undefined) return undefined;
  const expected = elf.bytes.slice(found.fileOffset, found.fileOffset + Math.min(comparedBytes, found.rest));
  if (expected.length < comparedBytes) return undefined;
  return locatorOf(found.linkedEntry, expected);
}

/** The locator for an entry whose address and first bytes are known. */
export function locatorOf(linkedEntry: number, expected: Uint8Array): KernelLocator {
  return {
    linkedEntry,
    expected,
    check(readPhysical, physical) {
      if (((physical ^ linkedEntry) & alignmentMask) !== 0) return undefined;
      const actual = readPhysical(physical, comparedBytes);
      let mismatches = 0;
      for (let i = 0; i < comparedBytes; i++) {
        if (actual[i] !== expected[i] && ++mismatches > allowedMismatches) return undefined;
      }
      return physical - linkedEntry;
    },
  };
}

/** As kernelLocator().check for a single address. */
export function locateKernel(
  elf: ElfImage,
  readPhysical: (address: number, length: number) => Uint8Array,
  candidatePhysical: number,
): number | undefined {
  return kernelLocator(elf)?.check(readPhysical, candidatePhysical);
}

/** Linux's e_entry is physical; other kernels name a virtual address. */
function entryInFile(elf: ElfImage): { linkedEntry: number; fileOffset: number; rest: number } | undefined {
  for (const base of ['physicalAddress', 'virtualAddress'] as const) {
    for (const segment of elf.segments) {
      const offset = Number(elf.entry - BigInt(segment[base]));
      if (offset >= 0 && offset < segment.fileBytes) {
        const linkedEntry = segment.physicalAddress + offset;
        return { linkedEntry, fileOffset: segment.fileOffset + offset, rest: segment.fileBytes - offset };
      }
    }
  }
  return undefined;
}
