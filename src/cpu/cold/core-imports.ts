import type { Statement } from '../ir/lifter.js';
import type { Node } from '../ir/nodes.js';
import type { Shape } from '../isa/shapes.js';
import type { Signature } from '../wasm/encoder.js';

const always: readonly (readonly [string, Signature])[] = [
  ['raise', { parameters: ['i32', 'i32', 'i32'], results: ['i32'] }],
  ['loadSlow', { parameters: ['i64', 'i32', 'i32'], results: ['i64'] }],
  ['loadForWriteSlow', { parameters: ['i64', 'i32', 'i32'], results: ['i64'] }],
  ['storeSlow', { parameters: ['i64', 'i64', 'i32', 'i32'], results: [] }],
  ['load128Slow', { parameters: ['i64', 'i32', 'i32'], results: [] }],
  ['store128Slow', { parameters: ['i64', 'i32', 'i32'], results: [] }],
  ['fetchTranslate', { parameters: ['i64'], results: ['i32'] }],
  ['deliverException', { parameters: [], results: ['i32'] }],
];

/** The core functions that the shapes and the dispatch loop call, with their signatures. */
export function coreImports(shapes: readonly Shape[]): ReadonlyMap<string, Signature> {
  const found = new Map<string, Signature>(always);
  const visitNode = (node: Node): void => {
    const { source } = node;
    if (source.kind === 'call') {
      found.set(source.name, { parameters: source.arguments.map(({ type }) => type), results: [node.type] });
    }
    if ('arguments' in source) source.arguments.forEach(visitNode);
  };
  const visit = (statement: Statement): void => {
    if (statement.kind === 'helper' || statement.kind === 'rareHelper') {
      found.set(statement.name, { parameters: ['i32'], results: ['i32'] });
    }
    if (statement.kind === 'if') [...statement.then, ...statement.else].forEach(visit);
    if (statement.kind === 'flags') {
      Object.values(statement.form).forEach((part) => {
        if (typeof part === 'object') visitNode(part as Node);
      });
    }
    for (const key of ['value', 'address', 'condition', 'target'] as const) {
      if (key in statement) {
        const part = (statement as unknown as Record<string, unknown>)[key];
        if (typeof part === 'object') visitNode(part as Node);
      }
    }
  };
  for (const { lifter } of shapes) lifter.statements.forEach(visit);
  return found;
}
