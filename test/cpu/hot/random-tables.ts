/** Page tables, descriptor tables and handlers of the machine that runs random programs. */
import type { EmulatedProcessor } from '../../../src/cpu/processor.js';
import * as layout from '../../../src/cpu/state-layout.js';
import type { SegmentState } from '../../../src/cpu/types.js';
import { codePages, mmioPhysical, places, rights, selectors, supervisor, vectors } from './random-places.js';

const PAGE = 4096;
const handlerBytes = 16;
const vectorCount = 36;
const vectorsWithErrorCode: readonly number[] = [8, 10, 11, 12, 13, 14, 17, 21];
const openVectors: readonly number[] = [vectors.breakpoint, vectors.overflow, vectors.toKernel]; // from CPL 3 too
const IRETQ = [0x48, 0xcf];
const DROP_ERROR_CODE = [0x48, 0x83, 0xc4, 0x08]; // ADD RSP, 8
const SYSRETQ = [0x48, 0x0f, 0x07];
const noExecute = 1n << 63n;

/** INC dword at an address. */
const increment = (address: number): number[] => [
  ...[0xff, 0x04, 0x25],
  ...new Uint8Array(Uint32Array.of(address).buffer),
];

export const handlers: readonly { readonly vector: number; readonly address: number }[] = Array.from(
  { length: vectorCount },
  (_, vector) => ({ vector, address: places.handlers + handlerBytes * vector }),
);

const descriptors: Readonly<Record<number, bigint>> = {
  [selectors.code32]: 0x00cf_9b00_0000_ffffn,
  [selectors.code64]: 0x00af_9b00_0000_ffffn,
  [selectors.data]: 0x00cf_9300_0000_ffffn,
  [selectors.userCode32]: 0x00cf_fb00_0000_ffffn,
  [selectors.userData]: 0x00cf_f300_0000_ffffn,
  [selectors.userCode64]: 0x00af_fb00_0000_ffffn,
};

/** A segment register as loading the selector leaves it. */
export function segmentOf(name: keyof typeof selectors): SegmentState {
  const selector = selectors[name];
  const attributes = Number(((descriptors[selector] ?? 0n) >> 40n) & 0xf0ffn);
  return { selector, base: 0n, limit: 0xffff_ffff, attributes };
}

/** Writes everything that programs find in RAM, and points the processor's table registers at it. */
export function layOut(processor: EmulatedProcessor): void {
  mapPages(processor, places.tables, false);
  mapPages(processor, places.otherTables, true);
  installTables(processor);
  const data = (address: number, pages: number): void => {
    const bytes = Uint8Array.from({ length: pages * PAGE }, (_, i) => (i * 7 + (i >> 8) + (address >> 12)) & 0xff);
    processor.memory.writePhysical(address, bytes);
  };
  data(places.data, 3);
  data(places.frames + 2 * PAGE, 2);
}

/** The lower half and the uppermost 2 GiB begin with the same; `exchanged`: each window shows the other's frame. */
function mapPages({ memory }: EmulatedProcessor, tables: number, exchanged: boolean): void {
  const entry = (address: number, value: bigint): void => {
    memory.writePhysical(address, new Uint8Array(BigUint64Array.of(value).buffer));
  };
  const all = rights.present | rights.writable | rights.user;
  const next = (level: number): bigint => BigInt((tables + PAGE * level) | all);
  for (const index of [0, 511]) entry(tables + 8 * index, next(1));
  for (const index of [0, 510]) entry(tables + PAGE + 8 * index, next(2));
  entry(tables + 2 * PAGE, next(3));
  const map = (linear: number, physical: number, pages: number, bits: number, more = 0n): void => {
    for (let at = 0; at < pages * PAGE; at += PAGE) {
      entry(tables + 3 * PAGE + 8 * ((linear + at) >> 12), BigInt(physical + at) | BigInt(bits) | more);
    }
  };
  const { present, user, writable, global } = rights;
  map(places.code, places.code, codePages, all);
  map(places.alias, places.code, codePages, all, noExecute);
  map(places.alias + codePages * PAGE, places.frames, 4, all, noExecute);
  for (const window of [0, PAGE]) {
    const frame = exchanged ? PAGE - window : window;
    map(places.windows + window, places.frames + frame, 1, all);
    map(places.dataWindows + window, places.frames + 2 * PAGE + frame, 1, all, noExecute);
  }
  map(places.data, places.data, 1, all, noExecute);
  map(places.data + PAGE, places.data + PAGE, 1, all | global, noExecute);
  map(places.readOnly, places.readOnly, 1, present | user, noExecute);
  map(places.mmio, mmioPhysical, 1, all, noExecute);
  map(places.own, places.own, 1, all, noExecute);
  map(places.tables + 3 * PAGE, places.tables + 3 * PAGE, 1, present | writable);
  entry(tables + 8 * Number((supervisor >> 39n) & 0x1ffn), BigInt(places.supervisorTables | present | writable));
  entry(places.supervisorTables, BigInt((places.supervisorTables + PAGE) | present | writable));
  entry(places.supervisorTables + PAGE, BigInt(rights.large | present | writable));
}

