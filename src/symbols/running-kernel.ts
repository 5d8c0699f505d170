import { GuestAddressError, type GuestMemory } from '../memory/guest-memory.js';
import { isRam, ramRanges } from '../memory/ram-map.js';
import { readKallsyms, SymbolsError, type SymbolTable } from './kallsyms.js';
import { physicalAddress } from './page-walk.js';

/** Linux maps itself in pieces of 2 MiB, one behind the other as they lie in RAM. Linux arch/x86/kernel/head_64.S. */
const piece = 0x20_0000;
/** What it takes at most: KERNEL_IMAGE_SIZE. Linux arch/x86/include/asm/page_64_types.h. */
const largest = 2 ** 30;

/**
 * A Linux that runs in the guest, with the symbols that it carries itself: wherever KASLR put it, and whoever unpacked it.
 * Addresses are guest-virtual. The symbols are read where they lie in guest memory.
 */
export class RunningKernel {
  private constructor(
    private readonly start: bigint,
    private readonly physical: number,
    private readonly bytes: number,
    private readonly symbols: SymbolTable | undefined,
  ) {}

  /** The kernel whose code is at an address; undefined where nothing is mapped. */
  static at(memory: GuestMemory, cr3: bigint, address: bigint): RunningKernel | undefined {
    const physicalOf = (at: bigint): number | undefined => physicalInRam(memory, cr3, at);
    let start = address & ~BigInt(piece - 1);
    let physical = physicalOf(start);
    if (physical === undefined) return undefined;
    while (physical >= piece && physicalOf(start - BigInt(piece)) === physical - piece) {
      start -= BigInt(piece);
      physical -= piece;
    }
    let bytes = piece;
    while (bytes < largest && physicalOf(start + BigInt(bytes)) === physical + bytes) bytes += piece;
    const end = ramRanges(memory).find((range) => range.start <= physical && physical < range.end)?.end ?? physical;
    bytes = Math.min(bytes, end - physical);
    return new RunningKernel(start, physical, bytes, readSymbols(memory, start, physical, bytes));
  }

  /** Whether this kernel still is what is mapped at an address. */
  holds(memory: GuestMemory, cr3: bigint, address: bigint): boolean {
    const offset = Number(address - this.start);
    return offset >= 0 && offset < this.bytes && physicalInRam(memory, cr3, address) === this.physical + offset;
  }

  /** `efi_call_rts+0x1ab`; undefined when the kernel has no symbols. */
  nameOf(address: bigint): string | undefined {
    const found = this.symbols?.nearest(address);
    return found && `${found.symbol.name}+0x${found.offset.toString(16)}`;
  }
}

function physicalInRam(memory: GuestMemory, cr3: bigint, address: bigint): number | undefined {
  try {
    const physical = physicalAddress((at, length) => memory.readPhysical(at, length), cr3, address);
    return physical !== undefined && isRam(memory, { start: physical, end: physical + 1 }) ? physical : undefined;
  } catch (error) {
    if (error instanceof GuestAddressError) return undefined; // page tables outside RAM
    throw error;
  }
}

/** The kernel in memory as an ELF with one segment: what readKallsyms needs of one. */
function readSymbols(memory: GuestMemory, start: bigint, physical: number, bytes: number): SymbolTable | undefined {
  const image = {
    bytes: memory.viewPhysical?.(physical, bytes) ?? memory.readPhysical(physical, bytes),
    bits: 64,
    entry: start,
    segments: [
      { physicalAddress: physical, virtualAddress: start, fileOffset: 0, fileBytes: bytes, memoryBytes: bytes },
    ],
    notes: [],
  } as const;
  try {
    return readKallsyms(image);
  } catch (error) {
    if (error instanceof SymbolsError) return undefined;
    throw error;
  }
}
