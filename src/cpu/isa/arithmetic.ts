import type { Lifter } from '../ir/lifter.js';
import { op, truncate, type Node } from '../ir/nodes.js';
import type { Definition, Family } from './family.js';

type Kind = 'add' | 'sub';

/** Result of a + b or a - b, with or without the carry, truncated to the operand size. */
function compute(x: Lifter, kind: Kind, a: Node, b: Node, carry?: Node): Node {
  const plain = op[kind](a, b);
  return x.let(carry === undefined ? plain : op[kind](plain, carry));
}

const twoOperands =
  (kind: Kind, withCarry: boolean): Definition =>
  (x) => {
    const a = x.readForWrite(0);
    const b = x.read(1);
    const result = compute(x, kind, a, b, withCarry ? x.let(x.carry()) : undefined);
    x.write(0, truncate(result, x.bits));
    x.flags({ kind, a, b, result, bits: x.bits, withCarry });
  };

/** INC and DEC leave CF as it is. */
const step =
  (kind: Kind): Definition =>
  (x) => {
    const a = x.readForWrite(0);
    const carry = x.let(x.carry());
    const result = x.let(op[kind](a, 1));
    x.write(0, truncate(result, x.bits));
    x.incrementFlags(kind, a, result, carry);
  };

/** ADD, ADC, SUB, SBB, CMP, INC, DEC, NEG, XADD, CMPXCHG. Intel SDM volume 2. */
export const arithmetic: Family = {
  Add: twoOperands('add', false),
  Adc: twoOperands('add', true),
  Sub: twoOperands('sub', false),
  Sbb: twoOperands('sub', true),
  Cmp: (x) => {
    const a = x.read(0);
    const b = x.read(1);
    x.flags({ kind: 'sub', a, b, result: compute(x, 'sub', a, b), bits: x.bits });
  },
  Inc: step('add'),
  Dec: step('sub'),
  Neg: (x) => {
    const b = x.readForWrite(0);
    const zero = x.let(op.xor(b, b));
    const result = compute(x, 'sub', zero, b);
    x.write(0, truncate(result, x.bits));
    x.flags({ kind: 'sub', a: zero, b, result, bits: x.bits });
  },
  Xadd: (x) => {
    const a = x.readForWrite(0);
    const b = x.read(1);
    const result = compute(x, 'add', a, b);
    // Register destinations last: XADD r, r with one register twice keeps the sum.
    if (x.isMemory(0)) x.write(0, truncate(result, x.bits));
    x.write(1, a);
    if (!x.isMemory(0)) x.write(0, truncate(result, x.bits));
    x.flags({ kind: 'add', a, b, result, bits: x.bits });
  },
  Cmpxchg: (x) => {
    const old = x.readForWrite(0);
    const accumulator = x.register('rax', x.bits);
    const replacement = x.read(1);
    const result = compute(x, 'sub', accumulator, old);
    const equal = x.let(op.eq(accumulator, old));
    if (x.isMemory(0)) x.write(0, op.select(replacement, old, equal)); // written back also when unequal
    x.when(
      equal,
      () => {
        if (!x.isMemory(0)) x.write(0, replacement);
      },
      () => {
        x.setRegister('rax', x.bits, old);
      },
    );
    x.flags({ kind: 'sub', a: accumulator, b: old, result, bits: x.bits });
  },
  Cmpxchg8b_m64: (x) => {
    x.helper('cmpxchg8b');
  },
  Cmpxchg16b_m128: (x) => {
    x.helper('cmpxchg16b');
  },
};
