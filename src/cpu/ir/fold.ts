/** Values that are known when an instruction is compiled: constants, its immediate, and what follows from them. */
import type { Node, OperatorName } from './nodes.js';

const bool = (value: boolean): bigint => (value ? 1n : 0n);
const unsigned = (value: bigint): bigint => BigInt.asUintN(64, value);

const folds: Partial<Record<OperatorName, (a: bigint, b: bigint) => bigint>> = {
  add: (a, b) => unsigned(a + b),
  sub: (a, b) => unsigned(a - b),
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  shl: (a, b) => unsigned(a << (b & 63n)),
  shr: (a, b) => a >> (b & 63n),
  remU: (a, b) => a % b,
  eqz: (a) => bool(a === 0n),
  not: (a) => bool(a === 0n),
  eq: (a, b) => bool(a === b),
  ne: (a, b) => bool(a !== b),
};

/** The value of a node as an unsigned 64-bit number; undefined when it depends on the guest's state. */
export function fold(
  { source }: Node,
  immediate: bigint,
  local: (index: number) => bigint | undefined,
): bigint | undefined {
  switch (source.kind) {
    case 'constant':
      return unsigned(source.value);
    case 'immediate':
      return immediate;
    case 'local':
      return local(source.index);
    case 'operator': {
      const compute = folds[source.name];
      if (compute === undefined) return undefined;
      const [first, second] = source.arguments;
      const a = first && fold(first, immediate, local);
      if (a === undefined) return undefined;
      if (second === undefined) return compute(a, 0n);
      const b = fold(second, immediate, local);
      return b === undefined || (source.name === 'remU' && b === 0n) ? undefined : compute(a, b);
    }
    default:
      return undefined;
  }
}
