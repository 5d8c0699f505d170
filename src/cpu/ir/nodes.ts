/**
 * The micro-ops: expression nodes of which instruction definitions are made. Each operator stands here once, with the
 * WebAssembly instruction that performs it. Integers are i64, zero-extended from the operand's width; conditions i32.
 */
import type { ValueType } from '../wasm/encoder.js';

interface Operator {
  readonly code: readonly number[];
  readonly takes: readonly ValueType[];
  readonly gives: ValueType;
}
const binary = (code: number): Operator => ({ code: [code], takes: ['i64', 'i64'], gives: 'i64' });
const unary = (code: number): Operator => ({ code: [code], takes: ['i64'], gives: 'i64' });
const compare = (code: number): Operator => ({ code: [code], takes: ['i64', 'i64'], gives: 'i32' });
const logical = (code: number): Operator => ({ code: [code], takes: ['i32', 'i32'], gives: 'i32' });
const leb = (code: number): number[] => (code < 0x80 ? [0xfd, code] : [0xfd, (code & 0x7f) | 0x80, code >> 7]);
const vector = (code: number): Operator => ({ code: leb(code), takes: ['v128', 'v128'], gives: 'v128' });
const vectorUnary = (code: number): Operator => ({ code: leb(code), takes: ['v128'], gives: 'v128' });
const vectorShift = (code: number): Operator => ({ code: leb(code), takes: ['v128', 'i32'], gives: 'v128' });

export const operators = {
  add: binary(0x7c),
  sub: binary(0x7d),
  mul: binary(0x7e),
  divS: binary(0x7f),
  divU: binary(0x80),
  remS: binary(0x81),
  remU: binary(0x82),
  and: binary(0x83),
  or: binary(0x84),
  xor: binary(0x85),
  shl: binary(0x86),
  sar: binary(0x87),
  shr: binary(0x88),
  rotl: binary(0x89),
  rotr: binary(0x8a),
  clz: unary(0x79),
  ctz: unary(0x7a),
  popcnt: unary(0x7b),
  extend8: unary(0xc2),
  extend16: unary(0xc3),
  extend32: unary(0xc4),
  eqz: { code: [0x50], takes: ['i64'], gives: 'i32' },
  eq: compare(0x51),
  ne: compare(0x52),
  ltS: compare(0x53),
  ltU: compare(0x54),
  gtS: compare(0x55),
  gtU: compare(0x56),
  leS: compare(0x57),
  leU: compare(0x58),
  geS: compare(0x59),
  geU: compare(0x5a),
  not: { code: [0x45], takes: ['i32'], gives: 'i32' }, // i32.eqz
  both: logical(0x71), // i32.and
  either: logical(0x72), // i32.or
  differ: logical(0x73), // i32.xor
  wide: { code: [0xad], takes: ['i32'], gives: 'i64' }, // i64.extend_i32_u
  rotl32: { code: [0x77], takes: ['i32', 'i32'], gives: 'i32' },
  rotr32: { code: [0x78], takes: ['i32', 'i32'], gives: 'i32' },
  narrow: { code: [0xa7], takes: ['i64'], gives: 'i32' }, // i32.wrap_i64
  select: { code: [0x1b], takes: ['i64', 'i64', 'i32'], gives: 'i64' },

  vAnd: vector(0x4e),
  vAndNot: vector(0x4f), // a AND NOT b
  vOr: vector(0x50),
  vXor: vector(0x51),
  i8x16Eq: vector(0x23),
  i8x16GtS: vector(0x27),
  i16x8Eq: vector(0x2d),
  i16x8GtS: vector(0x31),
  i32x4Eq: vector(0x37),
  i32x4GtS: vector(0x3b),
  i8x16Add: vector(0x6e),
  i8x16AddSatS: vector(0x6f),
  i8x16AddSatU: vector(0x70),
  i8x16Sub: vector(0x71),
  i8x16SubSatS: vector(0x72),
  i8x16SubSatU: vector(0x73),
  i8x16MinU: vector(0x77),
  i8x16MaxU: vector(0x79),
  i8x16AvgU: vector(0x7b),
  i8x16PackS: vector(0x65), // narrow i16x8_s
  i8x16PackU: vector(0x66),
  i16x8PackS: vector(0x85),
  i16x8Add: vector(0x8e),
  i16x8AddSatS: vector(0x8f),
  i16x8AddSatU: vector(0x90),
  i16x8Sub: vector(0x91),
  i16x8SubSatS: vector(0x92),
  i16x8SubSatU: vector(0x93),
  i16x8Mul: vector(0x95),
  i16x8MinS: vector(0x96),
  i16x8MaxS: vector(0x98),
  i16x8AvgU: vector(0x9b),
  i16x8ExtMulLowS: vector(0x9c),
  i16x8Shl: vectorShift(0x8b),
  i16x8Sar: vectorShift(0x8c),
  i16x8Shr: vectorShift(0x8d),
  i32x4Add: vector(0xae),
  i32x4Sub: vector(0xb1),
  i32x4Mul: vector(0xb5),
  i32x4DotS: vector(0xba),
  i32x4ExtMulLowS: vector(0xbc),
  i32x4ExtMulHighS: vector(0xbd),
  i32x4ExtMulLowU: vector(0xbe),
  i32x4ExtMulHighU: vector(0xbf),
  i32x4Shl: vectorShift(0xab),
  i32x4Sar: vectorShift(0xac),
  i32x4Shr: vectorShift(0xad),
  i64x2Add: vector(0xce),
  i64x2Sub: vector(0xd1),
  i64x2ExtMulLowU: vector(0xde),
  i64x2Shl: vectorShift(0xcb),
  i64x2Shr: vectorShift(0xcd),
  i8x16Splat: { code: leb(0x0f), takes: ['i32'], gives: 'v128' },
  i32x4Splat: { code: leb(0x11), takes: ['i32'], gives: 'v128' },
  i64x2Splat: { code: leb(0x12), takes: ['i64'], gives: 'v128' },
  i8x16Bitmask: { code: leb(0x64), takes: ['v128'], gives: 'i32' },
  i32x4Bitmask: { code: leb(0xa4), takes: ['v128'], gives: 'i32' },
  i64x2Bitmask: { code: leb(0xc4), takes: ['v128'], gives: 'i32' },
  i8x16Swizzle: vector(0x0e),
  lane0: { code: [...leb(0x1d), 0], takes: ['v128'], gives: 'i64' }, // i64x2.extract_lane 0
  lane1: { code: [...leb(0x1d), 1], takes: ['v128'], gives: 'i64' },
  withLane0: { code: [...leb(0x1e), 0], takes: ['v128', 'i64'], gives: 'v128' },
  withLane1: { code: [...leb(0x1e), 1], takes: ['v128', 'i64'], gives: 'v128' },
  withLane32: { code: [...leb(0x1c), 0], takes: ['v128', 'i32'], gives: 'v128' }, // i32x4.replace_lane 0
  vNot: vectorUnary(0x4d),
  vZero: { code: [...leb(0x0c), ...new Array<number>(16).fill(0)], takes: [], gives: 'v128' },
  vSelect: { code: [0x1b], takes: ['v128', 'v128', 'i32'], gives: 'v128' },
  i16x8ExtAddU: vectorUnary(0x7d), // sums of neighbouring bytes
  i32x4ExtAddU: vectorUnary(0x7f), // sums of neighbouring words
  i16x8Bitmask: { code: leb(0x84), takes: ['v128'], gives: 'i32' },
} as const satisfies Record<string, Operator>;
export type OperatorName = keyof typeof operators;

