// The evaluation that the mails of 2016 ask for: docs/evaluation.md, with its figures and its page.
//
//   npm run evaluation                       makes every run, keeps the figures and writes the documents
//   npm run evaluation -- --only NAME        makes the runs of one argument anew (may be repeated)
//   npm run evaluation -- --kept-rows        the same, but rows that have data (.ci/evaluation/rows/results) are not run again
//   npm run evaluation -- --page             writes docs/evaluation.md of the kept figures
//
// Kernels come from examples/get-kernels.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as prettier from 'prettier';
import { evaluated } from './evaluation/arguments/index.mjs';
import { page, pictures } from './evaluation/page.mjs';
import { commandLine, doorOf, kernels, Runs } from './evaluation/runs.mjs';
import { kernelFile } from './kernels.mjs';
import { root } from './sources.mjs';

export const pageFile = path.join(root, 'docs/evaluation.md');
export const figuresFile = path.join(root, 'docs/evaluation/figures.json');

const formatted = async (text, file) =>
  prettier.format(text, { ...(await prettier.resolveConfig(file)), filepath: file });
const kept = () => (existsSync(figuresFile) ? JSON.parse(readFileSync(figuresFile, 'utf8')) : { figures: {} });

/** The document that the kept figures give. */
export const currentPage = async () => formatted(page(kept()), pageFile);

/** The pictures that the kept figures give, by name. */
export const currentPictures = () => pictures(kept());

/** What was measured: the kernels by name, release and hash. */
async function aboutOf(runs) {
  const described = [];
  for (const name of kernels) {
    const { console: printed } = doorOf(await runs.plain(name), 'pvh');
    const release = /Linux version (\S+)/.exec(printed)?.[1] ?? 'unknown';
    const sha256 = createHash('sha256')
      .update(readFileSync(kernelFile(name)))
      .digest('hex');
    described.push({ name, release, sha256 });
  }
  const { efikit } = await runs.plain(kernels[0]);
  return {
    efikit,
    kernels: described,
    setting: `1 GiB of RAM, the initrd of examples/get-kernels, command line \`${commandLine}\` where nothing else is said`,
  };
}

async function main() {
  const { values } = parseArgs({
    options: {
      page: { type: 'boolean' },
      only: { type: 'string', multiple: true },
      'kept-rows': { type: 'boolean' },
    },
  });
  const unknown = values.only?.find((name) => !evaluated.some((argument) => argument.name === name));
  if (unknown !== undefined)
    throw new Error(`--only ${unknown}: the choices are ${evaluated.map(({ name }) => name).join(', ')}`);
  if (!values.page) {
    mkdirSync(path.dirname(figuresFile), { recursive: true });
    const runs = new Runs({ keptRows: values['kept-rows'] });
    const figures = { ...kept().figures };
    const about = await aboutOf(runs);
    for (const { name, figures: measure } of evaluated) {
      if (values.only !== undefined && !values.only.includes(name)) continue;
      process.stderr.write(`evaluation: ${name}\n`);
      figures[name] = await measure(runs);
      // What was measured is kept even when a later argument cannot be.
      writeFileSync(figuresFile, await formatted(JSON.stringify({ about, figures }), figuresFile));
    }
  }
  writeFileSync(pageFile, await currentPage());
  for (const [name, picture] of Object.entries(currentPictures()))
    writeFileSync(path.join(path.dirname(figuresFile), `${name}.svg`), picture);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await main();
  } catch (error) {
    process.stderr.write(`evaluation: ${error.message}\n`);
    process.exit(1);
  }
}
