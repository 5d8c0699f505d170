import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { root } from './support/efikit.js';

interface Script {
  readonly currentPage: () => Promise<string>;
}
interface Settings {
  readonly kernels: readonly string[];
  readonly cellsOf: (kernel: string) => readonly object[];
  readonly nameOf: (cell: object) => string;
}
const script = async (name: string): Promise<unknown> => import(pathToFileURL(path.join(root, '.ci', name)).href);

describe('docs/xen-detection.md', function () {
  this.timeout(20_000);

  it('is what the kept results give (npm run docs makes it anew)', async () => {
    const { currentPage } = (await script('xen-matrix.mjs')) as Script;
    expect(readFileSync(path.join(root, 'docs/xen-detection.md'), 'utf8')).to.equal(await currentPage());
  });

  it('has a result for every cell of the matrix, and none beside them', async () => {
    const { cellsOf, kernels, nameOf } = (await script('xen-matrix/settings.mjs')) as Settings;
    const results = JSON.parse(readFileSync(path.join(root, '.ci/xen-matrix/results.json'), 'utf8')) as Record<
      string,
      object
    >;
    expect(Object.keys(results)).to.deep.equal([...kernels]);
    for (const kernel of kernels)
      expect(Object.keys(results[kernel] ?? {})).to.have.members(cellsOf(kernel).map(nameOf));
  });
});
