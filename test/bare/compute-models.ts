/** What the compute kernels of compute/ print, worked out a second time: each takes its repeats and gives the checksum. */
import { createHash } from 'node:crypto';

/** Marsaglia's xorshift, 13-17-5, from the seed on. */
function xorshift(seed = 1): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

const mix = (checksum: bigint, value: bigint): bigint =>
  BigInt.asUintN(64, (checksum ^ BigInt.asUintN(64, value)) * 0x9e37_79b9_7f4a_7c15n);

const mixAll = (values: Iterable<number>): bigint => {
  let checksum = 0n;
  for (const value of values) checksum = mix(checksum, BigInt(value));
  return checksum;
};

/** The number of primes below 2^20 is 82,025: OEIS A007053. */
export const sieve = (repeats: number): bigint => mixAll(Array<number>(repeats).fill(82_025));

export function crc(repeats: number): bigint {
  const next = xorshift();
  const data = Uint8Array.from({ length: 1 << 18 }, next);
  const values: number[] = [];
  for (let i = 0; i < repeats; i++) {
    let value = 0xffff_ffff;
    for (const byte of data) {
      value ^= byte;
      for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb8_8320 : 0);
    }
    values.push(~value >>> 0);
    const at = (value >>> 0) % data.length;
    data[at] = data[at]! + 1;
  }
  return mixAll(values);
}

export function sha256(repeats: number): bigint {
  const next = xorshift();
  const message = Uint8Array.from({ length: 1 << 16 }, next);
  for (let i = 0; i < repeats; i++) message.set(createHash('sha256').update(message).digest());
  return new DataView(message.buffer).getBigUint64(0);
}

