import type { ElfImage } from '../loaders/image.js';
import { findAddresses, physicalAt, type KernelAddresses } from './kallsyms-addresses.js';
import { findName, findNames, findTokens, nameAt, type NameTable, type Tokens } from './kallsyms-names.js';

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

/** Reads names and addresses where they stand in the kernel: making one costs a search for the tables and no memory. */
export class SymbolTable {
  constructor(
    private readonly elf: ElfImage,
    private readonly tokens: Tokens,
    private readonly names: NameTable,
    private readonly addresses: KernelAddresses,
  ) {}

  get count(): number {
    return this.names.count;
  }

  /** The first symbol of that name. Reads all names before it: some milliseconds. */
  find(name: string): KernelSymbol | undefined {
    const index = findName(this.elf.bytes, this.tokens, this.names, name);
    return index === undefined ? undefined : this.at(index);
  }

  /** The symbol at or nearest below a link-time virtual address; the first of several with the same address. */
  nearest(address: bigint): { readonly symbol: KernelSymbol; readonly offset: bigint } | undefined {
    let low = 0; // everything before is below or at the address
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.addresses.at(middle) <= address) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return undefined;
    let index = low - 1;
    while (index > 0 && this.addresses.at(index - 1) === this.addresses.at(index)) index--;
    const symbol = this.at(index);
    return { symbol, offset: address - symbol.address };
  }

  /** Where a symbol lies when the kernel runs where it was linked: guest-physical. undefined outside every segment. */
  physicalOf(symbol: KernelSymbol | string): number | undefined {
    const found = typeof symbol === 'string' ? this.find(symbol) : symbol;
    return found === undefined ? undefined : physicalAt(this.elf, found.address);
  }

  /** As at(index).address, without the name. */
  addressAt(index: number): bigint {
    return this.addresses.at(index);
  }

  at(index: number): KernelSymbol {
    const text = nameAt(this.elf.bytes, this.tokens, this.names, index);
    return { name: text.slice(1), type: text.charAt(0), address: this.addresses.at(index) };
  }
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
  return new SymbolTable(elf, tokens, table, addresses);
}
