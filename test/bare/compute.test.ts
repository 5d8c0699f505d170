import { expect } from 'chai';
import * as models from './compute-models.js';
import { runGuest } from './run-guest.js';

const image = 'compute.elf';
const repeats: Readonly<Record<keyof typeof models, number>> = {
  sieve: 2,
  crc: 3,
  sha256: 2,
  tree: 2,
  calls: 2,
  copy: 33,
  sse: 20,
};

describe('the compute kernels of the bench', function () {
  this.timeout(60_000);
  const names = Object.keys(repeats) as (keyof typeof models)[];
  for (const name of names) {
    describe(name, () => {
      const commandLine = `${name} ${String(repeats[name])}`;
      let checksum: string;
      before(() => {
        checksum = `0x${models[name](repeats[name]).toString(16)}`;
      });
      let ticks: number | undefined;
      for (const [tier, compileAfter] of [
        ['the cold tier alone', 'never'],
        ['both tiers, compiled early', 500],
      ] as const) {
        it(`gives the checksum of its model, ${tier}`, () => {
          const run = runGuest(image, { commandLine, machine: { compileAfter } });
          expect(run.lines).to.deep.equal(['begin', `${commandLine} ${checksum}`]);
          expect(run.outcome.outcome).to.equal('powered-off');
          ticks ??= run.ticks;
          expect(run.ticks).to.equal(ticks);
        });
      }
    });
  }
  it('a command line without a kernel lists them', () => {
    const { lines } = runGuest(image, { commandLine: 'console=ttyS0' });
    expect(lines).to.deep.equal([`the command line names no kernel; there are: ${names.join(' ')}`]);
  });
});
