/** Random programs, as structures that fast-check can shrink, and their machine code. */
import fc from 'fast-check';
import { places } from './random-machine.js';

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
  ...[0x70, 0xc6].flatMap((n) =>
    withPrefixes([0x0f, n], [0x66]).map((opcode): Opcode => ({ ...opcode, immediate: 1 })),
  ),
  ...list(0xd8, 0xdf, (n): Opcode => ({ bytes: [n], modrm: 'r' })),
  { bytes: [0xd9], modrm: 0, only: 'memory' },
  { bytes: [0xdd], modrm: 3, only: 'memory' },
];

export interface Operation {
  readonly kind: 'operation';
  readonly opcode: Opcode;
  readonly size: 'byte' | 'word' | 'normal' | 'wide'; // operand-size prefix, REX.W
  readonly address: 'normal' | 'short' | 'fs';
  readonly lock: boolean;
  readonly reg: number;
  readonly rm: number;
  readonly memory: boolean;
  readonly base: number;
  readonly index: number | undefined;
  readonly scale: number;
  readonly displacement: number;
  readonly immediate: number;
}
export type Piece =
  | Operation
  | { readonly kind: 'jump' | 'call' | 'loop'; readonly to: number; readonly far: boolean }
  | { readonly kind: 'branch'; readonly condition: number; readonly to: number; readonly far: boolean }
  | { readonly kind: 'return' }
  /** Replaces the last byte of a piece: through its own address, or through the alias. */
  | { readonly kind: 'patch'; readonly of: number; readonly value: number; readonly alias: boolean };

export interface Program {
  readonly bits: 32 | 64;
  readonly pieces: readonly Piece[];
  readonly registers: readonly bigint[];
  readonly flags: number;
  /** Bytes of the program that lie before a page boundary. */
  readonly before: number;
  readonly interruptAt: number;
}

const scratch = [0, 1, 2, 8, 9, 10, 11, 15];
const pointers = [3, 5, 6, 12, 13];
const counterOf = (bits: 32 | 64): number => (bits === 32 ? 7 : 14);

const register = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom(...scratch) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 15 }) },
);
const opcode = (bits: 32 | 64): fc.Arbitrary<Opcode> =>
  fc.oneof(
    { weight: 30, arbitrary: fc.constantFrom(...integer) },
    { weight: 8, arbitrary: fc.constantFrom(...vectors) },
    { weight: 1, arbitrary: fc.constantFrom(...special) },
    ...(bits === 32 ? [{ weight: 6, arbitrary: fc.constantFrom(...legacyOnly) }] : []),
  );
const operation = (bits: 32 | 64): fc.Arbitrary<Operation> =>
  fc.record({
    kind: fc.constant('operation' as const),
    opcode: opcode(bits),
    size: fc.constantFrom('normal', 'normal', 'wide', 'wide', 'word', 'byte'),
    address: fc.oneof(
      { weight: 12, arbitrary: fc.constant('normal' as const) },
      { weight: 1, arbitrary: fc.constantFrom('short' as const, 'fs' as const) },
    ),
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
const piece = (bits: 32 | 64): fc.Arbitrary<Piece> => {
  const to = fc.nat({ max: 40 });
  return fc.oneof<fc.MaybeWeightedArbitrary<Piece>[]>(
    { weight: 40, arbitrary: operation(bits) },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('branch' as const),
        condition: fc.nat({ max: 15 }),
        to,
        far: fc.boolean(),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constantFrom('jump' as const, 'call', 'loop', 'loop'), to, far: fc.boolean() }),
    },
    { weight: 1, arbitrary: fc.constant({ kind: 'return' as const }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('patch' as const),
        of: to,
        value: fc.nat({ max: 255 }),
        alias: fc.boolean(),
      }),
    },
  );
};
const value = fc.oneof(
  fc.constantFrom(0n, 1n, 0x7fn, 0x80n, 0xffffn, 0x8000n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, (1n << 63n) - 1n),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  fc.constantFrom(1n << 63n, (1n << 64n) - 1n, (1n << 64n) - 2n),
);
const pointer = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 0x10, max: 0x1e0 }).map((n) => places.data + 16 * n) },
  { weight: 6, arbitrary: fc.integer({ min: places.data + 0x100, max: places.data + 0x1e00 }) },
  { weight: 2, arbitrary: fc.integer({ min: places.data + 0xff0, max: places.data + 0x1010 }) },
  { weight: 2, arbitrary: fc.integer({ min: places.data + 0x1fe0, max: places.data + 0x2010 }) },
  { weight: 1, arbitrary: fc.integer({ min: places.data + 0x2fe0, max: places.data + 0x3010 }) },
  { weight: 1, arbitrary: fc.integer({ min: places.code + 0xf80, max: places.code + 0x1100 }) },
  { weight: 1, arbitrary: fc.integer({ min: places.alias + 0xf80, max: places.alias + 0x1100 }) },
);

export const programOf = (bits: 32 | 64): fc.Arbitrary<Program> =>
  fc.record({
    bits: fc.constant(bits),
    pieces: fc.array(piece(bits), { minLength: 4, maxLength: 40, size: 'max' }),
    registers: fc
      .tuple(fc.array(value, { minLength: 16, maxLength: 16 }), fc.array(pointer, { minLength: 6, maxLength: 6 }))
      .map(([values, addresses]) =>
        values.map((number, i) => {
          if (i === counterOf(bits)) return number & 0x3fn;
          const which = i === 4 ? 5 : pointers.indexOf(i);
          return which < 0 ? number : BigInt(addresses[which] ?? 0);
        }),
      ),
    flags: fc.constantFrom(0, 1, 0x8d5, 0x40, 0x801),
    before: fc.oneof(fc.constant(0x400), fc.nat({ max: 120 })),
    interruptAt: fc.nat({ max: 4000 }),
  });

