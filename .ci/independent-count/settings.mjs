// The independent count: what is booted, and with what both machines are made alike.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { kernelFile, kernelFolder } from '../kernels.mjs';
import { root } from '../sources.mjs';

/** As examples/get-kernels names them. */
export const kernels = ['6.1-cloud', '6.12-cloud', 'latest-cloud'];
export const doors = ['pvh', 'efi'];
/** Command lines of test/bare/compute.elf: each of its kernels, with few repeats. */
export const bareGuests = ['sieve 2', 'crc 5', 'sha256 10', 'tree 1', 'calls 1', 'copy 5', 'sse 5'];
export { kernelFile };
export const initrdFile = path.join(kernelFolder, 'initrd.gz');
export const resultsFile = path.join(root, '.ci/independent-count/results.json');
export const pageFile = path.join(root, 'docs/independent-count.md');
export const memoryMiB = 512;

/** What the command line makes alike, and why. */
export const commandLineWords = [
  { word: 'console=ttyS0', why: 'the serial port, which both have' },
  {
    word: 'nokaslr',
    why: 'the kernel at its link address, and no work to choose another; QEMU and OVMF would also give it other random numbers',
  },
  { word: 'tsc_early_khz=1000000', why: 'QEMU has no CPUID leaf that tells the frequency of the TSC' },
  {
    word: 'tsc=reliable',
    why: 'QEMU 7.2 has no invariant TSC under TCG, so the kernel would watch the TSC by another clock',
  },
  { word: 'no_timer_check', why: 'a PC has a PIT at pin 2 of its I/O APIC, and the kernel waits there to see it tick' },
  {
    word: 'cryptomgr.notests',
    why: "the kernel's tests of its ciphers are two thirds of a boot of 6.1, and hide the rest",
  },
  { word: 'norandmaps', why: 'the first user program at its link address' },
];
export const commandLine = commandLineWords.map(({ word }) => word).join(' ');
/** What QEMU adds when it hands an initrd to OVMF; here it is said to both. */
export const commandLineThrough = (door, line = commandLine) => (door === 'efi' ? `${line} initrd=initrd` : line);

/** Kernel symbols at whose first instruction the counts are read; those that a kernel lacks are left out. */
export const symbolMarks = [
  'x86_64_start_kernel',
  'start_kernel',
  'setup_arch',
  'tsc_early_init',
  'trap_init',
  'mm_init',
  'mm_core_init',
  'sched_init',
  'init_IRQ',
  'timekeeping_init',
  'console_init',
  'acpi_early_init',
  'vfs_caches_init',
  'rest_init',
  'kernel_init_freeable',
  'smp_init',
  'populate_rootfs',
  'free_initmem',
  'mark_rodata_ro',
  'run_init_process',
];

/** Features that TCG of QEMU 7.2 does not have. */
export const lackingInQemu = ['TSC-DEADLINE', 'INVARIANT-TSC'];

/** A processor as ours: no features but those that we announce, and no hypervisor leaves. */
export async function qemuProcessor() {
  const { announcedFeatures, cpuid } = await import(built('cpu/cpuid.js'));
  const names = announcedFeatures.map(({ name }) => name).filter((name) => !lackingInQemu.includes(name));
  const [signature] = cpuid(1, 0);
  const model = ((signature >> 12) & 0xf0) | ((signature >> 4) & 0xf);
  return [
    'base',
    'vendor=GenuineIntel',
    `family=${(signature >> 8) & 0xf}`,
    `model=${model}`,
    `stepping=${signature & 0xf}`,
    `level=${cpuid(0, 0)[0]}`,
    `xlevel=${cpuid(0x8000_0000, 0)[0]}`,
    'model-id=efikit virtual processor at 1.00 GHz',
    '-hypervisor',
    'tcg-cpuid=off',
    ...names.map((name) => `+${name.toLowerCase()}`),
  ].join(',');
}

export const ovmf = { code: '/usr/share/OVMF/OVMF_CODE_4M.fd', variables: '/usr/share/OVMF/OVMF_VARS_4M.fd' };
/** What the machines of QEMU are: for each door the nearest to ours that it has. */
export const qemuMachines = {
  pvh: 'microvm,acpi=on,pit=off,pic=off,rtc=on,ioapic2=off,auto-kernel-cmdline=off',
  efi: 'q35,hpet=off,smm=off,usb=off,vmport=off,i8042=off,sata=off,smbus=off',
};

/** Causes given to QEMU or taken from it, on the first kernel: what the difference then is. */
export const variations = [
  {
    title: 'PVH, a machine without a real-time clock (`rtc=off`)',
    door: 'pvh',
    machine: qemuMachines.pvh.replace('rtc=on', 'rtc=off'),
    why: 'the kernel reads the clock twice and each time waits a second for an update of it to end, for all its registers read as ones',
  },
  {
    title: 'PVH, a machine with a PIT (`pit=on`)',
    door: 'pvh',
    machine: qemuMachines.pvh.replace('pit=off', 'pit=on'),
    why: 'the PIT counts, so fewer reads tell the frequency',
  },
  {
    title: 'EFI, without `no_timer_check`',
    door: 'efi',
    append: commandLine.replace(' no_timer_check', ''),
    why: 'the kernel waits for ten ticks of the PIT, to see that its interrupt comes through',
  },
];

/** A module of the built library. */
export const built = (module) => pathToFileURL(path.join(root, 'dist/src', module)).href;

const versionOf = (command) =>
  /version (\S+)/.exec(spawnSync(command, ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[1];
export const qemuVersion = () => versionOf('qemu-system-x86_64');
const packageVersion = (name) =>
  spawnSync('dpkg-query', ['-W', '-f', '${Version}', name], { encoding: 'utf8' }).stdout || 'unknown';
export const ovmfVersion = () => packageVersion('ovmf');

/** The release that a kernel image names, as uname -r has it. */
export const release = (name) =>
  /[0-9]+\.[0-9]+\.[^ \0]+/.exec(readFileSync(kernelFile(name)).subarray(0, 65536).toString('latin1'))?.[0] ??
  'unknown release';

/** What is missing on this host for the count; undefined when nothing is. */
export function missing() {
  if (qemuVersion() === undefined) return 'qemu-system-x86_64 is not installed';
  if (!existsSync(ovmf.code)) return `${ovmf.code} is missing: install the package ovmf`;
  if (spawnSync('gcc', ['--version']).status !== 0) return 'gcc is not installed';
  return undefined;
}

let folder;

/** A file in a folder of this run, which is gone when it ends. */
export function workFile(name) {
  if (folder === undefined) {
    folder = mkdtempSync(path.join(os.tmpdir(), 'efikit-count-'));
    process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
  }
  return path.join(folder, name);
}

export const say = (line) => process.stderr.write(`independent-count: ${line}\n`);
