/** Singles, doubles and the 80-bit format to and from the unpacked form. Intel SDM volume 1, 4.2.2 and 8.2. */
import {
  KIND_FINITE,
  KIND_INDEFINITE,
  KIND_INFINITE,
  KIND_QUIET,
  KIND_SIGNALING,
  KIND_UNSUPPORTED,
  KIND_ZERO,
  R,
  round,
  Unpacked,
} from './softfloat';

const TOP: u64 = 1 << 63;
/** The bit that tells a quiet NaN, with NaNs' fractions at the top of the significand. */
export const QUIET_BIT: u64 = 1 << 62;

function finish(to: Unpacked, denormal: bool, exponent: i32, significand: u64): void {
  const shift = denormal ? clz<u64>(significand) : 0;
  to.kind = KIND_FINITE;
  to.denormal = i32(denormal);
  to.significand = significand << shift;
  to.exponent = exponent - <i32>shift;
}

/** Zero, infinity and NaN of singles and doubles; `significand` with its fraction below bit 63. */
function special(to: Unpacked, infinite: bool, significand: u64): void {
  to.significand = significand;
  if (!infinite) to.kind = KIND_ZERO;
  else if (significand == 0) to.kind = KIND_INFINITE;
  else to.kind = significand & QUIET_BIT ? KIND_QUIET : KIND_SIGNALING;
}

/** `zeroDenormals`: DAZ. */
export function unpack32(to: Unpacked, bits: u32, zeroDenormals: bool): void {
  const exponent = <i32>((bits >> 23) & 0xff);
  const fraction: u64 = <u64>(bits & 0x7f_ffff) << 40;
  to.sign = <i32>(bits >> 31);
  to.denormal = 0;
  to.low = 0;
  if (exponent == 255) special(to, true, fraction);
  else if (exponent != 0) finish(to, false, exponent - 127, fraction | TOP);
  else if (fraction == 0 || zeroDenormals) special(to, false, 0);
  else finish(to, true, -126, fraction);
}

export function unpack64(to: Unpacked, bits: u64, zeroDenormals: bool): void {
  const exponent = <i32>((bits >> 52) & 0x7ff);
  const fraction: u64 = (bits & 0xf_ffff_ffff_ffff) << 11;
  to.sign = <i32>(bits >> 63);
  to.denormal = 0;
  to.low = 0;
  if (exponent == 2047) special(to, true, fraction);
  else if (exponent != 0) finish(to, false, exponent - 1023, fraction | TOP);
  else if (fraction == 0 || zeroDenormals) special(to, false, 0);
  else finish(to, true, -1022, fraction);
}

/** The integer bit must be set but in zeros and denormals; one in a denormal changes nothing (pseudo-denormal). */
export function unpack80(to: Unpacked, signExponent: u32, significand: u64): void {
  const exponent = <i32>(signExponent & 0x7fff);
  to.sign = <i32>((signExponent >> 15) & 1);
  to.denormal = 0;
  to.low = 0;
  if (exponent == 0) {
    if (significand == 0) special(to, false, 0);
    else finish(to, true, -16382, significand);
  } else if (!(significand & TOP)) {
    to.significand = significand;
    to.kind = KIND_UNSUPPORTED;
  } else if (exponent == 0x7fff) special(to, true, significand << 1 >> 1);
  else finish(to, false, exponent - 16383, significand);
}

/** An integer. */
export function unpackInteger(to: Unpacked, value: i64): void {
  to.sign = i32(value < 0);
  to.denormal = 0;
  to.low = 0;
  if (value == 0) {
    to.kind = KIND_ZERO;
    to.significand = 0;
    return;
  }
  const magnitude: u64 = value < 0 ? 0 - <u64>value : <u64>value;
  const shift = clz<u64>(magnitude);
  to.kind = KIND_FINITE;
  to.significand = magnitude << shift;
  to.exponent = 63 - <i32>shift;
}

export function roundSingle(): void {
  round(24, -126, 127);
}

export function roundDouble(): void {
  round(53, -1022, 1023);
}

/** R, rounded; NaNs become quiet. */
export function pack32(): u32 {
  const sign: u32 = <u32>R.sign << 31;
  if (R.kind == KIND_ZERO) return sign;
  if (R.kind == KIND_INFINITE) return sign | 0x7f80_0000;
  if (R.kind == KIND_INDEFINITE) return 0xffc0_0000;
  if (R.kind != KIND_FINITE) return sign | 0x7fc0_0000 | (<u32>(R.significand >> 40) & 0x3f_ffff);
  const exponent: u32 = R.significand & TOP ? <u32>(R.exponent + 127) : 0;
  return sign | (exponent << 23) | (<u32>(R.significand >> 40) & 0x7f_ffff);
}

export function pack64(): u64 {
  const sign: u64 = <u64>R.sign << 63;
  if (R.kind == KIND_ZERO) return sign;
  if (R.kind == KIND_INFINITE) return sign | 0x7ff0_0000_0000_0000;
  if (R.kind == KIND_INDEFINITE) return 0xfff8_0000_0000_0000;
  if (R.kind != KIND_FINITE) return sign | 0x7ff8_0000_0000_0000 | ((R.significand >> 11) & 0x7_ffff_ffff_ffff);
  const exponent: u64 = R.significand & TOP ? <u64>(R.exponent + 1023) : 0;
  return sign | (exponent << 52) | ((R.significand >> 11) & 0xf_ffff_ffff_ffff);
}

/** Sign and exponent of R in the 80-bit format; pack80Significand gives the rest. */
export function pack80Exponent(): u32 {
  const sign: u32 = <u32>R.sign << 15;
  if (R.kind == KIND_ZERO) return sign;
  if (R.kind == KIND_INDEFINITE) return 0xffff;
  if (R.kind != KIND_FINITE) return sign | 0x7fff;
  return sign | (R.significand & TOP ? <u32>(R.exponent + 16383) & 0x7fff : 0);
}

export function pack80Significand(): u64 {
  if (R.kind == KIND_ZERO) return 0;
  if (R.kind == KIND_INFINITE) return TOP;
  if (R.kind == KIND_INDEFINITE) return TOP | QUIET_BIT;
  return R.kind == KIND_FINITE ? R.significand : TOP | QUIET_BIT | R.significand;
}
