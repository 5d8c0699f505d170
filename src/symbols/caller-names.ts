import type { FirmwareEvent } from '../firmware/index.js';
import { GuestAddressError, type GuestMemory } from '../memory/guest-memory.js';
import { physicalAddress } from './page-walk.js';
import { RunningKernel } from './running-kernel.js';

/** What naming a caller needs of the machine. */
export interface CallerTarget {
  readonly memory: GuestMemory;
  readonly processor: {
    readonly registers: { readonly cr3: bigint; get(name: 'rbp'): bigint };
  };
}

/** An image that was entered. Guest-physical, identity mapped. */
export interface KnownImage {
  readonly name: string;
  readonly base: bigint;
  readonly bytes: bigint;
}

/** Where the upper half of the address space begins: kernels run there. */
const upperHalf = 1n << 63n;
/** Linux's way from its own calling convention to EFI's: who called it is the news. Linux arch/x86/platform/efi/efi_stub_64.S. */
const trampoline = /^(?:__)?efi_call\+/;

/**
 * Says to whom an address belongs: `image+0x8f59` for an EFI image that the firmware loaded, `efi_call_rts+0x1ab` for a
 * Linux that brought its symbols along. It only watches.
 */
export class CallerNames {
  private readonly images: KnownImage[] = [];
  private kernel: RunningKernel | undefined;

  constructor(private readonly target: CallerTarget) {}

  /** Takes notice of an image that is entered. */
  happened({ event, image }: FirmwareEvent): void {
    if (event !== 'image-entry' || image === undefined) return;
    const name = this.images.length === 0 ? 'image' : `image@0x${image.base.toString(16)}`;
    this.images.push({ name, base: BigInt(image.base), bytes: BigInt(image.bytes) });
  }

  /** Plain data for restore(). */
  save(): readonly KnownImage[] {
    return [...this.images];
  }

  restore(images: readonly KnownImage[]): void {
    this.images.splice(0, this.images.length, ...images);
  }

  /** undefined for an address that belongs to nobody who is known. */
  nameOf(address: bigint): string | undefined {
    if (address >= upperHalf) return this.inKernel(address);
    const image = this.images.findLast(({ base, bytes }) => address >= base && address < base + bytes);
    return image && `${image.name}+0x${(address - image.base).toString(16)}`;
  }

  /** While a call of that caller is being served: its name, and behind Linux's trampoline who called that. */
  ofCall(caller: bigint): string | undefined {
    const name = this.nameOf(caller);
    if (name === undefined || !trampoline.test(name)) return name;
    const behind = this.readU64(this.target.processor.registers.get('rbp') + 8n); // it keeps a frame
    const outer = behind === undefined ? undefined : this.nameOf(behind);
    return outer === undefined ? name : `${name} from ${outer}`;
  }

  private inKernel(address: bigint): string | undefined {
    const { memory, processor } = this.target;
    const { cr3 } = processor.registers;
    if (!this.kernel?.holds(memory, cr3, address)) this.kernel = RunningKernel.at(memory, cr3, address);
    return this.kernel?.nameOf(address);
  }

  private readU64(address: bigint): bigint | undefined {
    const { memory, processor } = this.target;
    const read = (at: number, length: number): Uint8Array => memory.readPhysical(at, length);
    try {
      const physical = physicalAddress(read, processor.registers.cr3, address);
      if (physical === undefined) return undefined;
      return new DataView(read(physical, 8).buffer).getBigUint64(0, true);
    } catch (error) {
      if (error instanceof GuestAddressError) return undefined;
      throw error;
    }
  }
}
