import { expect } from 'chai';
import { complaints, efikit, example } from '../support/efikit.js';

const image = example('two-doors/two-doors.efi');

async function refuses(args: readonly string[], text: RegExp): Promise<void> {
  const ended = await efikit(args);
  expect(ended.status, ended.stderr).to.equal(2);
  expect(complaints(ended)).to.have.length(1);
  expect(ended.stderr).to.match(text);
  expect(ended.stdout).to.equal('');
}

describe('commands: usage', function () {
  this.timeout(20_000);

  it('explains each option in one line and ends with two examples', async () => {
    for (const command of ['boot', 'compare', 'inspect', 'vars']) {
      const { status, stdout } = await efikit([command, '--help']);
      expect(status).to.equal(0);
      const lines = stdout.trimEnd().split('\n');
      const examples = lines.slice(lines.indexOf('examples:') + 1);
      expect(examples, command).to.have.length(2);
      for (const line of examples) expect(line).to.match(new RegExp(`^ {2}efikit ${command} `));
      for (const line of lines.filter((text) => /^ +--/.test(text))) expect(line).to.match(/^ {2}--[a-z-]+.* {2}\S/);
    }
  });

  it('refuses with status 2 and one line what is no command or option', async () => {
    await refuses([], /no command is named/);
    await refuses(['boto'], /"boto" is no command/);
    await refuses(['toString'], /"toString" is no command/);
    await refuses(['boot'], /no IMAGE is named/);
    await refuses(['boot', image, image], /one IMAGE only/);
    await refuses(['boot', image, '--dor', 'efi'], /Unknown option '--dor'/);
    await refuses(['boot', image, '--append'], /argument missing/);
  });

  it('refuses with status 2 values that no option takes', async () => {
    await refuses(['boot', image, '--door', 'window'], /efi, pvh, linux64 and proposal/);
    await refuses(['boot', image, '--profile', 'all'], /proposal, linux, loader and tables/);
    await refuses(['boot', image, '--door', 'efi', '--profile', 'tables'], /give --door linux64/);
    await refuses(['boot', image, '--memory', 'much'], /512M or 1G/);
    await refuses(['boot', image, '--memory', '32M'], /64M to 3G/);
    await refuses(['boot', image, '--memory', '4G'], /64M to 3G/);
    await refuses(['boot', image, '--until', 'lunch'], /text:STRING/);
    await refuses(['boot', image, '--until', 'text:'], /text:STRING/);
    await refuses(['boot', image, '--max-instructions', '0'], /whole number/);
    await refuses(['boot', image, '--timeout', '-1'], /ambiguous|seconds/);
    await refuses(['boot', image, '--tier', 'fast'], /both and interpreter/);
    await refuses(['boot', image, '--platform', 'xen'], /give --xen/);
    await refuses(['boot', image, '--door', 'efi', '--pvh', 'flags=3'], /for the door pvh/);
    await refuses(['boot', image, '--door', 'pvh', '--pvh', 'version=2'], /version=0, version=1/);
    await refuses(['compare', image, '--doors', 'efi,cellar'], /--doors cellar/);
  });
});
