// Counts of QEMU: starts a guest under the plugin counter.c and reads what it wrote.
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, createReadStream, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { root } from '../sources.mjs';
import { memoryMiB, ovmf, qemuMachines, qemuProcessor, workFile } from './settings.mjs';

const longestSeconds = 900;

/** The plugin, compiled once for the run. */
function plugin() {
  const file = workFile('counter.so');
  if (existsSync(file)) return file;
  const source = path.join(root, '.ci/independent-count/counter.c');
  const flags = ['-std=gnu11', '-O2', '-Wall', '-Wextra', '-shared', '-fPIC'];
  const { status, stderr } = spawnSync('gcc', [...flags, '-o', file, source], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`gcc refuses ${source}:\n${stderr}`);
  return file;
}

function execute(args) {
  return new Promise((resolve, reject) => {
    const child = spawn('qemu-system-x86_64', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    const stop = () => child.kill('SIGKILL'); // whoever interrupts the count leaves no QEMU behind
    process.once('exit', stop);
    let errors = '';
    child.stderr.on('data', (bytes) => (errors += bytes.toString('latin1')));
    const timer = setTimeout(stop, longestSeconds * 1000);
    child.on('error', reject);
    child.on('close', (status) => {
      clearTimeout(timer);
      process.off('exit', stop);
      if (status !== 0)
        reject(new Error(`QEMU ended with status ${status} (null: after ${longestSeconds} s): ${errors}`));
      else resolve();
    });
  });
}

/**
 * The counts of the plugin, by stretch. An instruction's count is as often as it was begun, with one for each iteration of a
 * repeated one: the pass in which QEMU finds RCX zero after the last iteration is taken away, and summed apart.
 */
async function read(file) {
  const [images, stretches] = [{}, []];
  let current;
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const [kind, first, second, third, , fifth] = line.split(' ');
    if (kind === 'mark') {
      current = { name: first, address: second, counts: new Map(), sizes: new Map(), lastPasses: 0 };
      stretches.push(current);
    } else if (kind === 'i') {
      current.counts.set(first, Number(second));
      current.sizes.set(first, Number(third));
    } else if (kind === 'r') {
      const extra = Number(second) - Number(third) - Number(fifth);
      current.counts.set(first, current.counts.get(first) - extra);
      current.lastPasses += extra;
    } else if (kind === 'image') images[first] = BigInt(`0x${second}`);
  }
  return { images, stretches };
}

/**
 * Runs a guest to the mark `last`. `marks`: [{where, name}], `images`: [{name, file, offset}], as counter.c has them.
 * The clock is the count of instructions (-icount shift=0: one is one nanosecond, as ours), so a run
 * repeats but for the few interrupts that QEMU's main loop raises late.
 */
export async function qemuRun({
  door,
  machine = qemuMachines[door],
  kernel,
  initrd,
  append,
  marks,
  images = [],
  last,
  megabytes = memoryMiB,
  more = [],
}) {
  const marksFile = workFile('marks');
  const out = workFile('counts');
  const consoleFile = workFile('console'); // a file takes every byte at once: a full pipe would show in the UART
  writeFileSync(marksFile, marks.map(({ where, name }) => `${where} ${name}\n`).join(''));
  const firmware = [];
  if (door === 'efi') {
    const variables = workFile('variables.fd');
    copyFileSync(ovmf.variables, variables);
    const flash = (file, options = '') => ['-drive', `if=pflash,format=raw,file=${file}${options}`];
    firmware.push(...flash(ovmf.code, ',readonly=on'), ...flash(variables));
  }
  const settings = [
    `out=${out}`,
    `marks=${marksFile}`,
    ...images.map(({ name, file, offset }) => `image=${name}:${file}:${offset.toString(16)}`),
    ...(door === 'efi' ? [`from=${images[0].name}`] : []), // OVMF is not counted
    `last=${last}`,
  ];
  await execute([
    ...['-accel', 'tcg', '-icount', 'shift=0', '-seed', '1', '-rtc', 'base=2026-01-01T00:00:00,clock=vm'],
    ...['-nodefaults', '-nographic', '-no-reboot', '-monitor', 'none', '-serial', `file:${consoleFile}`],
    ...['-machine', machine, '-cpu', await qemuProcessor(), '-m', `${megabytes}`],
    ...firmware,
    ...['-kernel', kernel, ...(initrd === undefined ? [] : ['-initrd', initrd]), '-append', append],
    ...more,
    ...['-plugin', [plugin(), ...settings].join(',')],
  ]);
  const counted = await read(out);
  const text = readFileSync(consoleFile, 'latin1');
  if (!counted.stretches.some(({ name }) => name === last)) {
    throw new Error(`QEMU ended before ${last}; its last lines:\n${text.split('\n').slice(-6).join('\n')}`);
  }
  return { ...counted, text };
}
