import { readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './efikit.js';

/** The paths of docs/comparison.md, in its blocks of text. */
export function documentedPaths(): string[] {
  const text = readFileSync(path.join(root, 'docs/comparison.md'), 'utf8');
  const blocks = [...text.matchAll(/```text\n([^]*?)```/g)].flatMap(([, block = '']) => block.split('\n'));
  return blocks.flatMap((line) => line.split(/\s/, 1)).filter((documented) => documented !== '');
}

/** Every path of plain data, down to what is no object: keys as they are, `[]` for elements. */
function pathsOf(data: unknown, at: readonly string[] = []): readonly (readonly string[])[] {
  if (Array.isArray(data)) return data.flatMap((element) => pathsOf(element, [...at, '[]']));
  if (typeof data !== 'object' || data === null) return [at];
  return Object.entries(data).flatMap(([key, value]) => pathsOf(value, [...at, key]));
}

/** `a[].b.*` as keys: a, [], b, *. */
const keysOf = (documented: string): string[] => documented.replaceAll('[]', '.[]').split('.');

function fits(keys: readonly string[], found: readonly string[]): boolean {
  for (const [i, key] of keys.entries()) {
    if (key === '**') return true;
    if (found[i] === undefined || (key !== '*' && key !== found[i])) return false;
  }
  return keys.length === found.length;
}

/** Paths of data that no documented path fits, each kind once. */
export function undocumentedPaths(data: unknown): string[] {
  const known = documentedPaths().map(keysOf);
  const unknown = new Set<string>();
  for (const found of pathsOf(data)) if (!known.some((keys) => fits(keys, found))) unknown.add(found.join('.'));
  return [...unknown].slice(0, 20);
}
