import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { root } from './support/efikit.js';

interface Evaluation {
  readonly pageFile: string;
  readonly currentPage: () => Promise<string>;
  readonly currentPictures: () => Readonly<Record<string, string>>;
}

const load = async (file: string): Promise<unknown> => import(pathToFileURL(path.join(root, file)).href);

describe('docs/evaluation.md', () => {
  it('is what the kept figures give, and every sentence is true of them (npm run evaluation -- --page)', async () => {
    const { pageFile, currentPage } = (await load('.ci/evaluation.mjs')) as Evaluation;
    expect(readFileSync(pageFile, 'utf8')).to.equal(await currentPage());
  });

  it('shows the pictures that the kept figures give', async () => {
    const { pageFile, currentPictures } = (await load('.ci/evaluation.mjs')) as Evaluation;
    const shown = [...readFileSync(pageFile, 'utf8').matchAll(/\]\(evaluation\/([\w-]+)\.svg\)/g)].map(
      ([, name]) => name,
    );
    const pictures = Object.entries(currentPictures());
    expect(shown).to.have.members(pictures.map(([name]) => name));
    for (const [name, picture] of pictures) {
      expect(readFileSync(path.join(root, 'docs/evaluation', `${name}.svg`), 'utf8'), name).to.equal(picture);
    }
  });

  it('refuses a sentence that the figures contradict', async () => {
    const { when } = (await load('.ci/evaluation/sentences.mjs')) as { when: (holds: boolean, text: string) => string };
    expect(when(true, 'two is more')).to.equal('two is more');
    expect(() => when(false, 'one is more')).to.throw('"one is more"');
  });
});
