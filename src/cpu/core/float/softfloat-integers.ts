/** Numbers to integers, and to integral numbers. Intel SDM volume 1, 4.8.4 and 11.5.2.1. */
import {
  A,
  copyTo,
  DOWN,
  INEXACT,
  INVALID,
  KIND_FINITE,
  KIND_ZERO,
  NEAREST,
  normalise,
  R,
  raiseFlags,
  setRoundedUp,
  shiftRight,
  UP,
} from './softfloat';

const HALF: u64 = 1 << 63;
let inexact: bool = false;

/** A rounded to an integer whose magnitude is below 2^64; the exponent is at most 63. */
function integral(mode: i32): u64 {
  copyTo(R, A);
  R.low = 0;
  shiftRight(63 - A.exponent);
  inexact = R.low != 0;
  let up = false;
  if (inexact) {
    if (mode == NEAREST) up = R.low > HALF || (R.low == HALF && (R.significand & 1) != 0);
    else up = mode == (A.sign ? DOWN : UP);
  }
  setRoundedUp(up);
  return R.significand + u64(up);
}

/** A as a signed integer of `bits` bits; what does not fit raises #IA and gives the integer indefinite. */
export function toInteger(bits: i32, mode: i32): i64 {
  if (A.kind == KIND_ZERO) return 0;
  const limit: u64 = (<u64>1) << <u64>(bits - 1);
  if (A.kind == KIND_FINITE && A.exponent <= 63) {
    const magnitude = integral(mode);
    if (magnitude < limit || (A.sign && magnitude == limit)) {
      if (inexact) raiseFlags(INEXACT);
      return A.sign ? 0 - <i64>magnitude : <i64>magnitude;
    }
    setRoundedUp(false);
  }
  raiseFlags(INVALID);
  return 0 - <i64>limit;
}

/** R = A as an integral number. No NaNs. */
export function roundToIntegral(mode: i32): void {
  if (A.kind != KIND_FINITE || A.exponent >= 63) {
    copyTo(R, A);
    return;
  }
  const magnitude = integral(mode);
  R.low = 0;
  R.significand = magnitude;
  R.exponent = 63;
  normalise();
  if (inexact) raiseFlags(INEXACT);
}
