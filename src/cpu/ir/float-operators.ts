/**
 * The operators on floats. WebAssembly leaves the payload of a NaN result open: definitions use results only where no
 * NaN can be among them. WebAssembly core specification 2.0, 4.3.3.
 */
import type { ValueType } from '../wasm/encoder.js';
import { leb, vector, vectorUnary, type Operator } from './operator.js';

const of = (code: readonly number[], takes: readonly ValueType[], gives: ValueType): Operator => ({
  code,
  takes,
  gives,
});
const binary = (type: 'f32' | 'f64', code: number): Operator => of([code], [type, type], type);

export const floatOperators = {
  anyTrue: of(leb(0x53), ['v128'], 'i32'),
  f32x4Eq: vector(0x41),
  f32x4Ne: vector(0x42),
  f32x4Lt: vector(0x43),
  f32x4Le: vector(0x45),
  f32x4Ge: vector(0x46),
  f32x4Abs: vectorUnary(0xe0),
  f32x4Sqrt: vectorUnary(0xe3),
  f32x4Add: vector(0xe4),
  f32x4Sub: vector(0xe5),
  f32x4Mul: vector(0xe6),
  f32x4Div: vector(0xe7),
  f32x4PMin: vector(0xea), // b < a ? b : a
  f32x4PMax: vector(0xeb), // a < b ? b : a
  f64x2Eq: vector(0x47),
  f64x2Ne: vector(0x48),
  f64x2Lt: vector(0x49),
  f64x2Le: vector(0x4b),
  f64x2Ge: vector(0x4c),
  f64x2Abs: vectorUnary(0xec),
  f64x2Sqrt: vectorUnary(0xef),
  f64x2Add: vector(0xf0),
  f64x2Sub: vector(0xf1),
  f64x2Mul: vector(0xf2),
  f64x2Div: vector(0xf3),
  f64x2PMin: vector(0xf4),
  f64x2PMax: vector(0xf5),
  f32Sqrt: of([0x91], ['f32'], 'f32'),
  f32Add: binary('f32', 0x92),
  f32Sub: binary('f32', 0x93),
  f32Mul: binary('f32', 0x94),
  f32Div: binary('f32', 0x95),
  f64Sqrt: of([0x9f], ['f64'], 'f64'),
  f64Add: binary('f64', 0xa0),
  f64Sub: binary('f64', 0xa1),
  f64Mul: binary('f64', 0xa2),
  f64Div: binary('f64', 0xa3),
  f32Lane: of([...leb(0x1f), 0], ['v128'], 'f32'), // lane 0
  f64Lane: of([...leb(0x21), 0], ['v128'], 'f64'),
  withF32: of([...leb(0x20), 0], ['v128', 'f32'], 'v128'),
  withF64: of([...leb(0x22), 0], ['v128', 'f64'], 'v128'),
  f32Lt: of([0x5d], ['f32', 'f32'], 'i32'),
  f32Ne: of([0x5c], ['f32', 'f32'], 'i32'),
  f64Lt: of([0x63], ['f64', 'f64'], 'i32'),
  f64Ne: of([0x62], ['f64', 'f64'], 'i32'),
  // Conversions.
  f32FromInteger: of([0xb4], ['i64'], 'f32'), // signed, nearest
  f64FromInteger: of([0xb9], ['i64'], 'f64'),
  f32FromDouble: of([0xb6], ['f64'], 'f32'),
  f64FromSingle: of([0xbb], ['f32'], 'f64'),
  f32Nearest: of([0x90], ['f32'], 'f32'),
  f64Nearest: of([0x9e], ['f64'], 'f64'),
  integerFromSingle: of([0xfc, 0x04], ['f32'], 'i64'), // signed, towards zero, saturating
  integerFromDouble: of([0xfc, 0x06], ['f64'], 'i64'),
  f32x4FromIntegers: vectorUnary(0xfa), // four i32
  f64x2FromIntegers: vectorUnary(0xfe), // the low two i32
  integersFromSingles: vectorUnary(0xf8), // four i32, signed, towards zero, saturating
  f32x4Nearest: vectorUnary(0x6a),
} as const satisfies Record<string, Operator>;
