import type { GuestMemory } from '../memory/guest-memory.js';

/**
 * A kernel image after reading: which formats it has and what each door needs of it. Offsets are bytes in the file,
 * addresses guest-physical unless said otherwise.
 */
export interface LoadedImage {
  readonly kind: 'bzimage' | 'pe' | 'elf';
  readonly bytes: Uint8Array;
  /** Present when the file is a PE32+ x86-64 EFI application (a bzImage with EFI stub is both). */
  readonly pe?: PeImage;
  /** Present for bzImage: the Linux/x86 boot protocol's setup header. Linux Documentation/arch/x86/boot.rst. */
  readonly setup?: LinuxSetup;
  /**
   * Loads what elf() needs to unpack the payload (a Zstandard decoder starts asynchronously). Await it once after
   * reading the image; it never rejects: what is wrong with the payload is elf()'s to say.
   */
  prepare(): Promise<void>;
  /**
   * The ELF with the kernel proper: the file itself, or the unpacked payload of a bzImage; undefined for other PE files.
   * Unpacking takes time, so it is done at the first call and kept. Throws ImageError when the payload is damaged or
   * of an unknown format, or prepare() was not awaited although the codec wants it.
   */
  elf(): ElfImage | undefined;
  /**
   * Lets the next elf() unpack a payload that comes in pieces straight to where its segments belong in a memory, so that
   * tens of MiB are written once instead of twice. undefined, when the image was entered, ends that: an ELF unpacked
   * there is of no further use and is forgotten.
   */
  unpackInto?(target: UnpackTarget | undefined): void;
  /**
   * Forgets an unpacked payload, tens of MiB, and hands it over so that a host may free it at once; elf() would unpack
   * it again. undefined when nothing was unpacked.
   */
  release?(): Uint8Array | undefined;
}

export interface PeSection {
  readonly name: string;
  readonly virtualAddress: number;
  readonly virtualSize: number;
  readonly fileOffset: number;
  readonly fileSize: number;
  readonly characteristics: number;
}

export interface PeImage {
  readonly imageBase: bigint;
  readonly entryPoint: number; // RVA
  readonly sizeOfImage: number;
  readonly sizeOfHeaders: number;
  readonly sectionAlignment: number;
  readonly subsystem: number;
  readonly dllCharacteristics: number;
  /** The image runs at its base only. */
  readonly relocationsStripped?: boolean;
  readonly sections: readonly PeSection[];
  /** RVA and size of the base relocation directory; absent when the image has none. */
  readonly relocations?: { readonly rva: number; readonly size: number };
}

export interface LinuxSetup {
  readonly version: number;
  readonly setupBytes: number; // real-mode part: boot sector and setup sectors
  readonly payloadOffset: number; // in the file
  readonly payloadBytes: number;
  readonly initSize: number;
  readonly prefAddress: number;
  readonly kernelAlignment: number;
  readonly relocatable: boolean;
  readonly xloadflags: number;
  readonly commandLineBytes: number; // longest command line without its NUL
  readonly initrdAddressMax: number;
  readonly kernelVersion?: string;
}

export interface ElfSegment {
  readonly physicalAddress: number;
  readonly virtualAddress: bigint;
  readonly fileOffset: number;
  readonly fileBytes: number;
  readonly memoryBytes: number;
}

/** Where segments may be unpacked to: from guest-physical `lowest` on. */
export interface UnpackTarget {
  readonly memory: GuestMemory;
  readonly lowest: number;
}

/** Where the PVH entry lets a kernel stand. Guest-physical. Xen public/elfnote.h. */
export interface PvhRelocation {
  /** The start is a multiple of this, bytes. */
  readonly alignment: number;
  readonly lowest: number;
  /** Highest address of the last byte. */
  readonly highest: number;
}

export interface ElfImage {
  readonly bytes: Uint8Array;
  /** The segments stand in this memory already (LoadedImage.unpackInto); `bytes` then has the headers and notes alone. */
  readonly loadedInto?: GuestMemory;
  readonly bits: 32 | 64;
  readonly entry: bigint;
  readonly segments: readonly ElfSegment[]; // PT_LOAD
  /** Xen's XEN_ELFNOTE_PHYS32_ENTRY (18): the 32-bit physical PVH entry. Xen public/elfnote.h. */
  readonly pvhEntry?: number;
  /** Xen's XEN_ELFNOTE_PHYS32_RELOC (19): where else the kernel may stand for that entry; absent when nowhere. */
  readonly pvhRelocation?: PvhRelocation;
  readonly notes: readonly { readonly name: string; readonly type: number; readonly description: Uint8Array }[];
}

/** An image is damaged or of a kind that no door takes. `offset` is the byte in the file where it shows. */
export class ImageError extends Error {
  override readonly name = 'ImageError';
  readonly code = 'IMAGE';
  constructor(
    message: string,
    readonly offset?: number,
  ) {
    super(message);
  }
}
