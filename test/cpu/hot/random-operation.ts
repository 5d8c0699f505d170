/** Random instructions, as structures that fast-check can shrink, and their machine code. */
import fc from 'fast-check';
import { places } from './random-places.js';

/** What an opcode wants behind it. */
interface Opcode {
  readonly bytes: readonly number[];
  /** ModRM: any register, or a fixed extension in the reg field. */
  readonly modrm?: 'r' | number;
  readonly only?: 'memory' | 'register';
  /** Immediate: bytes, or by operand size ('z': 2 or 4). */
  readonly immediate?: 1 | 2 | 3 | 'z';
  /** A mandatory prefix. */
  readonly prefix?: number;
  readonly bits?: 32 | 64;
}

const list = (from: number, to: number, make: (n: number) => Opcode): Opcode[] =>
  Array.from({ length: to - from + 1 }, (_, i) => make(from + i));
const extensions = (bytes: readonly number[], which: readonly number[], rest: Partial<Opcode> = {}): Opcode[] =>
  which.map((modrm) => ({ bytes, modrm, ...rest }));
const all8 = [0, 1, 2, 3, 4, 5, 6, 7];

const integer: readonly Opcode[] = [
  ...all8.flatMap((group) => list(8 * group, 8 * group + 3, (n): Opcode => ({ bytes: [n], modrm: 'r' }))),
  ...all8.map((group): Opcode => ({ bytes: [8 * group + 4], immediate: 1 })),
  ...all8.map((group): Opcode => ({ bytes: [8 * group + 5], immediate: 'z' })),
  ...extensions([0x80], all8, { immediate: 1 }),
  ...extensions([0x81], all8, { immediate: 'z' }),
  ...extensions([0x83], all8, { immediate: 1 }),
  ...list(0x84, 0x8b, (n): Opcode => ({ bytes: [n], modrm: 'r' })),
  ...list(0x88, 0x8b, (n): Opcode => ({ bytes: [n], modrm: 'r' })),
  { bytes: [0x8d], modrm: 'r', only: 'memory' },
  { bytes: [0x8d], modrm: 'r', only: 'memory' },
  { bytes: [0x63], modrm: 'r' }, // MOVSXD, ARPL
  { bytes: [0x69], modrm: 'r', immediate: 'z' },
  { bytes: [0x6b], modrm: 'r', immediate: 1 },
  ...[0xc0, 0xc1].flatMap((n) => extensions([n], all8, { immediate: 1 })),
  ...[0xd0, 0xd1, 0xd2, 0xd3].flatMap((n) => extensions([n], all8)),
  { bytes: [0xc6], modrm: 0, immediate: 1 },
  { bytes: [0xc7], modrm: 0, immediate: 'z' },
  { bytes: [0xf6], modrm: 0, immediate: 1 },
  { bytes: [0xf7], modrm: 0, immediate: 'z' },
  ...[0xf6, 0xf7].flatMap((n) => extensions([n], [2, 3, 4, 5, 6, 7])),
  ...[0xfe, 0xff].flatMap((n) => extensions([n], [0, 1])),
  { bytes: [0xff], modrm: 6 },
  { bytes: [0x8f], modrm: 0 },
  ...list(0x50, 0x5f, (n): Opcode => ({ bytes: [n] })),
  ...list(0x90, 0x97, (n): Opcode => ({ bytes: [n] })),
  ...list(0xb0, 0xb7, (n): Opcode => ({ bytes: [n], immediate: 1 })),
  ...[0x98, 0x99, 0x9c, 0x9e, 0x9f, 0xf5, 0xf8, 0xf9, 0xfc, 0xd7, 0xc9].map((n): Opcode => ({ bytes: [n] })),
  { bytes: [0x6a], immediate: 1 },
  { bytes: [0x68], immediate: 'z' },
  ...list(0x40, 0x4f, (n): Opcode => ({ bytes: [0x0f, n], modrm: 'r' })),
  ...list(0x90, 0x9f, (n): Opcode => ({ bytes: [0x0f, n], modrm: 0 })),
  ...[0xa3, 0xab, 0xb3, 0xbb, 0xa5, 0xad, 0xaf, 0xb0, 0xb1, 0xb6, 0xb7, 0xbc, 0xbd, 0xbe, 0xbf, 0xc0, 0xc1].map(
    (n): Opcode => ({ bytes: [0x0f, n], modrm: 'r' }),
  ),
  ...[0xa4, 0xac].map((n): Opcode => ({ bytes: [0x0f, n], modrm: 'r', immediate: 1 })),
  ...extensions([0x0f, 0xba], [4, 5, 6, 7], { immediate: 1 }),
  ...list(0xc8, 0xcf, (n): Opcode => ({ bytes: [0x0f, n] })),
  { bytes: [0x0f, 0xc7], modrm: 1, only: 'memory' },
  { bytes: [0x0f, 0x1f], modrm: 0 },
];

