import type { Lifter } from '../ir/lifter.js';
import { constant, op, signExtend, truncate, type Node } from '../ir/nodes.js';
import type { Definition, Family } from './family.js';

/** The count as the processor masks it: 6 bits for 64-bit operands, else 5. */
function maskedCount(x: Lifter, operand: number): Node {
  const count = x.operands.length > operand ? x.read(operand) : constant(1);
  return x.let(op.and(count, x.bits === 64 ? 63 : 31));
}

const bitOf = (value: Node, bit: number): Node => op.and(op.shr(value, bit), 1);

/** SHL, SHR, SAR: with a count of 0 nothing changes but the upper half of a 32-bit register. */
const shift =
  (compute: (x: Lifter, a: Node, count: Node) => { result: Node; carry: Node; overflow: Node }): Definition =>
  (x) => {
    const a = x.readForWrite(0);
    const count = maskedCount(x, 1);
    const { result, carry, overflow } = compute(x, a, count);
    x.write(0, result);
    x.when(op.ne(count, 0), () => {
      const cf = x.let(carry);
      x.flags({
        kind: 'raw',
        result: signExtend(result, x.bits),
        aux: op.or(op.shl(cf, 63), op.shl(op.xor(cf, overflow), 62)),
      });
    });
  };

const shiftLeft = shift((x, a, count) => {
  const { bits } = x;
  const shifted = x.let(op.shl(a, count));
  const result = x.let(truncate(shifted, bits));
  const carry = x.let(bits === 64 ? op.and(op.rotl(a, count), 1) : bitOf(shifted, bits));
  return { result, carry, overflow: op.xor(bitOf(result, bits - 1), carry) };
});

/** ROL and ROR change CF and OF alone, and only when the masked count is not 0. */
const rotate =
  (left: boolean): Definition =>
  (x) => {
    const { bits } = x;
    const a = x.readForWrite(0);
    const count = maskedCount(x, 1);
    const within = bits >= 32 ? count : x.let(op.and(count, bits - 1));
    const back = op.and(op.sub(bits, within), bits - 1);
    const result = x.let(
      bits === 64
        ? op[left ? 'rotl' : 'rotr'](a, within)
        : bits === 32
          ? op.wide(op[left ? 'rotl32' : 'rotr32'](op.narrow(a), op.narrow(within)))
          : truncate(op.or(op.shl(a, left ? within : back), op.shr(a, left ? back : within)), bits),
    );
    x.write(0, result);
    x.when(op.ne(count, 0), () => {
      const top = x.let(bitOf(result, bits - 1));
      if (left) {
        const carry = x.let(op.and(result, 1));
        x.setCarryOverflow(carry, op.xor(top, carry));
      } else x.setCarryOverflow(top, op.xor(top, bitOf(result, bits - 2)));
    });
  };

/** RCL and RCR rotate through CF: bits + 1 places. */
const rotateThroughCarry =
  (left: boolean): Definition =>
  (x) => {
    const { bits } = x;
    const a = x.readForWrite(0);
    const masked = maskedCount(x, 1);
    const count = bits >= 32 ? masked : x.let(op.remU(masked, bits + 1));
    const carry = x.let(x.carry());
    const isZero = x.let(op.eqz(count));
    // In two steps, because a shift by the whole width is a shift by 0 in WebAssembly.
    const back = op.sub(bits, count);
    const moved = left
      ? op.or(op.or(op.shl(a, count), op.shl(carry, op.sub(count, 1))), op.shr(op.shr(a, back), 1))
      : op.or(op.or(op.shr(a, count), op.shl(carry, back)), op.shl(op.shl(a, back), 1));
    const result = x.let(op.select(a, truncate(moved, bits), isZero));
    x.write(0, result);
    x.when(op.not(isZero), () => {
      const out = x.let(op.and(left ? op.shr(a, back) : op.shr(a, op.sub(count, 1)), 1));
      const top = x.let(bitOf(result, bits - 1));
      x.setCarryOverflow(out, op.xor(top, left ? out : bitOf(result, bits - 2)));
    });
  };

/** SHLD and SHRD. */
const doubleShift =
  (left: boolean): Definition =>
  (x) => {
    const { bits } = x;
    const a = x.readForWrite(0);
    const b = x.read(1);
    const count = maskedCount(x, 2);
    const isZero = x.let(op.eqz(count));
    const back = op.sub(bits, count);
    const moved = left ? op.or(op.shl(a, count), op.shr(b, back)) : op.or(op.shr(a, count), op.shl(b, back));
    const result = x.let(op.select(a, truncate(moved, bits), isZero));
    x.write(0, result);
    x.when(op.not(isZero), () => {
      const carry = x.let(op.and(left ? op.shr(a, back) : op.shr(a, op.sub(count, 1)), 1));
      const overflow = bitOf(op.xor(a, result), bits - 1);
      x.flags({
        kind: 'raw',
        result: signExtend(result, bits),
        aux: op.or(op.shl(carry, 63), op.shl(op.xor(carry, overflow), 62)),
      });
    });
  };

/** Shifts and rotates. Intel SDM volume 2. */
export const shifts: Family = {
  Shl: shiftLeft,
  Sal: shiftLeft,
  Shr: shift((x, a, count) => ({
    result: x.let(op.shr(a, count)),
    carry: op.and(op.shr(a, op.sub(count, 1)), 1),
    overflow: bitOf(a, x.bits - 1),
  })),
  Sar: shift((x, a, count) => {
    const signed = x.let(signExtend(a, x.bits));
    return {
      result: x.let(truncate(op.sar(signed, count), x.bits)),
      carry: op.and(op.sar(signed, op.sub(count, 1)), 1),
      overflow: constant(0),
    };
  }),
  Rol: rotate(true),
  Ror: rotate(false),
  Rcl: rotateThroughCarry(true),
  Rcr: rotateThroughCarry(false),
  Shld: doubleShift(true),
  Shrd: doubleShift(false),
};
