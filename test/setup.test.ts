import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const scripts = fileURLToPath(new URL('../.ci', import.meta.url));

describe('setup', () => {
  it('does not install through a symbolic link, which npm would empty', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'efikit-setup-'));
    try {
      const [checkout, other] = [path.join(folder, 'checkout'), path.join(folder, 'other')];
      mkdirSync(path.join(checkout, '.ci'), { recursive: true });
      mkdirSync(other);
      for (const name of ['setup.mjs', 'sources.mjs']) {
        copyFileSync(path.join(scripts, name), path.join(checkout, '.ci', name));
      }
      writeFileSync(path.join(checkout, 'package-lock.json'), '{}');
      writeFileSync(path.join(other, 'package.txt'), 'somebody else needs it');
      symlinkSync(other, path.join(checkout, 'node_modules'), 'junction');
      const setup = path.join(checkout, '.ci', 'setup.mjs');
      // No npm is found on this path, whatever the script does.
      const { status, stderr } = spawnSync(process.execPath, [setup], { env: { PATH: folder }, encoding: 'utf8' });
      expect(stderr).to.match(/^setup: node_modules is a symbolic link .*\n$/);
      expect(status).to.equal(1);
      expect(existsSync(path.join(other, 'package.txt'))).to.equal(true);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
