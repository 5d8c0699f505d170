// The compute kernels of test/bare/compute, bare through PVH: the same ELF under efikit and under QEMU's TCG, in turns.
import { fixed, geometricMean, medianOf, ratio, runsText, shown, spread, whole } from './figures.mjs';
import { table } from '../markdown.mjs';
import { efikitBare, qemuBare } from './programs.mjs';
import { computeImage, qemu, say } from './settings.mjs';

/** Names as the guest knows them, and the repeats of the cold tier's one short run. */
const kernels = {
  sieve: { title: 'sieve of Eratosthenes, bytes', cold: 40 },
  crc: { title: 'CRC-32 through a table', cold: 120 },
  sha256: { title: 'SHA-256', cold: 200 },
  tree: { title: 'binary tree, 2 MiB', cold: 2 },
  calls: { title: 'indirect calls, 16 targets', cold: 6 },
  copy: { title: 'block copies: REP MOVSB, REP MOVSQ, a loop', cold: 800 },
  sse: { title: 'SSE2 arithmetic', cold: 800 },
};

/** A run's checksum line and the seconds between "begin" and that line. */
async function one(run, name) {
  const result = await run(computeImage, name, { marks: ['begin', `\n${name} `] });
  const line = new RegExp(`^${name} \\d+ 0x[0-9a-f]+`, 'm').exec(result.text)?.[0];
  return { ...result, line, guestSeconds: result.seen[1] - result.seen[0] };
}
const inSeconds = (value) => `${value.toFixed(2)} s`;

async function measure(name, runs) {
  const measured = { name, efikit: [], qemu: [] };
  for (let run = 1; run <= runs; run++) {
    const mine = await one(efikitBare, name);
    measured.efikit.push(mine);
    const theirs = qemu === undefined ? undefined : await one(qemuBare, name);
    if (theirs !== undefined) measured.qemu.push(theirs);
    say(
      `${name}, run ${run} of ${runs}: efikit ${mine.seconds.toFixed(2)} s, QEMU ${shown(theirs?.seconds, inSeconds)}`,
    );
    if (theirs !== undefined && theirs.line !== mine.line) {
      throw new Error(
        `compute kernel ${name}: efikit printed "${mine.line}", QEMU "${theirs.line}": one of them is wrong`,
      );
    }
  }
  const { mips } = await efikitBare(computeImage, `${name} ${kernels[name].cold}`, { tier: 'interpreter' });
  return { ...measured, coldMips: mips };
}

/** The mean over `names`; undefined when QEMU was not measured. */
function mean(all, names, key) {
  const ratios = all.filter(({ name }) => names.includes(name)).map((one) => ratio(one.efikit, one.qemu, key));
  return ratios.includes(undefined) ? undefined : geometricMean(ratios);
}

const integer = Object.keys(kernels).filter((name) => name !== 'sse');

function report(all, runs) {
  const means = (title, names) => [
    `**${title}**`,
    '',
    '',
    `**${shown(mean(all, names, 'seconds'), fixed(2))}**`,
    '',
    '',
    shown(mean(all, names, 'guestSeconds'), fixed(2)),
    '',
    '',
  ];
  return `## Compute kernels

\`test/bare/compute.elf\`, bare through PVH on both sides, freestanding C by gcc -O2, 64-bit mode with 2 MiB pages. Seconds: ${runsText(runs)};
${qemu === undefined ? 'QEMU was not there to compare with' : 'the programs took turns, and both printed the same checksum each time'}.

${table(
  ['', 'efikit', 'QEMU, TCG', 'ratio', 'guest alone: efikit', 'QEMU', 'ratio', 'MIPS, both tiers', 'MIPS, cold tier'],
  [
    ...all.map(({ name, efikit, qemu: theirs, coldMips }) => [
      `\`${name}\`: ${kernels[name].title}`,
      spread(efikit),
      spread(theirs),
      `**${shown(ratio(efikit, theirs), fixed(2))}**`,
      shown(medianOf(efikit, 'guestSeconds'), fixed(2)),
      shown(medianOf(theirs, 'guestSeconds'), fixed(2)),
      shown(ratio(efikit, theirs, 'guestSeconds'), fixed(2)),
      shown(medianOf(efikit, 'mips'), whole),
      whole(coldMips),
    ]),
    means('geometric mean of the first six', integer),
    means('geometric mean of all seven', Object.keys(kernels)),
  ],
)}

- The first columns are of the whole process; "guest alone" is from the guest's first line to its last as they arrive at a pipe.
- A REP iteration counts as an instruction.
`;
}

export async function compute({ runs }) {
  const all = [];
  for (const name of Object.keys(kernels)) all.push(await measure(name, runs));
  const ratios = all.map((one) => ratio(one.efikit, one.qemu));
  const worst = ratios.includes(undefined) ? undefined : Math.max(...ratios);
  const format = fixed(2);
  const goals = [
    {
      title: 'compute kernels: mean of the first six ÷ QEMU',
      value: mean(all, integer, 'seconds'),
      bound: 0.8,
      format,
    },
    { title: 'compute kernels: worst of the seven ÷ QEMU', value: worst, bound: 1.5, format },
  ];
  return { text: report(all, runs), goals };
}
