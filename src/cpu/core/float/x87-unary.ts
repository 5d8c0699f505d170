/** FCHS to FPREM1, FXAM. Intel SDM volume 1, 8.3.5 and 8.3.6; volume 2. */
import {
  FLOAT_OPERATION,
  X87_CHANGE_SIGN,
  X87_ABSOLUTE,
  X87_EXTRACT,
  X87_REMAINDER_NEAREST,
  X87_ROUND,
  X87_SCALE,
  X87_SQUARE_ROOT,
} from '../../float-operations';
import { STATUS_CONTINUE, STATUS_FAULT } from '../../state-layout';
import { checkFpu } from './fpu-state';
import {
  A,
  B,
  copyTo,
  KIND_FINITE,
  KIND_INFINITE,
  KIND_QUIET,
  KIND_UNSUPPORTED,
  KIND_ZERO,
  normalise,
  R,
  raiseFlags,
  round,
  setInvalid,
  setSpecial,
  squareRoot,
  ZERO_DIVIDE,
} from './softfloat';
import { unpackInteger } from './softfloat-formats';
import { roundToIntegral } from './softfloat-integers';
import { deliversNaN, noteDenormals } from './x87-arithmetic';
import { divideWide, lastRemainder } from './wide-integers';
import {
  begin87,
  C0,
  C1,
  C2,
  C3,
  FSW,
  isEmpty,
  isRefused,
  loadRegister,
  push,
  setConditions,
  settle,
  slot,
  stackOverflow,
  stackUnderflow,
  storeIndefinite,
  storeResult,
  x87Precision,
  x87Rounding,
} from './x87-state';

/** FCHS and FABS change the sign of anything. */
function changeSign(operation: u32): i32 {
  if (isEmpty(0)) {
    stackUnderflow();
    settle();
    if (!isRefused()) storeIndefinite(0);
    return STATUS_CONTINUE;
  }
  settle();
  const high = load<u16>(slot(0), 8);
  store<u16>(slot(0), operation == X87_CHANGE_SIGN ? high ^ 0x8000 : high & 0x7fff, 8);
  return STATUS_CONTINUE;
}

/** R = A * 2^(B towards zero). */
function scale(): void {
  if (deliversNaN()) return;
  if (B.kind == KIND_INFINITE) {
    if (B.sign ? A.kind == KIND_INFINITE : A.kind == KIND_ZERO) setInvalid();
    else setSpecial(B.sign ? KIND_ZERO : KIND_INFINITE, A.sign);
    noteDenormals();
    return;
  }
  copyTo(R, A);
  noteDenormals();
  if (A.kind != KIND_FINITE) return;
  R.low = 0;
  R.exponent += scaleOf();
  round(64, -16382, 16383);
}

/** B towards zero, at most what takes any number out of the format. */
function scaleOf(): i32 {
  if (B.kind == KIND_ZERO || B.exponent < 0) return 0;
  const magnitude: i32 = B.exponent > 16 ? 0x1_8000 : <i32>(B.significand >> <u64>(63 - B.exponent));
  return B.sign ? -magnitude : magnitude;
}

/** An answer of remainder(): no quotient, C3 and C0 stay. */
const KEEP_QUOTIENT: u32 = 1;

/** R = A rem B, the quotient towards zero or (FPREM1) to nearest; answers C3 C2 C1 C0. */
function remainder(nearest: bool): u32 {
  if (deliversNaN()) return KEEP_QUOTIENT;
  if (A.kind == KIND_INFINITE || B.kind == KIND_ZERO) {
    setInvalid();
    return KEEP_QUOTIENT;
  }
  noteDenormals();
  copyTo(R, A);
  R.low = 0;
  if (A.kind == KIND_ZERO || B.kind == KIND_INFINITE) {
    round(64, -16382, 16383);
    return 0;
  }
  const distance = A.exponent - B.exponent;
  const least = nearest ? -1 : 0;
  if (distance < least) {
    round(64, -16382, 16383);
    return 0;
  }
  const divisor = B.significand;
  let quotient: u64 = 0;
  let rest = A.significand;
  if (distance >= 64) {
    // Partial: the exponent sinks by 32 to 63.
    reduce((distance & 31) | 32, A.exponent - ((distance & 31) | 32));
    return C2;
  }
  if (distance < 0) {
    // Half the divisor is at most A: nearest decides.
    if (rest > divisor) {
      R.significand = divisor - (rest >> 1) - (rest & 1);
      R.low = rest << 63;
      R.exponent = B.exponent;
      R.sign ^= 1;
      quotient = 1;
      normalise();
    }
    round(64, -16382, 16383);
    return codesOf(quotient);
  }
  if (rest >= divisor) {
    rest -= divisor;
    quotient = 1;
  }
  if (distance > 0) {
    const digits = divideWide(rest >> <u64>(64 - distance), rest << <u64>distance, divisor);
    quotient = (quotient << <u64>distance) | digits;
    rest = lastRemainder();
  }
  if (nearest) {
    const other = divisor - rest;
    if (rest > other || (rest == other && quotient & 1)) {
      rest = other;
      quotient++;
      R.sign ^= 1;
    }
  }
  deliver(rest, B.exponent);
  return codesOf(quotient);
}