/** Stands for the counter of LOOP-like pieces as an index. */
const COUNTER = -1;

/** What hot code leaves to the cold tier, more or less. */
const special: readonly Opcode[] = [
  ...[0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf].map((n): Opcode => ({ bytes: [n] })),
  { bytes: [0xa4], prefix: 0xf3 },
  { bytes: [0xab], prefix: 0xf3 },
  { bytes: [0xae], prefix: 0xf2 },
  ...[[0x9d], [0xfd], [0x0f, 0xa2], [0x0f, 0x31], [0x0f, 0x0b], [0xcc], [0x8c, 0xd8], [0xf3, 0x90]].map(
    (bytes): Opcode => ({ bytes }),
  ),
  { bytes: [0xc8], immediate: 3 },
  { bytes: [0x0f, 0xae], modrm: 3, only: 'memory' },
  { bytes: [0x8e], modrm: 4 },
];
const legacyOnly: readonly Opcode[] = [
  ...list(0x40, 0x4f, (n): Opcode => ({ bytes: [n], bits: 32 })),
  ...[0x27, 0x2f, 0x37, 0x3f, 0xd6, 0x60, 0x61, 0xce].map((n): Opcode => ({ bytes: [n], bits: 32 })),
  ...[0xd4, 0xd5].map((n): Opcode => ({ bytes: [n], immediate: 1, bits: 32 })),
  { bytes: [0x62], modrm: 'r', only: 'memory', bits: 32 },
];

const withPrefixes = (bytes: readonly number[], prefixes: readonly (number | undefined)[]): Opcode[] =>
  prefixes.map((prefix) => ({ bytes, modrm: 'r', ...(prefix === undefined ? {} : { prefix }) }));
const vectors: readonly Opcode[] = [
  ...[0x10, 0x11, 0x51, 0x58, 0x59, 0x5a, 0x5c, 0x5d, 0x5e, 0x5f].flatMap((n) =>
    withPrefixes([0x0f, n], [undefined, 0x66, 0xf2, 0xf3]),
  ),
  ...[0x14, 0x15, 0x28, 0x29, 0x2e, 0x2f, 0x54, 0x55, 0x56, 0x57, 0x5b].flatMap((n) =>
    withPrefixes([0x0f, n], [undefined, 0x66]),
  ),
  ...[0x2a, 0x2c, 0x2d].flatMap((n) => withPrefixes([0x0f, n], [0xf2, 0xf3])),
  ...[0x6f, 0x7f].flatMap((n) => withPrefixes([0x0f, n], [undefined, 0x66, 0xf3])),
  ...[0x6e, 0x7e, 0xd6, 0x12, 0x13, 0x16, 0x17].flatMap((n) => withPrefixes([0x0f, n], [0x66])),
  ...[
    0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x74, 0x75, 0x76, 0xd1, 0xd2,
    0xd3, 0xd4, 0xd5, 0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0xe0, 0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe8, 0xe9,
    0xea, 0xeb, 0xec, 0xed, 0xee, 0xef, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe,
  ].flatMap((n) => withPrefixes([0x0f, n], [0x66])),
  ...[0xfc, 0xef, 0x6f, 0x61, 0xe5].flatMap((n) => withPrefixes([0x0f, n], [undefined])),
  ...[
    ...[0x70, 0xc6].flatMap((n) => withPrefixes([0x0f, n], [0x66])),
    ...withPrefixes([0x0f, 0xc2], [undefined, 0x66, 0xf2, 0xf3]),
  ].map((opcode): Opcode => ({ ...opcode, immediate: 1 })),
  ...list(0xd8, 0xdf, (n): Opcode => ({ bytes: [n], modrm: 'r' })),
  { bytes: [0x0f, 0xae], modrm: 2, only: 'memory' }, // LDMXCSR
  { bytes: [0xd9], modrm: 0, only: 'memory' },
  { bytes: [0xdd], modrm: 3, only: 'memory' },
];

