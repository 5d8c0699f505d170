/** Seeded numbers for the initial states of the fixtures: the same seed gives the same state when recording and when replaying. */
export interface Random {
  /** 0 to 2^32 - 1. */
  u32(): number;
  u64(): bigint;
  /** 0 to below - 1. */
  below(below: number): number;
  chance(probability: number): boolean;
  pick<T>(choices: readonly T[]): T;
  /** 64 bits, often a value at which instructions have an edge. */
  corner(): bigint;
}

const mask = (1n << 64n) - 1n;
const corners: readonly bigint[] = [
  0n,
  1n,
  2n,
  3n,
  7n,
  8n,
  9n,
  15n,
  16n,
  31n,
  32n,
  33n,
  63n,
  64n,
  65n,
  0x7fn,
  0x80n,
  0x81n,
  0xffn,
  0x100n,
  0x7fffn,
  0x8000n,
  0x8001n,
  0xffffn,
  0x1_0000n,
  0x7fff_ffffn,
  0x8000_0000n,
  0x8000_0001n,
  0xffff_ffffn,
  0x1_0000_0000n,
  0x7fff_ffff_ffff_ffffn,
  0x8000_0000_0000_0000n,
  0x8000_0000_0000_0001n,
  -1n & mask,
  -2n & mask,
  -3n & mask,
  -128n & mask,
  -129n & mask,
  -32768n & mask,
  -0x8000_0000n & mask,
  -0x8000_0001n & mask,
  0x8080_8080_8080_8080n,
  0x7f7f_7f7f_7f7f_7f7fn,
  0x0f0f_0f0f_0f0f_0f0fn,
  0xaaaa_aaaa_aaaa_aaaan,
];

/** Marsaglia's xorshift128, seeded through splitmix32 so that neighbouring seeds give unrelated sequences. */
export function seededRandom(seed: number): Random {
  let splitmix = seed | 0;
  const next = (): number => {
    splitmix = (splitmix + 0x9e3779b9) | 0;
    let z = splitmix;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return z ^ (z >>> 16);
  };
  let x = next();
  let y = next();
  let z = next();
  let w = next() | 1;
  const u32 = (): number => {
    const t = x ^ (x << 11);
    x = y;
    y = z;
    z = w;
    w = w ^ (w >>> 19) ^ t ^ (t >>> 8);
    return w >>> 0;
  };
  const u64 = (): bigint => (BigInt(u32()) << 32n) | BigInt(u32());
  const below = (limit: number): number => u32() % limit;
  const pick = <T>(choices: readonly T[]): T => choices[below(choices.length)] as T;
  const corner = (): bigint => {
    switch (below(8)) {
      case 0:
      case 1:
      case 2:
        return pick(corners);
      case 3: // a power of two, or its neighbour
        return ((1n << BigInt(below(64))) + BigInt(below(3)) - 1n) & mask;
      case 4: // edges in the low and in the high half
        return ((pick(corners) << 32n) | (pick(corners) & 0xffff_ffffn)) & mask;
      case 5: // an edge in the low 16 bits of noise
        return (u64() & ~0xffffn & mask) | (pick(corners) & 0xffffn);
      default:
        return u64();
    }
  };
  return { u32, u64, below, chance: (probability) => u32() < probability * 0x1_0000_0000, pick, corner };
}

/** CRC-32 (IEEE 802.3) of some bytes, continued from `start`: seeds from texts, fingerprints of states. */
export function crc32(bytes: Uint8Array, start = 0): number {
  let crc = ~start;
  for (const byte of bytes) crc = (crc >>> 8) ^ (crcTable[(crc ^ byte) & 0xff] as number);
  return ~crc >>> 0;
}

const crcTable = Int32Array.from({ length: 256 }, (_, index) => {
  let crc = index;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  return crc;
});
