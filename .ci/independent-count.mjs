// The independent count: instructions of bare guests and of whole boots here and under QEMU, and where they differ.
//
//   node .ci/independent-count.mjs                     counts everything (some five minutes) and prints the page
//   node .ci/independent-count.mjs --kernel 6.1-cloud  one kernel alone (may be repeated); --door NAME: one door alone
//   node .ci/independent-count.mjs --write             keeps the results as well and makes docs/independent-count.md
//   node .ci/independent-count.mjs --page              makes the page of the kept results
//
// Wants the build (npm run build), gcc, QEMU's emulator and OVMF. Kernels come from examples/get-kernels.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as prettier from 'prettier';
import { compared, instructionByInstruction, Names, variation } from './independent-count/compare.mjs';
import { bareCounts, kernelCounts, qemuKernel, readKernel } from './independent-count/machines.mjs';
import { page } from './independent-count/page.mjs';
import * as settings from './independent-count/settings.mjs';
import { root } from './sources.mjs';

const { doors, kernelFile, kernels, pageFile, resultsFile, say } = settings;
const formatted = async (text, file) =>
  prettier.format(text, { ...(await prettier.resolveConfig(file)), filepath: file });
const keptResults = () =>
  existsSync(resultsFile) ? JSON.parse(readFileSync(resultsFile, 'utf8')) : { bare: [], boots: [], variations: [] };

/** The page that the kept results give. */
export const currentPage = () => formatted(page(keptResults()), pageFile);

async function bareResults() {
  const results = [];
  for (const guest of settings.bareGuests) {
    const { ours, qemu, isSameText } = await bareCounts({
      image: path.join(root, 'test/bare/compute.elf'),
      append: guest,
    });
    if (!isSameText) throw new Error(`${guest}: the two machines printed different results: one of them is wrong`);
    const { differing, ours: mine, qemu: theirs } = instructionByInstruction(ours, qemu, () => true);
    results.push({ guest, ours: mine, qemu: theirs, differing, lastPasses: qemu.lastPasses });
    say(`${guest}: efikit ${mine}, QEMU ${theirs}`);
  }
  return results;
}

async function bootResults(kernel, door) {
  const counts = await kernelCounts(kernel, door);
  const names = new Names(kernel.symbols);
  const result = { kernel: kernel.name, release: settings.release(kernel.name), door, ...compared(counts, names) };
  const stretch = (side) => counts[side].find(({ name }) => name === 'unpacked');
  if (door === 'efi') {
    result.unpacking = instructionByInstruction(stretch('ours'), stretch('qemu'), (address) =>
      address.startsWith('image+'),
    );
  }
  const total = (side) => result.stretches.reduce((sum, one) => sum + one[side].retired, 0);
  say(`${kernel.name}, ${door}: efikit ${total('ours')}, with QEMU's CPUID ${total('alike')}, QEMU ${total('qemu')}`);
  return result;
}

/** Each variation beside the usual run of its door. */
async function variationResults() {
  const kernel = await readKernel(kernels[0]);
  const names = new Names(kernel.symbols);
  const usual = {};
  const results = [];
  for (const { title, why, door, ...settingsOfQemu } of settings.variations) {
    usual[door] ??= await qemuKernel(kernel, door);
    const other = await qemuKernel(kernel, door, settingsOfQemu);
    results.push({ title, why, ...variation(usual[door], other, names) });
    say(`${title}: ${results.at(-1).other} instead of ${results.at(-1).usual}`);
  }
  return results;
}

async function count(wantedKernels, wantedDoors) {
  const kept = keptResults();
  const isAll = wantedKernels.length === kernels.length && wantedDoors.length === doors.length;
  const bare = isAll || kept.bare.length === 0 ? await bareResults() : kept.bare;
  const variations = isAll || kept.variations.length === 0 ? await variationResults() : kept.variations;
  const fresh = [];
  for (const name of wantedKernels) {
    if (!existsSync(kernelFile(name)))
      throw new Error(`${kernelFile(name)} is missing: fetch it with examples/get-kernels`);
    const kernel = await readKernel(name);
    for (const door of wantedDoors) fresh.push(await bootResults(kernel, door));
  }
  const orderOf = ({ kernel, door }) => kernels.indexOf(kernel) * doors.length + doors.indexOf(door);
  const isFresh = (boot) => fresh.some((one) => orderOf(one) === orderOf(boot));
  const boots = [...kept.boots.filter((boot) => !isFresh(boot)), ...fresh].sort((a, b) => orderOf(a) - orderOf(b));
  return { qemu: settings.qemuVersion(), ovmf: settings.ovmfVersion(), bare, boots, variations };
}

function choices(given, known, option) {
  const wrong = given?.find((one) => !known.includes(one));
  if (wrong !== undefined) throw new Error(`--${option} ${wrong}: the choices are ${known.join(', ')}`);
  return given ?? known;
}

async function main() {
  const { values } = parseArgs({
    options: {
      write: { type: 'boolean' },
      page: { type: 'boolean' },
      door: { type: 'string', multiple: true },
      kernel: { type: 'string', multiple: true },
    },
  });
  if (!values.page) {
    const lack = settings.missing();
    if (lack !== undefined) throw new Error(`${lack}; without it nothing can be counted`);
    const results = await count(choices(values.kernel, kernels, 'kernel'), choices(values.door, doors, 'door'));
    if (!values.write) {
      process.stdout.write(page(results));
      return;
    }
    writeFileSync(resultsFile, await formatted(JSON.stringify(results), resultsFile));
  }
  writeFileSync(pageFile, await currentPage());
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await main();
  } catch (error) {
    process.stderr.write(`independent-count: ${error.message}\n`);
    process.exit(1);
  }
}
