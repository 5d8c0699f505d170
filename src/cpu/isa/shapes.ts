/**
 * Shapes: an iced-x86 code with its r/m operand resolved to register or memory. One cold handler exists per distinct
 * meaning: shapes of one definition with the same operand kinds and widths share it.
 */
import {
  CodeExt,
  Code,
  EncodingKind,
  MemorySizeExt,
  Mnemonic,
  OpCodeOperandKind as K,
  type OpCodeInfo,
} from '../iced.js';
import { Lifter, type OperandShape } from '../ir/lifter.js';
import type { Family } from './family.js';
import { shapeKey } from './shape-key.js';

export interface Shape {
  readonly code: number;
  readonly memory: boolean; // the r/m operand is memory
  readonly operands: readonly OperandShape[];
  readonly longCode: boolean; // 64-bit code
  readonly lifter: Lifter; // the definition, written out
  /** Same key, same handler. */
  readonly key: string;
}

const register = (bits: number): OperandShape => ({ kind: 'register', bits });
const fixed = (number: number, bits: number): OperandShape => ({ kind: 'fixed', bits, register: number });
const immediate = (bits: number): OperandShape => ({ kind: 'immediate', bits });
const vector: OperandShape = { kind: 'vector', bits: 128 };
const branch: OperandShape = { kind: 'branch', bits: 64 };
const other: OperandShape = { kind: 'other', bits: 0 };

/** The shape of one operand kind; a number instead means "r/m: a register of that many bits, or memory". */
const operandKinds: Readonly<Record<number, OperandShape | number | 'memory'>> = {
  [K.r8_or_mem]: 8,
  [K.r16_or_mem]: 16,
  [K.r32_or_mem]: 32,
  [K.r64_or_mem]: 64,
  [K.xmm_or_mem]: 128,
  [K.mm_or_mem]: 65, // MMX: kept apart below
  [K.mem]: 'memory',
  [K.mem_offs]: 'memory',
  [K.seg_rBX_al]: 'memory',
  [K.seg_rDI]: 'memory',
  [K.r8_reg]: register(8),
  [K.r8_opcode]: register(8),
  [K.r16_reg]: register(16),
  [K.r16_rm]: register(16),
  [K.r16_opcode]: register(16),
  [K.r32_reg]: register(32),
  [K.r32_rm]: register(32),
  [K.r32_opcode]: register(32),
  [K.r64_reg]: register(64),
  [K.r64_rm]: register(64),
  [K.r64_opcode]: register(64),
  [K.al]: fixed(0, 8),
  [K.cl]: fixed(1, 8),
  [K.ax]: fixed(0, 16),
  [K.dx]: fixed(2, 16),
  [K.eax]: fixed(0, 32),
  [K.rax]: fixed(0, 64),
  [K.imm8]: immediate(8),
  [K.imm8_const_1]: immediate(8),
  [K.imm8sex16]: immediate(16),
  [K.imm8sex32]: immediate(32),
  [K.imm8sex64]: immediate(64),
  [K.imm16]: immediate(16),
  [K.imm32]: immediate(32),
  [K.imm32sex64]: immediate(64),
  [K.imm64]: immediate(64),
  [K.xmm_reg]: vector,
  [K.xmm_rm]: vector,
  [K.mm_reg]: { kind: 'vector', bits: 64 },
  [K.mm_rm]: { kind: 'vector', bits: 64 },
  [K.br32_1]: branch,
  [K.br32_4]: branch,
  [K.br64_1]: branch,
  [K.br64_4]: branch,
};

function operandShape(info: OpCodeInfo, index: number, memory: boolean): OperandShape {
  const kind = operandKinds[info.opKind(index)];
  if (kind === undefined) return other;
  const memoryBits = MemorySizeExt.size(info.memorySize) * 8;
  if (kind === 'memory') return { kind: 'memory', bits: memoryBits };
  if (typeof kind !== 'number') return kind;
  if (memory) return { kind: 'memory', bits: memoryBits };
  if (kind === 128) return vector;
  return kind === 65 ? { kind: 'vector', bits: 64 } : register(kind);
}

/** Every shape that the families define, in the order of codes. */
export function enumerateShapes(families: readonly Family[]): Shape[] {
  const definitions = new Map(families.flatMap((family) => Object.entries(family)));
  const unused = new Set(definitions.keys());
  const shapes: Shape[] = [];
  for (const [name, code] of Object.entries(Code)) {
    if (typeof code !== 'number') continue;
    const info = CodeExt.opCode(code);
    if (info.encoding !== EncodingKind.Legacy || !(info.mode32 || info.mode64)) continue;
    const mnemonic = Mnemonic[info.mnemonic];
    const definition = definitions.get(name) ?? definitions.get(mnemonic);
    if (definition === undefined) continue;
    unused.delete(name);
    unused.delete(mnemonic);
    if (isSixteenBitBranch(info)) continue;
    // Segment, control and debug registers: only a definition of the code itself knows what they are.
    if (!definitions.has(name) && hasSystemOperand(info)) continue;
    const kinds = Array.from({ length: info.opCount }, (_, index) => operandKinds[info.opKind(index)]);
    const variable = kinds.some((kind) => typeof kind === 'number');
    const always = kinds.includes('memory');
    for (const memory of variable ? [false, true] : [always]) {
      const operands = kinds.map((_, index) => operandShape(info, index, memory));
      const id = definitions.has(name) ? name : mnemonic;
      for (const long of info.mode64 && info.mode32 ? [true, false] : [info.mode64]) {
        const lifter = new Lifter(operands, long);
        definition(lifter);
        const key = shapeKey(id, operands, !long && lifter.dependsOnMode);
        shapes.push({ code, memory, operands, longCode: long, lifter, key });
      }
    }
  }
  if (unused.size > 0) throw new Error(`no x86 code is named ${[...unused].join(', ')}`);
  return shapes;
}

function hasSystemOperand(info: OpCodeInfo): boolean {
  return Array.from({ length: info.opCount }, (_, i) => info.opKind(i)).some(
    (kind) => operandKinds[kind] === undefined,
  );
}

function isSixteenBitBranch(info: OpCodeInfo): boolean {
  return Array.from({ length: info.opCount }, (_, i) => info.opKind(i)).some((kind) =>
    ([K.br16_1, K.br16_2, K.farbr2_2] as number[]).includes(kind),
  );
}
