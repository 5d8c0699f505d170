/** DIV and IDIV of 64 bits: a 128-bit dividend. Intel SDM volume 2, DIV, IDIV. */
import { RAX, RDX, STATUS_CONTINUE, STATUS_FAULT } from '../../state-layout';
import { faultPending, raise, VECTOR_DE } from '../fault';
import { readOperand } from './operands';

let remainder: u64 = 0;

/** Quotient of high:low by a divisor greater than `high`; the rest is left in `remainder`. Knuth's algorithm D, base 2^32. */
function divide128(high: u64, low: u64, divisor: u64): u64 {
  if (high == 0) {
    remainder = low % divisor;
    return low / divisor;
  }
  const shift = clz<u64>(divisor);
  const d = divisor << shift;
  const d1 = d >> 32;
  const d0 = d & 0xffff_ffff;
  const top = shift == 0 ? high : (high << shift) | (low >> (64 - shift));
  const rest = low << shift;
  const q1 = quotientDigit(top, rest >> 32, d1, d0);
  const middle = ((top << 32) | (rest >> 32)) - q1 * d;
  const q0 = quotientDigit(middle, rest & 0xffff_ffff, d1, d0);
  remainder = (((middle << 32) | (rest & 0xffff_ffff)) - q0 * d) >> shift;
  return (q1 << 32) | q0;
}

/** One base-2^32 digit of (n : next) / (d1 : d0). */
function quotientDigit(n: u64, next: u64, d1: u64, d0: u64): u64 {
  let q = n / d1;
  let r = n % d1;
  while (q >> 32 != 0 || q * d0 > ((r << 32) | next)) {
    q--;
    r += d1;
    if (r >> 32 != 0) break;
  }
  return q;
}

export function div64(record: i32): i32 {
  const divisor = readOperand(record, 0, 8);
  if (faultPending()) return STATUS_FAULT;
  const high = load<u64>(RDX);
  if (high >= divisor) return raise(VECTOR_DE, 0, 0); // also a divisor of 0
  store<u64>(RAX, divide128(high, load<u64>(RAX), divisor));
  store<u64>(RDX, remainder);
  return STATUS_CONTINUE;
}

export function idiv64(record: i32): i32 {
  const divisor = <i64>readOperand(record, 0, 8);
  if (faultPending()) return STATUS_FAULT;
  let high = load<u64>(RDX);
  let low = load<u64>(RAX);
  const negative = <i64>high < 0;
  if (negative) {
    low = 0 - low;
    high = ~high + u64(low == 0);
  }
  const magnitude: u64 = divisor < 0 ? 0 - <u64>divisor : <u64>divisor;
  if (high >= magnitude) return raise(VECTOR_DE, 0, 0);
  const quotient = divide128(high, low, magnitude);
  const opposite = negative != divisor < 0;
  if (quotient > (opposite ? <u64>1 << 63 : (<u64>1 << 63) - 1)) return raise(VECTOR_DE, 0, 0);
  store<u64>(RAX, opposite ? 0 - quotient : quotient);
  store<u64>(RDX, negative ? 0 - remainder : remainder);
  return STATUS_CONTINUE;
}
