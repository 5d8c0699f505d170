// Measures whole boots of a Debian kernel, ours and QEMU's TCG, in one go on one machine.
//
//   node .ci/bench.mjs [--write] [--runs N] [--kernel 6.1-cloud]
//
// --write puts the report into docs/performance.md. Kernels come from examples/get-kernels, QEMU and OVMF from the system;
// what is not installed is named in the report instead.
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import * as prettier from 'prettier';
import { root } from './sources.mjs';

const { values: given } = parseArgs({
  options: {
    write: { type: 'boolean' },
    runs: { type: 'string', default: '3' },
    kernel: { type: 'string', default: '6.1-cloud' },
  },
});
const runs = Number(given.runs);
const memoryMiB = 1024;
const commandLine = 'console=ttyS0';
const kernels = process.env.EFIKIT_KERNELS ?? path.join(os.homedir(), '.cache/efikit/kernels');
const kernel = path.join(kernels, `vmlinuz-${given.kernel}`);
const initrd = path.join(kernels, 'initrd.gz');
const cli = path.join(root, 'dist/cli.js');
const ovmf = { code: '/usr/share/OVMF/OVMF_CODE_4M.fd', variables: '/usr/share/OVMF/OVMF_VARS_4M.fd' };

for (const [file, how] of [
  [kernel, 'fetch it with examples/get-kernels'],
  [initrd, 'fetch it with examples/get-kernels'],
  [cli, 'run npm run build'],
]) {
  if (existsSync(file)) continue;
  process.stderr.write(`bench: ${file} is missing: ${how}\n`);
  process.exit(4);
}
if (!Number.isInteger(runs) || runs < 1) {
  process.stderr.write('bench: --runs takes a number from 1 on\n');
  process.exit(2);
}

