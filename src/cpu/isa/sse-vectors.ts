/** What the definitions of SSE instructions share: operands as vectors, and vectors from 64-bit halves. */
import type { Lifter } from '../ir/lifter.js';
import { op, truncate, type Node } from '../ir/nodes.js';
import type { Definition } from './family.js';

/** A vector of two 64-bit halves. */
export const vectorOf = (low: Node | bigint, high: Node | bigint): Node =>
  op.withLane1(op.withLane0(op.vZero(), low), high);

/** A vector whose low 64 bits are `low`, the others 0. */
export const lowVector = (low: Node): Node => op.withLane0(op.vZero(), low);

/** A 128-bit operand. Memory must be aligned to 16 bytes: #GP(0). Intel SDM volume 2, table 2-21. */
export function readAligned(x: Lifter, operand: number): Node {
  return x.isMemory(operand) ? x.load128(x.effectiveAddress(), true) : x.read(operand);
}

/** Stores or copies a 128-bit value; memory must be aligned. */
export function writeAligned(x: Lifter, operand: number, value: Node): void {
  if (x.isMemory(operand)) x.store128(x.effectiveAddress(), value, true);
  else x.write(operand, value);
}

/** The low 64 bits of an operand, zero-extended when it is narrower memory or a general register. */
export function readLow(x: Lifter, operand: number): Node {
  return x.shape(operand).kind === 'vector' ? x.let(op.lane0(x.read(operand))) : x.read(operand);
}

/** The low `bits` (32 or 64) of a value into memory, a general register, or an XMM register whose rest is kept. */
export function writeLow(x: Lifter, operand: number, low: Node, bits: number): void {
  if (x.shape(operand).kind !== 'vector') {
    x.write(operand, truncate(low, bits));
    return;
  }
  const old = x.read(operand);
  x.write(operand, bits === 64 ? op.withLane0(old, low) : op.withLane32(old, op.narrow(low)));
}

/** A result of both operands: destination first. */
export const combine =
  (result: (a: Node, b: Node, x: Lifter) => Node): Definition =>
  (x) => {
    const b = readAligned(x, 1);
    x.write(0, result(x.read(0), b, x));
  };

/** The bytes of a vector, each 0 to 255 or beyond, from a function of its index. */
export function bytesVector(byte: (index: number) => number): Node {
  const half = (from: number): bigint => {
    let value = 0n;
    for (let i = 7; i >= 0; i--) value = (value << 8n) | BigInt(byte(from + i) & 0xff);
    return value;
  };
  return vectorOf(half(0), half(8));
}

/** i8x16.splat of an i64's low byte. */
export const splatByte = (value: Node): Node => op.i8x16Splat(op.narrow(value));
