import { expect } from 'chai';
import { runGuest } from './run-guest.js';

const image = 'privileged.elf';

describe('privileged behaviour of a bare guest (Intel SDM volume 3 unless a title says otherwise)', function () {
  this.timeout(60_000);
  const run = runGuest(image, { machine: { compileAfter: 'never' } });

  for (const line of run.lines.slice(0, -1)) {
    const [, title = line, verdict = ''] = /^(.*): (ok|\S.* got 0x\S+ want 0x\S+)$/.exec(line) ?? [];
    it(title, () => {
      expect(verdict).to.equal('ok');
    });
  }
  it('the guest came to its end and powered off', () => {
    expect(run.lines.at(-1)).to.equal('end');
    expect(run.outcome.outcome).to.equal('powered-off');
  });
  for (const compileAfter of [1, 'random'] as const) {
    for (const tlbEntries of [16, 1024]) {
      it(`is the same to the tick, compiled after ${String(compileAfter)}, ${String(tlbEntries)} TLB entries`, () => {
        const other = runGuest(image, { machine: { compileAfter, tlbEntries } });
        expect(other.lines).to.deep.equal(run.lines);
        expect([other.instructions, other.ticks]).to.deep.equal([run.instructions, run.ticks]);
      });
    }
  }
  it('6.15 #DF: a fault while #DF is delivered shuts the processor down: a triple fault', () => {
    const { outcome, lines } = runGuest(image, { commandLine: 'triple-fault' });
    expect(lines).to.deep.equal(['triple fault now']);
    expect(outcome.outcome).to.equal('triple-fault');
    expect(outcome.reason).to.match(/^triple fault at RIP 0x/);
  });
});
