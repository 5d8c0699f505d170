import { MemoryType, pageBytes } from '../../firmware-tables/uefi/memory-descriptor.js';
import type { TableMemory } from './xen-table.js';

/** Page tables and descriptor tables of the firmware, guest-physical, identity mapped. */
export interface ProcessorTables {
  readonly pageTables: number; // CR3
  readonly gdt: { readonly base: number; readonly limit: number };
  readonly idt: { readonly base: number; readonly limit: number };
}

/** Selectors of the firmware's GDT. */
export const Selector = { code64: 0x08, data: 0x10, code32: 0x18 } as const;

/** Segment descriptors, flat. Intel SDM volume 3, 3.4.5. */
const descriptors = [0n, 0x00af_9b00_0000_ffffn, 0x00cf_9300_0000_ffffn, 0x00cf_9b00_0000_ffffn] as const;

const present = 0x1n;
const writable = 0x2n;
const largePage = 0x80n;
const identityGiB = 4;
/** Present, DPL 0, 64-bit interrupt gate. Intel SDM volume 3, 6.14.1. */
const interruptGate = 0x8en;

/**
 * 4-level page tables that map the first 4 GiB one to one in pages of 2 MiB, a flat GDT, and an IDT whose handlers
 * report the exception. UEFI 2.10 section 2.3.4.
 */
export function buildProcessorTables(memory: TableMemory, handler: (vector: number) => number): ProcessorTables {
  const data = MemoryType.EfiBootServicesData;
  const pageTables = memory.allocatePages(data, 2 + identityGiB, 'page tables');
  const pages = new BigUint64Array(((2 + identityGiB) * pageBytes) / 8);
  const page = (index: number): bigint => BigInt(pageTables + index * pageBytes);
  pages[0] = page(1) | present | writable;
  for (let gib = 0; gib < identityGiB; gib++) {
    pages[512 + gib] = page(2 + gib) | present | writable;
    for (let i = 0; i < 512; i++) {
      pages[(2 + gib) * 512 + i] = (BigInt(gib * 512 + i) << 21n) | present | writable | largePage;
    }
  }
  memory.write(pageTables, littleEndian(pages));

  const gdt = memory.allocatePool(data, descriptors.length * 8, 'the GDT');
  memory.write(gdt, littleEndian(BigUint64Array.from(descriptors)));

  const idt = memory.allocatePages(data, 1, 'the IDT');
  const gates = new BigUint64Array(512);
  for (let vector = 0; vector < 256; vector++) {
    const target = BigInt(handler(vector));
    gates[vector * 2] =
      (target & 0xffffn) |
      (BigInt(Selector.code64) << 16n) |
      (interruptGate << 40n) |
      (((target >> 16n) & 0xffffn) << 48n);
    gates[vector * 2 + 1] = target >> 32n;
  }
  memory.write(idt, littleEndian(gates));
  return {
    pageTables,
    gdt: { base: gdt, limit: descriptors.length * 8 - 1 },
    idt: { base: idt, limit: 256 * 16 - 1 },
  };
}

function littleEndian(words: BigUint64Array): Uint8Array {
  const bytes = new Uint8Array(words.length * 8);
  const view = new DataView(bytes.buffer);
  words.forEach((word, index) => {
    view.setBigUint64(index * 8, word, true);
  });
  return bytes;
}
