import { build } from 'esbuild';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Ending } from './recorded-boot.js';

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const run = promisify(execFile);

/** Runs snapshots to their end, each in a process of its own. The script is bundled once: it starts faster so. */
export class Continuer {
  private readonly folder = mkdtempSync(here('../../dist/continue-'));
  private readonly script = join(this.folder, 'continue.mjs');
  private files = 0;

  async open(): Promise<void> {
    await build({
      entryPoints: [here('continue-child.ts')],
      outfile: this.script,
      bundle: true,
      platform: 'node',
      format: 'esm',
      packages: 'external',
      logLevel: 'warning',
    });
  }

  async finish(snapshot: Uint8Array): Promise<Ending> {
    const file = join(this.folder, `${String(this.files++)}.snapshot`);
    writeFileSync(file, snapshot);
    try {
      const { stdout } = await run(process.execPath, [this.script, file], { maxBuffer: 1 << 26 });
      return JSON.parse(stdout) as Ending;
    } finally {
      rmSync(file);
    }
  }

  close(): void {
    rmSync(this.folder, { recursive: true });
  }
}
