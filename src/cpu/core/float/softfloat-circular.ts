/** Sine, cosine and tangent of x87, arguments reduced by the processor's own pi. Intel SDM volume 1, 8.3.8. */
import { A } from './softfloat';
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

/** pi as the processor has it for reducing arguments: 66 bits. Intel SDM volume 1, 8.3.8. */
const PI66_HIGH: u64 = 3;
const PI66_LOW: u64 = 0x243f_6a88_85a3_08d3;

let quadrant: i32 = 0;
let reducedSign: i32 = 0;

/** The pair * 2^(the answer - 127) = |A| less a multiple of pi / 2, its sign in reducedSign; |A| below 2^63. */
function reduceAngle(): i32 {
  quadrant = 0;
  reducedSign = 0;
  if (A.exponent < -1) {
    set(A.significand, 0);
    return A.exponent;
  }
  // In units of 2^-65, pi / 2 has 66 bits.
  const shift: u64 = A.exponent + 2;
  let xh = shift == 64 ? A.significand : A.significand >> (64 - shift);
  let xl = shift == 64 ? 0 : A.significand << shift;
  set(0, 0);
  for (let i = 0; i < 128; i++) {
    set((high << 1) | (low >> 63), (low << 1) | (xh >> 63));
    xh = (xh << 1) | (xl >> 63);
    xl <<= 1;
    const fits = high > PI66_HIGH || (high == PI66_HIGH && low >= PI66_LOW);
    if (fits) set(high - PI66_HIGH - u64(low < PI66_LOW), low - PI66_LOW);
    quadrant = ((quadrant << 1) | i32(fits)) & 3;
  }
  const halfHigh: u64 = PI66_HIGH >> 1;
  const halfLow: u64 = (PI66_HIGH << 63) | (PI66_LOW >> 1);
  if (high > halfHigh || (high == halfHigh && low > halfLow)) {
    subtractFrom(PI66_HIGH, PI66_LOW);
    reducedSign = 1;
    quadrant = (quadrant + 1) & 3;
  }
  return normalisePair(62);
}

/** 1 - z/(first (first + 1)) (1 - z/((first + 2) (first + 3)) (1 - ...)): sin r / r from 2, cos r from 1. */
function circularSeries(zh: u64, zl: u64, first: u64): void {
  let sh = ONE;
  let sl: u64 = 0;
  for (let k: i32 = 17; k >= 0; k--) {
    const a = first + 2 * <u64>k;
    multiplyFixed(zh, zl, sh, sl);
    divideSmall(a * (a + 1));
    sh = ONE - high - u64(low != 0);
    sl = 0 - low;
  }
  set(sh, sl);
  justBelow();
}

// Sine and cosine of the reduced angle, normalised.
let sineHigh: u64 = 0;
let sineLow: u64 = 0;
let sineExponent: i32 = 0;
let cosineHigh: u64 = 0;
let cosineLow: u64 = 0;
let cosineExponent: i32 = 0;

function sineAndCosine(): void {
  const exponent = reduceAngle();
  const rh = high;
  const rl = low;
  shiftDown(-exponent);
  multiplyFixed(high, low, high, low);
  const zh = high;
  const zl = low;
  circularSeries(zh, zl, 2);
  multiplyTop(rh, rl, high, low);
  sineExponent = normalisePair(exponent + 1);
  sineHigh = high;
  sineLow = low;
  circularSeries(zh, zl, 1);
  cosineExponent = normalisePair(0);
  cosineHigh = high;
  cosineLow = low;
}

/** R = sin A (`ahead` 0) or cos A (1), |A| below 2^63. */
export function circular(ahead: i32): void {
  sineAndCosine();
  const turn = (quadrant + ahead) & 3;
  const sign = ahead ? 0 : A.sign;
  if (turn & 1) {
    set(cosineHigh, cosineLow);
    deliver(sign ^ (turn >> 1), cosineExponent);
  } else {
    set(sineHigh, sineLow);
    deliver(sign ^ reducedSign ^ (turn >> 1), sineExponent);
  }
}

/** R = tan A, |A| below 2^63. */
export function tangent(): void {
  sineAndCosine();
  const swapped = quadrant & 1;
  const nh = swapped ? cosineHigh : sineHigh;
  const nl = swapped ? cosineLow : sineLow;
  const dh = swapped ? sineHigh : cosineHigh;
  const dl = swapped ? sineLow : cosineLow;
  divideFraction(nh >> 2, (nh << 62) | (nl >> 2), dh >> 1, (dh << 63) | (dl >> 1));
  const exponent = swapped ? cosineExponent - sineExponent : sineExponent - cosineExponent;
  deliver(A.sign ^ reducedSign ^ swapped, exponent);
}
