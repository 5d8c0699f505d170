import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cachedFile, kernelFolder } from './support/kernels.js';

const file = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}
const script = (args: readonly string[]): Ended =>
  spawnSync(process.execPath, [file('.ci/bisect.mjs'), ...args], { encoding: 'utf8' });

function bisect(...args: string[]): Ended {
  const guest = [
    file('examples/two-doors/two-doors.elf'),
    '--profile',
    'proposal',
    '--memory',
    '64',
    '--every',
    '2000',
  ];
  return script([...guest, ...args]);
}

describe('.ci/bisect.mjs', function () {
  this.timeout(60_000);

  it('finds no difference between the cold tier alone and both tiers', () => {
    const { status, stdout, stderr } = bisect('--b', '{"compileAfter":1}');
    expect(status, stderr).to.equal(0);
    expect(stdout).to.contain('no difference in processor, memory, devices, tlb');
  });

  it('names the first tick at which two runs differ, the difference and the instruction', () => {
    const { status, stdout, stderr } = bisect('--b', '{"tlbEntries":16}', '--parts', 'tlb');
    expect(status, stderr).to.equal(1);
    expect(stdout).to.contain('first difference: tick 1, in tlb');
    expect(stdout).to.match(/where they still agree, next in a:\n {2}0x[0-9a-f]+ {2}\w+/);
    const clocks = bisect('--b', '{"startSeconds":5}');
    expect(clocks.stdout).to.contain('first difference: tick 0, in devices').and.contain('"offset":5');
  });

  describe("on Debian's kernel 6.1", () => {
    const image = join(kernelFolder, 'vmlinuz-6.1-cloud');
    before(function () {
      cachedFile(this, 'vmlinuz-6.1-cloud');
    });

    it('finds no difference between code compiled at random and none, with small TLBs', () => {
      const both = ['{"compileAfter":"random","tlbEntries":16}', '{"compileAfter":"never","tlbEntries":16}'] as const;
      const ended = script([image, '--a', both[0], '--b', both[1], '--every', '500000', '--until', '20000000']);
      expect(ended.status, ended.stdout + ended.stderr).to.equal(0);
    });

    it('finds the instruction that first sees another seed: RDRAND', () => {
      const ended = script([image, '--b', '{"seed":2}', '--parts', 'processor,memory', '--until', '100000000']);
      expect(ended.status, ended.stderr).to.equal(1);
      expect(ended.stdout).to.match(/where they still agree, next in a:\n {2}0x[0-9a-f]+ {2}rdrand/);
    });
  });

  it('says what is wrong with its options', () => {
    const { status, stderr } = bisect('--door', 'window');
    expect(status).to.equal(2);
    expect(stderr).to.equal('bisect: no door window\n');
  });
});
