import { fxBytes, fxOffset } from './state.js';

/**
 * A copy of an FXSAVE image without what depends on the vendor: FOP, FIP and FDP (AMD writes them only while an x87
 * exception is pending), MXCSR_MASK, and the reserved upper 6 bytes of the x87 registers.
 */
export function normaliseFx(image: Uint8Array): Uint8Array {
  const fx = Uint8Array.from(image.subarray(0, fxBytes));
  fx.fill(0, 5, 24);
  fx.fill(0, 28, 32);
  for (let i = 0; i < 8; i++) fx.fill(0, fxOffset.st + 16 * i + 10, fxOffset.st + 16 * i + 16);
  return fx;
}
