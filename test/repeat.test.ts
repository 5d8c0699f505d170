import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const file = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));

describe('.ci/repeat.mjs', function () {
  this.timeout(60_000);
  const image = file('examples/two-doors/two-doors.elf');
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'efikit-repeat-test-'));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  function repeat(...args: string[]): { status: number | null; stdout: string; stderr: string } {
    const all = [
      file('.ci/repeat.mjs'),
      '--kernel',
      image,
      '--door',
      'pvh',
      '--initrd',
      image,
      '--times',
      '3',
      ...args,
    ];
    return spawnSync(process.execPath, all, { encoding: 'utf8' });
  }

  /** A command that writes a result of its own making; `n` is how often it ran before. */
  function commandThatWrites(result: string): string {
    const script = path.join(folder, 'command.cjs');
    const counter = JSON.stringify(path.join(folder, 'count'));
    const text = `const { existsSync, readFileSync, writeFileSync } = require('node:fs');
      const n = existsSync(${counter}) ? Number(readFileSync(${counter}, 'utf8')) : 0;
      writeFileSync(${counter}, String(n + 1));
      writeFileSync(process.argv[process.argv.indexOf('--json') + 1], JSON.stringify(${result}));`;
    writeFileSync(script, text);
    rmSync(path.join(folder, 'count'), { force: true });
    return script;
  }

  it('boots so many times in a row and finds the same JSON', () => {
    const { status, stdout, stderr } = repeat('--memory', '64M');
    expect(status, stdout + stderr).to.equal(0);
    expect(stdout).to.match(/^two-doors.elf +pvh +v\d+\S+ +3 +3 +powered-off +\d+ +[0-9a-f]{12} +\d+\.\d\d$/m);
    expect(stdout).to.contain('every boot gave the same JSON but for the clock');
  });

  it('looks over the clock alone', () => {
    const cli = commandThatWrites('{ outcome: "powered-off", instructions: 7, wallSeconds: n }');
    expect(repeat('--cli', cli).status).to.equal(0);
  });

  it('names the boot that differs and where, and keeps its result', () => {
    const cli = commandThatWrites('{ instructions: 7, console: "tick " + (n > 1), wallSeconds: 1 }');
    const kept = path.join(folder, 'kept');
    const { status, stdout } = repeat('--cli', cli, '--keep', kept);
    expect(status).to.equal(1);
    expect(stdout).to.match(/, boot 3: differs from the first: console from character 5: "tick false" and "tick true"/);
    expect(readdirSync(kept)).to.have.length(2);
  });

  it('says what is wrong with its options', () => {
    expect(repeat('--times', '0').stderr).to.equal('repeat: --times 0: give a whole number of at least 1\n');
    expect(repeat('--node', image).stderr).to.match(/is no Node binary/);
    expect(repeat('--cli', 'absent.js').stderr).to.match(/absent.js does not exist: run npm run build/);
  });
});
