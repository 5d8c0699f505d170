// The evaluation that the mails of 2016 ask for: docs/evaluation.md, with its figures and its page.
//
//   npm run evaluation                       makes every run, keeps the figures and writes the documents
//   npm run evaluation -- --only NAME        makes the runs of one argument anew (may be repeated)
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

/** What was measured: the kernels by name, release and hash. */
async function aboutOf(runs) {
  const described = [];
  for (const name of kernels) {
    const { console: printed } = doorOf(await runs.comparison(name), 'pvh');
    const release = /Linux version (\S+)/.exec(printed)?.[1] ?? 'unknown';
    const sha256 = createHash('sha256')
      .update(readFileSync(kernelFile(name)))
      .digest('hex');
    described.push({ name, release, sha256 });
  }
  const { efikit } = await runs.comparison(kernels[0]);
  return {
    efikit,
    kernels: described,
    setting: `1 GiB of RAM, the initrd of examples/get-kernels, command line \`${commandLine}\` where nothing else is said`,
  };
}

async function main() {
  const { values } = parseArgs({
    options: { page: { type: 'boolean' }, only: { type: 'string', multiple: true } },
  });
  const unknown = values.only?.find((name) => !evaluated.some((argument) => argument.name === name));
  if (unknown !== undefined)
    throw new Error(`--only ${unknown}: the choices are ${evaluated.map(({ name }) => name).join(', ')}`);
  if (!values.page) {
    const runs = new Runs();
    const before = kept();
    const figures = {};
    for (const { name, figures: measure } of evaluated) {
      const again = values.only === undefined || values.only.includes(name) || before.figures[name] === undefined;
      if (again) process.stderr.write(`evaluation: ${name}\n`);
      figures[name] = again ? await measure(runs) : before.figures[name];
    }
    const all = { about: await aboutOf(runs), figures };
    mkdirSync(path.dirname(figuresFile), { recursive: true });
    writeFileSync(figuresFile, await formatted(JSON.stringify(all), figuresFile));
  }
  writeFileSync(pageFile, await currentPage());
  for (const [name, picture] of Object.entries(pictures(kept())))
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