/** Subtracts the multiple of B * 2^(exponent - B.exponent) whose quotient has `bits` bits. */
function reduce(bits: i32, exponent: i32): void {
  const divisor = B.significand;
  let rest = A.significand;
  if (rest >= divisor) rest -= divisor;
  divideWide(rest >> <u64>(64 - bits), rest << <u64>bits, divisor);
  deliver(lastRemainder(), exponent);
}

function deliver(rest: u64, exponent: i32): void {
  R.significand = rest;
  R.low = 0;
  R.exponent = exponent;
  normalise();
  round(64, -16382, 16383);
}

function codesOf(quotient: u64): u32 {
  return (quotient & 4 ? C0 : 0) | (quotient & 2 ? C3 : 0) | (quotient & 1 ? C1 : 0);
}

/** FPREM, FPREM1, FSCALE: ST(0) with ST(1). */
function withNext(operation: u32): i32 {
  let codes = KEEP_QUOTIENT;
  if (isEmpty(0) || isEmpty(1)) {
    stackUnderflow();
    setInvalid();
  } else {
    loadRegister(A, 0);
    loadRegister(B, 1);
    if (operation == X87_SCALE) scale();
    else codes = remainder(operation == X87_REMAINDER_NEAREST);
  }
  settle();
  if (isRefused()) return STATUS_CONTINUE;
  storeResult(0);
  if (operation == X87_SCALE) return STATUS_CONTINUE;
  if (codes == KEEP_QUOTIENT) {
    store<u16>(FSW, <u16>(load<u16>(FSW) & ~C2));
    return STATUS_CONTINUE;
  }
  setConditions(codes & (C3 | C2 | C0));
  store<u16>(FSW, <u16>((load<u16>(FSW) & ~C1) | (codes & C1)));
  return STATUS_CONTINUE;
}

/** FXTRACT: ST(0) becomes the exponent, then the significand is pushed. */
function extract(): i32 {
  const missing = isEmpty(0);
  if (missing) stackUnderflow();
  else if (!isEmpty(7)) stackOverflow();
  const refusedByStack = missing || !isEmpty(7);
  if (!refusedByStack) {
    loadRegister(A, 0);
    copyTo(B, A);
    if (A.kind < KIND_QUIET) noteDenormals();
    if (A.kind == KIND_ZERO) raiseFlags(ZERO_DIVIDE);
    if (A.kind >= KIND_QUIET) deliversNaN();
  }
  settle();
  if (isRefused()) return STATUS_CONTINUE;
  if (refusedByStack) {
    storeIndefinite(0);
    push();
    storeIndefinite(0);
    return STATUS_CONTINUE;
  }
  if (A.kind >= KIND_QUIET) {
    storeResult(0);
    push();
    storeResult(0);
    return STATUS_CONTINUE;
  }
  if (A.kind == KIND_ZERO) setSpecial(KIND_INFINITE, 1);
  else if (A.kind == KIND_INFINITE) setSpecial(KIND_INFINITE, 0);
  else {
    unpackInteger(B, A.exponent);
    copyTo(R, B);
  }
  storeResult(0);
  push();
  copyTo(R, A);
  R.exponent = 0;
  storeResult(0);
  return STATUS_CONTINUE;
}

/** FSQRT and FRNDINT. */
function single(operation: u32): void {
  copyTo(B, A);
  if (A.kind >= KIND_QUIET) {
    deliversNaN();
    return;
  }
  if (operation == X87_SQUARE_ROOT) {
    squareRoot();
    noteDenormals();
    round(x87Precision(), -16382, 16383);
    return;
  }
  noteDenormals();
  roundToIntegral(x87Rounding());
}

export function x87Unary(record: i32): i32 {
  if (checkFpu()) return STATUS_FAULT;
  const operation = load<u32>(FLOAT_OPERATION) & 0xff;
  begin87(record);
  if (operation == X87_CHANGE_SIGN || operation == X87_ABSOLUTE) return changeSign(operation);
  if (operation == X87_EXTRACT) return extract();
  if (operation != X87_SQUARE_ROOT && operation != X87_ROUND) return withNext(operation);
  if (isEmpty(0)) {
    stackUnderflow();
    setInvalid();
  } else {
    loadRegister(A, 0);
    single(operation);
  }
  settle();
  if (!isRefused()) storeResult(0);
  return STATUS_CONTINUE;
}

/** FXAM: the class of ST(0) in C3 C2 C0, its sign in C1. */
export function x87Examine(record: i32): i32 {
  if (checkFpu()) return STATUS_FAULT;
  begin87(record);
  settle();
  loadRegister(A, 0);
  let codes: u32 = 0;
  if (isEmpty(0)) codes = C3 | C0;
  else if (A.kind == KIND_ZERO) codes = C3;
  else if (A.kind == KIND_INFINITE) codes = C2 | C0;
  else if (A.kind == KIND_FINITE) codes = A.denormal ? C3 | C2 : C2;
  else if (A.kind != KIND_UNSUPPORTED) codes = C0;
  setConditions(codes);
  if (A.sign) store<u16>(FSW, load<u16>(FSW) | <u16>C1);
  return STATUS_CONTINUE;
}
