/** How SSE definitions hand an instruction to the core's exact arithmetic, and how they read its source. */
import { FLOAT_OPERATION, FLOAT_SOURCE } from '../float-operations.js';
import type { Lifter } from '../ir/lifter.js';
import { constant, op, type Node } from '../ir/nodes.js';
import type { Definition } from './family.js';
import type { LaneFormat } from './sse-plain.js';
import { readAligned, readLow } from './sse-vectors.js';

/** The source: 128 bits of it, or a scalar that is in the low lane at least. */
export function floatSource(x: Lifter, { bits }: LaneFormat, scalar: boolean): Node {
  if (!scalar) return readAligned(x, 1);
  if (!x.isMemory(1)) return x.read(1);
  const low = x.read(1);
  return x.let(bits === 64 ? op.i64x2Splat(low) : op.i32x4Splat(op.narrow(low)));
}

function setSource(x: Lifter, source: Node, operation: number): void {
  if (source.type === 'v128') {
    x.setState(FLOAT_SOURCE, op.lane0(source));
    x.setState(FLOAT_SOURCE + 8, op.lane1(source));
  } else x.setState(FLOAT_SOURCE, source);
  x.setState(FLOAT_OPERATION, constant(operation), 32);
}

/** The rare case: the core does it all. */
export function handOver(x: Lifter, source: Node, operation: number, helper: string): void {
  setSource(x, source, operation);
  x.rareHelper(helper);
}

/** Hands the source to a helper of the core: 128 bits of it when `bits` says so, else the low 64 (zero-extended). */
export const exactly =
  (helper: string, bits: number, operation: number): Definition =>
  (x) => {
    setSource(x, bits === 128 ? readAligned(x, 1) : readLow(x, 1), operation);
    x.helper(helper);
  };
