/** MXCSR around an operation: modes in, exceptions out. Intel SDM volume 1, 10.2.3, 11.5.2 and 11.5.3. */
import { CR4, FX_MXCSR } from '../../state-layout';
import { raise, VECTOR_UD, VECTOR_XM } from '../fault';
import { begin, DENORMAL, INVALID, raised, ZERO_DIVIDE } from './softfloat';

const MXCSR_DAZ: u32 = 0x40;
const MXCSR_FTZ: u32 = 0x8000;
const CR4_OSXMMEXCPT: u64 = 0x400;
/** Exceptions that are found before anything is computed. */
const EARLY = INVALID | DENORMAL | ZERO_DIVIDE;

let total: i32 = 0;

// @ts-ignore: decorator
@inline
function exceptionsUnmasked(): i32 {
  return <i32>(~(load<u32>(FX_MXCSR) >> 7) & 0x3f);
}

export function denormalsAreZero(): bool {
  return (load<u32>(FX_MXCSR) & MXCSR_DAZ) != 0;
}

export function mxcsrRounding(): i32 {
  return <i32>((load<u32>(FX_MXCSR) >> 13) & 3);
}

/** Starts a lane. */
export function beginSse(): void {
  begin(mxcsrRounding(), exceptionsUnmasked(), (load<u32>(FX_MXCSR) & MXCSR_FTZ) != 0);
}

/** Ends a lane: adds its exceptions to the instruction's. */
export function collect(): void {
  total |= raised;
}

/**
 * Ends the instruction: sets the sticky flags; true when #XM was raised and no result may be written. With an unmasked
 * early exception in any lane no lane is computed.
 */
export function finishSse(): bool {
  const unmasked = exceptionsUnmasked();
  let flags = total;
  total = 0;
  if (flags & unmasked & EARLY) flags &= EARLY;
  store<u32>(FX_MXCSR, load<u32>(FX_MXCSR) | <u32>flags);
  if (!(flags & unmasked)) return false;
  raise(load<u64>(CR4) & CR4_OSXMMEXCPT ? VECTOR_XM : VECTOR_UD, 0, 0);
  return true;
}
