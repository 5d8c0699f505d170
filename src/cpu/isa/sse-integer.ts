import type { Lifter } from '../ir/lifter.js';
import { constant, constant32, op, shuffle, type Node, type OperatorName } from '../ir/nodes.js';
import type { Family } from './family.js';
import { combine, vectorOf } from './sse-vectors.js';

export type VectorOperation = (a: Node, b: Node, x: Lifter) => Node;
/** An operator of the micro-ops, or several of them. */
type Entry = OperatorName | VectorOperation;

const operations = (entries: Readonly<Record<string, Entry>>): Readonly<Record<string, VectorOperation>> =>
  Object.fromEntries(
    Object.entries(entries).map(([name, entry]): [string, VectorOperation] => [
      name,
      typeof entry === 'string' ? (a, b): Node => op[entry](a, b) : entry,
    ]),
  );

/** Upper halves of the products of words, from the products of the low and of the high four lanes. */
const highWords = (low: Node, high: Node): Node =>
  shuffle(low, high, [2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23, 26, 27, 30, 31]);

/** Operations whose lanes stand for themselves: the low 64 bits of the result need only those of the operands. */
export const lanewise = operations({
  Pand: 'vAnd',
  Por: 'vOr',
  Pxor: 'vXor',
  Pandn: (a, b) => op.vAndNot(b, a),
  Paddb: 'i8x16Add',
  Paddw: 'i16x8Add',
  Paddd: 'i32x4Add',
  Paddq: 'i64x2Add',
  Paddsb: 'i8x16AddSatS',
  Paddsw: 'i16x8AddSatS',
  Paddusb: 'i8x16AddSatU',
  Paddusw: 'i16x8AddSatU',
  Psubb: 'i8x16Sub',
  Psubw: 'i16x8Sub',
  Psubd: 'i32x4Sub',
  Psubq: 'i64x2Sub',
  Psubsb: 'i8x16SubSatS',
  Psubsw: 'i16x8SubSatS',
  Psubusb: 'i8x16SubSatU',
  Psubusw: 'i16x8SubSatU',
  Pcmpeqb: 'i8x16Eq',
  Pcmpeqw: 'i16x8Eq',
  Pcmpeqd: 'i32x4Eq',
  Pcmpgtb: 'i8x16GtS',
  Pcmpgtw: 'i16x8GtS',
  Pcmpgtd: 'i32x4GtS',
  Pminub: 'i8x16MinU',
  Pmaxub: 'i8x16MaxU',
  Pminsw: 'i16x8MinS',
  Pmaxsw: 'i16x8MaxS',
  Pavgb: 'i8x16AvgU',
  Pavgw: 'i16x8AvgU',
  Pmullw: 'i16x8Mul',
  Pmulhw: (a, b) => highWords(op.i32x4ExtMulLowS(a, b), op.i32x4ExtMulHighS(a, b)),
  Pmulhuw: (a, b) => highWords(op.i32x4ExtMulLowU(a, b), op.i32x4ExtMulHighU(a, b)),
  Pmaddwd: 'i32x4DotS',
  Pmuludq: (a, b) => {
    const even = (value: Node): Node => shuffle(value, value, [0, 1, 2, 3, 8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11]);
    return op.i64x2ExtMulLowU(even(a), even(b));
  },
  Psadbw: (a, b, x) => {
    const distance = op.vOr(op.i8x16SubSatU(a, b), op.i8x16SubSatU(b, a));
    const sums = x.let(op.i32x4ExtAddU(op.i16x8ExtAddU(distance)));
    const lower = vectorOf(0xffff_ffffn, 0xffff_ffffn);
    return op.i64x2Add(op.vAnd(sums, lower), op.i64x2Shr(sums, constant32(32)));
  },
});

const packs = operations({
  Packsswb: 'i8x16PackS',
  Packuswb: 'i8x16PackU',
  Packssdw: 'i16x8PackS',
});

const bitwise = operations({
  Andps: 'vAnd',
  Andpd: 'vAnd',
  Andnps: (a, b) => op.vAndNot(b, a),
  Andnpd: (a, b) => op.vAndNot(b, a),
  Orps: 'vOr',
  Orpd: 'vOr',
  Xorps: 'vXor',
  Xorpd: 'vXor',
});

/** PEXTRW: word `index` (an immediate) of a vector. */
export function extractWord(value: Node, index: Node): Node {
  const half = op.select(op.lane1(value), op.lane0(value), op.ne(op.and(index, 4), 0));
  return op.and(op.shr(half, op.shl(op.and(index, 3), 4)), 0xffff);
}

/** PINSRW: `half` with its word `index & 3` replaced. */
export function insertWord(half: Node, word: Node, index: Node): Node {
  const shift = op.shl(op.and(index, 3), 4);
  return op.or(op.and(half, op.xor(op.shl(constant(0xffff), shift), -1)), op.shl(op.and(word, 0xffff), shift));
}

/** SSE2 integer arithmetic, logic and comparison on XMM registers. Intel SDM volume 1, 11.4.2; volume 2. */
export const sseInteger: Family = {
  ...Object.fromEntries(
    Object.entries({ ...lanewise, ...packs, ...bitwise }).map(([name, operation]) => [
      `${name}_xmm_xmmm128`,
      combine(operation),
    ]),
  ),
  ...Object.fromEntries(
    ['Pextrw_r32_xmm_imm8', 'Pextrw_r64_xmm_imm8'].map((code) => [
      code,
      (x: Lifter): void => {
        x.write(0, extractWord(x.read(1), x.read(2)));
      },
    ]),
  ),
  ...Object.fromEntries(
    ['Pinsrw_xmm_r32m16_imm8', 'Pinsrw_xmm_r64m16_imm8'].map((code) => [
      code,
      (x: Lifter): void => {
        const word = x.read(1);
        const index = x.read(2);
        const old = x.read(0);
        const [low, high] = [x.let(op.lane0(old)), x.let(op.lane1(old))];
        const upper = x.let(op.wide(op.ne(op.and(index, 4), 0)));
        x.write(
          0,
          vectorOf(
            op.select(low, insertWord(low, word, index), op.narrow(upper)),
            op.select(insertWord(high, word, index), high, op.narrow(upper)),
          ),
        );
      },
    ]),
  ),
};
