// Writes docs/linux-profile.md: what calls each entry of the profile `linux`, and what happens without it.
//
//   node .ci/justify.mjs              makes the page of the results that are kept in .ci/justify/results.json
//   node .ci/justify.mjs --check      status 1 when the page is not what the results give
//   node .ci/justify.mjs --write      boots the kernels anew (some 200 boots), keeps their results, makes the page
//   node .ci/justify.mjs --write --kernel 6.1-cloud     one kernel alone (may be repeated)
//
// Kernels come from examples/get-kernels.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import * as prettier from 'prettier';
import { page } from './justify/page.mjs';
import { kernelFile, kernels, pageFile, resultsFile } from './justify/settings.mjs';
import { root } from './sources.mjs';

const formatted = async (text, file) =>
  prettier.format(text, { ...(await prettier.resolveConfig(file)), filepath: file });
const built = (module) => import(pathToFileURL(path.join(root, 'dist', module)).href);

/** The page that the kept results give. */
export async function currentPage() {
  const { linux } = await built('src/firmware/profiles.js');
  const { bootServiceSlots } = await built('firmware-tables/uefi/boot-services.js');
  const { runtimeServiceSlots } = await built('firmware-tables/uefi/runtime-services.js');
  const slots = [...bootServiceSlots, ...runtimeServiceSlots].map(({ name }) => name);
  return formatted(page(JSON.parse(readFileSync(resultsFile, 'utf8')), linux, slots), pageFile);
}

/** Boots one kernel in a process of its own. */
function results(kernel) {
  if (!existsSync(kernelFile(kernel)))
    throw new Error(`${kernelFile(kernel)} is missing: fetch it with examples/get-kernels`);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'efikit-justify-'));
  try {
    const file = path.join(folder, 'results.json');
    const script = path.join(root, '.ci/justify/boots.mjs');
    const { status } = spawnSync(process.execPath, ['--expose-gc', '--import', 'tsx', script, kernel, file], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    if (status !== 0) throw new Error(`the boots of ${kernel} failed`);
    return JSON.parse(readFileSync(file, 'utf8'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function main() {
  const { values } = parseArgs({
    options: { write: { type: 'boolean' }, check: { type: 'boolean' }, kernel: { type: 'string', multiple: true } },
  });
  if (values.write) {
    const kept = existsSync(resultsFile) ? JSON.parse(readFileSync(resultsFile, 'utf8')) : {};
    for (const kernel of values.kernel ?? kernels) {
      if (!kernels.includes(kernel)) throw new Error(`--kernel ${kernel}: the choices are ${kernels.join(', ')}`);
      kept[kernel] = results(kernel);
      const inOrder = Object.fromEntries(kernels.filter((name) => name in kept).map((name) => [name, kept[name]]));
      writeFileSync(resultsFile, await formatted(JSON.stringify(inOrder), resultsFile));
    }
  }
  const text = await currentPage();
  if (!values.check) writeFileSync(pageFile, text);
  else if (readFileSync(pageFile, 'utf8') !== text) throw new Error('docs/linux-profile.md is stale: run npm run docs');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await main();
  } catch (error) {
    process.stderr.write(`justify: ${error.message}\n`);
    process.exit(1);
  }
}
