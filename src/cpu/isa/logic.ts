import { op, truncate, type OperatorName } from '../ir/nodes.js';
import type { Definition, Family } from './family.js';

const bitwise =
  (operator: OperatorName & ('and' | 'or' | 'xor')): Definition =>
  (x) => {
    const result = x.let(op[operator](x.readForWrite(0), x.read(1)));
    x.write(0, result);
    x.flags({ kind: 'logic', result, bits: x.bits });
  };

/** AND, OR, XOR, TEST, NOT. Intel SDM volume 2. */
export const logic: Family = {
  And: bitwise('and'),
  Or: bitwise('or'),
  Xor: bitwise('xor'),
  Test: (x) => {
    x.flags({ kind: 'logic', result: x.let(op.and(x.read(0), x.read(1))), bits: x.bits });
  },
  Not: (x) => {
    x.write(0, truncate(op.xor(x.readForWrite(0), -1), x.bits));
  },
};