function installTables({ memory, registers }: EmulatedProcessor): void {
  const pointer = (physical: number): Uint8Array =>
    new Uint8Array(BigUint64Array.of(supervisor + BigInt(physical)).buffer);
  const gdt = new BigUint64Array(8);
  for (const [selector, descriptor] of Object.entries(descriptors)) gdt[Number(selector) >> 3] = descriptor;
  memory.writePhysical(places.gdt, new Uint8Array(gdt.buffer));
  registers.gdtr = { base: supervisor + BigInt(places.gdt), limit: gdt.byteLength - 1 };
  // RSP0, IST1 and IST2. Intel SDM volume 3, 8.7.
  memory.writePhysical(places.tss + 4, pointer(places.exceptionStackTop));
  memory.writePhysical(places.tss + 36, pointer(places.exceptionStackTop));
  memory.writePhysical(places.tss + 44, pointer(places.timerStackTop));
  registers.tr = { selector: 0x40, base: supervisor + BigInt(places.tss), limit: 0x67, attributes: 0x8b };
  const idt = new DataView(new ArrayBuffer(16 * vectorCount));
  for (const { vector, address } of handlers) {
    const timer = vector === vectors.timer;
    idt.setUint16(16 * vector, address & 0xffff, true);
    idt.setUint16(16 * vector + 2, selectors.code64, true);
    idt.setUint16(16 * vector + 4, (openVectors.includes(vector) ? 0xee00 : 0x8e00) | (timer ? 2 : 1), true);
    idt.setBigUint64(16 * vector + 6, (supervisor + BigInt(address)) >> 16n, true);
    const drop = vectorsWithErrorCode.includes(vector) ? DROP_ERROR_CODE : [];
    const count = increment(places.counts);
    memory.writePhysical(address, Uint8Array.of(...(timer ? count : drop), ...IRETQ));
  }
  memory.writePhysical(places.idt, new Uint8Array(idt.buffer));
  memory.writePhysical(places.syscall, Uint8Array.of(...increment(places.counts + 8), ...SYSRETQ));
  registers.idtr = { base: supervisor + BigInt(places.idt), limit: idt.byteLength - 1 };
}

/** SYSCALL's MSRs; 64-bit code alone has it on Intel's processors. Intel SDM volume 3, 5.8.8. */
export function setSystemCalls(processor: EmulatedProcessor): void {
  const { wasm } = processor as unknown as { readonly wasm: WebAssembly.Memory };
  const view = new DataView(wasm.buffer);
  const star = (BigInt(selectors.userCode32) << 48n) | (BigInt(selectors.code64) << 32n);
  view.setBigUint64(layout.MSR_STAR, star, true);
  view.setBigUint64(layout.MSR_LSTAR, supervisor + BigInt(places.syscall), true);
  view.setBigUint64(layout.MSR_SFMASK, 0x200n, true); // IF
}
