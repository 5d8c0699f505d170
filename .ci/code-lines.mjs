// Writes dist/code-lines.json: the lines of our own code behind each door and service, for `efikit compare` of a package
// that has no sources. .ci/build.mjs runs it.
//
//   node --import tsx .ci/code-lines.mjs
import { renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './sources.mjs';

const { codeLines } = await import(pathToFileURL(path.join(root, 'test/efi/code-lines.ts')).href);
const file = path.join(root, 'dist/code-lines.json');
writeFileSync(`${file}.${process.pid}`, `${JSON.stringify(codeLines())}\n`);
renameSync(`${file}.${process.pid}`, file);
