/**
 * Binary floating point in integers, exact: one unpacked form for singles, doubles and the 80-bit format, arithmetic
 * with a sticky remainder, one rounding. What NaNs become and where operands come from is the caller's. IEEE 754;
 * Intel SDM volume 1, 4.8 and 4.9.
 */

import { divideWide, lastRemainder, multiplyHigh } from './wide-integers';

// Exception flags as MXCSR and the x87 status word have them. Intel SDM volume 1, 8.1.3 and 10.2.3.
export const INVALID: i32 = 1;
export const DENORMAL: i32 = 2;
export const ZERO_DIVIDE: i32 = 4;
export const OVERFLOW: i32 = 8;
export const UNDERFLOW: i32 = 16;
export const INEXACT: i32 = 32;

// Rounding modes as RC has them.
export const NEAREST: i32 = 0;
export const DOWN: i32 = 1;
export const UP: i32 = 2;
export const TOWARDS_ZERO: i32 = 3;

// Kinds; the order matters: everything from KIND_QUIET on is no number.
export const KIND_ZERO: i32 = 0;
export const KIND_FINITE: i32 = 1;
export const KIND_INFINITE: i32 = 2;
export const KIND_QUIET: i32 = 3;
export const KIND_SIGNALING: i32 = 4;
export const KIND_UNSUPPORTED: i32 = 5; // 80-bit encodings that are no operands
export const KIND_INDEFINITE: i32 = 6; // a result: the default NaN

/** sign * significand * 2^(exponent - 63); a finite significand has bit 63 set, `low` continues it, sticky in bit 0. */
// @ts-ignore: decorator
@unmanaged
export class Unpacked {
  kind: i32;
  sign: i32;
  exponent: i32;
  /** 1: the operand was denormal. */
  denormal: i32;
  significand: u64;
  low: u64;
}

// @ts-ignore: AssemblyScript
export const A: Unpacked = changetype<Unpacked>(memory.data(32, 8));
// @ts-ignore: AssemblyScript
export const B: Unpacked = changetype<Unpacked>(memory.data(32, 8));
/** The result. A finite one that rounding left denormal has bit 63 clear and the format's smallest exponent. */
// @ts-ignore: AssemblyScript
export const R: Unpacked = changetype<Unpacked>(memory.data(32, 8));

/** Exceptions of the operation at hand. */
export let raised: i32 = 0;
/** The last rounding increased the magnitude: C1 of x87. */
export let roundedUp: bool = false;

export function setRoundedUp(value: bool): void {
  roundedUp = value;
}

let rounding: i32 = NEAREST;
let unmasked: i32 = 0;
let flushToZero: bool = false;

/** The exponent of an unmasked x87 overflow or underflow is moved by this. Intel SDM volume 1, 8.5.4. */
const WRAP_EXPONENT: i32 = 24576;
const TOP: u64 = 1 << 63;

/** Starts an operation. `notMasked`: exception flags whose masks are clear. */
export function begin(roundingMode: i32, notMasked: i32, flush: bool): void {
  rounding = roundingMode;
  unmasked = notMasked;
  flushToZero = flush && !(notMasked & UNDERFLOW);
  raised = 0;
  roundedUp = false;
}

// @ts-ignore: decorator
@inline
export function raiseFlags(flags: i32): void {
  raised |= flags;
}

// @ts-ignore: decorator
@inline
export function roundingMode(): i32 {
  return rounding;
}

export function setRounding(mode: i32): void {
  rounding = mode;
}

// @ts-ignore: decorator
@inline
export function setSpecial(kind: i32, sign: i32): void {
  R.kind = kind;
  R.sign = sign;
  R.significand = 0;
  R.low = 0;
}

/** The operation turns out to be invalid and nothing else. */
export function onlyInvalid(): void {
  raised = INVALID;
}

export function setInvalid(): void {
  raised |= INVALID;
  setSpecial(KIND_INDEFINITE, 1);
}

// @ts-ignore: decorator
@inline
export function copyTo(to: Unpacked, from: Unpacked): void {
  memory.copy(changetype<usize>(to), changetype<usize>(from), 32);
}

/** Shifts the result right; what falls out stays in the sticky bit. */
export function shiftRight(count: i32): void {
  if (count <= 0) return;
  const hi = R.significand;
  const lo = R.low;
  const n: u64 = count;
  if (count < 64) {
    R.low = (hi << (64 - n)) | (lo >> n) | u64(lo << (64 - n) != 0);
    R.significand = hi >> n;
  } else if (count < 128) {
    const rest = count == 64 ? lo : (hi << (128 - n)) | lo;
    R.low = (hi >> (n - 64)) | u64(rest != 0);
    R.significand = 0;
  } else {
    R.low = u64((hi | lo) != 0);
    R.significand = 0;
  }
}

