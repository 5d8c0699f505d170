/**
 * Powers, logarithms and arc tangents of x87 on unpacked numbers, by series in fixed point: much closer than the last
 * bit of the 80-bit format. No NaNs, infinities or zeros come here. Intel SDM volume 1, 8.3.9 and 8.3.10.
 */
import { A, B, INEXACT, multiply, raiseFlags } from './softfloat';
import {
  deliver,
  divideFraction,
  divideSmall,
  high,
  justBelow,
  low,
  multiplyFixed,
  multiplyTop,
  normalisePair,
  ONE,
  set,
  shiftDown,
  subtractFrom,
} from './softfloat-fixed';
import { unpackInteger } from './softfloat-formats';

const LN2_HIGH: u64 = 0xb172_17f7_d1cf_79ab; // ln 2 = ... * 2^-128
const LN2_LOW: u64 = 0xc9e3_b398_03f2_f6af;
const LOG2E_HIGH: u64 = 0xb8aa_3b29_5c17_f0bb; // log2 e = ... * 2^-127
const LOG2E_LOW: u64 = 0xbe87_fed0_691d_3e88;
const PI_HIGH: u64 = 0xc90f_daa2_2168_c234; // pi = ... * 2^-126
const PI_LOW: u64 = 0xc4c6_628b_80dc_1cd1;
const PI3_HIGH: u64 = 0x96cb_e3f9_990e_91a7; // 3 pi / 4, likewise
const PI3_LOW: u64 = 0x9394_c9e8_a0a5_159c;
const ATAN_HALF_HIGH: u64 = 0x3b58_ce0a_c376_9ed1; // atan 1/2 in fixed point
const ATAN_HALF_LOW: u64 = 0x5bf9_117b_2f0e_a340;
const SQRT2: u64 = 0xb504_f333_f9de_6484;

/** R = 2^A - 1 for |A| < 1. */
export function power2Minus1(): void {
  multiplyTop(A.significand, 0, LN2_HIGH, LN2_LOW);
  const exponent = normalisePair(A.exponent);
  const th = high;
  const tl = low;
  shiftDown(-exponent);
  const fh = high;
  const fl = low;
  // (e^t - 1) / t = 1 + t/2 (1 + t/3 (1 + ...))
  let sh = ONE;
  let sl: u64 = 0;
  for (let k: u64 = 36; k >= 2; k--) {
    multiplyFixed(fh, fl, sh, sl);
    divideSmall(k);
    if (A.sign) {
      sh = ONE - high - u64(low != 0);
      sl = 0 - low;
    } else {
      sh = ONE + high;
      sl = low;
    }
  }
  multiplyTop(th, tl, sh, sl);
  deliver(A.sign, exponent + 1);
}

let logExponent: i32 = 0;

/** The pair * 2^(logExponent - 127) = |log2(1 + f)|, f = +-significand * 2^(exponent - 63), |f| < 0.42. */
function log2OnePlus(sign: i32, significand: u64, exponent: i32): void {
  // s = f / (2 + f), log(1 + f) = 2 atanh s
  set(significand, 0);
  shiftDown(2 - exponent);
  const two: u64 = 1 << 62;
  const dh = sign ? two - high - u64(low != 0) : two + high;
  const dl = sign ? 0 - low : low;
  divideFraction(significand >> 3, significand << 61, dh, dl);
  const sExponent = normalisePair(exponent);
  const sh = high;
  const sl = low;
  shiftDown(-sExponent);
  multiplyFixed(high, low, high, low);
  const zh = high;
  const zl = low;
  let ch: u64 = 0;
  let cl: u64 = 0;
  for (let k = 28; k >= 0; k--) {
    multiplyFixed(zh, zl, ch, cl);
    const ph = high;
    const pl = low;
    set(ONE, 0);
    divideSmall(2 * k + 1);
    cl = low + pl;
    ch = high + ph + u64(cl < pl);
  }
  multiplyTop(sh, sl, ch, cl);
  const productExponent = normalisePair(sExponent + 1);
  multiplyTop(high, low, LOG2E_HIGH, LOG2E_LOW);
  logExponent = normalisePair(productExponent + 2);
}

/** R = the pair * B. */
function timesB(sign: i32, exponent: i32): void {
  multiplyTop(high, low, B.significand, 0);
  deliver(sign ^ B.sign, exponent + B.exponent + 1);
}

