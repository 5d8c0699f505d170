import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { complaints, efikit, example } from '../support/efikit.js';

describe('commands: inputs that cannot be used', function () {
  this.timeout(30_000);
  const efi = example('two-doors/two-doors.efi');
  let folder: string;

  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'efikit-inputs-'));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  function file(name: string, bytes: Uint8Array): string {
    const at = path.join(folder, name);
    writeFileSync(at, bytes);
    return at;
  }

  async function unusable(args: readonly string[], text: RegExp): Promise<void> {
    const ended = await efikit(args);
    expect(ended.status, ended.stderr).to.equal(4);
    expect(complaints(ended)).to.have.length(1);
    expect(ended.stderr).to.match(text);
    expect(ended.stderr).not.to.match(/\n +at /);
  }

  it('names an image that is missing, a folder, empty, truncated, of another machine or no image at all', async () => {
    const bytes = new Uint8Array(readFileSync(efi));
    const arm = bytes.slice();
    new DataView(arm.buffer).setUint16(new DataView(arm.buffer).getUint32(0x3c, true) + 4, 0xaa64, true);
    await unusable(['boot', path.join(folder, 'nothing')], /does not exist/);
    await unusable(['boot', folder], /is a folder/);
    await unusable(['boot', file('empty', new Uint8Array())], /is empty/);
    await unusable(['boot', file('truncated', bytes.subarray(0, 300))], /truncated|damaged/);
    await unusable(['boot', file('arm', arm)], /arm64|aa64|AArch64/i);
    await unusable(['boot', file('text', new TextEncoder().encode('no kernel\n'.repeat(100)))], /no bzImage/);
    await unusable(['inspect', file('zeros', new Uint8Array(4096))], /no bzImage/);
  });

  it('names an initrd or a module that is missing', async () => {
    await unusable(['boot', efi, '--initrd', path.join(folder, 'nothing')], /the initrd .* does not exist/);
    await unusable(['boot', efi, '--module', path.join(folder, 'nothing')], /the module .* does not exist/);
  });

  it('says why a door does not open, and that none does', async () => {
    await unusable(['boot', efi, '--door', 'pvh'], /the door pvh does not open: no ELF/);
    await unusable(['boot', efi, '--door', 'proposal'], /no bzImage/);
    await unusable(['boot', example('two-doors/two-doors.elf'), '--door', 'efi'], /CONFIG_EFI_STUB/);
    const ended = await efikit(['compare', efi, '--doors', 'pvh,linux64']);
    expect(ended.status).to.equal(4);
    expect(ended.stdout).to.match(/pvh is closed: /);
    expect(ended.stderr).to.match(/no door opens/);
  });

  it('refuses --until what this boot can never reach', async () => {
    await unusable(['boot', efi, '--until', 'symbol:nonesuch'], /cannot be reached/);
    await unusable(['boot', example('two-doors/two-doors.elf'), '--until', 'exit-boot-services'], /no boot services/);
  });

  it('names a result file that cannot be written before the guest runs', async () => {
    await unusable(['boot', efi, '--json', path.join(folder, 'no', 'folder')], /its folder does not exist/);
    await unusable(['boot', efi, '--trace', folder], /it is a folder/);
  });

  it('ends with status 4 and one line on a full disk (skipped without /dev/full)', async function () {
    if (process.platform !== 'linux') this.skip();
    for (const args of [
      ['--json', '/dev/full'],
      ['--trace', '/dev/full'],
    ]) {
      const ended = await efikit(['boot', efi, '--profile', 'proposal', ...args]);
      expect(ended.status).to.equal(4);
      expect(complaints(ended)).to.deep.equal([
        'efikit: cannot write /dev/full: no space left on the device (ENOSPC); free some or write elsewhere',
      ]);
    }
    for (const args of [
      ['boot', efi],
      ['inspect', efi],
      ['compare', efi],
      ['boot', '--help'],
    ]) {
      const ended = await efikit(args, { shellRedirect: '> /dev/full' });
      expect(ended.status).to.equal(4);
      expect(complaints(ended)).to.have.length(1);
      expect(ended.stderr).to.match(/ENOSPC/);
    }
  });

  it('is silent when nobody reads its output any more (skipped on Windows: no bash)', async function () {
    if (process.platform === 'win32') this.skip();
    const { stdout, stderr } = await efikit(['boot', example('two-doors/two-doors.elf')], {
      shellRedirect: '| true; echo "${PIPESTATUS[0]}"',
    });
    expect(stdout.trim()).to.match(/^[01]$/); // 0 when all was written before the reader left
    expect(stderr).not.to.match(/EPIPE|Error/);
  });
});