export interface Operation {
  readonly kind: 'operation';
  readonly opcode: Opcode;
  readonly size: 'byte' | 'word' | 'normal' | 'wide'; // operand-size prefix, REX.W
  /** 'relative': to RIP, absolute in 32-bit code; 'indexed': a displacement and an index. */
  readonly address: 'normal' | 'short' | 'fs' | 'relative' | 'indexed';
  readonly lock: boolean;
  /** AH, CH, DH or BH where a byte register is meant. */
  readonly high: boolean;
  readonly reg: number;
  readonly rm: number;
  readonly memory: boolean;
  readonly base: number;
  readonly index: number | undefined;
  readonly scale: number;
  readonly displacement: number;
  readonly immediate: number;
}

const scratch = [0, 1, 2, 8, 9, 10, 11, 15];
export const pointers = [3, 5, 6, 12, 13];
export const counterOf = (bits: 32 | 64): number => (bits === 32 ? 7 : 14);

const register = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom(...scratch) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 15 }) },
);
const opcode = (bits: 32 | 64, manyVectors: boolean): fc.Arbitrary<Opcode> =>
  fc.oneof(
    { weight: 30, arbitrary: fc.constantFrom(...integer) },
    { weight: manyVectors ? 90 : 8, arbitrary: fc.constantFrom(...vectors) },
    { weight: 1, arbitrary: fc.constantFrom(...special) },
    ...(bits === 32 ? [{ weight: 6, arbitrary: fc.constantFrom(...legacyOnly) }] : []),
  );
export const operationOf = (bits: 32 | 64, manyVectors: boolean): fc.Arbitrary<Operation> =>
  fc.record({
    kind: fc.constant('operation' as const),
    opcode: opcode(bits, manyVectors),
    size: fc.constantFrom('normal', 'normal', 'wide', 'wide', 'word', 'byte'),
    address: fc.oneof(
      { weight: 12, arbitrary: fc.constant('normal' as const) },
      { weight: 3, arbitrary: fc.constantFrom('short' as const, 'fs', 'relative', 'indexed') },
    ),
    high: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    lock: fc.oneof({ weight: 20, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    reg: register,
    rm: register,
    memory: fc.boolean(),
    base: fc.oneof(
      { weight: 20, arbitrary: fc.constantFrom(...pointers) },
      { weight: 2, arbitrary: fc.constantFrom(4, 5) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 15 }) },
    ),
    index: fc.option(fc.constantFrom(COUNTER, COUNTER, COUNTER, 0, 1), { nil: undefined, freq: 3 }),
    scale: fc.integer({ min: 0, max: 3 }),
    displacement: fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(0, 16, 32, -16) },
      { weight: 6, arbitrary: fc.integer({ min: -20, max: 40 }) },
      { weight: 1, arbitrary: fc.integer({ min: -0x900, max: 0x900 }) },
    ),
    immediate: fc.oneof(fc.integer({ min: -130, max: 130 }), fc.integer()),
  });

