import { crc32 } from '../bytes/crc32.js';
import type { ElfImage } from '../loaders/image.js';
import { KernelFunctions, kernelBase } from './kernel-functions.js';
import { readKallsyms, SymbolsError, type SymbolTable } from './kallsyms.js';

/**
 * The Linux of a run: its symbols, and how far it runs from where it was linked. Linux moves its guest-physical and its
 * virtual addresses apart from each other (CONFIG_RANDOMIZE_BASE).
 */
export class KernelPlace {
  /** To be added to link-time guest-physical addresses, bytes; undefined until the kernel was found. */
  physicalDistance: number | undefined;
  /** To be added to link-time virtual addresses, bytes; undefined until the kernel ran at one. */
  virtualDistance: number | undefined;
  /** From the first to behind the last byte, as offsets from kernelBase. Per-CPU segments are linked at 0 and left out. */
  private readonly start: number;
  private readonly end: number;
  private made: KernelFunctions | undefined;

  private constructor(
    readonly elf: ElfImage,
    readonly symbols: SymbolTable,
  ) {
    const linked = elf.segments.filter(({ virtualAddress }) => virtualAddress >= kernelBase);
    const first = ({ virtualAddress }: { readonly virtualAddress: bigint }): number =>
      Number(virtualAddress - kernelBase);
    this.start = Math.min(...linked.map(first));
    this.end = Math.max(...linked.map((segment) => first(segment) + segment.memoryBytes));
  }

  /** undefined where there are no symbols to read. */
  static of(elf: ElfImage): KernelPlace | undefined {
    try {
      return new KernelPlace(elf, readKallsyms(elf));
    } catch (error) {
      if (error instanceof SymbolsError) return undefined;
      throw error;
    }
  }

  get functions(): KernelFunctions {
    return (this.made ??= new KernelFunctions(this.symbols));
  }

  /** Equal for images of the same kernel, packed or not: its symbols, and the beginning of its code. */
  get id(): string {
    const [first] = this.elf.segments;
    const start = first?.fileOffset ?? 0;
    const code = this.elf.bytes.subarray(start, start + Math.min(first?.fileBytes ?? 0, 2 ** 18));
    return `${String(this.symbols.count)}-${crc32(code).toString(16)}`;
  }

  /** Offset from kernelBase, as linked, of what stands at a guest-physical address; undefined where no segment is. */
  offsetOfPhysical(physical: number): number | undefined {
    if (this.physicalDistance === undefined) return undefined;
    const linked = physical - this.physicalDistance;
    for (const { physicalAddress, virtualAddress, memoryBytes } of this.elf.segments) {
      if (virtualAddress === 0n || linked < physicalAddress || linked >= physicalAddress + memoryBytes) continue;
      return linked - physicalAddress + Number(virtualAddress - kernelBase);
    }
    return undefined;
  }

  /** Guest-physical address of an offset from kernelBase; undefined while the kernel was not found, or outside it. */
  physicalOfOffset(offset: number): number | undefined {
    if (this.physicalDistance === undefined) return undefined;
    for (const { physicalAddress, virtualAddress, memoryBytes } of this.elf.segments) {
      const within = offset - Number(virtualAddress - kernelBase);
      if (virtualAddress !== 0n && within >= 0 && within < memoryBytes)
        return physicalAddress + within + this.physicalDistance;
    }
    return undefined;
  }

  /** Code is about to run at a virtual address for the first time: the first one in the kernel's place tells the distance. */
  decoded(linear: bigint, physical: number): void {
    if (this.virtualDistance !== undefined || linear < kernelBase) return;
    const offset = this.offsetOfPhysical(physical);
    if (offset !== undefined) this.virtualDistance = Number(linear - kernelBase) - offset;
  }

  /** Offset from kernelBase, as linked, of a virtual address; undefined where the kernel does not reach. */
  offsetOfVirtual(linear: bigint): number | undefined {
    if (this.virtualDistance === undefined || linear < kernelBase) return undefined;
    return this.inside(Number(linear - kernelBase) - this.virtualDistance);
  }

  /** The offset itself where the kernel reaches. */
  inside(offset: number): number | undefined {
    return offset >= this.start && offset < this.end ? offset : undefined;
  }
}
