// Makes a checkout ready: installs the packages when they are missing or older than the lock file, builds when sources
// changed. Plain Node. `--quiet` says nothing unless there is something to do.
import { spawnSync } from 'node:child_process';
import { lstatSync, statSync } from 'node:fs';
import path from 'node:path';
import { builtSources, currentSources, root } from './sources.mjs';

const modified = (file) => statSync(path.join(root, file), { throwIfNoEntry: false })?.mtimeMs ?? 0;

function run(what, command, args) {
  process.stderr.write(`${what}\n`);
  // Standard output belongs to the command that follows.
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (status === 0) return;
  process.stderr.write(`setup: ${[command, ...args].join(' ')} failed${error ? `: ${error.message}` : ''}\n`);
  process.exit(1);
}

const [major] = process.versions.node.split('.').map(Number);
if (major < 20) {
  process.stderr.write(`setup: efikit needs Node 20 or newer, this is ${process.version}\n`);
  process.exit(1);
}

// npm writes this file last, so an interrupted installation is done again.
const installed = modified('node_modules/.package-lock.json');
if (installed === 0 || installed < modified('package-lock.json')) {
  // npm would empty the folder that the link leads to, which is another checkout's.
  if (lstatSync(path.join(root, 'node_modules'), { throwIfNoEntry: false })?.isSymbolicLink()) {
    process.stderr.write(
      'setup: node_modules is a symbolic link and its packages are missing or older than the lock file: install them where it leads to, or remove the link\n',
    );
    process.exit(1);
  }
  run('setup: installing packages', 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
}

const built = builtSources();
const current = currentSources();
if (built.processor !== current.processor || built.library !== current.library) {
  run('setup: building', process.execPath, ['.ci/build.mjs']);
} else if (!process.argv.includes('--quiet')) {
  process.stderr.write('setup: everything is up to date\n');
}
