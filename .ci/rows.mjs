// The rows of the experiment that need runs of their own: each is a file in .ci/evaluation/rows that exports `measure`, and its
// data are kept beside it in results/.
//
//   node .ci/rows.mjs                 runs every row and keeps what it gives
//   node .ci/rows.mjs NAME...         these rows alone
//   node .ci/rows.mjs --list          their names, and what each measures
//
// Kernels come from examples/get-kernels, other images from examples/get-images. Wants the build (npm run build).
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { keptRow, measureRow, rows } from './evaluation/rows/index.mjs';

async function main() {
  const { values, positionals } = parseArgs({ options: { list: { type: 'boolean' } }, allowPositionals: true });
  if (values.list) {
    for (const [name, { what }] of Object.entries(rows))
      process.stdout.write(`${name.padEnd(16)} ${keptRow(name) === undefined ? '(no data)  ' : ''}${what}\n`);
    return;
  }
  for (const name of positionals.length === 0 ? Object.keys(rows) : positionals) {
    if (rows[name] === undefined) throw new Error(`${name}: the rows are ${Object.keys(rows).join(', ')}`);
    const started = performance.now();
    await measureRow(name, (line) => process.stderr.write(`rows: ${name}: ${line}\n`));
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
