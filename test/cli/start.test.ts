import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';

const dist = path.join(import.meta.dirname, '../../dist');

describe('the executable', () => {
  it('what V8 compiled at the build is taken by the V8 that built it', () => {
    // In a process of its own: other tests change V8's flags.
    const check = `const { readFileSync } = require('node:fs');
      const { Script } = require('node:vm');
      const cachedData = readFileSync('command.cache');
      console.log(new Script(readFileSync('command.cjs', 'latin1'), { cachedData }).cachedDataRejected);`;
    expect(spawnSync(process.execPath, ['-e', check], { cwd: dist, encoding: 'utf8' }).stdout).to.equal('false\n');
  });
  describe('runs as well', () => {
    let folder = '';
    before(() => {
      folder = mkdtempSync(path.join(tmpdir(), 'efikit-start-'));
      writeFileSync(path.join(folder, 'package.json'), '{"type":"module"}');
      for (const name of ['cli.js', 'command.cjs']) copyFileSync(path.join(dist, name), path.join(folder, name));
    });
    after(() => {
      rmSync(folder, { recursive: true });
    });
    const version = (...flags: string[]): string =>
      spawnSync(process.execPath, [...flags, path.join(folder, 'cli.js'), '--version'], { encoding: 'utf8' }).stdout;
    const cache = readFileSync(path.join(dist, 'command.cache'));
    it('without it', () => {
      rmSync(path.join(folder, 'command.cache'), { force: true });
      expect(version()).to.match(/^\d+\.\d+\.\d+\n$/);
    });
    it('with one that is cut short, empty or of another V8', () => {
      for (const bytes of [cache.subarray(0, cache.length >> 1), Buffer.alloc(0), Buffer.alloc(4096, 1)]) {
        writeFileSync(path.join(folder, 'command.cache'), bytes);
        expect(version()).to.match(/^\d+\.\d+\.\d+\n$/);
      }
    });
    it('with other flags of V8', () => {
      writeFileSync(path.join(folder, 'command.cache'), cache);
      expect(version('--no-opt')).to.match(/^\d+\.\d+\.\d+\n$/);
    });
  });
});
