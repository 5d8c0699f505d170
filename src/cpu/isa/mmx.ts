import { FLOAT_DOUBLE, FLOAT_LANES_SHIFT, FLOAT_OPERATION, FLOAT_SOURCE, FLOAT_TRUNCATE } from '../float-operations.js';
import type { Lifter } from '../ir/lifter.js';
import { call, constant, op, shuffle, truncate, type Node } from '../ir/nodes.js';
import { FX } from '../state-layout.js';
import { byHelper, type Definition, type Family } from './family.js';
import { extractWord, insertWord, lanewise, type VectorOperation } from './sse-integer.js';
import { shiftOperations, type VectorShift } from './sse-shift.js';
import { interleaveLanes, wordIndices } from './sse-shuffle.js';
import { lowVector, readAligned, vectorOf } from './sse-vectors.js';

const FSW = FX + 2;
const FTW = FX + 4;
const MATH_FAULT = 16;
/** Sign and exponent of an x87 register that an MMX instruction has written. Intel SDM volume 1, 9.2.1. */
const EXPONENT = 0xffffn;
const lanes = (count: number): number => count << FLOAT_LANES_SHIFT;

/** A pending x87 exception comes first. */
function waiting(x: Lifter): void {
  x.when(op.ne(op.and(x.state(FSW, 16), 0x80), 0), () => {
    x.raise(MATH_FAULT);
  });
}

/**
 * The transition to MMX: TOP becomes 0, every register valid. From here on MMn stands in slot n of the image. Behind
 * the last access that may fault, in front of every use of an MMX register. Intel SDM volume 1, 9.5.1.
 */
function enterMmx(x: Lifter): void {
  const changed = op.or(op.and(x.state(FSW, 16), 0x3800), op.xor(x.state(FTW, 8), 0xff));
  x.when(op.ne(changed, 0), () => {
    x.setState(FTW, call('enterMmx', 'i64', constant(0)), 8);
  });
}

const low = (x: Lifter, operand: number): Node => x.let(op.lane0(x.read(operand)));
const writeMmx = (x: Lifter, operand: number, value: Node): void => {
  x.write(operand, vectorOf(value, EXPONENT));
};

/** Reads operand 1 (an MMX register, memory, a general register), the transition made. */
function source(x: Lifter): Node {
  waiting(x);
  const early = x.shape(1).kind === 'vector' ? undefined : x.read(1);
  enterMmx(x);
  return early ?? low(x, 1);
}

const combine =
  (result: (a: Node, b: Node, x: Lifter) => Node): Definition =>
  (x) => {
    const b = source(x);
    writeMmx(x, 0, result(low(x, 0), b, x));
  };
const byLanes = (operation: VectorOperation): Definition =>
  combine((a, b, x) => op.lane0(operation(x.let(lowVector(a)), x.let(lowVector(b)), x)));
const pack = (operator: 'i8x16PackS' | 'i8x16PackU' | 'i16x8PackS'): Definition =>
  combine((a, b, x) => {
    const both = x.let(vectorOf(a, b));
    return op.lane0(op[operator](both, both));
  });
const unpack = (bytes: number, high: boolean): Definition => {
  const order = interleaveLanes(bytes, high, 8);
  return combine((a, b) => op.lane0(shuffle(lowVector(a), lowVector(b), order)));
};
const shift = (operation: VectorShift): Definition => combine((a, b) => op.lane0(operation(lowVector(a), b)));
const shiftByImmediate =
  (operation: VectorShift): Definition =>
  (x) => {
    waiting(x);
    enterMmx(x);
    writeMmx(x, 0, op.lane0(operation(lowVector(low(x, 0)), x.let(x.read(1)))));
  };

/** To an MMX register, the rest cleared. */
const load: Definition = (x) => {
  writeMmx(x, 0, source(x));
};
/** From an MMX register: memory is made sure of before the transition. */
const store =
  (bits: number): Definition =>
  (x) => {
    waiting(x);
    if (x.isMemory(0)) x.readForWrite(0);
    enterMmx(x);
    const value = low(x, 1);
    if (x.shape(0).kind === 'vector') writeMmx(x, 0, value);
    else x.write(0, truncate(value, bits));
  };

const toGeneral =
  (value: (x: Lifter, mmx: Node) => Node): Definition =>
  (x) => {
    waiting(x);
    enterMmx(x);
    x.write(0, value(x, low(x, 1)));
  };
