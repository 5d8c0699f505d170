/** Shape keys as text: 'Add r32,m32', 'Push i64 legacy'. The definition's name, then each operand, then the mode. */
import type { OperandShape } from '../ir/lifter.js';

const letters = {
  register: 'r',
  memory: 'm',
  immediate: 'i',
  vector: 'v',
  fixed: 'f',
  branch: 'b',
  other: 'o',
} as const;
const kinds = Object.fromEntries(Object.entries(letters).map(([kind, letter]) => [letter, kind])) as Readonly<
  Record<string, OperandShape['kind']>
>;
const LEGACY = 'legacy';

export interface ParsedShape {
  readonly name: string; // key of the definition in its family
  readonly operands: readonly OperandShape[];
  readonly long: boolean;
}

export function shapeKey(name: string, operands: readonly OperandShape[], legacy: boolean): string {
  return `${name} ${operands.map(describe).join(',')}${legacy ? ` ${LEGACY}` : ''}`;
}

function describe(operand: OperandShape): string {
  return `${letters[operand.kind]}${String(operand.bits)}${operand.register === undefined ? '' : `#${String(operand.register)}`}`;
}

export function parseShapeKey(key: string): ParsedShape {
  const [name = '', operands = '', mode] = key.split(' ');
  return { name, operands: operands === '' ? [] : operands.split(',').map(parseOperand), long: mode !== LEGACY };
}

function parseOperand(text: string): OperandShape {
  const [bits = '', register] = text.slice(1).split('#');
  const kind = kinds[text.charAt(0)];
  if (kind === undefined) throw new Error(`${text} is no operand of a shape key`);
  return { kind, bits: Number(bits), ...(register === undefined ? {} : { register: Number(register) }) };
}
