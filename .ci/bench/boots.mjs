// Whole boots of Debian's kernels through each door, ours and QEMU's in turns; then compilation and memory.
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fixed, mebibytes, ratio, runsText, shown, spread, whole } from './figures.mjs';
import { table } from '../markdown.mjs';
import { countedKernel, efikitKernel, qemuKernel } from './programs.mjs';
import { built, hasOvmf, here, memoryMiB, qemu, release, say, work } from './settings.mjs';
import { libraryBoot } from './library-boot.mjs';

const hasQemu = (door) => (door === 'pvh' ? qemu !== undefined : hasOvmf);
const programs = {
  efikit: { title: 'efikit, both tiers', run: (kernel, door) => efikitKernel(kernel, door) },
  cold: {
    title: 'efikit, cold tier alone',
    run: (kernel, door) => efikitKernel(kernel, door, { tier: 'interpreter' }),
  },
  qemu: { title: 'QEMU, TCG', run: (kernel, door) => (hasQemu(door) ? qemuKernel(kernel, door) : undefined) },
};

/** Peak resident bytes of one boot's process, and how many of them are guest RAM. */
async function memoryOf(kernel, door) {
  const { RAM } = await import(built('cpu/state-layout.js'));
  const file = path.join(work, 'memory.json');
  rmSync(file, { force: true });
  await efikitKernel(kernel, door, {
    node: ['--import', here('memory-probe.mjs')],
    environment: { EFIKIT_BENCH_FILE: file, EFIKIT_BENCH_RAM: `${RAM},${memoryMiB * 2 ** 20}` },
  });
  try {
    const { peak, guestRam } = JSON.parse(readFileSync(file, 'utf8'));
    return { peak, guestRam, besides: peak - guestRam };
  } catch {
    return {}; // the host does not tell
  }
}

/** Everything about one kernel and door. Programs take turns, so that what else the machine does meets them alike. */
async function measure(kernel, door, runs) {
  const times = { efikit: [], cold: [], qemu: [] };
  for (let run = 1; run <= runs; run++) {
    for (const [name, program] of Object.entries(programs)) {
      const result = await program.run(kernel, door);
      if (result === undefined) continue;
      times[name].push(result);
      say(`${kernel}, ${door}, run ${run} of ${runs}: ${program.title}: ${result.seconds.toFixed(2)} s`);
    }
  }
  const memory = [];
  for (let run = 0; run < Math.min(runs, 3); run++) memory.push(await memoryOf(kernel, door));
  const counts = {
    efikit: await countedKernel(kernel, door),
    cold: await countedKernel(kernel, door, { tier: 'interpreter' }),
  };
  const { statistics } = await libraryBoot(kernel, door);
  return { kernel, door, ...times, counts, memory, statistics };
}

const statisticTitles = {
  regions: 'regions compiled',
  modules: 'WebAssembly modules made of them',
  instructions: 'guest instructions in them',
  bytes: 'their code, KiB',
  dropped: 'regions dropped again',
  milliseconds: 'seconds spent on making and compiling them',
};
const statisticFormats = { bytes: (n) => whole(n / 1024), milliseconds: (n) => (n / 1000).toFixed(2) };

/** The highest of one figure of the memory runs; undefined when the host does not tell. */
function highest(one, key) {
  const values = one.memory.map((each) => each[key]);
  return values.length === 0 || values.includes(undefined) ? undefined : Math.max(...values);
}

/** One column a kernel and door. */
function report(all, runs) {
  const row = (title, cell) => [title, ...all.map(cell)];
  const known = [...new Set(all.flatMap(({ statistics }) => Object.keys(statistics)))];
  const counts = known.filter((key) => all.every(({ statistics }) => typeof statistics[key] === 'number'));
  return `## Whole boots

Seconds are of the whole process, from its start to its end: ${runsText(runs)}. The programs took turns.

${table(
  ['', ...all.map(({ kernel, door }) => `${kernel}, ${door.toUpperCase()}`)],
  [
    ...Object.entries(programs).map(([name, { title }]) => row(title, (one) => spread(one[name]))),
    row('**efikit ÷ QEMU**', (one) => `**${shown(ratio(one.efikit, one.qemu), fixed(2))}**`),
    row('efikit (cold tier) ÷ QEMU', (one) => shown(ratio(one.cold, one.qemu), fixed(2))),
    ...Object.entries(programs).map(([name, { title }]) =>
      row(`processor seconds: ${title}`, (one) => spread(one[name], 'processorSeconds')),
    ),
    row('processor seconds: efikit ÷ QEMU', (one) => shown(ratio(one.efikit, one.qemu, 'processorSeconds'), fixed(2))),
    row('guest instructions', ({ counts }) => whole(counts.efikit.instructions)),
    row('MIPS, both tiers', ({ counts }) => whole(counts.efikit.mips)),
    row('MIPS, cold tier alone', ({ counts }) => whole(counts.cold.mips)),
  ],
)}

## Compilation and memory

Of one boot of each.

${table(
  ['', ...all.map(({ kernel, door }) => `${kernel}, ${door.toUpperCase()}`)],
  [
    ...counts.map((key) =>
      row(statisticTitles[key] ?? `\`${key}\``, ({ statistics }) => (statisticFormats[key] ?? whole)(statistics[key])),
    ),
    row('peak resident memory', (one) => shown(highest(one, 'peak'), mebibytes)),
    row('of it besides guest RAM that was touched', (one) => shown(highest(one, 'besides'), mebibytes)),
  ],
)}

- Kernels: ${[...new Set(all.map(({ kernel }) => kernel))].map((kernel) => `${kernel} is Debian's ${release(kernel)}`).join('; ')}; unmodified, to USERSPACE-UP and power-off.
- PVH: efikit takes the bzImage and unpacks its payload itself, inside its seconds. QEMU takes no bzImage through PVH, so it is given
  the payload unpacked beforehand, outside its seconds; it goes through SeaBIOS and its PVH option ROM.
- EFI: efikit's firmware is TypeScript outside the guest and starts no device. QEMU runs OVMF, which is guest code and looks for devices
  and boot options first; the kernel's EFI stub follows in both, and unpacks the kernel in the guest.
- Processor seconds are of all threads of a process, user and system: what a machine with other work to do says more exactly than the clock.
- Instructions and MIPS come from one boot more of each, with \`--json\`; MIPS: million guest instructions a second between the machine's making
  and its end, without the start of Node and the reading of the image.
- Peak resident memory is ${runs === 1 ? 'that of one boot' : `the highest of ${Math.min(runs, 3)} boots`}; guest RAM that was touched: its resident pages when the process ends, counted in the host's page tables.
`;
}

/** Highest share of QEMU's time. */
const bounds = { efi: 0.5, pvh: 1.2 };
const mostMemory = 350 * 2 ** 20; // bytes besides guest RAM

function goals(all) {
  return all.flatMap((one) => {
    const name = `${one.kernel}, ${one.door.toUpperCase()}`;
    const value = ratio(one.efikit, one.qemu);
    const besides = highest(one, 'besides');
    return [
      { title: `${name}: efikit ÷ QEMU`, value, bound: bounds[one.door], format: fixed(2) },
      { title: `${name}: memory besides guest RAM`, value: besides, bound: mostMemory, format: mebibytes },
    ];
  });
}

export async function boots({ kernels, doors, runs }) {
  const all = [];
  for (const kernel of kernels) for (const door of doors) all.push(await measure(kernel, door, runs));
  return { text: report(all, runs), goals: goals(all) };
}
