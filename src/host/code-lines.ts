import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CodeLineFigures } from '../probe/cost/code-lines.js';

/** dist/ seen from the bundle, from dist/src/host and from src/host. */
const folders = ['.', '../..', '../../dist'];

/** The figures that the build counted; undefined where there was none. */
export function loadCodeLines(): CodeLineFigures | undefined {
  const here = path.dirname(fileURLToPath(import.meta.url));
  const found = folders.map((folder) => path.join(here, folder, 'code-lines.json')).find((file) => existsSync(file));
  return found === undefined ? undefined : (JSON.parse(readFileSync(found, 'utf8')) as CodeLineFigures);
}
