// Feeds damaged images and stores and hostile calls to the loaders and services until one breaks a promise, or --runs inputs are done.
//
//   npm run fuzz -- --seed N --runs N [--only images|services|variables|stores]
//
// Without --seed the clock chooses, without --runs it goes on. A failure prints the command that repeats it.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { root } from './sources.mjs';

const main = path.join(root, 'test/fuzz/main.ts');
const child = spawn(process.execPath, ['--import=tsx', main, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
child.on('close', (code) => {
  process.exit(code ?? 1);
});
