// Prints the table of quirks for docs/quirks.md from the code: node .ci/quirks.mjs
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './sources.mjs';

const { quirks } = await import(pathToFileURL(path.join(root, 'dist/src/index.js')).href);
const cell = (text) => text.replaceAll('|', '\\|');
process.stdout.write('| quirk | value | default | what the firmware does |\n| --- | --- | --- | --- |\n');
for (const { name, value, byDefault, meaning } of quirks) {
  process.stdout.write(`| \`${name}\` | \`${cell(value)}\` | \`${cell(byDefault)}\` | ${cell(meaning)} |\n`);
}
