// The rows of the experiment that need runs of their own: each is a file in .ci/evaluation/rows that exports `measure`, and its
// data are kept beside it in results/.
//
//   node .ci/rows.mjs                 runs every row and keeps what it gives
//   node .ci/rows.mjs NAME...         these rows alone
//   node .ci/rows.mjs --list          their names, and what each measures
//
// Kernels come from examples/get-kernels, other images from examples/get-images. Wants the build (npm run build).
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as prettier from 'prettier';
import { keptRow, resultFile, rows } from './evaluation/rows/index.mjs';

async function write(name, data) {
  const file = resultFile(name);
  mkdirSync(path.dirname(file), { recursive: true });
  const options = { ...(await prettier.resolveConfig(file)), filepath: file };
  writeFileSync(file, await prettier.format(JSON.stringify(data), options));
}

async function main() {
  const { values, positionals } = parseArgs({ options: { list: { type: 'boolean' } }, allowPositionals: true });
  if (values.list) {
    for (const [name, { what }] of Object.entries(rows))
      process.stdout.write(`${name.padEnd(16)} ${keptRow(name) === undefined ? '(no data)  ' : ''}${what}\n`);
    return;
  }
  for (const name of positionals.length === 0 ? Object.keys(rows) : positionals) {
    const row = rows[name];
    if (row === undefined) throw new Error(`${name}: the rows are ${Object.keys(rows).join(', ')}`);
    const started = performance.now();
    const { measure } = await row.load();
    await write(name, await measure((line) => process.stderr.write(`rows: ${name}: ${line}\n`)));
    process.stderr.write(`rows: ${name}: ${((performance.now() - started) / 1000).toFixed(0)} s\n`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await main();
  } catch (error) {
    process.stderr.write(`rows: ${error.stack}\n`);
    process.exit(1);
  }
}
