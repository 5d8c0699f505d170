// Writes docs/ablation.md: what kernels need of EFI and of the machine, found by `efikit ablate`.
//
//   node .ci/ablation.mjs              makes the page of the findings that are kept in .ci/ablation/results.json
//   node .ci/ablation.mjs --check      status 1 when the page is not what the findings give
//   node .ci/ablation.mjs --write      ablates the kernels anew (some 500 runs), keeps the findings, makes the page;
//                                      interrupted, it goes on where it was
//
// Kernels come from examples/get-kernels.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as prettier from 'prettier';
import { page } from './ablation/page.mjs';
import { kernelFile } from './kernels.mjs';
import { root } from './sources.mjs';

export const kernels = ['6.1-cloud', '6.12-cloud', 'latest-cloud'];
export const resultsFile = path.join(root, '.ci/ablation/results.json');
export const pageFile = path.join(root, 'docs/ablation.md');
const journal = path.join(root, 'dist/ablation.jsonl');

const formatted = async (text, file) =>
  prettier.format(text, { ...(await prettier.resolveConfig(file)), filepath: file });

/** The page that the kept findings give. */
export const currentPage = async () => formatted(page(JSON.parse(readFileSync(resultsFile, 'utf8'))), pageFile);

/** The findings as they are kept: what of the console the page does not show is left out, and images are named, not placed. */
export function keptFindings({ efikit, ablations }) {
  const trialOf = (trial) => ({ ...trial, lost: undefined, appeared: undefined }); // JSON has no undefined
  return {
    efikit,
    ablations: ablations.map((one, index) => ({
      ...one,
      image: { ...one.image, path: kernels[index] },
      parts: one.parts.map((part) => ({ ...part, trials: part.trials.map(trialOf) })),
    })),
  };
}

function ablate() {
  const files = kernels.map(kernelFile);
  for (const file of files)
    if (!existsSync(file)) throw new Error(`${file} is missing: fetch it with examples/get-kernels`);
  const command = [path.join(root, 'dist/cli.js'), 'ablate', ...files, '--journal', journal, '--json', '-'];
  const { status, stdout } = spawnSync(process.execPath, command, {
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`efikit ablate ended with status ${status}; what has run is kept in ${journal}`);
  rmSync(journal);
  return JSON.parse(stdout);
}

async function main() {
  const { values } = parseArgs({ options: { write: { type: 'boolean' }, check: { type: 'boolean' } } });
  if (values.write) writeFileSync(resultsFile, await formatted(JSON.stringify(keptFindings(ablate())), resultsFile));
  const text = await currentPage();
  if (!values.check) writeFileSync(pageFile, text);
  else if (readFileSync(pageFile, 'utf8') !== text) throw new Error('docs/ablation.md is stale: run npm run docs');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await main();
  } catch (error) {
    process.stderr.write(`ablation: ${error.message}\n`);
    process.exit(1);
  }
}
