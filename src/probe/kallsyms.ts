import type { ElfImage } from '../loaders/image.js';
import { alignTo, findNames, findTokens, readNames, type NameTable } from './kallsyms-names.js';

/**
 * Symbols of a Linux kernel, read from the table that CONFIG_KALLSYMS puts into it: a distribution's kernel carries no
 * other. Linux scripts/kallsyms.c, kernel/kallsyms.c. The table has no header and moved over the years:
 *   up to 6.4   offsets, relative_base, num_syms, names, markers, [seqs from 6.2 on], token_table, token_index
 *   6.5 - 6.19  num_syms, names, markers, token_table, token_index, offsets, relative_base, seqs
 *   from 7.0    as before without relative_base: each offset is relative to where it lies
 */
export interface KernelSymbol {
  readonly name: string;
  /** As nm prints it: 't', 'T', 'd', 'A' ... */
  readonly type: string;
  /** Link-time virtual address; for per-CPU symbols of kernels before 6.15 the offset in the per-CPU area. */
  readonly address: bigint;
}

/** The kernel has no readable symbols; the message says why. Phases that need symbols are then missing. */
export class SymbolsError extends Error {
  override readonly name = 'SymbolsError';
  readonly code = 'SYMBOLS';
}

export class SymbolTable {
  private byName: Map<string, number> | undefined;
  constructor(
    private readonly elf: ElfImage,
    private readonly names: readonly string[], // the first character is the type
    private readonly addresses: BigUint64Array, // ascending
  ) {}

  get count(): number {
    return this.names.length;
  }

  /** The first symbol of that name. */
  find(name: string): KernelSymbol | undefined {
    if (this.byName === undefined) {
      this.byName = new Map();
      for (let i = this.names.length - 1; i >= 0; i--) this.byName.set(this.names[i]!.slice(1), i);
    }
    const index = this.byName.get(name);
    return index === undefined ? undefined : this.at(index);
  }

  /** The symbol at or nearest below a link-time virtual address; the first of several with the same address. */
  nearest(address: bigint): { readonly symbol: KernelSymbol; readonly offset: bigint } | undefined {
    let low = 0; // everything before is below or at the address
    let high = this.addresses.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.addresses[middle]! <= address) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return undefined;
    let index = low - 1;
    while (index > 0 && this.addresses[index - 1] === this.addresses[index]) index--;
    const symbol = this.at(index);
    return { symbol, offset: address - symbol.address };
  }

  /** Where a symbol lies when the kernel runs where it was linked: guest-physical. undefined outside every segment. */
  physicalOf(symbol: KernelSymbol | string): number | undefined {
    const found = typeof symbol === 'string' ? this.find(symbol) : symbol;
    return found === undefined ? undefined : physicalAt(this.elf, found.address);
  }

  at(index: number): KernelSymbol {
    const text = this.names[index] ?? '';
    return { name: text.slice(1), type: text.charAt(0), address: this.addresses[index] ?? 0n };
  }
}

/** Link-time virtual to guest-physical by the segments. Per-CPU segments are linked at 0 and map nothing. */
export function physicalAt(elf: ElfImage, address: bigint): number | undefined {
  for (const segment of elf.segments) {
    const offset = address - segment.virtualAddress;
    if (segment.virtualAddress !== 0n && offset >= 0n && offset < BigInt(segment.memoryBytes)) {
      return segment.physicalAddress + Number(offset);
    }
  }
  return undefined;
}

/** Reads the symbols of an unpacked Linux kernel. Throws SymbolsError when it has none or their layout is unknown. */
export function readKallsyms(elf: ElfImage): SymbolTable {
  if (elf.bits !== 64) throw new SymbolsError('symbols are read from 64-bit kernels only');
  const tokens = findTokens(elf.bytes);
  if (tokens === undefined) {
    throw new SymbolsError(
      'no kallsyms token table in the kernel: it was built without CONFIG_KALLSYMS or is no Linux',
    );
  }
  const table = findNames(elf.bytes, tokens);
  if (table === undefined)
    throw new SymbolsError('kallsyms token table found, but no names of a known layout beside it');
  const addresses = findAddresses(elf, table, tokens.end);
  if (addresses === undefined)
    throw new SymbolsError('kallsyms names found, but no addresses of a known layout beside them');
  return new SymbolTable(elf, readNames(elf.bytes, tokens, table), addresses);
}

/** Tries each layout; addresses that ascend and lie in the kernel prove it. */
function findAddresses(elf: ElfImage, table: NameTable, tokensEnd: number): BigUint64Array | undefined {
  const { count, alignment } = table;
  const align = (value: number): number => alignTo(value, alignment);
  const behind = align(tokensEnd);
  const baseBefore = table.countAt - 8;
  return (
    withBase(elf, count, behind, align(behind + count * 4)) ??
    withBase(elf, count, baseBefore - align(count * 4), baseBefore) ??
    selfRelative(elf, count, behind)
  );
}

/** Offsets from kallsyms_relative_base; with CONFIG_KALLSYMS_ABSOLUTE_PERCPU only negative ones are, others are absolute. */
function withBase(elf: ElfImage, count: number, offsetsAt: number, baseAt: number): BigUint64Array | undefined {
  if (offsetsAt < 0 || baseAt < 0 || Math.max(offsetsAt + count * 4, baseAt + 8) > elf.bytes.length) return undefined;
  const view = viewOf(elf.bytes);
  const base = view.getBigUint64(baseAt, true);
  if (physicalAt(elf, base) === undefined) return undefined;
  const offsets = Array.from({ length: count }, (_, i) => view.getInt32(offsetsAt + i * 4, true));
  const absolutePerCpu = offsets.some((offset) => offset < 0);
  return ascending(
    elf,
    offsets.map((offset) =>
      !absolutePerCpu ? base + BigInt(offset) : offset >= 0 ? BigInt(offset) : base - 1n - BigInt(offset),
    ),
  );
}

function selfRelative(elf: ElfImage, count: number, offsetsAt: number): BigUint64Array | undefined {
  if (offsetsAt + count * 4 > elf.bytes.length) return undefined;
  const segment = elf.segments.find(
    ({ fileOffset, fileBytes }) => offsetsAt >= fileOffset && offsetsAt < fileOffset + fileBytes,
  );
  if (segment === undefined) return undefined;
  const view = viewOf(elf.bytes);
  const start = segment.virtualAddress + BigInt(offsetsAt - segment.fileOffset);
  return ascending(
    elf,
    Array.from({ length: count }, (_, i) => start + BigInt(i * 4) + BigInt(view.getInt32(offsetsAt + i * 4, true))),
  );
}

/** Accepts addresses that ascend and of which at least three quarters lie in the kernel's segments. */
function ascending(elf: ElfImage, values: readonly bigint[]): BigUint64Array | undefined {
  const addresses = BigUint64Array.from(values);
  const low = elf.segments.reduce(
    (least, s) => (s.virtualAddress !== 0n && s.virtualAddress < least ? s.virtualAddress : least),
    2n ** 64n,
  );
  let inside = 0;
  for (let i = 0; i < addresses.length; i++) {
    if (i > 0 && addresses[i]! < addresses[i - 1]!) return undefined;
    if (addresses[i]! >= low) inside++;
  }
  return inside * 4 >= addresses.length * 3 ? addresses : undefined;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
