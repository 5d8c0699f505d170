/** The arithmetic flags: how they follow from an operation, and what the conditions make of them. */
import { constant, maskOf, op, signExtend, truncate, type Node } from './nodes.js';

/** How the arithmetic flags follow from operands and result. */
export type FlagsForm =
  | {
      readonly kind: 'add' | 'sub';
      readonly a: Node;
      readonly b: Node;
      readonly result: Node; // not truncated
      readonly bits: number;
      readonly withCarry?: boolean; // ADC, SBB: a third operand
    }
  | { readonly kind: 'logic'; readonly result: Node; readonly bits: number }
  | { readonly kind: 'raw'; readonly result: Node; readonly aux: Node }; // FLAGS_RESULT and FLAGS_AUX themselves

/** FLAGS_RESULT and FLAGS_AUX of a form (state-layout.ts defines the bits). `bind` evaluates a node once. */
export function flagNodes(form: FlagsForm, bind: (value: Node) => Node): { result: Node; aux: Node } {
  switch (form.kind) {
    case 'raw':
      return form;
    case 'logic':
      return { result: signExtend(form.result, form.bits), aux: constant(0) };
    case 'add':
    case 'sub': {
      const { a, b, result, bits } = form;
      const carries =
        form.kind === 'add'
          ? op.or(op.and(a, b), op.and(op.or(a, b), op.xor(result, -1)))
          : op.or(op.and(op.xor(a, -1), b), op.and(op.xor(op.xor(a, b), -1), result));
      return { result: signExtend(result, bits), aux: carriesToAux(carries, bits, bind) };
    }
  }
}

/** Carry-out vector of a width to FLAGS_AUX: its top two bits to bits 63 and 62, bit 3 stays. */
export function carriesToAux(carries: Node, bits: number, bind: (value: Node) => Node): Node {
  if (bits === 64) return op.and(carries, 0xc000_0000_0000_0008n);
  const vector = bind(carries);
  return op.or(op.and(op.shl(vector, 64 - bits), 0xc000_0000_0000_0000n), op.and(vector, 8));
}

/** CF as 0 or 1 from FLAGS_AUX. */
export const carryOf = (aux: Node): Node => op.shr(aux, 63);

/** A condition code from FLAGS_RESULT and FLAGS_AUX. */
export function conditionOf(code: number, result: Node, aux: Node): Node {
  const zero = (): Node => op.eqz(result);
  const carry = (): Node => op.ltS(aux, 0);
  const sign = (): Node => op.differ(op.ltS(result, 0), op.narrow(op.and(aux, 1)));
  const overflow = (): Node => op.ltS(op.xor(aux, op.shl(aux, 1)), 0);
  const parity = (): Node => op.eqz(op.and(op.popcnt(op.and(op.xor(result, op.shr(aux, 8)), 0xff)), 1));
  return negate(code, {
    overflow,
    carry,
    zero,
    carryOrZero: () => op.either(carry(), zero()),
    sign,
    parity,
    less: () => op.differ(sign(), overflow()),
    lessOrZero: () => op.either(zero(), op.differ(sign(), overflow())),
  });
}

/** A condition straight from the operation that set the flags; undefined where only the general way knows. */
export function conditionOfForm(code: number, form: FlagsForm): Node | undefined {
  if (form.kind === 'raw') return undefined;
  const { result, bits } = form;
  const sign = (): Node => op.ltS(signExtend(result, bits), 0);
  const zero = (): Node => op.eqz(truncate(result, bits));
  if (form.kind === 'logic') {
    const never = (): Node => op.eqz(constant(1));
    return negate(code, {
      overflow: never,
      carry: never,
      zero,
      carryOrZero: zero,
      sign,
      parity: undefined,
      less: sign,
      lessOrZero: () => op.either(zero(), sign()),
    });
  }
  if (form.kind === 'add' || form.withCarry === true) {
    const sum = form.kind === 'add' && form.withCarry !== true ? (): Node => carryOfSum(form) : undefined;
    return negate(code, {
      overflow: undefined,
      carry: sum,
      zero,
      carryOrZero: sum && (() => op.either(sum(), zero())),
      sign,
      parity: undefined,
      less: undefined,
      lessOrZero: undefined,
    });
  }
  const { a, b } = form;
  const signed = (value: Node): Node => signExtend(value, bits);
  return negate(code, {
    overflow: undefined,
    carry: () => op.ltU(a, b),
    zero: () => op.eq(a, b),
    carryOrZero: () => op.leU(a, b),
    sign,
    parity: undefined,
    less: () => op.ltS(signed(a), signed(b)),
    lessOrZero: () => op.leS(signed(a), signed(b)),
  });
}

/** CF of an addition of two operands, i32. */
function carryOfSum({ a, result, bits }: { readonly a: Node; readonly result: Node; readonly bits: number }): Node {
  return bits === 64 ? op.ltU(result, a) : op.gtU(result, maskOf(bits));
}

/** CF straight from the operation; undefined where only the general way knows. */
export function carryOfForm(form: FlagsForm): Node | undefined {
  if (form.kind === 'logic') return constant(0);
  if (form.kind === 'raw' || form.withCarry === true) return undefined;
  return op.wide(form.kind === 'sub' ? op.ltU(form.a, form.b) : carryOfSum(form));
}

/** The eight tests of the condition encoding, in its order; bit 0 of a code negates. */
interface Tests<Test> {
  readonly overflow: Test;
  readonly carry: Test;
  readonly zero: Test;
  readonly carryOrZero: Test;
  readonly sign: Test;
  readonly parity: Test;
  readonly less: Test;
  readonly lessOrZero: Test;
}

function negate(code: number, tests: Tests<() => Node>): Node;
function negate(code: number, tests: Tests<(() => Node) | undefined>): Node | undefined;
function negate(code: number, t: Tests<(() => Node) | undefined>): Node | undefined {
  const test = [t.overflow, t.carry, t.zero, t.carryOrZero, t.sign, t.parity, t.less, t.lessOrZero][code >> 1];
  if (test === undefined) return undefined;
  return code & 1 ? op.not(test()) : test();
}