const mask = toGeneral((_, mmx) => op.wide(op.i8x16Bitmask(lowVector(mmx))));
const extract = toGeneral((x, mmx) => extractWord(lowVector(mmx), op.and(x.read(2), 3)));
const insert: Definition = (x) => {
  const word = source(x);
  writeMmx(x, 0, insertWord(low(x, 0), word, x.read(2)));
};

const fromIntegers =
  (flags: number): Definition =>
  (x) => {
    // From memory no MMX register takes part, and nothing changes in x87.
    x.setState(FLOAT_SOURCE, x.isMemory(1) ? x.read(1) : source(x));
    x.setState(FLOAT_OPERATION, constant(lanes(2) | flags), 32);
    x.helper('sseFromInteger');
  };
const toIntegers =
  (flags: number): Definition =>
  (x) => {
    waiting(x);
    if (flags & FLOAT_DOUBLE) {
      const value = readAligned(x, 1);
      x.setState(FLOAT_SOURCE, op.lane0(value));
      x.setState(FLOAT_SOURCE + 8, op.lane1(value));
    } else x.setState(FLOAT_SOURCE, x.isMemory(1) ? x.read(1) : low(x, 1));
    x.setState(FLOAT_OPERATION, constant(lanes(2) | flags), 32);
    x.helper('sseToMmx');
  };

/** MMX, and what SSE and SSE2 add to it, on the low 64 bits of the vector micro-ops. Intel SDM volume 1, chapter 9. */
export const mmx: Family = {
  ...Object.fromEntries(Object.entries(lanewise).map(([name, operation]) => [`${name}_mm_mmm64`, byLanes(operation)])),
  Packsswb_mm_mmm64: pack('i8x16PackS'),
  Packuswb_mm_mmm64: pack('i8x16PackU'),
  Packssdw_mm_mmm64: pack('i16x8PackS'),
  Punpcklbw_mm_mmm32: unpack(1, false),
  Punpcklwd_mm_mmm32: unpack(2, false),
  Punpckldq_mm_mmm32: unpack(4, false),
  Punpckhbw_mm_mmm64: unpack(1, true),
  Punpckhwd_mm_mmm64: unpack(2, true),
  Punpckhdq_mm_mmm64: unpack(4, true),
  ...Object.fromEntries(
    Object.entries(shiftOperations).flatMap(([name, operation]): [string, Definition][] => [
      [`${name}_mm_mmm64`, shift(operation)],
      [`${name}_mm_imm8`, shiftByImmediate(operation)],
    ]),
  ),
  Pshufw_mm_mmm64_imm8: (x) => {
    const value = source(x);
    const indices = lowVector(wordIndices(x.let(x.read(2))));
    writeMmx(x, 0, op.lane0(op.i8x16Swizzle(lowVector(value), indices)));
  },
  Movd_mm_rm32: load,
  Movq_mm_rm64: load,
  Movq_mm_mmm64: load,
  Movd_rm32_mm: store(32),
  Movq_rm64_mm: store(64),
  Movq_mmm64_mm: store(64),
  Movntq_m64_mm: store(64),
  Movq2dq_xmm_mm: (x) => {
    x.write(0, lowVector(source(x)));
  },
  Movdq2q_mm_xmm: load,
  Pmovmskb_r32_mm: mask,
  Pmovmskb_r64_mm: mask,
  Pextrw_r32_mm_imm8: extract,
  Pextrw_r64_mm_imm8: extract,
  Pinsrw_mm_r32m16_imm8: insert,
  Pinsrw_mm_r64m16_imm8: insert,
  Maskmovq_rDI_mm_mm: byHelper('maskmovq'),
  Cvtpi2ps_xmm_mmm64: fromIntegers(0),
  Cvtpi2pd_xmm_mmm64: fromIntegers(FLOAT_DOUBLE),
  Cvtps2pi_mm_xmmm64: toIntegers(0),
  Cvttps2pi_mm_xmmm64: toIntegers(FLOAT_TRUNCATE),
  Cvtpd2pi_mm_xmmm128: toIntegers(FLOAT_DOUBLE),
  Cvttpd2pi_mm_xmmm128: toIntegers(FLOAT_DOUBLE | FLOAT_TRUNCATE),
};
