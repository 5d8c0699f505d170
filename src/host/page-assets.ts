import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PageAssets } from '../report/page/document.js';
import { InputError } from './files.js';

/** dist/page, seen from the bundle (dist/), from dist/src/host and from src/host. */
const folders = ['page', '../../page', '../../dist/page'];

/** The style and the script of report pages, as the build wrote them. Throws InputError when nothing was built. */
export function loadPageAssets(): PageAssets {
  const here = path.dirname(fileURLToPath(import.meta.url));
  for (const folder of folders) {
    const read = (name: string): string => readFileSync(path.join(here, folder, name), 'utf8');
    try {
      return { style: read('page.css'), script: read('page.js') };
    } catch {
      continue;
    }
  }
  throw new InputError(
    'the style and the script of report pages are missing: run npm run build, or install efikit again',
  );
}
