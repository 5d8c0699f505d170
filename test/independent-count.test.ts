import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { runGuest } from './bare/run-guest.js';
import { root } from './support/efikit.js';

interface Script {
  readonly currentPage: () => Promise<string>;
}
interface Results {
  readonly bare: readonly { readonly guest: string; readonly qemu: number }[];
  readonly boots: readonly { readonly kernel: string; readonly door: string }[];
}
interface Settings {
  readonly kernels: readonly string[];
  readonly doors: readonly string[];
  readonly bareGuests: readonly string[];
}
const script = async (name: string): Promise<unknown> => import(pathToFileURL(path.join(root, '.ci', name)).href);
const results = JSON.parse(readFileSync(path.join(root, '.ci/independent-count/results.json'), 'utf8')) as Results;

describe('the independent count', function () {
  this.timeout(60_000);

  it('docs/independent-count.md is what the kept results give (npm run docs makes it anew)', async () => {
    const { currentPage } = (await script('independent-count.mjs')) as Script;
    expect(readFileSync(path.join(root, 'docs/independent-count.md'), 'utf8')).to.equal(await currentPage());
  });

  it('has a result for every guest, kernel and door, and none beside them', async () => {
    const { kernels, doors, bareGuests } = (await script('independent-count/settings.mjs')) as Settings;
    expect(results.bare.map(({ guest }) => guest)).to.deep.equal(bareGuests);
    expect(results.boots.map(({ kernel, door }) => `${kernel} ${door}`)).to.deep.equal(
      kernels.flatMap((kernel) => doors.map((door) => `${kernel} ${door}`)),
    );
  });

  for (const { guest, qemu } of results.bare) {
    it(`compute.elf "${guest}" executes as many instructions as QEMU counted`, () => {
      expect(runGuest('compute.elf', { commandLine: guest }).instructions).to.equal(qemu);
    });
  }
});
