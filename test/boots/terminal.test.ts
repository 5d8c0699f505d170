import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import type { Context } from 'mocha';
import type { BootResult } from '../../src/report/result.js';
import { cachedFile, kernelFolder } from '../support/kernels.js';
import { efikit, root } from '../support/efikit.js';

/** Runs efikit on a terminal of its own: util-linux's `script` makes one. */
class TerminalRun {
  text = '';
  status: number | null | undefined;
  private readonly child: ChildProcessWithoutNullStreams;

  constructor(args: readonly string[]) {
    const command = [process.execPath, path.join(root, 'dist/cli.js'), ...args].map((word) => `'${word}'`).join(' ');
    this.child = spawn('script', ['-qefc', `exec ${command}`, '/dev/null']);
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => (this.text += text));
    this.child.on('close', (status) => (this.status = status));
  }

  type(text: string): void {
    this.child.stdin.write(text);
  }

  /** Waits until text appears behind `from`; answers the milliseconds it took. */
  async see(text: string, seconds: number, from = 0): Promise<number> {
    const start = performance.now();
    while (!this.text.includes(text, from)) {
      if (this.status !== undefined || performance.now() - start > seconds * 1000) {
        throw new Error(`"${text}" did not appear: ${this.text.slice(-500)}`);
      }
      await pause(2);
    }
    return performance.now() - start;
  }

  /** Processor seconds that efikit has used. */
  cpuSeconds(): number {
    const [pid = ''] = readFileSync(
      `/proc/${String(this.child.pid)}/task/${String(this.child.pid)}/children`,
      'utf8',
    ).split(' ');
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  kill(): void {
    this.child.kill();
  }
}

function skipWithoutScript(context: Context): void {
  if (process.platform === 'linux' && !spawnSync('script', ['--version']).error) return;
  if (context.test !== undefined) context.test.title += ' (skipped: no Linux with the command "script")';
  context.skip();
}

describe('a shell on a terminal', function () {
  this.timeout(120_000);

  it('answers what is typed, rests while idle, and Ctrl-A x leaves while the guest spins', async function () {
    const kernel = 'vmlinuz-6.1-cloud';
    cachedFile(this, kernel);
    cachedFile(this, 'initrd-shell.gz');
    skipWithoutScript(this);
    const run = new TerminalRun([
      'boot',
      path.join(kernelFolder, kernel),
      '--door',
      'efi',
      '--initrd',
      path.join(kernelFolder, 'initrd-shell.gz'),
    ]);
    try {
      await run.see('/ # ', 90);
      run.type('ls /sys/firmware/efi\r');
      await run.see('fw_platform_size', 10);
      run.type('echo $((6 * 7))answer\r');
      expect(await run.see('42answer', 10)).to.be.lessThan(1000);
      await pause(3000);
      const before = run.cpuSeconds();
      await pause(5000);
      expect((run.cpuSeconds() - before) / 5, 'share of a core while idle').to.be.lessThan(0.03);
      run.type('while :; do :; done\r');
      await pause(500);
      run.type('\x01x');
      expect(await run.see('left by Ctrl-A x', 5)).to.be.lessThan(500); // 50 ms on a host that does nothing else
      while (run.status === undefined) await pause(5);
      expect(run.status).to.equal(3);
    } finally {
      run.kill();
    }
  });

  it('is the same without a terminal when --replay types what was typed', async function () {
    const kernel = 'vmlinuz-6.1-cloud';
    cachedFile(this, kernel);
    cachedFile(this, 'initrd-shell.gz');
    skipWithoutScript(this);
    const folder = mkdtempSync(path.join(tmpdir(), 'efikit-replay-'));
    const recorded = path.join(folder, 'recorded.json');
    const command = ['boot', path.join(kernelFolder, kernel), '--initrd', path.join(kernelFolder, 'initrd-shell.gz')];
    const run = new TerminalRun([...command, '--json', recorded]);
    try {
      await run.see('/ # ', 90);
      run.type('ls /sys/firmware/efi\r');
      await run.see('fw_platform_size', 10);
      run.type('poweroff -f\r');
      while (run.status === undefined) await pause(5);
      const { status, stdout } = await efikit([...command, '--replay', recorded, '--json', '-']);
      expect(status).to.equal(0);
      const first = JSON.parse(readFileSync(recorded, 'utf8')) as BootResult;
      expect(first.typed).to.have.length.greaterThan(1);
      expect({ ...(JSON.parse(stdout) as BootResult), wallSeconds: 0 }).to.deep.equal({ ...first, wallSeconds: 0 });
    } finally {
      run.kill();
      rmSync(folder, { recursive: true });
    }
  });
});
