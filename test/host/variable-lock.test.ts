import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { LockedError, lockFile } from '../../src/host/variable-lock.js';

describe('the lock of a variable store', () => {
  let folder: string;
  let file: string;
  /** PID, START, BOOT, HOST and RANDOM of a lock that this process had. */
  let mine: string[];
  const children: ChildProcess[] = [];
  const prefix = '.store.lock-';
  const leave = (parts: readonly string[]): string => {
    const name = `${prefix}${parts.join('-')}`;
    writeFileSync(path.join(folder, name), '');
    return name;
  };

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'efikit-lock-'));
    file = path.join(folder, 'store');
    const release = lockFile(file);
    mine = (readdirSync(folder)[0] ?? '').slice(prefix.length).split('-');
    release();
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  it('is a file beside it that is gone when the lock is given back', () => {
    expect(mine).to.have.length(5);
    expect(mine[0]).to.equal(String(process.pid));
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('whoever comes second is told which process has it, and leaves nothing', () => {
    const release = lockFile(file);
    expect(() => lockFile(file)).to.throw(LockedError, `in use by process ${String(process.pid)}`);
    expect(readdirSync(folder)).to.have.length(1);
    release();
    lockFile(file)();
  });

  it('of a process that is gone, or before a reboot, does not hold and is removed', () => {
    leave(['4194304', '1', mine[2] ?? '', mine[3] ?? '', '00000000']); // beyond the largest number that Linux gives
    leave([mine[0] ?? '', '1', mine[2] ?? '', mine[3] ?? '', '00000001']); // a later process has its number
    leave([mine[0] ?? '', mine[1] ?? '', '00000000', mine[3] ?? '', '00000002']);
    const release = lockFile(file);
    expect(readdirSync(folder)).to.have.length(1);
    release();
  });

  it('of a process that was killed does not hold, even while its parent has not noticed', async () => {
    // The shell's first child ends; what the shell becomes never asks after it.
    const parent = spawn('bash', ['-c', 'sleep 0.05 & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    children.push(parent);
    const pid = await new Promise<string>((resolve) => {
      parent.stdout.once('data', (text: Buffer) => {
        resolve(text.toString().trim());
      });
    });
    const fields = (): string[] => {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    };
    leave([pid, fields()[19] ?? '', mine[2] ?? '', mine[3] ?? '', '00000000']);
    while (fields()[0] !== 'Z') await new Promise((resolve) => setTimeout(resolve, 10));
    lockFile(file)();
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('of another host or container holds, and the message names the file to remove', () => {
    const lock = leave([mine[0] ?? '', mine[1] ?? '', mine[2] ?? '', '0123abcd', '00000000']);
    expect(() => lockFile(file)).to.throw(LockedError, path.join(folder, lock));
    expect(readdirSync(folder)).to.deep.equal([lock]);
  });

  it('is nothing that only looks like one', () => {
    const other = leave(['notes.txt']);
    const ofAnother = `.store.lock-1${prefix.slice('.store'.length)}${mine.join('-')}`; // of a store named store.lock-1
    writeFileSync(path.join(folder, ofAnother), '');
    lockFile(file)();
    expect(readdirSync(folder).sort()).to.deep.equal([other, ofAnother].sort());
  });
});
