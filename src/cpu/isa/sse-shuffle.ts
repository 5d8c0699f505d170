import { constant, op, shuffle, type Node } from '../ir/nodes.js';
import type { Definition, Family } from './family.js';
import { combine, readAligned, vectorOf } from './sse-vectors.js';

/** Lanes of 1, 2, 4 or 8 bytes alternately from both operands, of their low or high halves. */
export const interleaveLanes = (bytes: number, high: boolean, width = 16): number[] =>
  Array.from({ length: 16 }, (_, i) => {
    const pair = Math.floor(i / (2 * bytes));
    const second = Math.floor(i / bytes) % 2;
    return (high ? width / 2 : 0) + pair * bytes + (i % bytes) + 16 * second;
  });

const unpack = (bytes: number, high: boolean): Definition => {
  const lanes = interleaveLanes(bytes, high);
  return combine((a, b) => shuffle(a, b, lanes));
};

/** The two bits of the immediate for lane `lane`. */
const selector = (immediate: Node, lane: number): Node => op.and(op.shr(immediate, 2 * lane), 3);

/** Byte indices of four doublewords chosen by an immediate, as a vector for i8x16.swizzle. */
function doublewordIndices(immediate: Node): Node {
  const half = (lane: number): Node => {
    const low = op.mul(selector(immediate, lane), 0x0404_0404);
    const high = op.mul(selector(immediate, lane + 1), 0x0404_0404_0000_0000n);
    return op.add(op.or(low, high), 0x0302_0100_0302_0100n);
  };
  return vectorOf(half(0), half(2));
}

/** The words of a half chosen by an immediate: byte indices relative to the half. */
export function wordIndices(immediate: Node): Node {
  const word = (lane: number): Node => op.shl(op.mul(selector(immediate, lane), 0x0202), 16 * lane);
  return op.add(op.or(op.or(word(0), word(1)), op.or(word(2), word(3))), 0x0100_0100_0100_0100n);
}

/** SSE and SSE2 shuffles and unpacks. Intel SDM volume 1, 10.4.3, 11.4.1.4 and 11.4.2; volume 2. */
export const sseShuffle: Family = {
  Punpcklbw_xmm_xmmm128: unpack(1, false),
  Punpcklwd_xmm_xmmm128: unpack(2, false),
  Punpckldq_xmm_xmmm128: unpack(4, false),
  Punpcklqdq_xmm_xmmm128: unpack(8, false),
  Punpckhbw_xmm_xmmm128: unpack(1, true),
  Punpckhwd_xmm_xmmm128: unpack(2, true),
  Punpckhdq_xmm_xmmm128: unpack(4, true),
  Punpckhqdq_xmm_xmmm128: unpack(8, true),
  Unpcklps_xmm_xmmm128: unpack(4, false),
  Unpckhps_xmm_xmmm128: unpack(4, true),
  Unpcklpd_xmm_xmmm128: unpack(8, false),
  Unpckhpd_xmm_xmmm128: unpack(8, true),
  Pshufd_xmm_xmmm128_imm8: (x) => {
    const source = readAligned(x, 1);
    x.write(0, op.i8x16Swizzle(source, doublewordIndices(x.let(x.read(2)))));
  },
  Pshuflw_xmm_xmmm128_imm8: (x) => {
    const source = readAligned(x, 1);
    x.write(0, op.i8x16Swizzle(source, vectorOf(wordIndices(x.let(x.read(2))), 0x0f0e_0d0c_0b0a_0908n)));
  },
  Pshufhw_xmm_xmmm128_imm8: (x) => {
    const source = readAligned(x, 1);
    const indices = op.or(wordIndices(x.let(x.read(2))), constant(0x0808_0808_0808_0808n));
    x.write(0, op.i8x16Swizzle(source, vectorOf(0x0706_0504_0302_0100n, indices)));
  },
  Shufps_xmm_xmmm128_imm8: (x) => {
    const source = readAligned(x, 1);
    const indices = x.let(doublewordIndices(x.let(x.read(2))));
    const low = op.i8x16Swizzle(x.read(0), indices);
    x.write(
      0,
      shuffle(low, op.i8x16Swizzle(source, indices), [0, 1, 2, 3, 4, 5, 6, 7, 24, 25, 26, 27, 28, 29, 30, 31]),
    );
  },
  Shufpd_xmm_xmmm128_imm8: (x) => {
    const source = readAligned(x, 1);
    const old = x.read(0);
    const immediate = x.let(x.read(2));
    const choose = (value: Node, bit: number): Node =>
      op.select(op.lane1(value), op.lane0(value), op.ne(op.and(immediate, bit), 0));
    x.write(0, vectorOf(choose(old, 1), choose(source, 2)));
  },
};
