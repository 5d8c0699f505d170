import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { buildSync } from 'esbuild';
import type { StoredVariable } from '../../src/firmware/index.js';
import { VariableFile } from '../../src/host/variable-file.js';
import { StoredVariables } from '../../src/variables/stored-variables.js';
import { root } from '../support/efikit.js';
import { changeAt } from '../support/variable-changes.js';

const kills = 500;

describe('variable store file, processes killed', function () {
  this.timeout(600_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'efikit-kills-'));
    buildSync({
      entryPoints: [path.join(root, 'test/support/variable-writer.ts')],
      outfile: path.join(folder, 'writer.mjs'),
      bundle: true,
      platform: 'node',
      format: 'esm',
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    });
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it(`${String(kills)} kills at random moments: nothing acknowledged is lost, the store always opens`, async () => {
    const file = path.join(folder, 'store');
    const expected = new StoredVariables();
    let next = 0; // the first change that nobody has acknowledged
    for (let kill = 0; kill < kills; kill++) {
      // Some as the process starts and takes the file over from the dead one, most as it writes.
      const acknowledged = await writeUntilKilled(file, next, kill % 8 === 0 ? 'while it starts' : 'while it writes');
      for (; next <= acknowledged; next++) expected.apply(changeAt(next));
      if (!existsSync(file)) continue; // killed before it created the store
      const found = textOf(VariableFile.read(file));
      if (found === textOf(expected.all())) continue;
      expected.apply(changeAt(next++)); // stored, but killed before it could say so
      expect(found, `kill ${String(kill)}`).to.equal(textOf(expected.all()));
    }
    expect(next, 'changes').to.be.greaterThan(kills);
    const store = VariableFile.open(file); // the lock of the last dead process does not hold
    expect(textOf(store.all())).to.equal(textOf(expected.all()));
    store.close();
    expect(readdirSync(folder).sort()).to.deep.equal(['store', 'writer.mjs']);
  });

  /** Answers the last change that was acknowledged; first - 1 when none was. */
  function writeUntilKilled(file: string, first: number, when: string): Promise<number> {
    const child = spawn(process.execPath, [path.join(folder, 'writer.mjs'), file, String(first)]);
    let output = '';
    let complaint = '';
    const killLater = (milliseconds: number): void => {
      setTimeout(() => child.kill('SIGKILL'), Math.random() * milliseconds);
    };
    if (when === 'while it starts') killLater(80);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (output === '' && when !== 'while it starts') killLater(15);
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => {
        if (code !== null) reject(new Error(`the writer ended by itself: ${complaint}`));
        else
          resolve(
            Number(
              output
                .split('\n')
                .filter((line) => /^\d+$/.test(line))
                .at(-1) ?? first - 1,
            ),
          );
      });
    });
  }
});

const textOf = (variables: readonly StoredVariable[]): string =>
  variables.map(({ guid, name, attributes, data }) => [guid, name, attributes, data].join(' ')).join('\n');
