import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const file = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));

function bisect(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const guest = [
    file('examples/two-doors/two-doors.elf'),
    '--profile',
    'proposal',
    '--memory',
    '64',
    '--every',
    '2000',
  ];
  return spawnSync(process.execPath, [file('.ci/bisect.mjs'), ...guest, ...args], { encoding: 'utf8' });
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

  it('says what is wrong with its options', () => {
    const { status, stderr } = bisect('--door', 'window');
    expect(status).to.equal(2);
    expect(stderr).to.equal('bisect: no door window\n');
  });
});
