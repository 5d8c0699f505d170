/** Order of two numbers, and the flags it gives. Intel SDM volume 1, 4.8.3.5 and 8.3.6; volume 2, COMISD, FCOMI. */
import { FLAGS_AUX, FLAGS_RESULT } from '../../state-layout';
import { A, B, DENORMAL, INVALID, KIND_INFINITE, KIND_QUIET, KIND_ZERO, raiseFlags } from './softfloat';

/** -1, 0 or 1; 2 when unordered. `quiet`: quiet NaNs are no exception. */
export function compare(quiet: bool): i32 {
  if (A.kind >= KIND_QUIET || B.kind >= KIND_QUIET) {
    if (!quiet || A.kind > KIND_QUIET || B.kind > KIND_QUIET) raiseFlags(INVALID);
    return 2;
  }
  if (A.denormal | B.denormal) raiseFlags(DENORMAL);
  if (A.kind == KIND_ZERO && B.kind == KIND_ZERO) return 0;
  if (A.kind == KIND_ZERO) return B.sign ? 1 : -1;
  if (B.kind == KIND_ZERO || A.sign != B.sign) return A.sign ? -1 : 1;
  const larger: i32 = A.sign ? -1 : 1;
  if (A.kind == KIND_INFINITE || B.kind == KIND_INFINITE) {
    if (A.kind == B.kind) return 0;
    return A.kind == KIND_INFINITE ? larger : -larger;
  }
  if (A.exponent != B.exponent) return A.exponent > B.exponent ? larger : -larger;
  if (A.significand == B.significand) return 0;
  return A.significand > B.significand ? larger : -larger;
}

/** The lazy flags of a comparison: less sets CF, equal ZF, unordered ZF PF CF. */
export function setComparisonFlags(order: i32): void {
  const carry = order == -1 || order == 2;
  store<i64>(FLAGS_RESULT, order == 0 || order == 2 ? 0 : 1);
  store<u64>(FLAGS_AUX, (carry ? 0xc000_0000_0000_0000 : 0) | (order == 0 ? 0x100 : 0));
}
