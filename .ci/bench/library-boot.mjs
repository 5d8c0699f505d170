// Boots a kernel through the built library, as the command does it, and tells what the hot tier counted.
//
//   node .ci/bench/library-boot.mjs KERNEL DOOR FILE      as a child: writes JSON to FILE
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { built, commandLine, initrd, kernelFile, memoryMiB, work } from './settings.mjs';

/** Statistics of the hot tier (HotTier.statistics) after one boot, in a process of its own. */
export function libraryBoot(kernel, door) {
  const file = path.join(work, 'statistics.json');
  const { status, stderr } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), kernel, door, file], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`the boot of ${kernel} through the library failed:\n${stderr}`);
  return JSON.parse(readFileSync(file, 'utf8'));
}

async function child(kernel, door, file) {
  const [{ readImage }, { loadProcessorArtifacts }, { ObservedBoot }, { linux }, { runMachine }] = await Promise.all(
    [
      'loaders/read-image.js',
      'host/processor-artifacts.js',
      'probe/observed-boot.js',
      'firmware/profiles.js',
      'host/run-loop.js',
    ].map((module) => import(built(module))),
  );
  const image = readImage(readFileSync(kernelFile(kernel)));
  await image.prepare();
  const run = ObservedBoot.start({
    artifacts: loadProcessorArtifacts(),
    door,
    image,
    profile: linux,
    strict: false,
    kernelPhases: false,
    memoryBytes: memoryMiB * 2 ** 20,
    options: { commandLine, modules: [], initrd: readFileSync(initrd) },
  });
  const nobody = { open: false, waiting: false, deliver: () => false, changed: () => Promise.resolve() };
  const { outcome } = await runMachine(run.machine, { input: nobody });
  if (outcome !== 'powered-off') throw new Error(`${kernel} through ${door} ended as ${outcome}`);
  writeFileSync(file, JSON.stringify({ statistics: run.machine.processor.hot.statistics }));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await child(...process.argv.slice(2));
