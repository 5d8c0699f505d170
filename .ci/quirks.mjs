// Rewrites the tables of docs/quirks.md.
//
//   node .ci/quirks.mjs                     the quirks, as the code has them
//   node .ci/quirks.mjs --runs [--kernel 6.1 --kernel 6.12] [--quirk NAME[=VALUE]]...
//                                           boots vmlinuz-NAME-cloud of EFIKIT_KERNELS (else ~/.cache/efikit/kernels) with
//                                           each quirk and says what became of it; with --quirk it
//                                           boots with those together and prints the row
//
// Wants the build (npm run build).
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { kernelFolder } from './kernels.mjs';
import { code, table } from './markdown.mjs';
import { root } from './sources.mjs';

const document = path.join(root, 'docs/quirks.md');
/** A boot takes 2 billion, with 4000 fragments 90. A limit of instructions, unlike one of seconds, gives the same answer on every host. */
const mostInstructions = 200e9;
const earlyConsole = 'console=ttyS0 earlyprintk=ttyS0 nokaslr';

/** What is booted: values of --quirk. */
const runs = [
  ['stale-map-key'],
  ['stale-map-key=2'],
  ['no-ram-below'],
  ['no-ram-below=16M'],
  ['no-ram-below-4g'],
  ['no-ram-below-4g=64M'],
  ['no-ram-below-4g', 'no-ram-below=1M'],
  ['fragmented-map'],
  ['fragmented-map=300'],
  ['fragmented-map=4000'],
  ['descriptor-size'],
  ['descriptor-size=40'],
  ['descriptor-size=256'],
  ['no-execute'],
  ['no-execute=all'],
  ['slow-variables'],
  ['failing-variables'],
  ['full-variables'],
  ['missing-table=Acpi20'],
  ['missing-table=RtProperties'],
  ['missing-table=Xen'],
  ['missing-protocol=LoadFile2'],
  ['missing-protocol=LoadedImage'],
  ['missing-protocol=SimpleTextOutput'],
  ['failing-service'],
  ['failing-service=AllocatePages:OUT_OF_RESOURCES:1'],
  ['failing-service=GetMemoryMap'],
  ['failing-service=LocateDevicePath'],
  ['failing-service=InstallConfigurationTable'],
  ['failing-service=LoadFile2.LoadFile'],
  ['xen-image-handle'],
  ['xen-image-handle=tag'],
];

/** The result of one boot, as boot --json has it. */
async function boot(kernel, quirks, append) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'efikit-quirks-'));
  try {
    const json = path.join(folder, 'result.json');
    const args = ['dist/cli.js', 'boot', path.join(kernelFolder, `vmlinuz-${kernel}-cloud`), '--json', json];
    args.push('--max-instructions', String(mostInstructions), ...quirks.flatMap((quirk) => ['--quirk', quirk]));
    if (append !== undefined) args.push('--append', append);
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
    let errors = '';
    child.stderr.on('data', (bytes) => (errors += bytes));
    const status = await new Promise((resolve) => child.on('close', resolve));
    if (status === 2 || status === 4) throw new Error(`${quirks.join(' ')} on ${kernel}: ${errors.trim()}`);
    return JSON.parse(readFileSync(json, 'utf8'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const linesOf = ({ console }) => console.split(/\r?\n/).map((line) => line.replace(/^\[ *\d+\.\d+\] /, ''));

/** What became of a boot, for a cell of the table. */
async function verdict(kernel, quirks) {
  const result = await boot(kernel, quirks);
  const { outcome, reason } = result;
  const isUp = result.console.includes('USERSPACE-UP');
  if (outcome === 'powered-off' && isUp)
    return reason.startsWith('ResetSystem') ? 'boots' : 'boots; powers off by ACPI instead of ResetSystem';
  if (outcome === 'exited') return `gives up: ${reason}`;
  if (outcome === 'panicked') return `panics: ${reason.replace('Kernel panic: ', '')}`;
  if (outcome === 'limit') return `still runs after ${String(mostInstructions / 1e9)} billion instructions`;
  const last = linesOf(result).findLast((line) => line !== '');
  if (linesOf(result).includes('Run /init as init process')) return `runs /init, then ${outcome}: ${code(last)}`;
  const early = await boot(kernel, quirks, earlyConsole);
  const said = linesOf(early).find((line) => /kernel BUG at|^BUG:|^PANIC:/.test(line));
  return said === undefined ? `${outcome}: ${reason.replace(/0x[0-9a-f]{6,}/g, '0x...')}` : `dies early: ${code(said)}`;
}

/** Neighbours of one quirk that fare alike share a row. */
function merged(rows) {
  const result = [];
  for (const row of rows) {
    const before = result.at(-1);
    const [name, value] = row.quirks[0].split('=');
    const isAlike = before?.name === name && row.quirks.length === 1 && before.cells.join() === row.cells.join();
    if (isAlike) before.title += `, ${code(`=${value}`)}`;
    else result.push({ name, title: row.quirks.map(code).join(' with '), cells: row.cells });
  }
  return result.map(({ title, cells }) => [title, ...cells]);
}

async function runTable(kernels, chosen) {
  const rows = [];
  for (const quirks of chosen) {
    const cells = [];
    for (const kernel of kernels) {
      cells.push(await verdict(kernel, quirks));
      process.stderr.write(`quirks: ${quirks.join(' ')} on ${kernel}: ${cells.at(-1)}\n`);
    }
    rows.push({ quirks, cells });
  }
  return table(['quirk', ...kernels], merged(rows));
}

async function quirkTable() {
  const { quirks } = await import(pathToFileURL(path.join(root, 'dist/src/index.js')).href);
  const rows = quirks.map(({ name, value, byDefault, meaning }) => [code(name), code(value), code(byDefault), meaning]);
  return table(['quirk', 'value', 'default', 'what the firmware does'], rows);
}

/** Puts a table behind `<!-- table: NAME` in the document. */
function write(name, text) {
  const page = readFileSync(document, 'utf8');
  const block = new RegExp(`(<!-- table: ${name}\\b[^>]*-->\\n\\n)(?:\\|.*\\n)*`);
  if (!block.test(page)) throw new Error(`${document} has no <!-- table: ${name} ... -->`);
  writeFileSync(
    document,
    page.replace(block, (_, marker) => `${marker}${text}\n`),
  );
}

const many = { type: 'string', multiple: true };
const { values } = parseArgs({ options: { runs: { type: 'boolean' }, kernel: many, quirk: many } });
const kernels = values.kernel ?? ['6.1', '6.12'];
if (values.quirk) process.stdout.write(`${await runTable(kernels, [values.quirk])}\n`);
else {
  write('quirks', await quirkTable());
  if (values.runs) write('runs', await runTable(kernels, runs));
}
