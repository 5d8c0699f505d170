/** Blocks and instructions that no decoder made, for tests of what the hot tier does with them. */
import type { Block } from '../../../src/cpu/blocks.js';
import type { LiftedShape, ResolvedInstruction, Transfer } from '../../../src/cpu/hot/records.js';
import type { Statement } from '../../../src/cpu/ir/lifter.js';
import * as L from '../../../src/cpu/state-layout.js';

export const instructionBytes = 4;

const inert: Omit<LiftedShape, 'statements'> = {
  byHelper: false,
  registers: 0,
  written: 0,
  writtenOperands: 0,
  flags: { reads: false, updates: false, writes: false, replaces: false },
  mayLeave: false,
  accessesMemory: false,
  transfer: 'none',
};

/** A block of as many bytes as its instructions have. */
export function madeUpBlock(linear: bigint, more: Partial<Block> = {}): Block {
  return {
    linear,
    physical: Number(linear & 0xff_ffffn),
    mode: L.MODE_LONG,
    record: L.RECORDS,
    records: 1,
    bytes: instructionBytes,
    secondPage: undefined,
    valid: true,
    ...more,
  };
}

/** An instruction without operands; `target`: where a direct branch of it leads. */
export function madeUpInstruction(
  address: bigint,
  statements: readonly Statement[],
  { target = 0n, transfer = 'none', ...shape }: Partial<LiftedShape> & { target?: bigint; transfer?: Transfer } = {},
): ResolvedInstruction {
  return {
    record: L.RECORDS,
    shape: { ...inert, statements, transfer, ...shape },
    address,
    nextRip: address + BigInt(instructionBytes),
    linkable: false,
    operands: [L.ZERO, L.ZERO],
    base: L.ZERO,
    index: L.ZERO,
    scale: 0,
    shift: 0,
    displacement: 0,
    segment: L.ZERO,
    immediate: target,
    constantBase: undefined,
  };
}
