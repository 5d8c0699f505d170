/** Operands for SSE and x87 instructions: the interesting floating-point values of each format. */
import type { Random } from './random.js';
import { fxOffset, type MachineState } from './state.js';

const sign32 = 0x8000_0000;
const sign64 = 1n << 63n;

/** Zero, denormals, the ends of the normal range, one and its neighbours, halves for rounding, edges of integers, infinity, NaNs. */
const singles: readonly number[] = [
  0, 1, 2, 0x007f_ffff, 0x0040_0000, 0x0080_0000, 0x0080_0001, 0x3f7f_ffff, 0x3f80_0000, 0x3f80_0001, 0x3f00_0000,
  0x3fc0_0000, 0x4020_0000, 0x4060_0000, 0x4b00_0000, 0x4b7f_ffff, 0x4effffff, 0x4f00_0000, 0x4f80_0000, 0x5eff_ffff,
  0x5f00_0000, 0x7f7f_ffff, 0x7f00_0000, 0x7f80_0000, 0x7fc0_0000, 0x7fc1_2345, 0x7f80_0001, 0x7fbf_ffff, 0x3400_0000,
  0x3380_0000, 0x2000_0000, 0x1f80_0000,
];
const doubles: readonly bigint[] = [
  0n,
  1n,
  2n,
  0xf_ffff_ffff_ffffn,
  0x8_0000_0000_0000n,
  0x10_0000_0000_0000n,
  0x10_0000_0000_0001n,
  0x3fef_ffff_ffff_ffffn,
  0x3ff0_0000_0000_0000n,
  0x3ff0_0000_0000_0001n,
  0x3fe0_0000_0000_0000n,
  0x3ff8_0000_0000_0000n,
  0x4004_0000_0000_0000n,
  0x400c_0000_0000_0000n,
  0x41df_ffff_ffc0_0000n,
  0x41df_ffff_ffe0_0000n,
  0x41e0_0000_0000_0000n,
  0x41e0_0000_0020_0000n,
  0x41f0_0000_0000_0000n,
  0x43df_ffff_ffff_ffffn,
  0x43e0_0000_0000_0000n,
  0x4330_0000_0000_0000n,
  0x4330_0000_0000_0001n,
  0x47ef_ffff_e000_0000n,
  0x47ef_ffff_f000_0000n,
  0x47f0_0000_0000_0000n,
  0x3810_0000_0000_0000n,
  0x380f_ffff_ffff_ffffn,
  0x36a0_0000_0000_0000n,
  0x3690_0000_0000_0001n,
  0x7fef_ffff_ffff_ffffn,
  0x7fe0_0000_0000_0000n,
  0x7ff0_0000_0000_0000n,
  0x7ff8_0000_0000_0000n,
  0x7ff8_1234_5678_9abcn,
  0x7ff0_0000_0000_0001n,
  0x7ff7_ffff_ffff_ffffn,
  0x3ca0_0000_0000_0000n,
  0x1ff0_0000_0000_0000n,
  0x2000_0000_0000_0000n,
];

export function single(random: Random): number {
  const choice = random.below(10);
  if (choice < 4) return (random.pick(singles) ^ (random.chance(0.5) ? sign32 : 0)) >>> 0;
  if (choice < 8) return ((random.u32() & 0x80ff_ffff) | ((118 + random.below(24)) << 23)) >>> 0; // of ordinary size
  if (choice < 9) return ((random.u32() & 0xff80_0000) | ((random.u32() & 0xff) << 15)) >>> 0; // few digits
  return random.u32();
}

export function double(random: Random): bigint {
  const choice = random.below(10);
  const sign = random.chance(0.5) ? sign64 : 0n;
  if (choice < 4) return random.pick(doubles) ^ sign;
  if (choice < 7) return sign | (BigInt(1012 + random.below(24)) << 52n) | (random.u64() & 0xf_ffff_ffff_ffffn);
  if (choice < 8) return sign | (BigInt(1023 + random.below(66)) << 52n) | (BigInt(random.u32()) << 20n); // about the size of integers
  if (choice < 9) return sign | (BigInt(random.below(2047)) << 52n) | (BigInt(random.below(256)) << 44n);
  return random.u64();
}

/** An 80-bit value in 10 bytes. `odd` allows encodings that no processor since the 80387 produces. */
export function extended(random: Random, odd = false): Uint8Array {
  const bytes = new Uint8Array(10);
  const view = new DataView(bytes.buffer);
  const integerBit = 1n << 63n;
  const fraction = random.pick([
    0n,
    1n,
    (1n << 62n) - 1n,
    1n << 62n,
    (1n << 63n) - 1n,
    1n << 39n,
    1n << 40n,
    (1n << 10n) | (1n << 11n),
    random.u64() >> 1n,
    (random.u64() >> 1n) & ~0xffffn,
  ]);
  let exponent = 0x3fff - 12 + random.below(24);
  let mantissa = fraction | integerBit;
  switch (random.below(16)) {
    case 0:
      exponent = 0;
      mantissa = 0n;
      break;
    case 1: // denormal
      exponent = 0;
      mantissa = fraction | 1n;
      break;
    case 2: // infinity or NaN
      exponent = 0x7fff;
      mantissa = integerBit | random.pick([0n, 0n, 1n, 1n << 62n, (1n << 62n) | fraction]);
      break;
    case 3:
      exponent = random.pick([
        1, 2, 0x7ffe, 0x7ffd, 0x3c01, 0x3c00, 0x3bcd, 0x43fe, 0x43ff, 0x3f81, 0x3f80, 0x407e, 0x407f,
      ]);
      break;
    case 4:
    case 5: // the size of integers
      exponent = 0x3fff + random.below(66);
      break;
    case 6: // few digits
      mantissa = integerBit | (BigInt(random.below(256)) << 55n);
      break;
    case 7:
      if (odd) mantissa &= ~integerBit; // unnormal, pseudo-NaN
      break;
    default:
  }
  view.setBigUint64(0, mantissa, true);
  view.setUint16(8, exponent | (random.chance(0.5) ? 0x8000 : 0), true);
  return bytes;
}

export type VectorKind = 'integers' | 'singles' | 'doubles';

/** 16 bytes of one kind. */
export function vector(random: Random, kind: VectorKind): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  if (kind === 'singles') for (let i = 0; i < 16; i += 4) view.setUint32(i, single(random), true);
  else
    for (let i = 0; i < 16; i += 8) view.setBigUint64(i, kind === 'doubles' ? double(random) : random.corner(), true);
  return bytes;
}

export function setXmm(state: MachineState, index: number, bytes: Uint8Array): void {
  state.fx.set(bytes, fxOffset.xmm + 16 * index);
}

export function setMxcsr(state: MachineState, value: number): void {
  new DataView(state.fx.buffer).setUint32(fxOffset.mxcsr, value, true);
}
