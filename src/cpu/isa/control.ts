import { constant, op, truncate, type Node } from '../ir/nodes.js';
import type { Lifter } from '../ir/lifter.js';
import { conditionNames } from './conditions.js';
import { byHelper, type Definition, type Family } from './family.js';

const target: Node = { type: 'i64', source: { kind: 'immediate' } };

const conditionalJumps = Object.fromEntries(
  conditionNames.map((name, code): [string, Definition] => [
    `J${name}`,
    (x) => {
      x.jumpIf(x.condition(code), target);
    },
  ]),
);

const call =
  (bits: number, destination: (x: Lifter) => Node): Definition =>
  (x) => {
    const where = destination(x);
    if (where === target) x.push(x.nextRip(), bits);
    else x.pushReturn(x.nextRip(), bits, where);
    x.jump(where);
  };

const jumpTo: Definition = (x) => {
  const where = x.read(0);
  x.requireCanonical(where);
  x.jump(where);
};

/** Near return, with `imm16` more bytes released. */
const nearReturn =
  (bits: number, withImmediate: boolean): Definition =>
  (x) => {
    const released = withImmediate ? x.read(0) : constant(0);
    x.jump(
      x.pop(bits, released, (where) => {
        x.requireCanonical(where);
      }),
    );
  };

/** LOOP, LOOPE, LOOPNE: `counterBits` is the address size. Flags stay. */
const loop =
  (counterBits: number, condition?: (x: Lifter) => Node): Definition =>
  (x) => {
    const count = x.let(truncate(op.sub(x.register('rcx', counterBits), 1), counterBits));
    const goOn = op.ne(count, 0);
    const taken = x.let(condition === undefined ? goOn : op.both(goOn, condition(x)));
    x.setRegister('rcx', counterBits, count);
    x.jumpIf(taken, target);
  };

const isEqual = (x: Lifter): Node => x.condition(4);
const isNotEqual = (x: Lifter): Node => x.condition(5);

const jumpIfCounterZero =
  (counterBits: number): Definition =>
  (x) => {
    x.jumpIf(op.eqz(x.register('rcx', counterBits)), target);
  };

/** Near transfers; far ones are the core's. Intel SDM volume 2. */
export const control: Family = {
  ...conditionalJumps,
  Jmp_rel8_32: (x) => {
    x.jump(target);
  },
  Jmp_rel8_64: (x) => {
    x.jump(target);
  },
  Jmp_rel32_32: (x) => {
    x.jump(target);
  },
  Jmp_rel32_64: (x) => {
    x.jump(target);
  },
  Jmp_rm32: jumpTo,
  Jmp_rm64: jumpTo,
  Call_rel32_32: call(32, () => target),
  Call_rel32_64: call(64, () => target),
  Call_rm32: call(32, (x) => x.read(0)),
  Call_rm64: call(64, (x) => x.read(0)),
  Retnd: nearReturn(32, false),
  Retnd_imm16: nearReturn(32, true),
  Retnq: nearReturn(64, false),
  Retnq_imm16: nearReturn(64, true),
  Jcxz_rel8_32: jumpIfCounterZero(16),
  Jecxz_rel8_32: jumpIfCounterZero(32),
  Jecxz_rel8_64: jumpIfCounterZero(32),
  Jrcxz_rel8_64: jumpIfCounterZero(64),
  Loop_rel8_32_CX: loop(16),
  Loop_rel8_32_ECX: loop(32),
  Loop_rel8_64_ECX: loop(32),
  Loop_rel8_64_RCX: loop(64),
  Loope_rel8_32_CX: loop(16, isEqual),
  Loope_rel8_32_ECX: loop(32, isEqual),
  Loope_rel8_64_ECX: loop(32, isEqual),
  Loope_rel8_64_RCX: loop(64, isEqual),
  Loopne_rel8_32_CX: loop(16, isNotEqual),
  Loopne_rel8_32_ECX: loop(32, isNotEqual),
  Loopne_rel8_64_ECX: loop(32, isNotEqual),
  Loopne_rel8_64_RCX: loop(64, isNotEqual),
  Jmp_ptr1632: byHelper('farJumpDirect'),
  Jmp_m1632: byHelper('farJump32'),
  Jmp_m1664: byHelper('farJump64'),
  Call_ptr1632: byHelper('farCallDirect'),
  Call_m1632: byHelper('farCall32'),
  Call_m1664: byHelper('farCall64'),
};
