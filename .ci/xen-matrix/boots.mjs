// Boots one kernel in a cell of the matrix and tells what it concluded.
import { Buffer } from 'node:buffer';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { tsImport } from 'tsx/esm/api';
import { root } from '../sources.mjs';
import { commandLine, folder, kernelFile, memoryMiB } from './settings.mjs';

const built = (module) => import(pathToFileURL(path.join(root, 'dist', module)).href);

/** A guest that has not come to its end by then never does; a boot takes 1.5 to 2.5 billion. */
const mostInstructions = 8e9;
const nobody = { open: false, waiting: false, deliver: () => false, changed: () => Promise.resolve() };

/** What a kernel says of a kind. */
const said = (lines, pattern) =>
  lines.flatMap((line) => {
    const match = pattern.exec(line);
    return match === null ? [] : [match[1].trim()];
  });

/** A function that boots this kernel in a cell. */
export async function kernelOf(name) {
  const file = kernelFile(name);
  if (!existsSync(file)) throw new Error(`${file} is missing: fetch it with examples/get-kernels`);
  const { HardwareSubarch, ObservedBoot, linux, platforms, readImage } = await built('src/index.js');
  const { loadProcessorArtifacts, runMachine } = await built('src/node.js');
  const { cpio, padding } = await tsImport('../../test/support/cpio.ts', import.meta.url);
  const artifacts = loadProcessorArtifacts();
  const image = readImage(readFileSync(file));
  await image.prepare();
  const busybox = readFileSync(path.join(folder, 'initrd.gz'));
  const init = cpio([{ name: 'init', data: readFileSync(path.join(root, '.ci/xen-matrix/init.sh')) }]);
  const initrd = Buffer.concat([busybox, padding(busybox.length), init]); // what comes later replaces what was there

  return async ({ door, subarch, leaves, table, noVga, noRtc }) => {
    let text = '';
    let hypercalls = 0;
    const run = ObservedBoot.start({
      artifacts,
      door,
      image,
      profile: linux,
      ...(table === false ? { overrides: { 'table:Xen': 'absent' } } : {}),
      strict: true,
      memoryBytes: memoryMiB * 2 ** 20,
      platform: { ...(leaves ? platforms['xen-uart'] : platforms.uart), noVga, noRtc },
      ...(leaves ? { xen: {} } : {}),
      kernelPhases: false,
      options: {
        commandLine,
        modules: [],
        initrd,
        ...(subarch === undefined ? {} : { linux64: { hardwareSubarch: HardwareSubarch[subarch] } }),
      },
      observer: {
        console: (byte) => {
          text += String.fromCharCode(byte);
        },
        hypercall: () => {
          hypercalls++;
        },
      },
    });
    const last = await runMachine(run.machine, { input: nobody, maxInstructions: mostInstructions });
    const { outcome, reason } = run.outcome ?? last;
    const lines = text.split(/\r?\n/).map((line) => line.replace(/^\[ *\d+\.\d+\] /, ''));
    const told = Object.fromEntries(
      said(lines, /^matrix: (\w+=.*)$/).map((pair) => [pair.split('=', 1)[0], pair.slice(pair.indexOf('=') + 1)]),
    );
    const { end, ...facts } = told;
    return {
      outcome: end === undefined || outcome !== 'powered-off' ? outcome : 'up',
      reason,
      detected: said(lines, /^Hypervisor detected: (.*)$/).join(', ') || null,
      banner: said(lines, /^(Booting (?:.* )?kernel on .*)$/).join(', ') || null,
      ...facts,
      hypercalls,
      xen: lines.filter((line) => /xen/i.test(line) && !/^(ACPI: |Command line|Kernel command|matrix: )/.test(line)),
      ...(end === undefined ? { last: lines.filter((line) => line !== '').slice(-3) } : {}),
    };
  };
}
