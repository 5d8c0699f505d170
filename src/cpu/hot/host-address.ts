import * as L from '../state-layout.js';
import type { FunctionWriter, Signature } from '../wasm/encoder.js';
import { I32_LOAD, I64_LOAD } from '../wasm/opcodes.js';

const PAGE_MASK = ~0xfffn;

/** hotRead and hotWrite of the core: (linear, bytes) => address in this memory, or 0. */
export const fillSignature: Signature = { parameters: ['i64', 'i32'], results: ['i32'] };

export interface HostAddressParts {
  readonly linear: number; // i64 local
  readonly entry: number; // i32 local, overwritten
  readonly tlb: number; // address of the TLB
  readonly tag: number; // TLB_TAG_READ or TLB_TAG_WRITE
  readonly mask: number; // entries - 1
  readonly bytes: number;
  readonly fill: number; // core function (linear, bytes) => host address or 0
}

/** Emits: the address in this memory of a plain access, through the TLB; 0 when it is not plain. */
export function emitHostAddress(f: FunctionWriter, parts: HostAddressParts): void {
  const { linear, entry, tlb, tag, mask, bytes, fill } = parts;
  f.get(linear);
  f.i64(12n);
  f.op(0x88, 0xa7); // shr_u, wrap
  f.i32(mask);
  f.op(0x71); // and
  f.i32(L.TLB_ENTRY_SHIFT);
  f.op(0x74); // shl
  f.tee(entry);
  f.memory(I64_LOAD, tlb + tag);
  f.get(linear);
  if (bytes > 1) {
    f.i64(BigInt(bytes - 1));
    f.op(0x7c); // add: an access that crosses the page does not match
  }
  f.i64(PAGE_MASK);
  f.op(0x83, 0x51); // and, eq
  f.if('i32');
  f.get(linear);
  f.op(0xa7);
  f.get(entry);
  f.memory(I32_LOAD, tlb + L.TLB_ADDEND);
  f.op(0x6a);
  f.else();
  f.get(linear);
  f.i32(bytes);
  f.call(fill);
  f.end();
}