export const bytesOf = (number: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => Number((BigInt(number) >> BigInt(8 * i)) & 0xffn));

/** Opcodes whose register operands are bytes. */
const byteForm = ({ bytes: [first = 0, second] }: Opcode): boolean =>
  second === undefined
    ? (first < 0x40 && (first & 5) === 0) ||
      [0x80, 0x84, 0x86, 0x88, 0x8a, 0xc0, 0xc6, 0xd0, 0xd2, 0xf6, 0xfe].includes(first)
    : first === 0x0f && ((second >= 0x90 && second <= 0x9f) || second === 0xb0 || second === 0xc0);

export function encodeOperation(one: Operation, bits: 32 | 64): number[] {
  const { opcode, size, address } = one;
  const low = bits === 32 ? 7 : 15;
  const hasModrm = opcode.modrm !== undefined;
  const memory = hasModrm && opcode.only !== 'register' && (one.memory || opcode.only === 'memory');
  const index = one.index === COUNTER ? counterOf(bits) : one.index;
  const base = one.base & low;
  const based = memory && address !== 'relative' && address !== 'indexed';
  const indexed = memory && address !== 'relative' ? index : undefined;
  const high = one.high && byteForm(opcode) && !(based && base > 7) && !((indexed ?? 0) > 7);
  const byte = (register: number): number => (high ? 4 | (register & 3) : register & low);
  const reg = opcode.modrm === 'r' ? byte(one.reg) : 0;
  const rm = based ? base : hasModrm && !memory ? byte(one.rm) : 0;
  const short16 = memory && bits === 32 && address === 'short';
  const prefixes: number[] = [];
  if (one.lock && memory) prefixes.push(0xf0);
  if (address === 'short' && memory) prefixes.push(0x67);
  if (address === 'fs' && memory) prefixes.push(0x64);
  if (size === 'word') prefixes.push(0x66);
  if (opcode.prefix !== undefined) prefixes.push(opcode.prefix);
  if (bits === 64 && !high) {
    const rex = (size === 'wide' ? 8 : 0) | (reg > 7 ? 4 : 0) | ((indexed ?? 0) > 7 ? 2 : 0) | (rm > 7 ? 1 : 0);
    if (rex !== 0 || size === 'byte') prefixes.push(0x40 | rex);
  }
  const extension = typeof opcode.modrm === 'number' ? opcode.modrm : reg & 7;
  const immediateBytes =
    opcode.immediate === 'z' ? (size === 'word' ? 2 : 4) : opcode.immediate === undefined ? 0 : opcode.immediate;
  let operand: number[] = [];
  if (short16) operand = [0x80 | (extension << 3) | (base & 7), ...bytesOf(one.displacement, 2)];
  else if (memory && address === 'relative') {
    // From the code, which lies around code + 0x1000, to the data.
    const target = bits === 64 ? places.data - places.code : places.data + 0x1000;
    operand = [0x05 | (extension << 3), ...bytesOf(target + one.displacement, 4)];
  } else if (memory && address === 'indexed') {
    const sib = (one.scale << 6) | (((index ?? 4) & 7) << 3) | 5;
    operand = [0x04 | (extension << 3), sib, ...bytesOf(places.data + 0x800 + one.displacement, 4)];
  } else if (memory) {
    const sib = index !== undefined || (base & 7) === 4;
    const none = one.displacement === 0 && (base & 7) !== 5;
    const near = one.displacement >= -128 && one.displacement < 128;
    operand = [(none ? 0 : near ? 0x40 : 0x80) | (extension << 3) | (sib ? 4 : base & 7)];
    if (sib) operand.push((one.scale << 6) | (((index ?? 4) & 7) << 3) | (base & 7));
    if (!none) operand.push(...bytesOf(one.displacement, near ? 1 : 4));
  } else if (hasModrm) operand = [0xc0 | (extension << 3) | (rm & 7)];
  return [...prefixes, ...opcode.bytes, ...operand, ...bytesOf(one.immediate, immediateBytes)];
}
