import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { endings, play, scenarios, type Scenario } from './scenarios.js';
import { conformancePage, ovmfLines } from './conformance-page.js';

const leave: Scenario = { profile: 'linux', words: 'leave', reason: '' };

describe('conformance: calls through the System Table, UEFI 2.10', function () {
  this.timeout(20_000);

  for (const scenario of scenarios) {
    describe(`profile ${scenario.profile}: ${scenario.words}`, () => {
      const { checks, outcome } = play(scenario);
      for (const { section, service, what, result } of checks) {
        it(`${section} ${service}: ${what}`, () => {
          expect(result).to.equal('ok');
        });
      }
      it(`then ${scenario.reason}`, () => {
        expect(outcome?.reason).to.equal(scenario.reason);
      });
    });
  }

  for (const ending of endings) {
    it(`${ending.section} ${ending.service}, profile ${ending.profile}: ${ending.what}`, () => {
      expect(play(ending).outcome?.reason).to.equal(ending.reason);
    });
  }

  it('7.4.6 ExitBootServices: a call afterwards is logged with the guest’s address and why it did not act', () => {
    const calls = play(leave).calls.filter(({ unserved }) => unserved === 'after-exit-boot-services');
    expect(calls.map(({ name }) => name)).to.include.members(['GetMemoryMap', 'AllocatePages', 'ExitBootServices']);
    for (const { caller } of calls) expect(caller > 0x10_0000n && caller < 0x400_0000n).to.equal(true);
  });

  it('7.2 to 8.5: EDK II (OVMF of Debian 12) gives the same result to every check that is made there', () => {
    const made = new Set(
      scenarios.flatMap((scenario) => play(scenario).checks.map((c) => `${c.section} ${c.service}: ${c.what}: ok`)),
    );
    const lines = ovmfLines();
    expect(lines.length).to.be.above(150);
    expect(lines.filter((line) => !made.has(line))).to.deep.equal([]);
  });

  it('docs/conformance.md is what `npm run docs` writes', () => {
    expect(readFileSync(new URL('../../docs/conformance.md', import.meta.url), 'utf8')).to.equal(conformancePage());
  });
});
