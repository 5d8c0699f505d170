import type { EntryState } from '../cpu/types.js';
import type { GuestMemory } from '../memory/guest-memory.js';
import type { LoadedImage } from '../loaders/image.js';
import type { GuestMap } from '../memory/guest-map.js';
import type { ProvidedMemory } from '../memory/provided.js';

/** A module for the guest: an initrd or any file, with its command line. */
export interface BootModule {
  readonly bytes: Uint8Array;
  readonly commandLine?: string;
}

/** What the user gave; the same for every door, so that what differs between two runs is the door alone. */
export interface BootOptions {
  readonly commandLine: string;
  readonly initrd?: Uint8Array;
  readonly modules: readonly BootModule[];
  /** What the PVH door alone looks at. */
  readonly pvh?: PvhOptions;
  /** What the door of the 64-bit boot protocol alone looks at. */
  readonly linux64?: Linux64Options;
}

export interface Linux64Options {
  /** hardware_subarch of boot_params: HardwareSubarch of setup-header.ts. As the image has it (0, a PC) when left out. */
  readonly hardwareSubarch?: number;
}

export interface PvhOptions {
  /** Version of hvm_start_info: 0 has no memory map, so that the guest asks the hypervisor. 1 when left out. */
  readonly version?: 0 | 1;
  /** SIF_* of hvm_start_info: StartInfoFlag. 0 when left out. */
  readonly flags?: number;
  /** Guest-physical address of the kernel's first byte, for one that can be moved; where it was linked when left out. */
  readonly loadAt?: number;
}

/** What a door may use of the machine. */
export interface BootTarget {
  readonly memory: GuestMemory;
  /** Guest-physical address of the ACPI RSDP; 0 when the machine has no ACPI tables. */
  readonly rsdp: number;
  /** What lies beside RAM; the PC's hole with the tables in it when left out. */
  readonly map?: GuestMap;
  /** Is told what a door lays out for the guest. */
  readonly provided?: ProvidedMemory;
}

/** One way into a kernel: lays out guest RAM and says in which state the processor enters. */
export interface BootProtocol<Target extends BootTarget = BootTarget> {
  readonly name: string;
  /** Why this door cannot take the image, as a sentence that names what is missing; undefined when it can. */
  refuses(image: LoadedImage): string | undefined;
  /** Fills guest RAM and returns the entry state. Throws BootError when memory does not suffice. */
  enter(target: Target, image: LoadedImage, options: BootOptions): EntryState;
}

/** A door could not be entered; the message says what to do. */
export class BootError extends Error {
  override readonly name = 'BootError';
  readonly code = 'BOOT';
}
