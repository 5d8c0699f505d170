import { op, shuffle, truncate, type Node } from '../ir/nodes.js';
import { byHelper, type Definition, type Family } from './family.js';
import { lowVector, readAligned, readLow, vectorOf, writeAligned, writeLow } from './sse-vectors.js';

const aligned: Definition = (x) => {
  writeAligned(x, 0, readAligned(x, 1));
};
const unaligned: Definition = (x) => {
  x.write(0, x.read(1));
};

/** Loads clear what lies above; between registers, and to memory, only the low `bits` move. */
const scalar =
  (bits: number): Definition =>
  (x) => {
    if (x.isMemory(1)) x.write(0, lowVector(x.read(1)));
    else writeLow(x, 0, readLow(x, 1), bits);
  };

const loadLow: Definition = (x) => {
  const value = x.read(1);
  x.write(0, op.withLane0(x.read(0), value));
};
const loadHigh: Definition = (x) => {
  const value = x.read(1);
  x.write(0, op.withLane1(x.read(0), value));
};
const storeLow: Definition = (x) => {
  x.write(0, op.lane0(x.read(1)));
};
const storeHigh: Definition = (x) => {
  x.write(0, op.lane1(x.read(1)));
};

/** MOVD and MOVQ to an XMM register: the rest is cleared. */
const toVector: Definition = (x) => {
  x.write(0, lowVector(readLow(x, 1)));
};
const fromVector =
  (bits: number): Definition =>
  (x) => {
    x.write(0, truncate(op.lane0(x.read(1)), bits));
  };

const mask =
  (bits: (value: Node) => Node): Definition =>
  (x) => {
    x.write(0, op.wide(bits(x.read(1))));
  };

const register64 = (name: string, definition: Definition): [string, Definition][] => [
  [`${name}_r32_xmm`, definition],
  [`${name}_r64_xmm`, definition],
];

/** SSE and SSE2 moves. Intel SDM volume 1, 10.4.1.1, 11.4.1.1 and 11.4.2; volume 2. */
export const sseMove: Family = {
  ...Object.fromEntries(
    ['Movaps', 'Movapd', 'Movdqa'].flatMap((name): [string, Definition][] => [
      [`${name}_xmm_xmmm128`, aligned],
      [`${name}_xmmm128_xmm`, aligned],
    ]),
  ),
  ...Object.fromEntries(
    ['Movups', 'Movupd', 'Movdqu'].flatMap((name): [string, Definition][] => [
      [`${name}_xmm_xmmm128`, unaligned],
      [`${name}_xmmm128_xmm`, unaligned],
    ]),
  ),
  Movntps_m128_xmm: aligned,
  Movntpd_m128_xmm: aligned,
  Movntdq_m128_xmm: aligned,
  Movss_xmm_xmmm32: scalar(32),
  Movss_xmmm32_xmm: scalar(32),
  Movsd_xmm_xmmm64: scalar(64),
  Movsd_xmmm64_xmm: scalar(64),
  Movlps_xmm_m64: loadLow,
  Movlpd_xmm_m64: loadLow,
  Movhps_xmm_m64: loadHigh,
  Movhpd_xmm_m64: loadHigh,
  Movlps_m64_xmm: storeLow,
  Movlpd_m64_xmm: storeLow,
  Movhps_m64_xmm: storeHigh,
  Movhpd_m64_xmm: storeHigh,
  Movhlps_xmm_xmm: (x) => {
    const source = x.read(1);
    x.write(0, shuffle(source, x.read(0), [8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31]));
  },
  Movlhps_xmm_xmm: (x) => {
    const source = x.read(1);
    x.write(0, vectorOf(op.lane0(x.read(0)), op.lane0(source)));
  },
  Movd_xmm_rm32: toVector,
  Movq_xmm_rm64: toVector,
  Movq_xmm_xmmm64: toVector,
  Movd_rm32_xmm: fromVector(32),
  Movq_rm64_xmm: fromVector(64),
  Movq_xmmm64_xmm: (x) => {
    const low = readLow(x, 1);
    x.write(0, x.isMemory(0) ? low : lowVector(low));
  },
  ...Object.fromEntries([
    ...register64(
      'Movmskps',
      mask((value) => op.i32x4Bitmask(value)),
    ),
    ...register64(
      'Movmskpd',
      mask((value) => op.i64x2Bitmask(value)),
    ),
    ...register64(
      'Pmovmskb',
      mask((value) => op.i8x16Bitmask(value)),
    ),
  ]),
  Maskmovdqu_rDI_xmm_xmm: byHelper('maskmovdqu'),
};