export function tree(repeats: number): bigint {
  const nodes = 1 << 16;
  const next = xorshift();
  const values: number[] = [];
  let ahead: number[] = [];
  for (let round = 0; round < repeats; round++) {
    // The guest searches 4 * nodes keys, the first quarter of which it inserted; the next round inserts the second quarter.
    while (ahead.length < 4 * nodes) ahead.push(next() >>> 8);
    const counts = new Map<number, number>();
    const children = { less: new Map<number, number>(), more: new Map<number, number>() };
    const [root] = ahead;
    /** Steps to the key, or to where it would be; `insert` puts it there. */
    const walk = (key: number, insert: boolean): number => {
      let [at, count] = [root!, 0];
      while (at !== key) {
        const side = key < at ? children.less : children.more;
        const child = side.get(at);
        count++;
        if (child === undefined) {
          if (insert) side.set(at, key);
          return count;
        }
        at = child;
      }
      return count;
    };
    for (const key of ahead.slice(0, nodes)) {
      walk(key, true);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    const found = ahead.reduce((sum, key) => sum + (counts.get(key) ?? 0), 0);
    const steps = ahead.reduce((sum, key) => sum + walk(key, false), 0);
    values.push(found, steps);
    ahead = ahead.slice(nodes);
  }
  return mixAll(values);
}

const steps: readonly ((value: number, i: number) => number)[] = [
  (v, i) => Math.imul(v, 1664525) + i,
  (v, i) => ((v << 7) | (v >>> 25)) + i,
  (v, i) => v ^ (v >>> 11) ^ (i << 3),
  (v, i) => v + Math.imul(i | 1, 0x10001),
  (v, i) => (v & 0x10 ? v - i : v + 0x61c88647),
  (v, i) => ~v + (i >>> 2),
  (v, i) => (((v & 0xff) << 24) | ((v & 0xff00) << 8) | ((v >>> 8) & 0xff00) | (v >>> 24)) + i,
  (v, i) => Math.imul(v, 9) + 0x7f4a7c15 - i,
  (v, i) => Math.imul(v ^ i, 0x85ebca6b),
  (v, i) => ((v >>> 3) | (v << 29)) ^ 0xc2b2ae35 ^ i,
  (v, i) => (v > (i << 16) >>> 0 ? v - (i << 4) : v + 0x1234567),
  (v, i) => v + (v << 5) + i,
  (v, i) => (v ^ (v >>> 15)) + 0x2545f491 + i,
  (v, i) => Number(((BigInt(v) * 0x9e3779b1n) >> 16n) & 0xffff_ffffn) + i,
  (v, i) => Math.imul(v & 0xffff, v >>> 16) + i + 0x31415927,
  (v, i) => i - v,
];

export function calls(repeats: number): bigint {
  const values: number[] = [];
  let value = 1;
  for (let round = 0; round < repeats; round++) {
    for (let i = 0; i < 1 << 20; i++) value = steps[Math.imul(value, 0x9e3779b1) >>> 28]!(value, i) >>> 0;
    values.push(value);
  }
  return mixAll(values);
}

export function copy(repeats: number): bigint {
  const words = 1 << 15;
  const next = xorshift();
  const from = BigUint64Array.from({ length: words + 64 }, (_, i) => (BigInt(next()) << 32n) | BigInt(i));
  const to = new BigUint64Array(words + 64);
  const [source, target] = [new Uint8Array(from.buffer), new Uint8Array(to.buffer)];
  let checksum = 0n;
  for (let round = 0; round < repeats; round++) {
    const [at, by] = [round % 16, Math.floor(round / 2) % 32];
    const move = (offset: number, shift: number, bytes: number): void => {
      target.set(source.subarray(by + shift, by + shift + bytes), at + offset);
    };
    move(0, 0, 8 * words);
    move(8, 0, 8 * (words - 8));
    move(4 * words, 3, words);
    let sum = 0n;
    for (let i = 0; i < words; i += 16) sum += to[i]! ^ to[i + 9]!;
    checksum = mix(checksum, sum);
    from[round % words]! += sum;
  }
  return checksum;
}

const bits = (value: number): bigint => new BigUint64Array(Float64Array.of(value).buffer)[0]!;

/** PMADDWD of two doublewords. Intel SDM volume 2. */
function multiplyAdd(a: number, b: number): number {
  return Math.imul((a << 16) >> 16, (b << 16) >> 16) + Math.imul(a >> 16, b >> 16);
}

export function sse(repeats: number): bigint {
  const items = 4096;
  const next = xorshift();
  const [integers, floats, doubles] = [new Uint32Array(items), new Float32Array(items), new Float64Array(items)];
  for (let i = 0; i < items; i++) {
    integers[i] = next();
    floats[i] = next() >>> 20;
    doubles[i] = next() >>> 8;
  }
  const f = Math.fround;

  const packedIntegers = (): number => {
    const state = integers.slice(0, 4).map((value) => value | 1);
    let sum = new Int32Array(4);
    for (let i = 0; i < items; i += 4) {
      const before = sum.map((value, lane) => {
        let x = state[lane]!;
        x ^= x << 13;
        x ^= x >>> 17;
        x ^= x << 5;
        state[lane] = x;
        integers[i + lane]! += x;
        return value + multiplyAdd(x, integers[i + lane]! | 0);
      });
      sum = before.map((value, lane) => value ^ before[(lane + 1) % 4]!);
    }
    return sum.reduce((total, value) => total + value, 0) >>> 0;
  };
  const packedFloats = (): number => {
    const sum = new Float32Array(4);
    const [decay, add] = [Float32Array.of(0.75, 0.7, 0.65, 0.6), Float32Array.of(1.1, 1.2, 1.3, 1.4)];
    for (let i = 0; i < items; i++) {
      floats[i] = f(floats[i]! * decay[i % 4]!) + add[i % 4]!;
      sum[i % 4] = f(sum[i % 4]! * 0.5) + floats[i]!;
    }
    return f(f(f(sum[0]! + sum[1]!) + sum[2]!) + sum[3]!);
  };
  const packedDoubles = (): number => {
    const sum = [1, 1];
    for (let i = 0; i < items; i++) {
      doubles[i] = doubles[i]! * [0.875, 0.8125][i % 2]! + [0.1, 0.3][i % 2]!;
      sum[i % 2] = sum[i % 2]! * [0.9, 0.7][i % 2]! - doubles[i]!;
    }
    return sum[0]! + sum[1]!;
  };
  const scalarDoubles = (): number => {
    let [x, y, vx, vy] = [1, 0, 0, 1];
    for (let i = 0; i < items / 4; i++) {
      const square = x * x + y * y;
      const pull = 0.0078125 / (square * Math.sqrt(square));
      vx -= x * pull;
      vy -= y * pull;
      x += vx * 0.0078125;
      y += vy * 0.0078125;
    }
    return x + y;
  };

  let checksum = 0n;
  for (let i = 0; i < repeats; i++) {
    checksum = mix(checksum, BigInt(packedIntegers()));
    checksum = mix(checksum, bits(packedFloats()));
    checksum = mix(checksum, bits(packedDoubles()));
    checksum = mix(checksum, bits(scalarDoubles()));
  }
  return checksum;
}
