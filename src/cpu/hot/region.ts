/** A region: blocks that lead to one another, which become one function of hot code. */
import type { Block } from '../blocks.js';
import type { Statement } from '../ir/lifter.js';
import type { Signature } from '../wasm/encoder.js';
import type { BlockBody, RecordReader, ResolvedInstruction } from './records.js';

export interface RegionBlock {
  readonly block: Block;
  readonly body: BlockBody;
}

export interface Region {
  readonly entry: Block;
  readonly blocks: readonly RegionBlock[];
  /** Position in `blocks` by linear address. */
  readonly byAddress: ReadonlyMap<bigint, number>;
}

/** What is fixed for the whole region. */
export interface RegionContext {
  /** Index of a core function in the module. */
  functionIndex(name: string, signature: Signature): number;
  /** TLB entries - 1. */
  readonly tlbMask: number;
  /** Code at CPL 3. */
  readonly user: boolean;
}

const MAX_INSTRUCTIONS = 500;
const MAX_BLOCKS = 64;

/** Whether hot code performs the instruction itself; otherwise it leaves in front of it. */
export function isHot(instruction: ResolvedInstruction): boolean {
  return instruction.lifter.statements.every(isHotStatement);
}

function isHotStatement(statement: Statement): boolean {
  if (statement.kind === 'helper') return false;
  if (statement.kind === 'raise') return true; // emitted as leaving in front of the instruction
  if (statement.kind === 'if') return [...statement.then, ...statement.else].every(isHotStatement);
  return true;
}

/** Direct targets of an instruction: where a region may go on. */
function targetsOf(instruction: ResolvedInstruction): bigint[] {
  const targets: bigint[] = [];
  for (const statement of instruction.lifter.statements) {
    if (statement.kind !== 'jump' && statement.kind !== 'jumpIf') continue;
    if (statement.target.source.kind !== 'immediate') continue;
    targets.push(instruction.immediate);
    if (pushes(instruction)) targets.push(instruction.nextRip); // a call: it will come back
  }
  return targets;
}

const pushes = (instruction: ResolvedInstruction): boolean =>
  instruction.lifter.statements.some(({ kind }) => kind === 'store');

/** Gathers the blocks reachable from `entry` by direct branches, calls included, as far as they have been decoded. */
export function formRegion(
  entry: Block,
  find: (linear: bigint, mode: number) => Block | undefined,
  reader: RecordReader,
): Region | undefined {
  const blocks: RegionBlock[] = [];
  const byAddress = new Map<bigint, number>();
  const queue: bigint[] = [entry.linear];
  let instructions = 0;
  while (queue.length > 0 && blocks.length < MAX_BLOCKS && instructions < MAX_INSTRUCTIONS) {
    const linear = queue.shift() ?? 0n;
    if (byAddress.has(linear)) continue;
    const block = linear === entry.linear ? entry : find(linear, entry.mode);
    if (block === undefined || block.secondPage !== undefined) continue;
    const whole = reader.body(block.record);
    const cut = whole.instructions.findIndex((instruction) => !isHot(instruction));
    const body = cut < 0 ? whole : { instructions: whole.instructions.slice(0, cut + 1), fallThrough: undefined };
    if (body.instructions.length === 0 || cut === 0) {
      if (blocks.length === 0) return undefined;
      continue;
    }
    byAddress.set(linear, blocks.length);
    blocks.push({ block, body });
    instructions += body.instructions.length;
    for (const instruction of body.instructions) queue.push(...targetsOf(instruction));
    if (body.fallThrough !== undefined) queue.push(body.fallThrough);
  }
  return blocks.length === 0 ? undefined : { entry, blocks, byAddress };
}
