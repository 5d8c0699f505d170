import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import type { Context } from 'mocha';
import { efikit } from '../support/efikit.js';

const folder = process.env['EFIKIT_IMAGES'] ?? path.join(os.homedir(), '.cache/efikit/images');

/** An image of examples/get-images; where it is absent the test is skipped by name with the reason. */
function image(context: Context, name: string): string {
  const file = path.join(folder, name);
  if (existsSync(file)) return file;
  if (context.test !== undefined) context.test.title += ` (skipped: ${name} is not in ${folder}: examples/get-images)`;
  return context.skip();
}

const boot = (file: string, input: string, more: readonly string[] = []) =>
  efikit(['boot', file, '--profile', 'loader', '--initrd', 'none', '--append', '', '--memory', '256M', ...more], {
    input,
  });

describe('images that nobody here wrote, under the profile loader', function () {
  this.timeout(300_000);

  it('GRUB comes to its prompt, takes a command and switches the machine off', async function () {
    const { status, stdout, stderr } = await boot(image(this, 'grubx64.efi'), 'echo typed $grub_platform\rhalt\r');
    expect(status, stderr).to.equal(0);
    expect(stdout).to.match(/GNU GRUB {2}version/);
    expect(stdout).to.match(/typed efi/);
    expect(stderr).to.match(/powered off: ResetSystem\(EfiResetShutdown\)/);
  });
  it('HelloWorld of efitools shows its box and ends with the key that was typed', async function () {
    const { status, stdout, stderr } = await boot(image(this, 'HelloWorld.efi'), '\r');
    expect(status, stderr).to.equal(0);
    expect(stdout).to.contain('┌');
    expect(stderr).to.match(/the image called Exit: Exit\(EFI_SUCCESS\)/);
  });
  it('MokManager waits ten seconds for a key by a timer, and ends when none comes', async function () {
    const { status, stdout, stderr } = await boot(image(this, 'mmx64.efi'), '');
    expect(status, stderr).to.equal(0);
    expect(stdout).to.match(/Booting in 10 seconds.*Booting in 1 second /s);
    expect(stderr).to.match(/WaitForEvent x\d+/);
  });
  it('a driver of rEFInd installs its protocols', async function () {
    const { status, stderr } = await boot(image(this, 'ext4_x64.efi'), '');
    expect(status, stderr).to.equal(0);
    expect(stderr).to.match(/InstallProtocolInterface/);
  });
});
