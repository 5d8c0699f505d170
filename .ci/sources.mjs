// Which sources a build is made of, and whether the build still fits them.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
export const stampFile = path.join(root, 'dist/.build.json');

/** All files below `folders` (relative to the checkout) whose name ends in one of `endings`, sorted. */
export function filesBelow(folders, endings) {
  return folders
    .flatMap((folder) =>
      readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && endings.some((ending) => entry.name.endsWith(ending)))
        .map((entry) => path.relative(root, path.join(entry.parentPath ?? entry.path, entry.name))),
    )
    .sort();
}

/** Names, sizes and times of the sources as one text: equal exactly while nobody touched them. */
function fingerprint(files) {
  const hash = createHash('sha256');
  for (const file of files) {
    const { size, mtimeMs } = statSync(path.join(root, file), { throwIfNoEntry: false }) ?? { size: 0, mtimeMs: 0 };
    hash.update(`${file}:${size}:${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

const scripts = [
  'examples/proposal-linux/proposal-linux.efi',
  '.ci/build.mjs',
  '.ci/build-core.mjs',
  '.ci/code-cache.mjs',
  '.ci/sources.mjs',
  'package-lock.json',
];

/** Folders that asc compiles, not TypeScript. */
export const assemblyScript = ['src/cpu/core', 'src/loaders/decompress/core'];

/** TypeScript for browsers: report pages carry it. */
export const browserScript = 'src/report/page-client';

/** Where lines of our own code are counted (.ci/code-lines.mjs). */
const countedFolders = ['src/boot', 'src/bytes', 'src/firmware', 'src/memory', 'src/xen', 'firmware-tables'];

/** Fingerprints of what the processor is built of and of everything else. */
export function currentSources() {
  return {
    processor: fingerprint([...filesBelow(['src/cpu', 'src/loaders/decompress/core'], ['.ts', '.json']), ...scripts]),
    lines: fingerprint([...filesBelow(countedFolders, ['.ts']), 'test/efi/code-lines.ts', 'test/efi/service-lines.ts']),
    library: fingerprint([...filesBelow(['src', 'firmware-tables'], ['.ts', '.css']), ...scripts]),
  };
}

/** Fingerprints of the last build; empty when there is none. */
export function builtSources() {
  try {
    return JSON.parse(readFileSync(stampFile, 'utf8'));
  } catch {
    return {};
  }
}
