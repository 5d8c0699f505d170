/**
 * Floats by the host's arithmetic where it cannot differ from the exact path: all exceptions masked, rounding to nearest,
 * FTZ and DAZ off, PE already set, operands normal or zero, the result exact, or normal and above the smallest normal
 * exponent (no underflow even before rounding). WebAssembly leaves NaN payloads open: none comes here.
 */
import { FLOAT_ADD, FLOAT_DIVIDE, FLOAT_MULTIPLY, FLOAT_SQUARE_ROOT, FLOAT_SUBTRACT } from '../../float-operations';
import { FX_MXCSR } from '../../state-layout';

/** Whether MXCSR allows it. */
// @ts-ignore: decorator
@inline
export function mxcsrIsSimple(): bool {
  return (load<u32>(FX_MXCSR) & 0xffe0) == 0x1fa0;
}

/** Normal or zero. */
// @ts-ignore: decorator
@inline
export function isPlain64(bits: u64): bool {
  return ((bits >> 52) & 0x7ff) - 1 < 2046 || bits << 1 == 0;
}

// @ts-ignore: decorator
@inline
export function isPlain32(bits: u32): bool {
  return ((bits >> 23) & 0xff) - 1 < 254 || bits << 1 == 0;
}

/** A result that is tiny, zero or infinite is exact all the same: a finite sum, or the zero of a zero. */
// @ts-ignore: decorator
@inline
function isExact(operation: i32, infinite: bool, firstIsZero: bool, secondIsZero: bool): bool {
  if (operation <= FLOAT_SUBTRACT) return !infinite;
  if (operation == FLOAT_MULTIPLY) return firstIsZero || secondIsZero;
  if (operation == FLOAT_DIVIDE) return firstIsZero && !secondIsZero;
  return secondIsZero;
}

/** Stores the result of a lane; false when the exact path must do it. */
export function fastLane64(operation: i32, a: u32, b: u32, out: u32): bool {
  if (!isPlain64(load<u64>(a)) || !isPlain64(load<u64>(b))) return false;
  const x = load<f64>(a);
  const y = load<f64>(b);
  let result: f64;
  if (operation == FLOAT_ADD) result = x + y;
  else if (operation == FLOAT_SUBTRACT) result = x - y;
  else if (operation == FLOAT_MULTIPLY) result = x * y;
  else if (operation == FLOAT_DIVIDE) result = x / y;
  else if (operation == FLOAT_SQUARE_ROOT) result = sqrt<f64>(y);
  else return false;
  const exponent = (reinterpret<u64>(result) >> 52) & 0x7ff;
  if (exponent - 2 >= 2045 && !isExact(operation, exponent == 0x7ff, x == 0, y == 0)) return false;
  store<f64>(out, result);
  return true;
}

export function fastLane32(operation: i32, a: u32, b: u32, out: u32): bool {
  if (!isPlain32(load<u32>(a)) || !isPlain32(load<u32>(b))) return false;
  const x = load<f32>(a);
  const y = load<f32>(b);
  let result: f32;
  if (operation == FLOAT_ADD) result = x + y;
  else if (operation == FLOAT_SUBTRACT) result = x - y;
  else if (operation == FLOAT_MULTIPLY) result = x * y;
  else if (operation == FLOAT_DIVIDE) result = x / y;
  else if (operation == FLOAT_SQUARE_ROOT) result = sqrt<f32>(y);
  else return false;
  const exponent = (reinterpret<u32>(result) >> 23) & 0xff;
  if (exponent - 2 >= 253 && !isExact(operation, exponent == 0xff, x == 0, y == 0)) return false;
  store<f32>(out, result);
  return true;
}