const work = mkdtempSync(path.join(os.tmpdir(), 'efikit-bench-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));

const times = path.join(work, 'times');

/**
 * Runs a program to its end: seconds from its start to its end, and processor seconds of all its threads (bash's times).
 * Throws when its console lacks USERSPACE-UP.
 */
function timed(command, args, environment = {}) {
  return new Promise((resolve, reject) => {
    const started = process.hrtime.bigint();
    const child = spawn('bash', ['-c', `"$@"; times >'${times}'`, 'bash', command, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
      timeout: 300_000,
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('latin1').on('data', (part) => (text += part));
    child.on('error', reject);
    child.on('close', () => {
      const seconds = Number(process.hrtime.bigint() - started) / 1e9;
      if (text.includes('USERSPACE-UP')) resolve({ seconds, processorSeconds: processorSeconds() });
      else reject(new Error(`${path.basename(command)} did not reach user space:\n${text.slice(-1500)}`));
    });
  });
}

/** The last two of bash's four times: user and system seconds of its children. */
function processorSeconds() {
  const all = [...readFileSync(times, 'utf8').matchAll(/(\d+)m([\d.]+)s/g)];
  return all.slice(2).reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0);
}

const { RAM: ramOffset } = await import(pathToFileURL(path.join(root, 'dist/src/cpu/state-layout.js')).href);

async function ours(door, tier) {
  const json = path.join(work, 'result.json');
  const memory = path.join(work, 'memory.json');
  rmSync(memory, { force: true });
  const args = [
    '--import',
    pathToFileURL(path.join(root, '.ci/bench-probe.mjs')).href,
    cli,
    'boot',
    kernel,
    '--door',
    door,
    '--initrd',
    initrd,
    '--append',
    commandLine,
    '--memory',
    `${memoryMiB}M`,
    '--json',
    json,
    ...(tier === undefined ? [] : ['--tier', tier]),
  ];
  const time = await timed(process.execPath, args, {
    EFIKIT_BENCH_FILE: memory,
    EFIKIT_BENCH_RAM: `${ramOffset},${memoryMiB * 2 ** 20}`,
  });
  const { instructions, wallSeconds } = JSON.parse(readFileSync(json, 'utf8'));
  const used = existsSync(memory) ? JSON.parse(readFileSync(memory, 'utf8')) : undefined;
  return { ...time, instructions, mips: instructions / wallSeconds / 1e6, ...used };
}

const qemuArgs = [
  '-accel',
  'tcg',
  '-m',
  `${memoryMiB}`,
  '-nographic',
  '-no-reboot',
  '-net',
  'none',
  '-initrd',
  initrd,
  '-append',
  commandLine,
];

async function qemuPvh(elf) {
  return timed('qemu-system-x86_64', [...qemuArgs, '-kernel', elf]);
}

async function qemuOvmf() {
  const variables = path.join(work, 'variables.fd');
  copyFileSync(ovmf.variables, variables);
  const flash = (file, more = '') => ['-drive', `if=pflash,format=raw,file=${file}${more}`];
  return timed('qemu-system-x86_64', [
    '-machine',
    'q35',
    ...flash(ovmf.code, ',readonly=on'),
    ...flash(variables),
    ...qemuArgs,
    '-kernel',
    kernel,
  ]);
}

/** The kernel's ELF, unpacked: QEMU's PVH loader takes no bzImage. */
async function unpackedKernel() {
  const { readImage } = await import(pathToFileURL(path.join(root, 'dist/src/loaders/read-image.js')).href);
  const image = readImage(readFileSync(kernel));
  await image.prepare();
  const file = path.join(work, 'vmlinux');
  writeFileSync(file, image.elf().bytes);
  return file;
}

const version = (command) =>
  /^.*version (\S+)/.exec(spawnSync(command, ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[1];
const median = (numbers) => numbers.sort((a, b) => a - b)[(numbers.length - 1) >> 1];
const medianOf = (list, key) =>
  list.every((one) => one[key] !== undefined) ? median(list.map((one) => one[key])) : undefined;
const range = (list) => `${Math.min(...list).toFixed(2)} to ${Math.max(...list).toFixed(2)}`;

const qemu = version('qemu-system-x86_64');
const hasOvmf = qemu !== undefined && existsSync(ovmf.code) && existsSync(ovmf.variables);
const elf = qemu === undefined ? undefined : await unpackedKernel();
const plans = {
  'efikit, both tiers': { pvh: () => ours('pvh'), efi: () => ours('efi') },
  'efikit, cold tier alone': { pvh: () => ours('pvh', 'interpreter'), efi: () => ours('efi', 'interpreter') },
  'QEMU, TCG': { pvh: elf && (() => qemuPvh(elf)), efi: hasOvmf ? qemuOvmf : undefined },
};
const measured = {};
const load = os.loadavg()[0];
// Programs take turns, so that what else the machine does meets them alike.
for (let run = 1; run <= runs; run++) {
  for (const [name, doors] of Object.entries(plans)) {
    for (const [door, once] of Object.entries(doors)) {
      if (!once) continue;
      const result = await once();
      ((measured[name] ??= {})[door] ??= []).push(result);
      process.stderr.write(`bench: run ${run} of ${runs}: ${name}, ${door}: ${result.seconds.toFixed(2)} s\n`);
    }
  }
}

const of = (name, door) => measured[name]?.[door];
const row = (label, cell) => `| ${label} | ${cell('pvh')} | ${cell('efi')} |`;
const seconds =
  (name, key = 'seconds') =>
  (door) => {
    const list = of(name, door)?.map((one) => one[key]);
    return list ? `${median([...list]).toFixed(2)} s (${range(list)})` : 'not measured';
  };
const ratio =
  (name, key = 'seconds') =>
  (door) => {
    const [mine, theirs] = [of(name, door), of('QEMU, TCG', door)];
    return mine && theirs ? (medianOf(mine, key) / medianOf(theirs, key)).toFixed(2) : 'not measured';
  };
const figure = (name, key, format) => (door) => {
  const value = medianOf(of(name, door) ?? [{}], key);
  return value === undefined ? 'not measured' : format(value);
};
const mebibytes = (bytes) => `${Math.round(bytes / 2 ** 20)} MiB`;
for (const doors of Object.values(measured)) {
  for (const list of Object.values(doors))
    for (const one of list) if (one.peak !== undefined) one.besides = one.peak - one.guestRam;
}

const { version: efikit } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const release =
  /[0-9]+\.[0-9]+\.[^ \0]+/.exec(readFileSync(kernel).subarray(0, 65536).toString('latin1'))?.[0] ?? 'unknown';
const cpus = os.cpus();
const absent = [
  ...(qemu === undefined ? ['QEMU was not measured: qemu-system-x86_64 is not installed.'] : []),
  ...(qemu !== undefined && !hasOvmf
    ? [`QEMU's EFI boot was not measured: OVMF is not installed (${ovmf.code}).`]
    : []),
];
const report = `# Performance

Written by \`npm run bench -- --write\`; every figure is of one run of that command on one machine.

- Date: ${new Date().toISOString().slice(0, 10)}. Machine: ${cpus[0]?.model.trim() ?? 'unknown processor'}, ${cpus.length} processors, load average ${load.toFixed(1)} at the start.
- efikit ${efikit} on Node ${process.versions.node} (V8 ${process.versions.v8}); QEMU ${qemu ?? 'not installed'}${hasOvmf ? ' with OVMF' : ''}.
- Kernel: Debian's ${given.kernel} (${release}), unmodified, ${memoryMiB} MiB of RAM, \`${commandLine}\`, to USERSPACE-UP and power-off.
- Seconds are of the whole process, from its start to its end: median of ${runs} run${runs === 1 ? '' : 's'} (lowest to highest). The programs took turns.
${absent.map((line) => `- ${line}\n`).join('')}
| | PVH | EFI |
|---|---|---|
${[
  row('efikit, both tiers', seconds('efikit, both tiers')),
  row('efikit, cold tier alone', seconds('efikit, cold tier alone')),
  row('QEMU, TCG', seconds('QEMU, TCG')),
  row('efikit (both tiers) ÷ QEMU', ratio('efikit, both tiers')),
  row('efikit (cold tier) ÷ QEMU', ratio('efikit, cold tier alone')),
  ...Object.keys(plans).map((name) => row(`processor seconds: ${name}`, seconds(name, 'processorSeconds'))),
  row('processor seconds: efikit (both tiers) ÷ QEMU', ratio('efikit, both tiers', 'processorSeconds')),
  row(
    'guest instructions',
    figure('efikit, both tiers', 'instructions', (n) => n.toLocaleString('en-GB')),
  ),
  row(
    'million instructions a second, both tiers',
    figure('efikit, both tiers', 'mips', (n) => n.toFixed(0)),
  ),
  row(
    'million instructions a second, cold tier',
    figure('efikit, cold tier alone', 'mips', (n) => n.toFixed(0)),
  ),
  row('peak resident memory, both tiers', figure('efikit, both tiers', 'peak', mebibytes)),
  row('of it besides guest RAM that was touched', figure('efikit, both tiers', 'besides', mebibytes)),
].join('\n')}

What the figures compare, and what they do not:

- PVH: efikit takes the bzImage and unpacks its payload itself, inside its seconds. QEMU takes no bzImage through PVH, so it is given
  the payload unpacked beforehand, outside its seconds; it goes through SeaBIOS and its PVH option ROM.
- EFI: efikit's firmware is TypeScript outside the guest and starts no device. QEMU runs OVMF, which is guest code and looks for devices
  and boot options first; the kernel's EFI stub follows in both, and unpacks the kernel in the guest.
- Processor seconds are of all threads of a process, user and system: what a machine with other work to do says more exactly than the clock.
- Million instructions a second: guest instructions over the seconds between the machine's making and its end, without the
  start of Node and the reading of the image.
- Guest RAM that was touched: its resident pages when the process ends, counted in the host's page tables.
`;
process.stdout.write(report);
if (given.write) {
  mkdirSync(path.join(root, 'docs'), { recursive: true });
  const file = path.join(root, 'docs/performance.md');
  writeFileSync(file, await prettier.format(report, { ...(await prettier.resolveConfig(file)), filepath: file }));
}
