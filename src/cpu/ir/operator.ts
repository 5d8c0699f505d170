/** What an operator of the micro-ops is: a WebAssembly instruction without immediates, or with constant ones. */
import type { ValueType } from '../wasm/encoder.js';

export interface Operator {
  readonly code: readonly number[];
  readonly takes: readonly ValueType[];
  readonly gives: ValueType;
}

/** The vector prefix and its opcode as LEB128. */
export const leb = (code: number): number[] => (code < 0x80 ? [0xfd, code] : [0xfd, (code & 0x7f) | 0x80, code >> 7]);
export const vector = (code: number): Operator => ({ code: leb(code), takes: ['v128', 'v128'], gives: 'v128' });
export const vectorUnary = (code: number): Operator => ({ code: leb(code), takes: ['v128'], gives: 'v128' });
