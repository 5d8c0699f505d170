import { op, signExtend, truncate, type Node } from '../ir/nodes.js';
import type { Lifter } from '../ir/lifter.js';
import { byHelper, type Definition, type Family } from './family.js';

const DIVIDE_ERROR = 0;
const BOUND_RANGE_EXCEEDED = 5;

/** AF as 0 or 1 (i64). */
const adjust = (x: Lifter): Node => op.and(op.shr(x.flagsAux, 3), 1);
/** 1 when the low decimal digit has run over, by its value or by AF. */
const digitExceeded = (x: Lifter, al: Node): Node => x.let(op.or(op.wide(op.gtU(op.and(al, 0xf), 9)), adjust(x)));

/** PF, ZF and SF of a byte; CF and AF as given (0 or 1), OF = 0. */
function decimalFlags(x: Lifter, result: Node, carry: Node, adjusted: Node): void {
  const carries = op.or(op.shl(carry, 63), op.shl(carry, 62));
  x.flags({ kind: 'raw', result: signExtend(result, 8), aux: op.or(carries, op.shl(adjusted, 3)) });
}

/** DAA, DAS. */
const packed =
  (kind: 'add' | 'sub'): Definition =>
  (x) => {
    const al = x.register('rax', 8);
    const low = digitExceeded(x, al);
    const high = x.let(op.or(op.wide(op.gtU(al, 0x99)), x.carry()));
    const correction = op.add(op.mul(low, 6), op.mul(high, 0x60));
    const result = x.let(truncate(op[kind](al, correction), 8));
    // A borrow of DAS from the low digit alone carries as well; that of DAA implies AL > 99H.
    const carry = kind === 'add' ? high : x.let(op.or(high, op.and(low, op.wide(op.ltU(al, 6)))));
    x.setRegister('rax', 8, result);
    decimalFlags(x, result, carry, low);
  };

/** AAA, AAS: the digit in AL, the carry into AH. */
const unpacked =
  (kind: 'add' | 'sub'): Definition =>
  (x) => {
    const ax = x.register('rax', 16);
    const exceeded = digitExceeded(x, ax);
    const result = x.let(op.and(op[kind](ax, op.mul(exceeded, 0x106)), 0xff0f));
    x.setRegister('rax', 16, result);
    decimalFlags(x, result, exceeded, exceeded);
  };

/** ARPL: the destination's RPL is raised to the source's. Memory is written in any case. */
const adjustPrivilege: Definition = (x) => {
  const selector = x.readForWrite(0);
  const wanted = x.let(op.and(x.read(1), 3));
  const lower = x.let(op.ltU(op.and(selector, 3), wanted));
  x.write(0, op.select(op.or(op.and(selector, ~3n), wanted), selector, lower));
  setZero(x, lower);
};

/** Changes ZF alone. */
function setZero(x: Lifter, zero: Node): void {
  const before = x.let(x.flagsResult);
  const aux = x.let(x.flagsAux);
  // RESULT is 0 or 0x100 (its low byte is 0, even parity), so PF and SF come from AUX alone.
  const parity = op.and(op.popcnt(op.and(op.xor(before, op.shr(aux, 8)), 0xff)), 1);
  const sign = op.and(op.xor(op.shr(before, 63), aux), 1);
  const kept = op.and(aux, (3n << 62n) | 8n);
  const changed = x.let(op.or(kept, op.or(op.shl(parity, 8), sign)));
  x.flags({ kind: 'raw', result: op.shl(op.wide(op.not(zero)), 8), aux: changed });
}

/** BOUND: both bounds are one operand, the lower one first; signed. */
const bound: Definition = (x) => {
  const { bits } = x;
  const index = x.let(signExtend(x.read(0), bits));
  const bounds = x.read(1);
  const below = op.ltS(index, signExtend(bounds, bits));
  const above = op.gtS(index, signExtend(op.shr(bounds, bits), bits));
  x.when(op.either(below, above), () => {
    x.raise(BOUND_RANGE_EXCEEDED);
  });
};

/** What 64-bit mode no longer has: decimal arithmetic, ARPL, BOUND, SALC, PUSHA, POPA. Intel SDM volume 2. */
export const legacy: Family = {
  Daa: packed('add'),
  Das: packed('sub'),
  Aaa: unpacked('add'),
  Aas: unpacked('sub'),
  Aam: (x) => {
    const base = x.let(truncate(x.read(0), 8));
    const al = x.register('rax', 8);
    x.when(op.eqz(base), () => {
      x.raise(DIVIDE_ERROR);
    });
    const digit = x.let(op.remU(al, base));
    x.setRegister('rax', 16, op.or(op.shl(op.divU(al, base), 8), digit));
    x.flags({ kind: 'logic', result: digit, bits: 8 });
  },
  Aad: (x) => {
    const al = x.register('rax', 8);
    const tens = x.let(truncate(op.mul(x.registerHigh(0), x.read(0)), 8));
    const result = x.let(op.add(al, tens));
    x.setRegister('rax', 16, truncate(result, 8));
    x.flags({ kind: 'add', a: al, b: tens, result, bits: 8 }); // CF, AF and OF are undefined: as measured
  },
  Salc: (x) => {
    x.setRegister('rax', 8, truncate(op.sub(0, x.carry()), 8));
  },
  Arpl: adjustPrivilege,
  Bound: bound,
  Pushaw: byHelper('pushAll16'),
  Pushad: byHelper('pushAll32'),
  Popaw: byHelper('popAll16'),
  Popad: byHelper('popAll32'),
};
