import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import type { BootResult } from '../../src/report/result.js';
import { cachedFile, kernelFolder, kernelNames } from '../support/kernels.js';
import { efikit } from '../support/efikit.js';

describe('unmodified Debian kernels', function () {
  this.timeout(300_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'efikit-debian-'));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  for (const name of kernelNames) {
    for (const door of ['efi', 'pvh', 'linux64', 'proposal']) {
      it(`${name}: the door ${door} leads to user space and power-off`, async function () {
        cachedFile(this, `vmlinuz-${name}`);
        cachedFile(this, 'initrd.gz');
        const file = path.join(folder, 'result.json');
        const { status, stdout, stderr } = await efikit([
          'boot',
          path.join(kernelFolder, `vmlinuz-${name}`),
          '--door',
          door,
          '--initrd',
          path.join(kernelFolder, 'initrd.gz'),
          '--append',
          'console=ttyS0',
          '--memory',
          '512M',
          '--json',
          file,
        ]);
        expect(status, stderr + stdout.slice(-2000)).to.equal(0);
        expect(stdout).to.match(/^USERSPACE-UP [\d.]+/m);
        const result = JSON.parse(readFileSync(file, 'utf8')) as BootResult;
        expect(result.outcome).to.equal('powered-off');
        expect(result.phases.map((phase) => phase.name)).to.deep.equal([
          'entry',
          ...(door === 'efi' || door === 'proposal' ? ['exit-boot-services'] : []),
          'kernel-entry',
          'start_kernel',
          'user-space',
        ]);
        expect(result.console).to.match(/USERSPACE-UP/);
      });
    }
  }

  for (const name of kernelNames) {
    it(`${name}: EFI tables without services (profile tables) lead to user space; the kernel finds ACPI through them`, async function () {
      cachedFile(this, `vmlinuz-${name}`);
      const kernel = path.join(kernelFolder, `vmlinuz-${name}`);
      const options = ['--door', 'linux64', '--profile', 'tables', '--append', 'console=ttyS0 ignore_loglevel'];
      const { status, stdout, stderr } = await efikit(['boot', kernel, ...options]);
      expect(status, stderr + stdout.slice(-2000)).to.equal(0);
      expect(stdout).to.match(/^USERSPACE-UP [\d.]+/m);
      expect(stdout).to.match(/efi: EFI v2\.100? by efikit/); // 6.1 prints the revision's last digit as it stands
      expect(stdout).to.match(/efi: ACPI 2\.0=0xe0000 RTPROP=0x/);
      expect(stdout).to.match(/ACPI: RSDP 0x00000000000E0000/);
      expect(stderr).to.match(/asked: nothing, the profile tables has no services/);
    });
  }

  it('6.1-cloud: no option at all is enough', async function () {
    cachedFile(this, 'vmlinuz-6.1-cloud');
    const { status, stdout, stderr } = await efikit(['boot', path.join(kernelFolder, 'vmlinuz-6.1-cloud')]);
    expect(status, stderr).to.equal(0);
    expect(stdout).to.match(/^USERSPACE-UP 6\.1/m);
  });

  it('6.1-cloud under the profile proposal: status 1 and a line that names the first service it missed', async function () {
    cachedFile(this, 'vmlinuz-6.1-cloud');
    const { status, stderr } = await efikit([
      'boot',
      path.join(kernelFolder, 'vmlinuz-6.1-cloud'),
      '--profile',
      'proposal',
    ]);
    expect(status).to.equal(1);
    expect(stderr).to.match(/next: HandleProtocol was called .* --profile linux/);
  });

  it('6.1-cloud: piped input reaches a shell, the same on every run', async function () {
    cachedFile(this, 'vmlinuz-6.1-cloud');
    cachedFile(this, 'initrd-shell.gz');
    const input = 'ls /sys/firmware/efi\necho sum $((40 + 2))\npoweroff -f\n';
    const results = [];
    for (const name of ['first.json', 'second.json']) {
      const file = path.join(folder, name);
      const { status, stderr } = await efikit(
        [
          'boot',
          path.join(kernelFolder, 'vmlinuz-6.1-cloud'),
          '--initrd',
          path.join(kernelFolder, 'initrd-shell.gz'),
          '--json',
          file,
        ],
        { input },
      );
      expect(status, stderr).to.equal(0);
      results.push({ ...(JSON.parse(readFileSync(file, 'utf8')) as BootResult), wallSeconds: 0 });
    }
    expect(results[0]?.console)
      .to.match(/^sum 42$/m)
      .and.match(/fw_platform_size/);
    expect(results[0]).to.deep.equal(results[1]);
  });
});
