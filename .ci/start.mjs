// `npm start`: one program through two doors, then, where a kernel is cached, a real kernel through the proposal.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { kernelFile, kernelFolder } from './kernels.mjs';
import { root } from './sources.mjs';

function efikit(args) {
  process.stdout.write(
    `\n$ npm run -s efikit -- ${args.map((text) => (/^[\w./=~-]+$/.test(text) ? text : `"${text}"`)).join(' ')}\n`,
  );
  const { status } = spawnSync(process.execPath, ['--v8-pool-size=1', path.join(root, 'dist/cli.js'), ...args], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) process.exit(status ?? 1);
}

process.stdout.write('One program, two doors: through EFI as the 2016 proposal has it, and through PVH.\n');
efikit([
  'compare',
  'examples/two-doors/two-doors.efi',
  'examples/two-doors/two-doors.elf',
  '--profile',
  'proposal',
  '--memory',
  '256M',
  '--initrd',
  'none',
  '--append',
  'one command line',
  '--module',
  'LICENSE,a module with a command line',
  '--only',
  'memory-maps',
]);

const kernel = ['6.1-cloud', '6.12-cloud', 'latest-cloud'].map(kernelFile).find((file) => existsSync(file));
if (kernel === undefined) {
  process.stdout.write(`\nNext, a real kernel: no kernel is in ${kernelFolder}. Fetch Debian's and start again:

  examples/get-kernels && npm start

or boot one of yours:

  npm run -s efikit -- boot /boot/vmlinuz-VERSION
`);
} else {
  process.stdout.write(`
A real kernel through the proposal: proposal-linux, a PE application that calls nothing but GetMemoryMap and
ExitBootServices, finds the unmodified kernel in the Xen configuration table and starts it.
`);
  efikit(['boot', kernel, '--door', 'proposal']);
}