/** R = B * log2 A for A > 0. */
export function timesLog2(): void {
  const upper = A.significand > SQRT2;
  const exponent = A.exponent + i32(upper);
  const fraction: u64 = upper ? 0 - A.significand : A.significand - ONE; // |f|, in units of 2^-64 or 2^-63
  if (fraction == 0) {
    unpackInteger(A, exponent);
    multiply();
    raiseFlags(INEXACT); // as processors do, although it is exact
    return;
  }
  const shift = clz<u64>(fraction);
  log2OnePlus(i32(upper), fraction << shift, (upper ? -1 : 0) - <i32>shift);
  if (exponent == 0) {
    timesB(i32(upper), logExponent);
    return;
  }
  shiftDown(15 - logExponent);
  const negative = exponent < 0;
  const whole: u64 = <u64>(negative ? -exponent : exponent) << 48;
  if (negative == upper) set(high + whole, low);
  else subtractFrom(whole, 0);
  timesB(i32(negative), normalisePair(15));
}

/** R = B * log2(A + 1) for |A| < 0.42. */
export function timesLog2Plus1(): void {
  log2OnePlus(A.sign, A.significand, A.exponent);
  timesB(A.sign, logExponent);
}

/** 1 - z/3 + z^2/5 ... in fixed point: atan t / t. */
function atanSeries(zh: u64, zl: u64): void {
  let ch: u64 = 0;
  let cl: u64 = 0;
  for (let k = 36; k >= 0; k--) {
    multiplyFixed(zh, zl, ch, cl);
    const ph = high;
    const pl = low;
    set(ONE, 0);
    divideSmall(2 * k + 1);
    ch = high - ph - u64(low < pl);
    cl = low - pl;
  }
  set(ch, cl);
  justBelow();
}

/** The pair = n / d for significands; answers the exponent. */
function divideSignificands(n: u64, d: u64): i32 {
  const whole = n >= d;
  if (whole) divideFraction(n >> 3, n << 61, d >> 2, d << 62);
  else divideFraction(n >> 2, n << 62, d >> 2, d << 62);
  return normalisePair(whole ? 0 : -1);
}

/** The angle of t = f in fixed point, 1/4 <= t <= 1, in units of 2^-126. */
function atanReduced(fh: u64, fl: u64): void {
  const middle = fh < 3 << 61;
  const centre: u64 = middle ? ONE >> 1 : ONE;
  const below = fh < centre;
  // r = (t - c) / (1 + t c)
  const rh = below ? centre - fh - u64(fl != 0) : fh - centre;
  const rl: u64 = below ? 0 - fl : fl;
  multiplyFixed(fh, fl, centre, 0);
  shiftDown(1);
  divideFraction(rh, rl, (ONE >> 1) + high, low);
  shiftDown(2);
  const qh = high;
  const ql = low;
  multiplyFixed(qh, ql, qh, ql);
  atanSeries(high, low);
  multiplyFixed(qh, ql, high, low);
  const ch = middle ? ATAN_HALF_HIGH : PI_HIGH >> 1;
  const cl = middle ? ATAN_HALF_LOW : (PI_HIGH << 63) | (PI_LOW >> 1);
  if (below) subtractFrom(ch, cl);
  else set(high + ch + u64(low + cl < cl), low + cl);
  shiftDown(1);
}

/** R = the angle of the point (A, B), -pi to pi: FPATAN. */
export function arcTangent(): void {
  const steep = B.exponent > A.exponent || (B.exponent == A.exponent && B.significand > A.significand);
  const numerator = steep ? A : B;
  const denominator = steep ? B : A;
  const ratio = divideSignificands(numerator.significand, denominator.significand);
  const exponent = ratio + numerator.exponent - denominator.exponent;
  const th = high;
  const tl = low;
  shiftDown(-exponent);
  if (high < 1 << 61) {
    multiplyFixed(high, low, high, low);
    atanSeries(high, low);
    multiplyTop(th, tl, high, low);
    if (!steep && !A.sign) {
      deliver(B.sign, exponent + 1);
      return;
    }
    shiftDown(-exponent);
  } else atanReduced(high, low);
  if (steep) subtractFrom(PI_HIGH >> 1, (PI_HIGH << 63) | (PI_LOW >> 1));
  if (A.sign) subtractFrom(PI_HIGH, PI_LOW);
  deliver(B.sign, 1);
}

/** R = quarters * pi / 4 with a sign: 1 to 4. */
export function piQuarters(quarters: i32, sign: i32): void {
  set(quarters == 3 ? PI3_HIGH : PI_HIGH, quarters == 3 ? PI3_LOW : PI_LOW);
  deliver(sign, quarters == 1 ? -1 : quarters == 2 ? 0 : 1);
}