export interface Assembled {
  readonly start: number;
  readonly code: Uint8Array;
  /** Linear address of each piece. */
  readonly addresses: readonly number[];
}

/** Machine code of a program, INT3 behind it. */
export function assemble(program: Program): Assembled {
  const { bits, pieces, before } = program;
  const start = places.code + 0x1000 - before;
  const lengths = pieces.map((one) => encode(one, bits, 0, () => 0).length);
  const addresses: number[] = [];
  lengths.reduce((at, length) => {
    addresses.push(at);
    return at + length;
  }, start);
  const addressOf = (n: number): number => addresses[n % addresses.length] ?? start;
  const lastByteOf = (n: number): number => addressOf(n) + (lengths[n % lengths.length] ?? 1) - 1;
  const bytes = pieces.flatMap((one, i) =>
    encode(one, bits, addresses[i] ?? 0, (n) => (one.kind === 'patch' ? lastByteOf(n) : addressOf(n))),
  );
  return { start, code: Uint8Array.from([...bytes, 0xcc]), addresses };
}

const bytesOf = (number: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => Number((BigInt(number) >> BigInt(8 * i)) & 0xffn));

/** `target` resolves the number of a piece; lengths do not depend on it. */
function encode(one: Piece, bits: 32 | 64, at: number, target: (piece: number) => number): number[] {
  const branch = (opcodes: readonly number[], to: number): number[] => {
    const length = opcodes.length + 4;
    return [...opcodes, ...bytesOf(target(to) - at - length, 4)];
  };
  switch (one.kind) {
    case 'jump':
      return branch([0xe9], one.to);
    case 'call':
      return branch([0xe8], one.to);
    case 'branch':
      return branch([0x0f, 0x80 + one.condition], one.to);
    case 'loop': // DEC counter; JNZ
      return bits === 64
        ? [0x41, 0xff, 0xce, ...branch([0x0f, 0x85], one.to).slice(0, 2), ...bytesOf(target(one.to) - at - 9, 4)]
        : [0x4f, ...branch([0x0f, 0x85], one.to).slice(0, 2), ...bytesOf(target(one.to) - at - 7, 4)];
    case 'return':
      return [0xc3];
    case 'patch': {
      const address = target(one.of) + (one.alias ? places.alias - places.code : 0);
      const modrm = bits === 64 ? [0x04, 0x25] : [0x05]; // MOV byte [absolute], imm8
      return [0xc6, ...modrm, ...bytesOf(address, 4), one.value];
    }
    case 'operation':
      return encodeOperation(one, bits);
  }
}

function encodeOperation(one: Operation, bits: 32 | 64): number[] {
  const { opcode, size, address } = one;
  const low = bits === 32 ? 7 : 15;
  const hasModrm = opcode.modrm !== undefined;
  const memory = hasModrm && opcode.only !== 'register' && (one.memory || opcode.only === 'memory');
  const reg = opcode.modrm === 'r' ? one.reg & low : 0;
  const index = one.index === COUNTER ? counterOf(bits) : one.index;
  const base = one.base & low;
  const short16 = memory && bits === 32 && address === 'short';
  const prefixes: number[] = [];
  if (one.lock && memory) prefixes.push(0xf0);
  if (address === 'short' && memory) prefixes.push(0x67);
  if (address === 'fs' && memory) prefixes.push(0x64);
  if (size === 'word') prefixes.push(0x66);
  if (opcode.prefix !== undefined) prefixes.push(opcode.prefix);
  if (bits === 64) {
    const rm = memory ? base : hasModrm ? one.rm : 0;
    const rex = (size === 'wide' ? 8 : 0) | (reg > 7 ? 4 : 0) | (memory && (index ?? 0) > 7 ? 2 : 0) | (rm > 7 ? 1 : 0);
    if (rex !== 0 || size === 'byte') prefixes.push(0x40 | rex);
  }
  const extension = typeof opcode.modrm === 'number' ? opcode.modrm : reg & 7;
  const immediateBytes =
    opcode.immediate === 'z' ? (size === 'word' ? 2 : 4) : opcode.immediate === undefined ? 0 : opcode.immediate;
  let operand: number[] = [];
  if (short16) operand = [0x80 | (extension << 3) | (base & 7), ...bytesOf(one.displacement, 2)];
  else if (memory) {
    const sib = index !== undefined || (base & 7) === 4;
    const near = one.displacement >= -128 && one.displacement < 128;
    operand = [(near ? 0x40 : 0x80) | (extension << 3) | (sib ? 4 : base & 7)];
    if (sib) operand.push((one.scale << 6) | (((index ?? 4) & 7) << 3) | (base & 7));
    operand.push(...bytesOf(one.displacement, near ? 1 : 4));
  } else if (hasModrm) operand = [0xc0 | (extension << 3) | (one.rm & 7)];
  return [...prefixes, ...opcode.bytes, ...operand, ...bytesOf(one.immediate, immediateBytes)];
}
