import type { ElfImage, ElfSegment } from '../loaders/image.js';
import { alignTo, type NameTable } from './kallsyms-names.js';

/** The addresses of all symbols, ascending, read where they stand. Linux kernel/kallsyms.c, kallsyms_sym_address(). */
export interface KernelAddresses {
  /** Link-time virtual address of a symbol. */
  at(index: number): bigint;
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

/** Tries each layout (see SymbolTable); addresses that ascend and lie in the kernel prove it. */
export function findAddresses(elf: ElfImage, table: NameTable, tokensEnd: number): KernelAddresses | undefined {
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
function withBase(elf: ElfImage, count: number, offsetsAt: number, baseAt: number): KernelAddresses | undefined {
  if (offsetsAt < 0 || baseAt < 0 || Math.max(offsetsAt + count * 4, baseAt + 8) > elf.bytes.length) return undefined;
  const view = viewOf(elf.bytes);
  const base = view.getBigUint64(baseAt, true);
  if (physicalAt(elf, base) === undefined) return undefined;
  let absolutePerCpu = false;
  for (let i = 0; i < count && !absolutePerCpu; i++) absolutePerCpu = view.getInt32(offsetsAt + i * 4, true) < 0;
  const fromBase = (offset: number): number => (absolutePerCpu ? -1 - offset : offset);
  const isAbsolute = (offset: number): boolean => absolutePerCpu && offset >= 0;
  const distance = Number(lowestAddress(elf) - base);
  const below = -(2 ** 33); // an absolute address, the per-CPU kind, lies below whatever an offset reaches
  const fits = ascends(count, distance, (i) => {
    const offset = view.getInt32(offsetsAt + i * 4, true);
    return isAbsolute(offset) ? below + offset : fromBase(offset);
  });
  if (!fits) return undefined;
  return {
    at(index) {
      const offset = view.getInt32(offsetsAt + index * 4, true);
      return isAbsolute(offset) ? BigInt(offset) : base + BigInt(fromBase(offset));
    },
  };
}

function selfRelative(elf: ElfImage, count: number, offsetsAt: number): KernelAddresses | undefined {
  if (offsetsAt + count * 4 > elf.bytes.length) return undefined;
  const segment = elf.segments.find(
    ({ fileOffset, fileBytes }: ElfSegment) => offsetsAt >= fileOffset && offsetsAt < fileOffset + fileBytes,
  );
  if (segment === undefined) return undefined;
  const view = viewOf(elf.bytes);
  const start = segment.virtualAddress + BigInt(offsetsAt - segment.fileOffset);
  const fromStart = (index: number): number => index * 4 + view.getInt32(offsetsAt + index * 4, true);
  if (!ascends(count, Number(lowestAddress(elf) - start), fromStart)) return undefined;
  return { at: (index) => start + BigInt(fromStart(index)) };
}

/** Whether values ascend and at least three quarters of them are `lowest` or more. */
function ascends(count: number, lowest: number, value: (index: number) => number): boolean {
  let inside = 0;
  let previous = -Infinity;
  for (let i = 0; i < count; i++) {
    const current = value(i);
    if (current < previous) return false;
    previous = current;
    if (current >= lowest) inside++;
  }
  return inside * 4 >= count * 3;
}

/** Where the kernel begins: its lowest segment that is linked anywhere but at 0. */
function lowestAddress(elf: ElfImage): bigint {
  return elf.segments.reduce(
    (least, { virtualAddress }) => (virtualAddress !== 0n && virtualAddress < least ? virtualAddress : least),
    2n ** 64n,
  );
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