/** R = A + B, or A - B. No NaNs. */
export function add(subtract: bool): void {
  const bSign = B.sign ^ i32(subtract);
  if (A.kind == KIND_INFINITE) {
    if (B.kind == KIND_INFINITE && bSign != A.sign) setInvalid();
    else setSpecial(KIND_INFINITE, A.sign);
    return;
  }
  if (B.kind == KIND_INFINITE) {
    setSpecial(KIND_INFINITE, bSign);
    return;
  }
  if (B.kind == KIND_ZERO) {
    if (A.kind == KIND_ZERO) setSpecial(KIND_ZERO, A.sign == bSign ? bSign : i32(rounding == DOWN));
    else copyTo(R, A);
    return;
  }
  if (A.kind == KIND_ZERO) {
    copyTo(R, B);
    R.sign = bSign;
    return;
  }
  const aLarger = A.exponent > B.exponent || (A.exponent == B.exponent && A.significand >= B.significand);
  const large = aLarger ? A : B;
  const small = aLarger ? B : A;
  copyTo(R, small);
  R.low = 0;
  shiftRight(large.exponent - small.exponent);
  R.exponent = large.exponent;
  R.sign = aLarger ? A.sign : bSign;
  if (A.sign == bSign) {
    R.significand += large.significand;
    if (R.significand < large.significand) {
      shiftRight(1);
      R.significand |= TOP;
      R.exponent++;
    }
    return;
  }
  R.significand = large.significand - R.significand - u64(R.low != 0);
  R.low = 0 - R.low;
  normalise();
  if (R.kind == KIND_ZERO) R.sign = i32(rounding == DOWN);
}

/** Brings bit 63 of the result up. */
export function normalise(): void {
  if (R.significand == 0) {
    if (R.low == 0) {
      setSpecial(KIND_ZERO, R.sign);
      return;
    }
    R.significand = R.low;
    R.low = 0;
    R.exponent -= 64;
  }
  const shift = clz<u64>(R.significand);
  if (shift == 0) return;
  R.significand = (R.significand << shift) | (R.low >> (64 - shift));
  R.low <<= shift;
  R.exponent -= <i32>shift;
}

/** R = A * B. No NaNs. */
export function multiply(): void {
  const sign = A.sign ^ B.sign;
  if (A.kind == KIND_INFINITE || B.kind == KIND_INFINITE) {
    if (A.kind == KIND_ZERO || B.kind == KIND_ZERO) setInvalid();
    else setSpecial(KIND_INFINITE, sign);
    return;
  }
  if (A.kind == KIND_ZERO || B.kind == KIND_ZERO) {
    setSpecial(KIND_ZERO, sign);
    return;
  }
  R.kind = KIND_FINITE;
  R.sign = sign;
  R.exponent = A.exponent + B.exponent + 1;
  R.significand = multiplyHigh(A.significand, B.significand);
  R.low = A.significand * B.significand;
  normalise();
}

/** R = A / B. No NaNs. */
export function divide(): void {
  const sign = A.sign ^ B.sign;
  if (A.kind == KIND_INFINITE) {
    if (B.kind == KIND_INFINITE) setInvalid();
    else setSpecial(KIND_INFINITE, sign);
    return;
  }
  if (B.kind == KIND_INFINITE) {
    setSpecial(KIND_ZERO, sign);
    return;
  }
  if (B.kind == KIND_ZERO) {
    if (A.kind == KIND_ZERO) {
      setInvalid();
      return;
    }
    raised |= ZERO_DIVIDE;
    setSpecial(KIND_INFINITE, sign);
    return;
  }
  if (A.kind == KIND_ZERO) {
    setSpecial(KIND_ZERO, sign);
    return;
  }
  const less = A.significand < B.significand;
  const divisor = B.significand;
  R.kind = KIND_FINITE;
  R.sign = sign;
  R.exponent = A.exponent - B.exponent - i32(less);
  R.significand = less
    ? divideWide(A.significand, 0, divisor)
    : divideWide(A.significand >> 1, A.significand << 63, divisor);
  R.low = stickyOf(lastRemainder(), divisor);
}

/** The next bit of a quotient and whether anything follows. */
function stickyOf(rest: u64, divisor: u64): u64 {
  if (rest == 0) return 0;
  const half = rest >= divisor - rest;
  return (half ? TOP : 0) | u64(!half || rest != divisor - rest);
}