/** Where a node takes its value from, when it is not an operator. */
export type Source =
  | { readonly kind: 'constant'; readonly value: bigint }
  | { readonly kind: 'constant32'; readonly value: number }
  | { readonly kind: 'local'; readonly index: number } // of the definition
  | { readonly kind: 'hostLocal'; readonly index: number } // of the WebAssembly function
  | { readonly kind: 'operator'; readonly name: OperatorName; readonly arguments: readonly Node[] }
  | { readonly kind: 'shuffle'; readonly lanes: readonly number[]; readonly arguments: readonly Node[] }
  | { readonly kind: 'call'; readonly name: string; readonly arguments: readonly Node[] }
  | { readonly kind: 'register'; readonly register: number; readonly bits: number } // general register by number
  | { readonly kind: 'operand'; readonly operand: number; readonly bits: number } // register operand of the instruction
  | { readonly kind: 'vectorRegister'; readonly operand: number } // XMM operand
  | { readonly kind: 'state'; readonly address: number; readonly bits: number } // any processor state
  | { readonly kind: 'immediate' }
  | { readonly kind: 'nextRip' }
  | { readonly kind: 'offset' } // effective address without the segment base
  | { readonly kind: 'effectiveAddress' }
  | { readonly kind: 'condition'; readonly code: number } // 4-bit condition code, of the flags as they stand
  | { readonly kind: 'carry' } // CF, 0 or 1
  | { readonly kind: 'flagsResult' }
  | { readonly kind: 'flagsAux' };

export interface Node {
  readonly type: ValueType;
  readonly source: Source;
}

export const constant = (value: bigint | number): Node => ({
  type: 'i64',
  source: { kind: 'constant', value: BigInt(value) },
});
export const constant32 = (value: number): Node => ({ type: 'i32', source: { kind: 'constant32', value } });

type NodeLike = Node | bigint | number;
export const node = (value: NodeLike): Node => (typeof value === 'object' ? value : constant(value));

/** Applies an operator; numbers and bigints stand for i64 constants. */
export function apply(name: OperatorName, ...values: readonly NodeLike[]): Node {
  return {
    type: operators[name].gives,
    source: { kind: 'operator', name, arguments: values.map((value) => node(value)) },
  };
}

type Make = (...values: readonly NodeLike[]) => Node;
/** Every operator as a function of nodes: `op.add(a, 1)`. */
export const op = Object.fromEntries(
  (Object.keys(operators) as OperatorName[]).map((name) => [name, (...values: NodeLike[]) => apply(name, ...values)]),
) as Record<OperatorName, Make>;

/** A pure function of the core, called by name (i64 or v128 arguments). */
export const call = (name: string, type: ValueType, ...values: readonly NodeLike[]): Node => ({
  type,
  source: { kind: 'call', name, arguments: values.map((value) => node(value)) },
});

/** i8x16.shuffle of two vectors by constant lane numbers 0 to 31. */
export const shuffle = (a: Node, b: Node, lanes: readonly number[]): Node => ({
  type: 'v128',
  source: { kind: 'shuffle', lanes, arguments: [a, b] },
});

export const maskOf = (bits: number): bigint => (1n << BigInt(bits)) - 1n;

/** Keeps the low bits, zero-extended. */
export function truncate(value: Node, bits: number): Node {
  return bits === 64 ? value : op.and(value, maskOf(bits));
}

/** Sign-extends from a width to 64 bits. */
export function signExtend(value: Node, bits: number): Node {
  switch (bits) {
    case 8:
      return op.extend8(value);
    case 16:
      return op.extend16(value);
    case 32:
      return op.extend32(value);
    default:
      return value;
  }
}
