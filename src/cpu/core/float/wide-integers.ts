/** Products and quotients of 128 bits. */

/** Upper half of a product. */
export function multiplyHigh(a: u64, b: u64): u64 {
  const a1 = a >> 32;
  const a0 = a & 0xffff_ffff;
  const b1 = b >> 32;
  const b0 = b & 0xffff_ffff;
  const middle = a1 * b0 + ((a0 * b0) >> 32);
  const cross = a0 * b1 + (middle & 0xffff_ffff);
  return a1 * b1 + (middle >> 32) + (cross >> 32);
}

let remainder: u64 = 0;

/** hi:lo / divisor for hi < divisor, divisor with bit 63 set; the rest goes to `remainder`. Knuth, algorithm D. */
export function divideWide(hi: u64, lo: u64, divisor: u64): u64 {
  const d1 = divisor >> 32;
  const d0 = divisor & 0xffff_ffff;
  let top = hi;
  let quotient: u64 = 0;
  for (let i = 0; i < 2; i++) {
    const next = i == 0 ? lo >> 32 : lo & 0xffff_ffff;
    let q = top / d1;
    let r = top % d1;
    while (q >> 32 != 0 || q * d0 > ((r << 32) | next)) {
      q--;
      r += d1;
      if (r >> 32 != 0) break;
    }
    top = ((top << 32) | next) - q * divisor;
    quotient = (quotient << 32) | q;
  }
  remainder = top;
  return quotient;
}

export function lastRemainder(): u64 {
  return remainder;
}
