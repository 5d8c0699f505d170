import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { root } from './support/efikit.js';

interface Docs {
  readonly documents: readonly string[];
  readonly regenerate: (text: string) => Promise<string>;
}

describe('documents', function () {
  this.timeout(60_000);

  it('hold what their commands print (npm run docs rewrites them)', async () => {
    const { documents, regenerate } = (await import(pathToFileURL(path.join(root, '.ci/docs.mjs')).href)) as Docs;
    for (const document of documents) {
      const text = readFileSync(path.join(root, document), 'utf8');
      expect(text).to.match(/<!-- run: /);
      expect(text).to.equal(await regenerate(text));
    }
  });
});
