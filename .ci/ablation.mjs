// Writes docs/ablation.md: what kernels need of EFI and of the machine, found by `efikit ablate`.
//
//   node .ci/ablation.mjs              makes the page of the findings that are kept in .ci/ablation/results.json
//   node .ci/ablation.mjs --check      status 1 when the page is not what the findings give
//   node .ci/ablation.mjs --write      ablates the kernels anew (some 200 runs each), keeps the findings, makes the page;
//                                      interrupted, it goes on where it was
//   node .ci/ablation.mjs --write --kernel 6.1-cloud     one kernel alone (may be repeated)
//
// Kernels come from examples/get-kernels.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as prettier from 'prettier';
import { page } from './ablation/page.mjs';
import { resultsFile as justifyFile } from './justify/settings.mjs';
import { kernelFile } from './kernels.mjs';
import { root } from './sources.mjs';

export const kernels = ['6.1-cloud', '6.12-cloud', 'latest-cloud'];
export const resultsFile = path.join(root, '.ci/ablation/results.json');
export const pageFile = path.join(root, 'docs/ablation.md');

const formatted = async (text, file) =>
  prettier.format(text, { ...(await prettier.resolveConfig(file)), filepath: file });

/** The page that the kept findings give. */
export const currentPage = async () => {
  const [found, justified] = [resultsFile, justifyFile].map((file) => JSON.parse(readFileSync(file, 'utf8')));
  return formatted(page(found, justified), pageFile);
};

/** One kernel's findings as they are kept: what of the console the page does not show is left out, and the image is named, not placed. */
export function keptFindings(kernel, { ablations: [found] }) {
  const withoutLines = (trial) => ({ ...trial, lost: undefined, appeared: undefined }); // JSON has no undefined
  return {
    ...found,
    image: { ...found.image, path: kernel },
    parts: found.parts.map((part) => ({ ...part, trials: part.trials.map(withoutLines) })),
  };
}

/** The kept findings with those of one kernel anew. */
export function withFindings(results, kernel, findings) {
  const all = new Map([...results.ablations.map((one) => [one.image.path, one]), [kernel, findings]]);
  return { efikit: findings.efikit, ablations: kernels.flatMap((name) => all.get(name) ?? []) };
}

function ablate(kernel) {
  const file = kernelFile(kernel);
  if (!existsSync(file)) throw new Error(`${file} is missing: fetch it with examples/get-kernels`);
  const journal = path.join(root, `dist/ablation-${kernel}.jsonl`);
  const command = [path.join(root, 'dist/cli.js'), 'ablate', file, '--journal', journal, '--json', '-'];
  const { status, stdout } = spawnSync(process.execPath, command, {
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`efikit ablate ended with status ${status}; what has run is kept in ${journal}`);
  rmSync(journal);
  return keptFindings(kernel, JSON.parse(stdout));
}

async function main() {
  const { values } = parseArgs({
    options: { write: { type: 'boolean' }, check: { type: 'boolean' }, kernel: { type: 'string', multiple: true } },
  });
  for (const kernel of values.write ? (values.kernel ?? kernels) : []) {
    if (!kernels.includes(kernel)) throw new Error(`--kernel ${kernel}: the choices are ${kernels.join(', ')}`);
    const kept = existsSync(resultsFile) ? JSON.parse(readFileSync(resultsFile, 'utf8')) : { ablations: [] };
    const results = withFindings(kept, kernel, ablate(kernel));
    writeFileSync(resultsFile, await formatted(JSON.stringify(results), resultsFile));
  }
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
