// Measures efikit beside QEMU's TCG, in one go on one machine: whole boots of Debian kernels, compute kernels run bare,
// where a boot's time goes, what the service log costs, and what Xen does.
//
//   node .ci/bench.mjs                          everything, median of 5 runs
//   node .ci/bench.mjs --write                  and puts the report into docs/performance.md
//   node .ci/bench.mjs --runs 1 --only compute  one part alone: boots, compute, profile, trace or xen (may be repeated)
//   node .ci/bench.mjs --kernel 6.12-cloud --door efi       one kernel, one door (both may be repeated)
//
// Kernels come from examples/get-kernels, QEMU and OVMF from the system; what is not installed is named in the report.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import * as prettier from 'prettier';
import { boots } from './bench/boots.mjs';
import { compute } from './bench/compute.mjs';
import { shown } from './bench/figures.mjs';
import { table } from './markdown.mjs';
import { profile } from './bench/profile.mjs';
import * as settings from './bench/settings.mjs';
import { trace } from './bench/trace.mjs';
import { xen } from './bench/xen.mjs';
import { root } from './sources.mjs';

const { fail } = settings;
const parts = { boots, compute, profile, trace, xen };

function given(options) {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return fail(2, error.message);
  }
}

function readOptions() {
  const names = { type: 'string', multiple: true };
  const options = { write: { type: 'boolean' }, runs: { type: 'string' }, only: names, kernel: names, door: names };
  const values = given(options);
  const {
    runs = '5',
    only = Object.keys(parts),
    kernel: kernels = ['6.1-cloud', '6.12-cloud'],
    door: doors = settings.doors,
  } = values;
  if (!/^[1-9]\d*$/.test(runs)) fail(2, `--runs ${runs}: give a number from 1 on`);
  const check = (given, allowed, option) => {
    const wrong = given.find((one) => !allowed.includes(one));
    if (wrong !== undefined) fail(2, `--${option} ${wrong}: the choices are ${allowed.join(', ')}`);
  };
  check(only, Object.keys(parts), 'only');
  check(doors, settings.doors, 'door');
  const isPartial = values.only !== undefined || values.kernel !== undefined || values.door !== undefined;
  if (values.write && isPartial) fail(2, '--write wants the whole report: leave out --only, --kernel and --door');
  return {
    runs: Number(runs),
    only,
    kernels,
    doors,
    write: values.write === true,
    isVerbose: values.only !== undefined,
  };
}

function checkFiles({ only, kernels }) {
  const guests = kernels.map((name) => [settings.kernelFile(name), 'fetch it with examples/get-kernels']);
  const wanted = [
    [settings.cli, 'run npm run build'],
    [settings.computeImage, 'run test/bare/build'],
    ...(only.some((part) => part !== 'compute')
      ? [...guests, [settings.initrd, 'fetch it with examples/get-kernels']]
      : []),
  ];
  for (const [file, how] of wanted) if (!existsSync(file)) fail(4, `${file} is missing: ${how}`);
}

function heading(load) {
  const { qemu, hasOvmf, ovmf, memoryMiB, commandLine } = settings;
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const cpus = os.cpus();
  const absent = [
    ...(qemu === undefined ? ['QEMU was not measured: qemu-system-x86_64 is not installed.'] : []),
    ...(qemu !== undefined && !hasOvmf
      ? [`QEMU's EFI boot was not measured: OVMF is not installed (${ovmf.code}).`]
      : []),
  ];
  return `# Performance

Written by \`npm run bench -- --write\`; every figure is of one run of that command on one machine.

- Date: ${new Date().toISOString().slice(0, 10)}. Machine: ${cpus[0]?.model.trim() ?? 'unknown processor'}, ${cpus.length} processors, load average ${load.toFixed(1)} before, ${os.loadavg()[0].toFixed(1)} after (with the bench's own).
- efikit ${version} on Node ${process.versions.node} (V8 ${process.versions.v8}); QEMU ${qemu ?? 'not installed'}${hasOvmf ? ' with OVMF' : ''}.
- Both sides get the same image, initrd, command line (\`${commandLine}\`) and RAM (${memoryMiB} MiB); nothing is switched off in the guest.
- A ratio below 1 says that efikit took less time than QEMU; it is the median of the rounds' ratios, each of two runs that came one after the other.
${absent.map((line) => `- ${line}\n`).join('')}`;
}

const goalTable = (goals) => `## Goals

${table(
  ['', 'at most', 'measured', ''],
  goals.map(({ title, value, bound, format }) => [
    title,
    format(bound),
    shown(value, format),
    value === undefined ? '' : value <= bound ? 'met' : '**missed**',
  ]),
)}
`;

const options = readOptions();
checkFiles(options);
const [load] = os.loadavg();
const results = [];
try {
  for (const name of options.only) results.push(await parts[name](options));
} catch (error) {
  fail(1, error.message);
}
const report = [
  heading(load),
  goalTable(results.flatMap(({ goals }) => goals)),
  ...results.map(({ text }) => text),
].join('\n');
const file = path.join(root, 'docs/performance.md');
const formatted = await prettier.format(report, { ...(await prettier.resolveConfig(file)), filepath: file });
process.stdout.write(formatted);
if (options.write) {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, formatted);
}
