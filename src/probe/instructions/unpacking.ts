import type { MapEntry, ServiceCall } from '../../firmware/index.js';
import { MemoryType } from '../../../firmware-tables/uefi/memory-descriptor.js';
import { kernelLocator, type KernelLocator } from '../../symbols/kernel-locator.js';
import type { ElfImage } from '../../loaders/image.js';
import type { GuestMemory } from '../../memory/guest-memory.js';

/** Who unpacked the kernel, and what it took. */
export interface Unpacking {
  /** Where: between which calls or points. */
  readonly where: string;
  readonly instructions: number;
}

/** Shorter stretches between two calls unpack no kernel. */
const shortest = 1_000_000;
const megabytes2 = 0x20_0000;
const loaderTypes: readonly number[] = [MemoryType.EfiLoaderCode, MemoryType.EfiLoaderData];

/**
 * Finds the stretch between two firmware calls in which the unpacked kernel appears in memory: since Linux 6.6 the EFI
 * stub unpacks it before it leaves boot services. Older ones do so afterwards, without a call around.
 */
export class UnpackingInBootServices {
  found: Unpacking | undefined;
  private readonly locator: KernelLocator | undefined;
  private last = { name: 'entry', instructions: 0 };

  constructor(
    elf: ElfImage,
    private readonly memory: Pick<GuestMemory, 'readPhysical'>,
  ) {
    this.locator = kernelLocator(elf);
  }

  /** `entries`: the memory map after the call. */
  called({ name }: ServiceCall, instructions: number, entries: () => readonly MapEntry[]): void {
    const before = this.last;
    this.last = { name, instructions };
    const taken = instructions - before.instructions;
    if (this.found !== undefined || taken < shortest || !this.isThere(entries())) return;
    this.found = { where: `between ${before.name} and ${name}`, instructions: taken };
  }

  private isThere(entries: readonly MapEntry[]): boolean {
    const { locator, memory } = this;
    if (locator === undefined) return false;
    const read = (address: number, length: number): Uint8Array => memory.readPhysical(address, length);
    const within = locator.linkedEntry % megabytes2;
    return entries.some(({ start, pages, type }) => {
      if (!loaderTypes.includes(type)) return false;
      const end = start + pages * 4096;
      for (let at = Math.ceil(start / megabytes2) * megabytes2 + within; at < end - 4096; at += megabytes2)
        if (locator.check(read, at) !== undefined) return true;
      return false;
    });
  }
}
