import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import type { BootResult } from '../../src/report/result.js';
import { complaints, efikit, example } from '../support/efikit.js';

const elf = example('two-doors/two-doors.elf');

describe('efikit boot --digest', function () {
  this.timeout(30_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'efikit-digest-'));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });
  const boot = (...more: string[]): ReturnType<typeof efikit> => efikit(['boot', elf, '--memory', '64M', ...more]);
  const file = (name: string): string => path.join(folder, name);
  const lines = (name: string): string[] => readFileSync(file(name), 'utf8').split('\n').slice(0, -1);
  const result = (name: string): BootResult => ({
    ...(JSON.parse(readFileSync(file(name), 'utf8')) as BootResult),
    wallSeconds: 0,
  });

  it('writes a line every N ticks and at the end: the tick and four hashes, the same on both tiers', async () => {
    expect((await boot('--digest', '5_000', '--digest-file', file('both'), '--json', file('json'))).status).to.equal(0);
    await boot('--digest', '5000', '--digest-file', file('cold'), '--tier', 'interpreter');
    const both = lines('both');
    expect(both).to.deep.equal(lines('cold'));
    const { instructions, virtualNanoseconds } = result('json');
    expect(both.length)
      .to.be.at.least(Math.floor(instructions / 5000))
      .and.above(5);
    both.forEach((line, i) => {
      expect(line).to.match(/^\d+( [0-9a-f]{16}){4}$/);
      const end = i === both.length - 1;
      expect(Number(line.split(' ')[0])).to.equal(end ? virtualNanoseconds : 5000 * (i + 1));
    });
  });

  it('changes nothing in the run: the same console and JSON', async () => {
    const plain = await boot('--json', file('plain'));
    const digested = await boot('--digest', '777', '--digest-file', file('lines'), '--json', file('digested'));
    expect(digested.stdout).to.equal(plain.stdout);
    expect(digested.stderr).to.equal(plain.stderr);
    expect(result('digested')).to.deep.equal(result('plain'));
  });

  it('without a file the lines go to standard error, not between what the guest writes', async () => {
    await boot('--digest', '10000', '--digest-file', file('same'));
    const ended = await boot('--digest', '10000');
    const found = complaints(ended).filter((line) => line.startsWith('efikit: digest '));
    expect(found).to.deep.equal(lines('same').map((line) => `efikit: digest ${line}`));
    expect(ended.stdout).not.to.contain('digest');
  });

  it('refuses a file without N, an N below 1 and a file that cannot be written, before the guest runs', async () => {
    for (const [options, status, why] of [
      [['--digest-file', 'x'], 2, /--digest-file x: say with --digest N how many ticks/],
      [['--digest', '0'], 2, /--digest 0: give a whole number of at least 1/],
      [['--digest', '10', '--digest-file', folder], 4, /efikit-digest-/],
    ] as const) {
      const ended = await boot(...options);
      expect(ended.status, options.join(' ')).to.equal(status);
      expect(ended.stderr).to.match(why);
      expect(ended.stdout).to.equal('');
    }
  });
});
