// The detection matrix of Xen: boots kernels with Xen's CPUID leaves, the FADT's flags and the Xen configuration table each
// there or not, and says what Linux concluded.
//
//   node .ci/xen-matrix.mjs                     boots every cell (58 boots) and prints the tables
//   node .ci/xen-matrix.mjs --kernel 6.1-cloud  one kernel alone (may be repeated); --door NAME: one door alone
//   node .ci/xen-matrix.mjs --write             keeps the results as well and makes docs/xen-detection.md
//   node .ci/xen-matrix.mjs --page              makes the page of the kept results
//
// Kernels come from examples/get-kernels. Wants the build (npm run build).
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as prettier from 'prettier';
import { kernelOf } from './xen-matrix/boots.mjs';
import { matrix, page } from './xen-matrix/page.mjs';
import { cellsOf, kernels, nameOf, pageFile, resultsFile } from './xen-matrix/settings.mjs';

const formatted = async (text, file) =>
  prettier.format(text, { ...(await prettier.resolveConfig(file)), filepath: file });
const keptResults = () => (existsSync(resultsFile) ? JSON.parse(readFileSync(resultsFile, 'utf8')) : {});

/** The page that the kept results give. */
export async function currentPage() {
  return formatted(page(keptResults()), pageFile);
}

async function results(kernel, door) {
  const boot = await kernelOf(kernel);
  const found = {};
  for (const cell of cellsOf(kernel).filter((wanted) => door === undefined || wanted.door === door)) {
    const result = await boot(cell);
    found[nameOf(cell)] = result;
    const { outcome, detected, banner, guest_type: guestType } = result;
    process.stderr.write(
      `xen-matrix: ${kernel}, ${nameOf(cell)}: ${[outcome, detected, banner, guestType].join(' / ')}\n`,
    );
  }
  return found;
}

async function main() {
  const { values } = parseArgs({
    options: {
      write: { type: 'boolean' },
      page: { type: 'boolean' },
      door: { type: 'string' },
      kernel: { type: 'string', multiple: true },
    },
  });
  if (!values.page) {
    const fresh = keptResults();
    for (const kernel of values.kernel ?? kernels) {
      if (!kernels.includes(kernel)) throw new Error(`--kernel ${kernel}: the choices are ${kernels.join(', ')}`);
      const found = await results(kernel, values.door);
      process.stdout.write(`${kernel}\n\n${matrix(kernel, found)}\n\n`);
      fresh[kernel] = { ...fresh[kernel], ...found };
    }
    if (!values.write) return;
    const inOrder = Object.fromEntries(kernels.filter((name) => name in fresh).map((name) => [name, fresh[name]]));
    writeFileSync(resultsFile, await formatted(JSON.stringify(inOrder), resultsFile));
  }
  writeFileSync(pageFile, await currentPage());
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await main();
  } catch (error) {
    process.stderr.write(`xen-matrix: ${error.message}\n`);
    process.exit(1);
  }
}
