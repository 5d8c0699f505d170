import { constant, op, type Node, type OperatorName } from '../ir/nodes.js';
import type { Definition, Family } from './family.js';
import { bytesVector, readAligned, splatByte } from './sse-vectors.js';

export type VectorShift = (value: Node, count: Node) => Node;

/** A count of the width or more gives 0. */
const logical =
  (operator: OperatorName, bits: number): VectorShift =>
  (value, count) =>
    op.vSelect(op[operator](value, op.narrow(count)), op.vZero(), op.ltU(count, bits));

/** A count of the width or more fills with the sign. */
const arithmetic =
  (operator: OperatorName, bits: number): VectorShift =>
  (value, count) =>
    op[operator](value, op.narrow(op.select(count, constant(bits - 1), op.ltU(count, bits))));

/** By mnemonic; the count is a whole 64-bit number. */
export const shiftOperations: Readonly<Record<string, VectorShift>> = {
  Psllw: logical('i16x8Shl', 16),
  Pslld: logical('i32x4Shl', 32),
  Psllq: logical('i64x2Shl', 64),
  Psrlw: logical('i16x8Shr', 16),
  Psrld: logical('i32x4Shr', 32),
  Psrlq: logical('i64x2Shr', 64),
  Psraw: arithmetic('i16x8Sar', 16),
  Psrad: arithmetic('i32x4Sar', 32),
};

const byImmediate =
  (shift: VectorShift): Definition =>
  (x) => {
    x.write(0, shift(x.read(0), x.let(x.read(1))));
  };

/** The count is the low 64 bits of the operand, all 128 of which are read. */
const byVector =
  (shift: VectorShift): Definition =>
  (x) => {
    const count = x.let(op.lane0(readAligned(x, 1)));
    x.write(0, shift(x.read(0), count));
  };

const identity = (): Node => bytesVector((index) => index);

/** Bytes to shift by, at most 16. */
const byteCount = (count: Node): Node => splatByte(op.select(count, constant(16), op.ltU(count, 16)));

/** SSE2 shifts of XMM registers. Intel SDM volume 2: PSLLW/PSLLD/PSLLQ, PSRLW..., PSRAW..., PSLLDQ, PSRLDQ. */
export const sseShift: Family = {
  ...Object.fromEntries(
    Object.entries(shiftOperations).flatMap(([name, shift]) => [
      [`${name}_xmm_imm8`, byImmediate(shift)],
      [`${name}_xmm_xmmm128`, byVector(shift)],
    ]),
  ),
  // Byte indices outside 0 to 15 select zeros: those below 0 wrap to 240 and more.
  Pslldq_xmm_imm8: (x) => {
    x.write(0, op.i8x16Swizzle(x.read(0), op.i8x16Sub(identity(), byteCount(x.let(x.read(1))))));
  },
  Psrldq_xmm_imm8: (x) => {
    x.write(0, op.i8x16Swizzle(x.read(0), op.i8x16Add(identity(), byteCount(x.let(x.read(1))))));
  },
};
