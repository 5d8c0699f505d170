/**
 * The usual case of SSE floating point: WebAssembly's own operations wherever they cannot differ from the exact
 * arithmetic of the core. NaNs never come out of here (WebAssembly leaves their payloads open), nothing is raised that
 * is not raised already, and a test that says no where it might say yes costs time alone.
 */
import { FX_MXCSR } from '../state-layout.js';
import type { Lifter } from '../ir/lifter.js';
import { constant128, op, type Node } from '../ir/nodes.js';

/** How the lanes of a format are worked on. */
export interface LaneFormat {
  readonly vector: 'f32x4' | 'f64x2';
  readonly scalar: 'f32' | 'f64';
  readonly bits: 32 | 64;
  /** The smallest normal number, twice it, and the largest number, in every lane. */
  readonly smallest: Node;
  readonly twiceSmallest: Node;
  readonly largest: Node;
}

const everyLane = (bits: number, value: bigint): Node => {
  let all = 0n;
  for (let at = 0; at < 128; at += bits) all |= value << BigInt(at);
  return constant128(all);
};
const formatOf = (bits: 32 | 64, fraction: bigint, largest: bigint): LaneFormat => ({
  vector: bits === 32 ? 'f32x4' : 'f64x2',
  scalar: bits === 32 ? 'f32' : 'f64',
  bits,
  smallest: everyLane(bits, 1n << fraction),
  twiceSmallest: everyLane(bits, 2n << fraction),
  largest: everyLane(bits, largest),
});

export const singles = formatOf(32, 23n, 0x7f7f_ffffn);
export const doubles = formatOf(64, 52n, 0x7fef_ffff_ffff_ffffn);

// MXCSR: every exception masked, nearest rounding, FTZ and DAZ off, PE set already; other sticky flags do not matter.
const MXCSR_LOOKED_AT = 0xffe0;
const MXCSR_SIMPLE = 0x1fa0;
const MXCSR_MASKS = 0x1f80;

/** 0 when inexact results change nothing but themselves. */
const notSimple = (x: Lifter): Node => op.xor(op.and(x.state(FX_MXCSR, 32), MXCSR_LOOKED_AT), MXCSR_SIMPLE);
export const mxcsrIsSimple = (x: Lifter): Node => op.eqz(notSimple(x));
export const allMasked = (x: Lifter): Node => op.eq(op.and(x.state(FX_MXCSR, 32), MXCSR_MASKS), MXCSR_MASKS);

/** MXCSR is simple and the lanes that count of `ok`, all ones or all zeros each, are all ones. */
function simpleAnd(x: Lifter, { vector }: LaneFormat, scalar: boolean, ok: Node): Node {
  const bits = op.wide(vector === 'f32x4' ? op.i32x4Bitmask(ok) : op.i64x2Bitmask(ok));
  const missing = scalar ? op.xor(op.and(bits, 1), 1) : op.xor(bits, vector === 'f32x4' ? 15 : 3);
  return op.eqz(op.or(notSimple(x), missing));
}

export type Arithmetic = 'Add' | 'Sub' | 'Mul' | 'Div' | 'Sqrt';

/** The result of an operation; lanes beyond a scalar one are those of `a`. */
function compute(operation: Arithmetic, { vector, scalar: type }: LaneFormat, scalar: boolean, a: Node, b: Node): Node {
  if (!scalar) return operation === 'Sqrt' ? op[`${vector}Sqrt`](b) : op[`${vector}${operation}`](a, b);
  const lane = op[`${type}Lane`];
  const result = operation === 'Sqrt' ? op[`${type}Sqrt`](lane(b)) : op[`${type}${operation}`](lane(a), lane(b));
  return type === 'f32' ? op.withF32(a, result) : op.withF64(a, result);
}

/** The result, and whether it is what the exact arithmetic gives: operands normal, no overflow, no underflow. */
export function plainArithmetic(
  x: Lifter,
  operation: Arithmetic,
  format: LaneFormat,
  scalar: boolean,
  [a, b]: readonly [Node, Node],
): { readonly result: Node; readonly holds: Node } {
  const { vector, smallest, twiceSmallest, largest } = format;
  const absolute = op[`${vector}Abs`];
  const least = op[`${vector}PMin`];
  const result = x.let(compute(operation, format, scalar, a, b));
  const holds = (low: Node, limit: Node, high: Node): Node =>
    simpleAnd(x, format, scalar, op.vAnd(op[`${vector}Ge`](low, limit), op[`${vector}Le`](high, largest)));
  if (operation === 'Sqrt') return { result, holds: holds(b, smallest, b) };
  const size = x.let(absolute(result));
  const operands = least(absolute(a), absolute(b));
  // A sum that is tiny is exact.
  if (operation === 'Add' || operation === 'Sub') return { result, holds: holds(operands, smallest, size) };
  return { result, holds: holds(least(operands, size), twiceSmallest, size) };
}

/** No operand is denormal or a NaN: comparing them raises nothing, whatever MXCSR says. */
export function comparable(x: Lifter, { vector, smallest, bits }: LaneFormat, scalar: boolean, a: Node, b: Node): Node {
  const special = (value: Node): Node => {
    const size = x.let(op[`${vector}Abs`](value));
    return op.vOr(op.vAnd(op[`${vector}Lt`](size, smallest), size), op[`${vector}Ne`](size, size));
  };
  const found = op.vOr(special(a), special(b));
  if (!scalar) return op.not(op.anyTrue(found));
  return op.eqz(bits === 64 ? op.lane0(found) : op.and(op.lane0(found), 0xffff_ffffn));
}

/** The low lane of a result, the others as they were. */
export function withLowLane({ bits }: LaneFormat, old: Node, result: Node): Node {
  return bits === 64 ? op.withLane0(old, op.lane0(result)) : op.withLane32(old, op.narrow(op.lane0(result)));
}
