// How efikit and QEMU are started for the same guest.
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { built, cli, commandLine, initrd, kernelFile, memoryMiB, nodeOptions, ovmf, work } from './settings.mjs';
import { timed } from './timed.mjs';

const userSpace = { marks: ['USERSPACE-UP'] };

/** `efikit boot` of a guest; `node` are options of Node, `more` of the command, `tier` is 'interpreter' or undefined for both. */
const boot = (args, { node = [], tier, more = [], ...options }) =>
  timed(
    process.execPath,
    [
      ...nodeOptions(),
      ...node,
      cli,
      'boot',
      ...args,
      '--memory',
      `${memoryMiB}M`,
      ...(tier ? ['--tier', tier] : []),
      ...more,
    ],
    options,
  );

/** The same with `--json`: what the guest ran, besides. Through EFI that has the payload unpacked, for the symbols. */
async function counted(args, options) {
  const json = path.join(work, 'result.json');
  const time = await boot([...args, '--json', json], options);
  const { instructions, wallSeconds } = JSON.parse(readFileSync(json, 'utf8'));
  return { ...time, instructions, mips: instructions / wallSeconds / 1e6 };
}

const kernelArguments = (kernel, door, append = commandLine) => [
  kernelFile(kernel),
  '--door',
  door,
  '--initrd',
  initrd,
  '--append',
  append,
];

/** A kernel through a door, to user space and power-off, as people start it; `append` is another command line. */
export const efikitKernel = (kernel, door, { append, ...options } = {}) =>
  boot(kernelArguments(kernel, door, append), { ...userSpace, ...options });

/** The same boot with its instructions counted; its seconds are not those of a plain one. */
export const countedKernel = (kernel, door, options = {}) =>
  counted(kernelArguments(kernel, door), { ...userSpace, ...options });

/** A bare guest through PVH, with its instructions: it has no payload and no symbols. */
export const efikitBare = (image, append, options = {}) =>
  counted([image, '--door', 'pvh', '--initrd', 'none', '--append', append], options);

const common = ['-accel', 'tcg', '-m', `${memoryMiB}`, '-nographic', '-no-reboot', '-net', 'none'];

const qemu = (args, options) => timed('qemu-system-x86_64', [...common, ...args], options);

export const qemuBare = (image, append, options) => qemu(['-kernel', image, '-append', append], options);

/** QEMU's own loader takes the ELF alone through PVH; OVMF starts the EFI stub of the bzImage. */
export async function qemuKernel(kernel, door) {
  const guest = ['-initrd', initrd, '-append', commandLine];
  if (door === 'pvh') return qemu(['-kernel', await unpackedKernel(kernel), ...guest], userSpace);
  const variables = path.join(work, 'variables.fd');
  copyFileSync(ovmf.variables, variables);
  const flash = (file, more = '') => ['-drive', `if=pflash,format=raw,file=${file}${more}`];
  const firmware = ['-machine', 'q35', ...flash(ovmf.code, ',readonly=on'), ...flash(variables)];
  return qemu([...firmware, '-kernel', kernelFile(kernel), ...guest], userSpace);
}

/** The kernel's ELF, unpacked once for the whole run. */
async function unpackedKernel(kernel) {
  const file = path.join(work, `vmlinux-${kernel}`);
  if (existsSync(file)) return file;
  const { readImage } = await import(built('loaders/read-image.js'));
  const image = readImage(readFileSync(kernelFile(kernel)));
  await image.prepare();
  writeFileSync(file, image.elf().bytes);
  return file;
}
