import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { buildSync } from 'esbuild';
import type { StoredVariable } from '../../src/firmware/index.js';
import { VariableFile } from '../../src/host/variable-file.js';
import { StoredVariables } from '../../src/variables/stored-variables.js';
import { root } from '../support/efikit.js';
import { changeAt } from '../support/variable-changes.js';

const kills = 500;
/** So many kills show any mutant: the likeliest to pass does so nine times of ten at each. */
const mutantKills = 200;

describe('variable store file, processes killed', function () {
  this.timeout(600_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'efikit-kills-'));
    buildSync({
      entryPoints: [path.join(root, 'test/support/variable-writer.ts')],
      outfile: path.join(folder, 'writer.mjs'),
      bundle: true,
      minify: true,
      platform: 'node',
      format: 'esm',
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    });
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it(`${String(kills)} kills at random moments: nothing acknowledged is lost, the store always opens`, async () => {
    // Writers start slowly: as many at once, each with a store of its own, as the processors can take.
    const lanes = Array.from(
      { length: Math.min(availableParallelism() + 1, 6) },
      (_, n) => new Lane(`store${String(n)}`),
    );
    let kill = 0;
    await Promise.all(
      lanes.map(async (lane) => {
        while (kill < kills) await lane.kill(kill++);
      }),
    );
    expect(lanes.reduce((sum, { next }) => sum + next, 0)).to.be.greaterThan(kills);
    for (const lane of lanes) lane.finish();
  });

  for (const mutant of ['writes in place', 'acknowledges first']) {
    it(`a store that ${mutant} is found out`, async () => {
      const lane = new Lane(mutant.replaceAll(' ', '-'), mutant);
      let found: unknown;
      for (let kill = 1; kill < mutantKills && found === undefined; kill++) {
        await lane.kill(kill).catch((error: unknown) => {
          found = error;
        });
      }
      expect(found, 'what the kills showed').to.be.instanceOf(Error);
    });
  }

  /** One store, its writers one after another, and what must be in it. */
  class Lane {
    next = 0; // the first change that nobody has acknowledged
    private readonly folder: string;
    private readonly file: string;
    private readonly expected = new StoredVariables();

    constructor(
      name: string,
      private readonly mutant?: string,
    ) {
      this.folder = path.join(folder, name);
      this.file = path.join(this.folder, 'store');
      mkdirSync(this.folder);
    }

    /** Starts a writer, kills it and looks at what it leaves. */
    async kill(number: number): Promise<void> {
      // Some as the process starts and takes the file over from the dead one, most as it writes.
      const acknowledged = await this.writeUntilKilled(number % 8 === 0 ? 'while it starts' : 'while it writes');
      for (; this.next <= acknowledged; this.next++) this.expected.apply(changeAt(this.next));
      if (!existsSync(this.file)) return; // killed before it created the store
      const found = textOf(VariableFile.read(this.file));
      if (found === textOf(this.expected.all())) return;
      this.expected.apply(changeAt(this.next++)); // stored, but killed before it could say so
      expect(found, `kill ${String(number)}`).to.equal(textOf(this.expected.all()));
    }

    /** The lock of the last dead process does not hold, and nothing is left beside the store. */
    finish(): void {
      const store = VariableFile.open(this.file);
      expect(textOf(store.all())).to.equal(textOf(this.expected.all()));
      store.close();
      expect(readdirSync(this.folder)).to.deep.equal(['store']);
    }

    /** Answers the last change that was acknowledged; next - 1 when none was. */
    private writeUntilKilled(when: string): Promise<number> {
      const args = [path.join(folder, 'writer.mjs'), this.file, String(this.next)];
      const child = spawn(process.execPath, this.mutant === undefined ? args : [...args, this.mutant]);
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
          const last = output
            .split('\n')
            .slice(0, -1)
            .findLast((line) => /^\d+$/.test(line));
          resolve(Number(last ?? this.next - 1));
        });
      });
    }
  }
});

const textOf = (variables: readonly StoredVariable[]): string =>
  variables.map(({ guid, name, attributes, data }) => [guid, name, attributes, data].join(' ')).join('\n');
