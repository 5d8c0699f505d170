// Runs the tests with mocha and closes with the line "N passed, N failed".
//
//   node .ci/test.mjs              everything
//   node .ci/test.mjs --unit       without the tests that run whole guests
//   node .ci/test.mjs FILE... -g TITLE     arguments are mocha's
import { spawn } from 'node:child_process';
import path from 'node:path';
import { root } from './sources.mjs';

const args = process.argv.slice(2);
const unit = args.includes('--unit');
const rest = args.filter((argument) => argument !== '--unit');
const files = rest.filter((argument) => argument.endsWith('.ts'));
const options = rest.filter((argument) => !files.includes(argument));

const wholeGuests = [
  'boots/**',
  'guests/**',
  'bare/**',
  'snapshot.test.ts',
  'digest.test.ts',
  'bisect.test.ts',
  'repeat.test.ts',
  'docs.test.ts',
].map((pattern) => `test/${pattern}`);

const mocha = [
  '--import=tsx',
  path.join('node_modules', 'mocha', 'bin', 'mocha.js'),
  '--reporter',
  '.ci/reporter.cjs',
  '--timeout',
  '20000',
  ...(unit ? wholeGuests.flatMap((pattern) => ['--ignore', pattern]) : []),
  ...options,
  ...(files.length > 0 ? files : ['test/**/*.test.ts']),
];
const child = spawn(process.execPath, mocha, { cwd: root, stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
let counts;
child.on('message', (message) => {
  counts = message;
});
child.on('close', (code, signal) => {
  if (counts === undefined) {
    // mocha died before its summary: a test file that does not load, or a crash.
    process.stderr.write(`test: mocha ended early (${signal ?? `status ${code}`})\n`);
    process.stdout.write('0 passed, 1 failed\n');
    process.exit(1);
  }
  process.exit(code === 0 && counts.failures === 0 ? 0 : 1);
});