/** R = square root of A. No NaNs. */
export function squareRoot(): void {
  if (A.kind == KIND_ZERO) {
    setSpecial(KIND_ZERO, A.sign);
    return;
  }
  if (A.sign) {
    setInvalid();
    return;
  }
  if (A.kind == KIND_INFINITE) {
    setSpecial(KIND_INFINITE, 0);
    return;
  }
  const odd = A.exponent & 1;
  const hi = odd ? A.significand : A.significand >> 1;
  const lo = odd ? 0 : A.significand << 63;
  // An estimate of 50 bits, one Newton step, then at most a few units.
  const estimate = sqrt<f64>(<f64>hi) * 4294967296.0;
  let root: u64 = estimate >= 18446744073709549568.0 ? 0xffff_ffff_ffff_f800 : <u64>estimate;
  if (root < TOP) root = TOP;
  const squareLow = root * root;
  const errorHigh = <i64>(hi - multiplyHigh(root, root) - u64(lo < squareLow));
  const error = <f64>errorHigh * 18446744073709551616.0 + <f64>(lo - squareLow);
  const step = <i64>(error / (2.0 * <f64>root));
  const stepped = root + <u64>step;
  root = step > 0 && stepped < root ? 0xffff_ffff_ffff_ffff : stepped;
  while (exceeds(root, hi, lo)) root--;
  while (root != 0xffff_ffff_ffff_ffff && !exceeds(root + 1, hi, lo)) root++;
  // N - root^2 <= 2 root: above root it is more than half a unit, as N is an integer.
  const restLow = lo - root * root;
  const restHigh = hi - multiplyHigh(root, root) - u64(lo < root * root);
  R.kind = KIND_FINITE;
  R.sign = 0;
  R.exponent = (A.exponent - odd) >> 1;
  R.significand = root;
  R.low = (restHigh | restLow) == 0 ? 0 : restHigh != 0 || restLow > root ? TOP | 1 : 1;
}

/** Whether root^2 is more than hi:lo. */
function exceeds(root: u64, hi: u64, lo: u64): bool {
  const high = multiplyHigh(root, root);
  return high > hi || (high == hi && root * root > lo);
}

let inexact: bool = false;

/** Rounds R to the upper `precision` bits of its significand. */
function roundSignificand(precision: i32): void {
  const drop: u64 = 64 - precision;
  const rest = drop == 0 ? R.low : (R.significand << <u64>precision) | u64(R.low != 0);
  const kept = (R.significand >> drop) << drop;
  inexact = rest != 0;
  R.low = 0;
  R.significand = kept;
  roundedUp = false;
  if (!inexact) return;
  if (rounding == NEAREST) roundedUp = rest > TOP || (rest == TOP && ((kept >> drop) & 1) != 0);
  else roundedUp = rounding == (R.sign ? DOWN : UP);
  if (!roundedUp) return;
  R.significand = kept + ((<u64>1) << drop);
  if (R.significand == 0) {
    R.significand = TOP;
    R.exponent++;
  }
}

/** Rounds a result to a format of `precision` bits whose normal numbers have exponents `smallest` to `largest`. */
export function round(precision: i32, smallest: i32, largest: i32): void {
  if (R.kind != KIND_FINITE) return;
  const significand = R.significand;
  const low = R.low;
  const exponent = R.exponent;
  roundSignificand(precision);
  if (R.exponent < smallest) {
    roundTiny(precision, smallest, exponent, significand, low);
  } else if (R.exponent > largest) {
    raised |= OVERFLOW;
    if (unmasked & OVERFLOW) {
      R.exponent -= WRAP_EXPONENT;
      if (inexact) raised |= INEXACT;
      return;
    }
    raised |= INEXACT;
    roundedUp = rounding == NEAREST || rounding == (R.sign ? DOWN : UP);
    if (roundedUp) {
      setSpecial(KIND_INFINITE, R.sign);
      return;
    }
    R.exponent = largest;
    R.significand = (<u64>-1) << <u64>(64 - precision);
  } else if (inexact) raised |= INEXACT;
}

/** Underflow: tiny after rounding with an unbounded exponent. */
function roundTiny(precision: i32, smallest: i32, exponent: i32, significand: u64, low: u64): void {
  if (unmasked & UNDERFLOW) {
    raised |= UNDERFLOW;
    if (inexact) raised |= INEXACT;
    R.exponent += WRAP_EXPONENT;
    return;
  }
  if (flushToZero) {
    raised |= UNDERFLOW | INEXACT;
    setSpecial(KIND_ZERO, R.sign);
    return;
  }
  R.significand = significand;
  R.low = low;
  shiftRight(smallest - exponent);
  R.exponent = smallest;
  roundSignificand(precision);
  if (inexact) raised |= UNDERFLOW | INEXACT;
  if (R.significand == 0) R.kind = KIND_ZERO;
}
