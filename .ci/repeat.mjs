// Boots each kernel through each door many times in a row, on each Node given, and compares the results of
// `boot --json`: they must be the same but for the clock, within one Node and between them.
//
//   node .ci/repeat.mjs [--times 10] [--node PATH]... [--kernel NAME]... [--door NAME]... [--memory SIZE]
//                       [--initrd FILE] [--tier interpreter] [--keep FOLDER] [--cli FILE]
//
// --node      a Node binary; by default the one that runs this script
// --kernel    vmlinuz-NAME in EFIKIT_KERNELS (else ~/.cache/efikit/kernels), or the path of an image; by default every
//             vmlinuz there
// --door      by default efi and pvh
// --initrd    by default initrd.gz there
// --keep      keeps the first result of each kernel and door, and each that differs from it, in that folder
// --cli       by default dist/cli.js of this checkout
//
// Exit status: 0 all the same, 1 something differs or a boot failed, 2 usage.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { kernelFolder as kernels } from './kernels.mjs';
import { root } from './sources.mjs';

const clock = 'wallSeconds'; // the one field that may differ
const shownDifferences = 5;

const print = (line) => process.stdout.write(`${line}\n`);
const say = (line) => process.stderr.write(`repeat: ${line}\n`);

function fail(message) {
  say(message);
  process.exit(2);
}

function readArguments() {
  const many = { type: 'string', multiple: true };
  const one = (value) => ({ type: 'string', ...(value === undefined ? {} : { default: value }) });
  const options = {
    times: one('10'),
    node: many,
    kernel: many,
    door: many,
    memory: one('512M'),
    initrd: one(path.join(kernels, 'initrd.gz')),
    tier: one(),
    keep: one(),
    cli: one(path.join(root, 'dist/cli.js')),
  };
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return fail(error.message);
  }
}

/** Images by name: what --kernel names, else all of the cache. */
function imagesOf(names) {
  const known = existsSync(kernels) ? readdirSync(kernels).filter((name) => name.startsWith('vmlinuz-')) : [];
  const wanted = names ?? known.sort().map((name) => name.slice('vmlinuz-'.length));
  if (wanted.length === 0) fail(`no kernel in ${kernels}: name one with --kernel`);
  return wanted.map((name) => {
    const file = [path.join(kernels, `vmlinuz-${name}`), name].find(existsSync);
    return {
      name: path.basename(name),
      file: file ?? fail(`no kernel ${name} in ${kernels}, and no file of that name`),
    };
  });
}

/** Runs a program; answers its exit status and the last line of its standard error. */
function run(program, args) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let text = '';
    child.stderr.setEncoding('utf8').on('data', (more) => (text = (text + more).slice(-2000)));
    child.on('error', (error) => resolve({ status: undefined, line: error.message }));
    child.on('close', (status, signal) => {
      resolve({ status: status ?? signal, line: text.trimEnd().split('\n').at(-1) ?? '' });
    });
  });
}

/** The paths in two results at which they differ, with both values. */
function differences(a, b, at = '') {
  if (Object.is(a, b)) return [];
  if (typeof a === 'string' && typeof b === 'string') {
    let same = 0;
    while (same < Math.min(a.length, b.length) && a[same] === b[same]) same++;
    const part = (text) => JSON.stringify(text.slice(Math.max(0, same - 30), same + 50));
    return [`${at} from character ${same}: ${part(a)} and ${part(b)}`];
  }
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
    return [`${at}: ${JSON.stringify(a)} and ${JSON.stringify(b)}`];
  }
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return keys.flatMap((key) => differences(a[key], b[key], at === '' ? key : `${at}.${key}`));
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? NaN;
const table = (rows) => {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows)
    print(
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    );
};

const args = readArguments();
const times = Number(args.times);
if (!Number.isInteger(times) || times < 1) fail(`--times ${args.times}: give a whole number of at least 1`);
if (!existsSync(args.cli)) fail(`${args.cli} does not exist: run npm run build`);
if (!existsSync(args.initrd)) fail(`the initrd ${args.initrd} does not exist`);
const images = imagesOf(args.kernel);
const doors = args.door ?? ['efi', 'pvh'];
const nodes = (args.node ?? [process.execPath]).map((file) => ({ file, version: '' }));
for (const node of nodes) {
  const child = await new Promise((resolve) => {
    const probe = spawn(node.file, ['--version'], { stdio: ['ignore', 'pipe', 'ignore'] });
    let text = '';
    probe.stdout.setEncoding('utf8').on('data', (more) => (text += more));
    probe.on('error', () => resolve(undefined));
    probe.on('close', () => resolve(text.trim()));
  });
  if (!/^v\d/.test(child ?? '')) fail(`${node.file} is no Node binary`);
  node.version = child;
}
if (args.keep !== undefined) mkdirSync(args.keep, { recursive: true });
const work = mkdtempSync(path.join(os.tmpdir(), 'efikit-repeat-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

const rows = [['kernel', 'door', 'node', 'boots', 'same', 'outcome', 'instructions', 'JSON', 'median s']];
const problems = [];
/** Boots once; the result without the clock, or undefined with the reason among the problems. */
async function boot(image, door, node, what) {
  const json = path.join(work, 'result.json');
  rmSync(json, { force: true });
  const { status, line } = await run(node.file, [
    args.cli,
    ...['boot', image.file, '--door', door, '--initrd', args.initrd, '--memory', args.memory, '--json', json],
    ...(args.tier === undefined ? [] : ['--tier', args.tier]),
  ]);
  if (status !== 0 || !existsSync(json)) problems.push(`${what}: status ${status}: ${line}`);
  if (!existsSync(json)) return undefined;
  const { [clock]: seconds, ...result } = JSON.parse(readFileSync(json, 'utf8'));
  return { seconds, result };
}

const keep = (name, result) => {
  if (args.keep === undefined) return;
  writeFileSync(path.join(args.keep, `${name}.json`), `${JSON.stringify(result, null, 2)}\n`);
};
for (const image of images) {
  for (const door of doors) {
    let first;
    for (const node of nodes) {
      const seconds = [];
      let same = 0;
      for (let turn = 1; turn <= times; turn++) {
        const what = `${image.name} by ${door} on ${node.version}, boot ${turn}`;
        const booted = await boot(image, door, node, what);
        if (booted === undefined) continue;
        seconds.push(booted.seconds);
        const name = `${image.name}-${door}`;
        if (first === undefined) {
          first = booted.result;
          keep(name, first);
        }
        const found = differences(first, booted.result);
        if (found.length === 0) same++;
        else {
          problems.push(`${what}: differs from the first: ${found.slice(0, shownDifferences).join('; ')}`);
          keep(`${name}-${node.version}-${turn}`, booted.result);
        }
        say(`${what}: ${found.length === 0 ? 'the same' : 'DIFFERS'}, ${booted.seconds} s`);
      }
      const hash = createHash('sha256').update(JSON.stringify(first ?? null));
      rows.push([
        ...[image.name, door, node.version, String(times), String(same), first?.outcome ?? '-'],
        ...[String(first?.instructions ?? '-'), hash.digest('hex').slice(0, 12), median(seconds).toFixed(2)],
      ]);
    }
  }
}
table(rows);
for (const problem of problems) print(problem);
print(problems.length === 0 ? 'every boot gave the same JSON but for the clock' : `${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
