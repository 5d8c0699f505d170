import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import type { AblationReport } from '../src/ablate/result.js';
import { corruptions } from '../src/firmware/corruptions.js';
import { linux } from '../src/firmware/index.js';
import { root } from './support/efikit.js';

interface Script {
  readonly currentPage: () => Promise<string>;
}

describe('docs/ablation.md', function () {
  this.timeout(20_000);
  const file = path.join(root, '.ci/ablation/results.json');
  const { ablations } = JSON.parse(readFileSync(file, 'utf8')) as AblationReport;

  const kernels = ['6.1-cloud', '6.12-cloud', 'latest-cloud'];

  it('is what the kept findings give (npm run docs makes it anew)', async () => {
    const { currentPage } = (await import(pathToFileURL(path.join(root, '.ci/ablation.mjs')).href)) as Script;
    expect(readFileSync(path.join(root, 'docs/ablation.md'), 'utf8')).to.equal(await currentPage());
  });

  it('has every part of the profile and every corruption of what was called', () => {
    expect(ablations.map(({ image }) => image.path)).to.include.members(kernels);
    for (const { parts } of ablations) {
      const ids = parts.map(({ id }) => id);
      expect(ids).to.include.members(Object.keys(linux.services));
      expect(ids).to.include.members(Object.keys(linux.protocols).map((name) => `protocol:${name}`));
      expect(ids).to.include.members(Object.keys(linux.configurationTables).map((name) => `table:${name}`));
      for (const { id, need, trials } of parts) {
        const wanted = need === 'unused' ? [] : Object.keys(corruptions[id as keyof typeof corruptions] ?? {});
        expect(trials.map(({ corruption }) => corruption)).to.include.members(wanted);
      }
    }
  });

  it('has smallest sets that were run: each came to its goal', () => {
    for (const { minimal, whole } of ablations) {
      expect(whole.reached).to.equal('end');
      expect(minimal.map(({ goal }) => goal)).to.deep.equal([
        'exit-boot-services',
        'kernel-entry',
        'start_kernel',
        'user-space',
        'end',
      ]);
      for (const { goal, verified } of minimal) expect(verified.reached).to.equal(goal);
    }
  });
});
