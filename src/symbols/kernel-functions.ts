import type { SymbolTable } from './kallsyms.js';

/** __START_KERNEL_map: what offsets of kernel code count from. Linux arch/x86/include/asm/page_64_types.h. */
export const kernelBase = 0xffff_ffff_8000_0000n;
const largest = 2 ** 31;

/**
 * The functions of a kernel by link-time offsets from `kernelBase`, made once for many look-ups: a symbol reaches to the
 * next one. Names are read when they are asked for.
 */
export class KernelFunctions {
  private readonly starts: Float64Array;
  private readonly indices: Int32Array;
  private readonly names = new Map<number, string>();

  constructor(private readonly symbols: SymbolTable) {
    const starts: number[] = [];
    const indices: number[] = [];
    for (let i = 0; i < symbols.count; i++) {
      const offset = Number(symbols.addressAt(i) - kernelBase);
      if (offset < 0 || offset >= largest || offset === starts.at(-1)) continue;
      starts.push(offset);
      indices.push(i);
    }
    this.starts = Float64Array.from(starts);
    this.indices = Int32Array.from(indices);
  }

  get count(): number {
    return this.starts.length;
  }

  /** The function that an offset lies in, as a number for name() and startOf(); -1 below the first. */
  at(offset: number): number {
    let low = 0;
    let high = this.starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.starts[middle] ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  startOf(index: number): number {
    return this.starts[index] ?? Infinity;
  }

  name(index: number): string {
    const known = this.names.get(index);
    if (known !== undefined) return known;
    const symbol = this.indices[index];
    const name = symbol === undefined ? 'below the first symbol' : this.symbols.at(symbol).name;
    this.names.set(index, name);
    return name;
  }
}
