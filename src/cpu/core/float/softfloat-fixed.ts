/**
 * Fixed point of 128 bits: numbers are pairs of u64, results are left in the pair `high`, `low`. A pair with an exponent
 * stands for pair * 2^(exponent - 127).
 */
import { KIND_FINITE, normalise, R } from './softfloat';
import { multiplyHigh } from './wide-integers';

export const ONE: u64 = 1 << 63; // upper half of 1 in fixed point: one integer bit, 127 fraction bits

export let high: u64 = 0;
export let low: u64 = 0;

// @ts-ignore: decorator
@inline
export function set(h: u64, l: u64): void {
  high = h;
  low = l;
}

/** Upper 128 bits of a product, a few units off. */
export function multiplyTop(ah: u64, al: u64, bh: u64, bl: u64): void {
  const first = ah * bh;
  const second = first + multiplyHigh(ah, bl);
  const third = second + multiplyHigh(al, bh);
  high = multiplyHigh(ah, bh) + u64(second < first) + u64(third < second);
  low = third;
}

/** Product of two fixed-point numbers. */
export function multiplyFixed(ah: u64, al: u64, bh: u64, bl: u64): void {
  multiplyTop(ah, al, bh, bl);
  high = (high << 1) | (low >> 63);
  low <<= 1;
}

export function divideSmall(divisor: u64): void {
  const h = high / divisor;
  let rest = ((high % divisor) << 32) | (low >> 32);
  const upper = rest / divisor;
  rest = ((rest % divisor) << 32) | (low & 0xffff_ffff);
  high = h;
  low = (upper << 32) | (rest / divisor);
}

export function shiftDown(count: i32): void {
  if (count <= 0) return;
  if (count >= 128) set(0, 0);
  else if (count >= 64) set(0, high >> <u64>(count - 64));
  else set(high >> <u64>count, (low >> <u64>count) | (high << <u64>(64 - count)));
}

/** n / d as a fraction of 2^128, for n < d < 2^127. */
export function divideFraction(nh: u64, nl: u64, dh: u64, dl: u64): void {
  let rh = nh;
  let rl = nl;
  for (let i = 0; i < 128; i++) {
    rh = (rh << 1) | (rl >> 63);
    rl <<= 1;
    const fits = rh > dh || (rh == dh && rl >= dl);
    if (fits) {
      rh -= dh + u64(rl < dl);
      rl -= dl;
    }
    high = (high << 1) | (low >> 63);
    low = (low << 1) | u64(fits);
  }
}

/** Normalises the pair; answers the exponent that belongs to it now. */
export function normalisePair(exponent: i32): i32 {
  if (high == 0) {
    if (low == 0) return exponent;
    set(low, 0);
    exponent -= 64;
  }
  const shift = clz<u64>(high);
  if (shift == 0) return exponent;
  set((high << shift) | (low >> (64 - shift)), low << shift);
  return exponent - <i32>shift;
}

/** R = the pair * 2^(exponent - 127), taken as inexact. */
export function deliver(sign: i32, exponent: i32): void {
  R.kind = KIND_FINITE;
  R.sign = sign;
  R.exponent = exponent;
  R.significand = high;
  R.low = low;
  normalise();
  R.low |= 1;
}

/** Where a series is cut off the value is a little less: directed rounding must see that. */
export function justBelow(): void {
  high -= u64(low == 0);
  low--;
}

export function subtractFrom(h: u64, l: u64): void {
  set(h - high - u64(l < low), l - low);
}
