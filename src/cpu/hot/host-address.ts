import * as L from '../state-layout.js';
import type { FunctionWriter, Signature } from '../wasm/encoder.js';
import { I32_LOAD, I64_LOAD } from '../wasm/opcodes.js';
import type { ExpectedAddends } from './expected-addends.js';

const PAGE_MASK = ~0xfffn;
const PAGE_SHIFT = 12;

/** hotRead and hotWrite of the core: (linear, bytes) => address in this memory, or 0. */
export const fillSignature: Signature = { parameters: ['i64', 'i32'], results: ['i32'] };

export interface HostAddressParts {
  readonly linear: number; // i64 local
  readonly entry: number; // i32 local, overwritten
  readonly host: number; // i32 local, the result
  readonly tlb: number; // address of the TLB
  readonly tag: number; // TLB_TAG_READ or TLB_TAG_WRITE
  readonly mask: number; // entries - 1
  readonly bytes: number;
  readonly expected: ExpectedAddends;
  readonly slot: number; // whose addend to expect
  /** Emits what goes in front of the call of `fill`. */
  readonly beforeFill: () => void;
  readonly fill: number; // core function (linear, bytes) => host address or 0
  /** Emits: leave, the access is not plain. */
  readonly leave: () => void;
}

/** Emits: the address in this memory of a plain access, through the TLB. */
export function emitHostAddress(f: FunctionWriter, parts: HostAddressParts): void {
  const { linear, entry, host, tlb, tag, mask, bytes, expected, slot, fill } = parts;
  const done = f.block();
  f.get(linear);
  f.i64(BigInt(PAGE_SHIFT - L.TLB_ENTRY_SHIFT));
  f.op(0x88, 0xa7); // shr_u, wrap
  f.i32(mask << L.TLB_ENTRY_SHIFT);
  f.op(0x71); // and
  f.tee(entry);
  f.memory(I32_LOAD, tlb + L.TLB_ADDEND);
  expected.get(slot);
  f.op(0x47); // ne
  f.hint(false);
  f.if();
  expected.learn(slot, entry, tlb + L.TLB_ADDEND);
  f.end();
  f.get(linear);
  f.op(0xa7); // wrap
  expected.get(slot);
  f.op(0x6a); // add
  f.set(host);
  f.get(entry);
  f.memory(I64_LOAD, tlb + tag);
  f.get(linear);
  if (bytes > 1) {
    f.i64(BigInt(bytes - 1));
    f.op(0x7c); // add: an access that crosses the page does not match
  }
  f.i64(PAGE_MASK);
  f.op(0x83, 0x51); // and, eq
  f.hint(true);
  f.brIf(done);
  parts.beforeFill();
  f.get(linear);
  f.i32(bytes);
  f.call(fill);
  f.tee(host);
  f.hint(true);
  f.brIf(done);
  parts.leave();
  f.end();
}
