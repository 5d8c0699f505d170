import { MemoryType, pageBytes } from '../../../firmware-tables/uefi/memory-descriptor.js';
import type { PageProtection } from '../images/image-loader.js';
import type { TableMemory } from './xen-table.js';

/** Page tables and descriptor tables of the firmware, guest-physical, identity mapped. */
export interface ProcessorTables {
  readonly pageTables: number; // CR3
  /** Pages are marked non-executable: EFER.NXE must be set. */
  readonly usesNoExecute: boolean;
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
const noExecute = 1n << 63n;
/** How much is mapped one to one where RAM ends at `end`: all that has 32-bit addresses, and all RAM. */
export const identityGiB = (end: number): number => Math.max(4, Math.ceil(end / 2 ** 30));
/** PML4, page-directory pointers and the page directories stand before the page tables. */
const directoryPages = (gibibytes: number): number => 2 + gibibytes;
const largePageBytes = 2 ** 21;
/** Present, DPL 0, 64-bit interrupt gate. Intel SDM volume 3, 6.14.1. */
const interruptGate = 0x8en;

/** What of the identity mapping is not writable and executable alike. */
export interface PagePolicy {
  readonly protections: readonly PageProtection[];
  /** From address 0 so many bytes are mapped in pages of 4 KiB whatever they hold, their entries in one array. */
  readonly smallPageBytes: number;
  /** How much is mapped; 4 when left out. */
  readonly identityGiB?: number;
}

/** Guest-physical address of the entry of the page at `address`, which lies below smallPageBytes. */
export function smallPageEntry(pageTables: number, address: number, gibibytes = 4): number {
  return pageTables + directoryPages(gibibytes) * pageBytes + (address / pageBytes) * 8;
}

/** A leaf of the page tables for one 4 KiB page. Intel SDM volume 3, 4.5.4. */
export function pageEntry(
  address: number,
  { writable: w, executable }: Pick<PageProtection, 'writable' | 'executable'>,
): bigint {
  return BigInt(address) | present | (w ? writable : 0n) | (executable ? 0n : noExecute);
}

/**
 * 4-level page tables that map the first 4 GiB and all RAM one to one, in pages of 2 MiB where the policy has nothing to say, a flat
 * GDT, and an IDT whose handlers report the exception. UEFI 2.10 section 2.3.4.
 */
export function buildProcessorTables(
  memory: TableMemory,
  handler: (vector: number) => number,
  policy: PagePolicy = { protections: [], smallPageBytes: 0 },
): ProcessorTables {
  const data = MemoryType.EfiBootServicesData;
  const gibibytes = policy.identityGiB ?? 4;
  const directories = directoryPages(gibibytes);
  const split = [...smallPages(policy)].sort((a, b) => a - b);
  const pageTables = memory.allocatePages(data, directories + split.length, 'page tables');
  const pages = new BigUint64Array(((directories + split.length) * pageBytes) / 8);
  const page = (index: number): bigint => BigInt(pageTables + index * pageBytes);
  pages[0] = page(1) | present | writable;
  for (let gib = 0; gib < gibibytes; gib++) {
    pages[512 + gib] = page(2 + gib) | present | writable;
    for (let i = 0; i < 512; i++) {
      pages[(2 + gib) * 512 + i] = (BigInt(gib * 512 + i) << 21n) | present | writable | largePage;
    }
  }
  split.forEach((large, index) => {
    pages[2 * 512 + large] = page(directories + index) | present | writable;
    for (let i = 0; i < 512; i++) {
      const address = large * largePageBytes + i * pageBytes;
      const found = policy.protections.find(({ start, end }) => start <= address && address < end);
      pages[(directories + index) * 512 + i] = pageEntry(address, found ?? { writable: true, executable: true });
    }
  });
  memory.write(pageTables, littleEndian(pages));
  memory.provided.occupy('firmware', 'page tables', pageTables, pages.length * 8);

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
  memory.provided.occupy('firmware', 'descriptor tables', gdt, descriptors.length * 8);
  memory.provided.occupy('firmware', 'descriptor tables', idt, gates.length * 8);
  return {
    pageTables,
    usesNoExecute: policy.protections.some(({ executable }) => !executable),
    gdt: { base: gdt, limit: descriptors.length * 8 - 1 },
    idt: { base: idt, limit: 256 * 16 - 1 },
  };
}

/** Numbers of the 2 MiB pages that must be mapped in small ones. */
function smallPages({ protections, smallPageBytes }: PagePolicy): Set<number> {
  const large = new Set<number>();
  for (const { start, end } of [...protections, { start: 0, end: smallPageBytes }]) {
    for (let at = Math.floor(start / largePageBytes); at * largePageBytes < end; at++) large.add(at);
  }
  return large;
}

function littleEndian(words: BigUint64Array): Uint8Array {
  const bytes = new Uint8Array(words.length * 8);
  const view = new DataView(bytes.buffer);
  words.forEach((word, index) => {
    view.setBigUint64(index * 8, word, true);
  });
  return bytes;
}
