// What is measured, and the files that it takes. Both sides get the same image, initrd, command line and RAM.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { kernelFile, kernelFolder } from '../kernels.mjs';
import { root } from '../sources.mjs';

export const memoryMiB = 1024;
export const commandLine = 'console=ttyS0';
export const doors = ['pvh', 'efi'];
export const initrd = path.join(kernelFolder, 'initrd.gz');
export { kernelFile };
export const cli = path.join(root, 'dist/cli.js');
/** The options of Node that the executable's first line asks for. */
export const nodeOptions = () =>
  (/^#!.*\bnode (.*)/.exec(readFileSync(cli, 'latin1'))?.[1] ?? '').split(' ').filter((option) => option !== '');
export const computeImage = path.join(root, 'test/bare/compute.elf');
export const ovmf = { code: '/usr/share/OVMF/OVMF_CODE_4M.fd', variables: '/usr/share/OVMF/OVMF_VARS_4M.fd' };
/** A module of the built library. */
export const built = (module) => pathToFileURL(path.join(root, 'dist/src', module)).href;
export const here = (file) => pathToFileURL(path.join(root, '.ci/bench', file)).href;

const version = (command) =>
  /^.*version (\S+)/.exec(spawnSync(command, ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[1];
export const qemu = version('qemu-system-x86_64');
export const hasOvmf = qemu !== undefined && existsSync(ovmf.code) && existsSync(ovmf.variables);

/** The release that a kernel image names, as uname -r has it. */
export const release = (name) =>
  /[0-9]+\.[0-9]+\.[^ \0]+/.exec(readFileSync(kernelFile(name)).subarray(0, 65536).toString('latin1'))?.[0] ??
  'unknown release';

/** A folder for this run, gone when it ends. */
export const work = mkdtempSync(path.join(os.tmpdir(), 'efikit-bench-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

export const say = (line) => process.stderr.write(`bench: ${line}\n`);

/** Ends the bench with a line that says why. */
export function fail(status, line) {
  say(line);
  process.exit(status);
}
