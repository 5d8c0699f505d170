import { op, signExtend, truncate, type Node } from '../ir/nodes.js';
import type { Lifter } from '../ir/lifter.js';
import { conditionNames } from './conditions.js';
import { byHelper, type Definition, type Family } from './family.js';

/** Reverses the bytes of a 32- or 64-bit value. */
function byteSwap(x: Lifter, value: Node, bits: number): Node {
  const pairs = x.let(
    op.or(op.and(op.shr(value, 8), 0x00ff_00ff_00ff_00ffn), op.shl(op.and(value, 0x00ff_00ff_00ff_00ffn), 8)),
  );
  const words = x.let(
    op.or(op.and(op.shr(pairs, 16), 0x0000_ffff_0000_ffffn), op.shl(op.and(pairs, 0x0000_ffff_0000_ffffn), 16)),
  );
  return bits === 32 ? truncate(words, 32) : op.rotl(words, 32);
}

const conditionalMoves = Object.fromEntries(
  conditionNames.map((name, code): [string, Definition] => [
    `Cmov${name}`,
    (x) => {
      const source = x.read(1); // memory is read also when the condition is false
      const old = x.read(0);
      x.write(0, op.select(source, old, x.condition(code))); // a 32-bit destination is cleared above in any case
    },
  ]),
);

const conditionalSets = Object.fromEntries(
  conditionNames.map((name, code): [string, Definition] => [
    `Set${name}`,
    (x) => {
      x.write(0, op.wide(x.condition(code)));
    },
  ]),
);

const copy: Definition = (x) => {
  x.write(0, x.read(1));
};

/** MOV, MOVZX, MOVSX, CMOVcc, SETcc, XCHG, BSWAP, LEA, conversions, LAHF, SAHF, XLAT. Intel SDM volume 2. */
export const move: Family = {
  Mov: copy,
  Movnti: copy,
  Movzx: copy,
  Movsx: (x) => {
    x.write(0, truncate(signExtend(x.read(1), x.shape(1).bits), x.bits));
  },
  Movsxd: (x) => {
    x.write(0, truncate(signExtend(x.read(1), x.shape(1).bits), x.bits));
  },
  Xchg: (x) => {
    const a = x.readForWrite(0);
    const b = x.read(1);
    x.write(0, b);
    x.write(1, a);
  },
  Bswap: (x) => {
    x.write(0, byteSwap(x, x.read(0), x.bits));
  },
  Lea: (x) => {
    x.write(0, truncate({ type: 'i64', source: { kind: 'offset' } }, x.bits));
  },
  Cbw: (x) => {
    x.setRegister('rax', 16, op.extend8(x.register('rax', 8)));
  },
  Cwde: (x) => {
    x.setRegister('rax', 32, truncate(op.extend16(x.register('rax', 16)), 32));
  },
  Cdqe: (x) => {
    x.setRegister('rax', 64, op.extend32(x.register('rax', 32)));
  },
  Cwd: (x) => {
    x.setRegister('rdx', 16, op.sar(op.extend16(x.register('rax', 16)), 15));
  },
  Cdq: (x) => {
    x.setRegister('rdx', 32, truncate(op.sar(op.extend32(x.register('rax', 32)), 31), 32));
  },
  Cqo: (x) => {
    x.setRegister('rdx', 64, op.sar(x.register('rax', 64), 63));
  },
  Lahf: (x) => {
    const flag = (code: number, bit: number): Node => op.shl(op.wide(x.condition(code)), bit);
    const adjust = op.shl(op.and(x.flagsAux, 8), 1);
    const value = op.or(
      op.or(op.or(flag(8, 7), flag(4, 6)), op.or(flag(10, 2), op.wide(x.condition(2)))),
      op.or(adjust, 2),
    );
    x.setRegisterHigh(0, value);
  },
  Sahf: (x) => {
    const value = x.registerHigh(0);
    const overflow = x.let(x.overflow());
    const carry = x.let(op.and(value, 1));
    const zero = x.let(op.and(op.shr(value, 6), 1));
    // RESULT is 0 or 0x100 (its low byte is 0, even parity), so PF and SF come from AUX alone.
    const parity = op.shl(op.xor(op.and(op.shr(value, 2), 1), 1), 8);
    const sign = op.and(op.shr(value, 7), 1);
    const aux = op.or(
      op.or(op.shl(carry, 63), op.shl(op.xor(carry, overflow), 62)),
      op.or(op.or(parity, sign), op.shr(op.and(value, 0x10), 1)),
    );
    x.flags({ kind: 'raw', result: op.shl(op.xor(zero, 1), 8), aux });
  },
  Xlatb: byHelper('xlat'),
  ...conditionalMoves,
  ...conditionalSets,
};
