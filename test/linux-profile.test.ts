import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { linux, type Profile } from '../src/firmware/index.js';
import { root } from './support/efikit.js';
import { kernelNames } from './support/kernels.js';

type Results = Readonly<Record<string, { readonly without: Readonly<Record<string, unknown>> }>>;
interface Script {
  readonly currentPage: () => Promise<string>;
}
interface Page {
  readonly page: (results: Results, profile: Profile, slots: readonly string[]) => string;
}
const script = async (name: string): Promise<unknown> => import(pathToFileURL(path.join(root, '.ci', name)).href);

describe('docs/linux-profile.md', function () {
  this.timeout(20_000);
  const results = JSON.parse(readFileSync(path.join(root, '.ci/justify/results.json'), 'utf8')) as Results;
  const entries = [
    ...Object.keys(linux.services),
    ...Object.keys(linux.protocols).map((name) => `protocol:${name}`),
    ...Object.keys(linux.configurationTables).map((name) => `table:${name}`),
  ];

  it('is what the kept results give (npm run docs makes it anew)', async () => {
    const { currentPage } = (await script('justify.mjs')) as Script;
    expect(readFileSync(path.join(root, 'docs/linux-profile.md'), 'utf8')).to.equal(await currentPage());
  });
  it('has a row for every entry of the profile and an entry for every row, of every kernel', () => {
    expect(Object.keys(results)).to.deep.equal([...kernelNames]);
    for (const kernel of kernelNames) expect(Object.keys(results[kernel]?.without ?? {})).to.deep.equal(entries);
  });
  it('is refused for another profile than the one whose boots were kept', async () => {
    const { page } = (await script('justify/page.mjs')) as Page;
    const richer = { ...linux, services: { ...linux.services, Stall: 'one more' } };
    const poorer = { ...linux, configurationTables: {} };
    for (const profile of [richer, poorer]) expect(() => page(results, profile, [])).to.throw('--write boots it anew');
  });
});
