import { expect } from 'chai';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runWithDigests, type Digest } from '../../src/digest.js';
import type { MachineOptions } from '../../src/machine.js';
import { cachedFile, kernelFolder } from '../support/kernels.js';
import { RecordedBoot, type BootChoice } from '../support/recorded-boot.js';

type Configuration = Pick<MachineOptions, 'compileAfter' | 'tlbEntries'>;

interface Line {
  readonly tick: number;
  readonly digest: Digest;
}

const reference: Configuration = { compileAfter: 'never', tlbEntries: 1024 };
/** What must be the same run: when code is compiled and how many entries the TLBs have shows to nobody. */
const configurations: readonly Configuration[] = [
  { compileAfter: 1, tlbEntries: 1024 },
  { compileAfter: 500, tlbEntries: 1024 },
  { compileAfter: { random: 1 }, tlbEntries: 1024 },
  { compileAfter: { random: 2 }, tlbEntries: 1024 },
  { compileAfter: 'never', tlbEntries: 16 },
  { compileAfter: 1, tlbEntries: 16 },
  { compileAfter: { random: 3 }, tlbEntries: 16 },
  { compileAfter: { random: 4 }, tlbEntries: 16 },
];

/** The digests of a run up to a tick. */
async function run(boot: BootChoice, options: Configuration, every: number, until: number): Promise<Line[]> {
  const { machine } = await RecordedBoot.start({ ...boot, options });
  const lines: Line[] = [];
  runWithDigests(machine, every, (tick, digest) => lines.push({ tick, digest }), until);
  return lines;
}

/** Fails with the first difference, and with the command that finds its instruction. */
function compare(boot: BootChoice, options: Configuration, right: readonly Line[], lines: readonly Line[]): void {
  const parts = ['processor', 'memory', 'devices', ...(options.tlbEntries === 1024 ? (['tlb'] as const) : [])] as const;
  right.forEach(({ tick, digest }, i) => {
    const other = lines[i];
    const found = parts.filter((part) => other?.digest[part] !== digest[part]);
    if (other?.tick === tick && found.length === 0) return;
    const command = [
      `node .ci/bisect.mjs ${boot.image} --door ${boot.door} --profile ${boot.profile} --append '${boot.commandLine}'`,
      ...(boot.initrd === undefined ? [] : [`--initrd ${boot.initrd}`]),
      `--memory ${String(boot.memoryBytes / 2 ** 20)} --a '${JSON.stringify(reference)}' --b '${JSON.stringify(options)}'`,
      `--until ${String(tick)}`,
    ].join(' ');
    expect.fail(`differs up to tick ${String(tick)} in ${found.join(', ') || 'the tick'}; where: ${command}`);
  });
  expect(lines.length).to.equal(right.length);
}

/** Tests that all configurations are one run. */
function oneRun(boot: BootChoice, every: number, until: number, compared = configurations): void {
  let right: Line[];
  before(async () => {
    right = await run(boot, reference, every, until);
  });
  for (const options of compared) {
    it(`compiled after ${JSON.stringify(options.compileAfter)}, TLBs of ${String(options.tlbEntries)} entries`, async () => {
      compare(boot, options, right, await run(boot, options, every, until));
    });
  }
}

describe('bare guests: the same digests every 1,000 ticks whatever the moment of compilation and the TLBs', function () {
  this.timeout(60_000);
  const folder = fileURLToPath(new URL('../bare', import.meta.url));
  const bare = (name: string, commandLine: string): BootChoice => ({
    image: join(folder, name),
    door: 'pvh',
    profile: 'proposal',
    memoryBytes: 64 << 20,
    commandLine,
  });
  describe('experiment', () => {
    oneRun(bare('experiment.elf', ''), 1000, 2_000_000);
  });
  describe('privileged', () => {
    oneRun(bare('privileged.elf', ''), 1000, 2_000_000);
  });
  for (const kernel of ['sieve', 'crc', 'sha256', 'tree', 'calls', 'copy', 'sse']) {
    describe(`compute ${kernel}`, () => {
      oneRun(bare('compute.elf', `${kernel} 1`), 1000, 500_000);
    });
  }
});

for (const door of ['pvh', 'efi'] as const) {
  describe(`Debian's kernel 6.1 by ${door}: the same digests`, function () {
    this.timeout(120_000);
    before(function () {
      cachedFile(this, 'vmlinuz-6.1-cloud');
      cachedFile(this, 'initrd.gz');
    });
    const boot: BootChoice = {
      image: join(kernelFolder, 'vmlinuz-6.1-cloud'),
      initrd: join(kernelFolder, 'initrd.gz'),
      door,
      profile: 'linux',
      memoryBytes: 256 << 20,
      commandLine: 'console=ttyS0',
    };
    describe('every 1,000,000 ticks up to 60,000,000', () => {
      oneRun(boot, 1_000_000, 60_000_000);
    });
    describe('every 20,000,000 ticks up to 600,000,000', () => {
      oneRun(boot, 20_000_000, 600_000_000, [
        { compileAfter: 500, tlbEntries: 1024 },
        { compileAfter: { random: 5 }, tlbEntries: 16 },
      ]);
    });
  });
}
