import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, truncateSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';
import type { AblationReport } from '../../src/ablate/result.js';
import { complaints, efikit, example, root } from '../support/efikit.js';

const image = example('two-doors/two-doors.efi');
const options = ['--profile', 'proposal', '--memory', '64M', '--initrd', 'none', '--workers', '2'];

describe('efikit ablate', function () {
  this.timeout(180_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'efikit-ablate-'));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });
  const linesOf = (file: string): string[] => {
    try {
      return readFileSync(file, 'utf8').split('\n').slice(0, -1);
    } catch {
      return [];
    }
  };

  it('finds what an example needs, as tables and as JSON, and several images side by side', async () => {
    const json = path.join(folder, 'findings.json');
    const ended = await efikit(['ablate', image, image, ...options, '--json', json]);
    expect(ended.status, ended.stderr).to.equal(0);
    expect(ended.stdout).to.match(/^ {2}ExitBootServices +1 +needed +exit-boot-services/m);
    expect(ended.stdout).to.match(/^What each of them needs:$/m);
    const { ablations } = JSON.parse(readFileSync(json, 'utf8')) as AblationReport;
    expect(ablations).to.have.length(2);
    expect(ablations[0]).to.deep.equal(ablations[1]);
    expect(ablations[0]?.minimal.at(-1)?.parts).to.deep.equal(['GetMemoryMap', 'ExitBootServices', 'table:Acpi20']);
  });

  it('killed at any time, goes on with its journal and comes to the same findings', async () => {
    const journal = path.join(folder, 'journal');
    const command = ['ablate', image, ...options, '--journal', journal, '--json', '-'];
    const child = spawn(process.execPath, [path.join(root, 'dist/cli.js'), ...command], { stdio: 'ignore' });
    const gone = new Promise((resolve) => child.on('close', resolve));
    while (linesOf(journal).length < 5 && child.exitCode === null) await wait(20);
    child.kill('SIGKILL');
    await gone;
    const kept = linesOf(journal);
    expect(kept.length).to.be.greaterThan(4);
    truncateSync(journal, statSync(journal).size - 7); // as if it had been killed while it wrote

    const second = spawn(process.execPath, [path.join(root, 'dist/cli.js'), ...command], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    second.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    const ended = new Promise((resolve) => second.on('close', resolve));
    while (linesOf(journal).length < kept.length + 3 && second.exitCode === null) await wait(20);
    second.kill('SIGINT');
    expect(await ended, said).to.equal(3);
    expect(said).to.match(/interrupted; the same command goes on/);

    const again = await efikit(command);
    expect(again.status, again.stderr).to.equal(0);
    const lines = linesOf(journal).map((line) => (JSON.parse(line) as { readonly id: string }).id);
    expect(new Set(lines).size, 'nothing was run twice').to.equal(lines.length);
    const straight = await efikit(['ablate', image, ...options, '--json', '-']);
    expect(JSON.parse(again.stdout)).to.deep.equal(JSON.parse(straight.stdout));
  });

  it('says what is wrong with one line', async () => {
    const refused = async (status: number, line: RegExp, ...args: string[]): Promise<void> => {
      const ended = await efikit(['ablate', ...args]);
      expect(ended.status, ended.stderr).to.equal(status);
      expect(complaints(ended)).to.have.length(1);
      expect(complaints(ended)[0]).to.match(line);
    };
    const notes = path.join(folder, 'notes');
    writeFileSync(notes, 'my notes\nand more');
    await refused(2, /no IMAGE is named/);
    await refused(2, /--workers 0: give a whole number of at least 1/, image, '--workers', '0');
    await refused(4, /none of an ablation: give another name with --journal/, image, '--journal', notes);
    expect(readFileSync(notes, 'utf8')).to.equal('my notes\nand more');
    await refused(4, /nothing-there does not exist/, 'nothing-there');
  });

  it('ends with status 1 and says so when the image fails with everything', async () => {
    const ended = await efikit(['ablate', example('hello/hello.efi'), ...options]);
    expect(ended.status, ended.stderr).to.equal(1);
    expect(complaints(ended)[0]).to.match(/with everything it ended otherwise \(exited: Exit\(/);
  });
});
