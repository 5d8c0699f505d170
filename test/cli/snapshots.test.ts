import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { efikit, example, complaints, type Ended } from '../support/efikit.js';

const efi = example('two-doors/two-doors.efi');
const elf = example('two-doors/two-doors.elf');

/** A result without what differs from run to run. */
const withoutTime = (json: string): unknown => ({ ...(JSON.parse(json) as object), wallSeconds: 0 });

describe('efikit boot --save and --resume', function () {
  this.timeout(60_000);
  let folder: string;
  let file: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'efikit-snapshot-'));
    file = path.join(folder, 'machine.snapshot');
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });
  const result = async (...args: string[]): Promise<unknown> => {
    const ended = await efikit([...args, '--json', '-']);
    expect(ended.status, ended.stderr).to.equal(0);
    return withoutTime(ended.stdout);
  };
  const refused = (ended: Ended, status: number, line: RegExp): void => {
    expect(ended.status, ended.stderr).to.equal(status);
    expect(complaints(ended).filter((text) => line.test(text))).to.have.length(1);
    expect(ended.stderr).not.to.match(/internal error/);
  };

  it('the result of a run that was saved and taken up is that of one run', async () => {
    for (const [at, ...boot] of [
      ['exit-boot-services', efi],
      ['text:rflags: ', efi, '--strict', '--tier', 'interpreter'],
      ['instructions:20_000', efi, '--xen', '--append', 'console=hvc0 a lesson'],
      ['text:memmap', elf, '--memory', '64M'],
      ['instructions:9_000', elf, '--xen', '--tier', 'interpreter'],
    ] as const) {
      const whole = await result('boot', ...boot);
      expect(await result('boot', ...boot, '--save', file, '--save-at', at), `saved at ${at}`).to.deep.equal(whole);
      expect(await result('boot', '--resume', file), `taken up at ${at}`).to.deep.equal(whole);
    }
  });

  it('keeps the machine where --until or a limit stops it, once more from a run that was taken up', async () => {
    const whole = await result('boot', efi);
    const first = await efikit(['boot', efi, '--max-instructions', '10_000', '--save', file]);
    expect(first.status, first.stderr).to.equal(3);
    expect(first.stderr).to.match(/saved .* at 10,000 instructions \([\d,]+ bytes\); go on with efikit boot --resume/);
    const second = await efikit(['boot', '--resume', file, '--until', 'text:ram total', '--save', file]);
    expect(second.status, second.stderr).to.equal(0);
    expect(second.stderr).to.match(
      /goes on with .*two-doors.efi through the door efi at 10,000 instructions, past entry/,
    );
    expect(await result('boot', '--resume', file)).to.deep.equal(whole);
    expect(readdirSync(folder)).to.deep.equal(['machine.snapshot']);
  });

  it('says when the point never came, with status 4, and leaves the old file', async () => {
    await efikit(['boot', efi, '--until', 'exit-boot-services', '--save', file]);
    const before = readFileSync(file);
    const never = await efikit(['boot', efi, '--save', file, '--save-at', 'text:no such text']);
    refused(never, 4, /machine.snapshot is not written: the guest ended before --save-at text:no such text/);
    refused(await efikit(['boot', efi, '--save', file]), 4, /is not written: .*\(give --save-at, --until or a limit\)/);
    const past = await efikit(['boot', '--resume', file, '--until', 'exit-boot-services']);
    refused(past, 4, /--until exit-boot-services cannot be reached: the run that was saved is past it/);
    const symbol = await efikit(['boot', '--resume', file, '--until', 'symbol:start_kernel']);
    refused(symbol, 4, /symbol:start_kernel cannot be reached/);
    expect(readFileSync(file).equals(before)).to.equal(true);
  });

  it('refuses with one line what is no snapshot, is damaged or of another version', async () => {
    await efikit(['boot', efi, '--until', 'exit-boot-services', '--save', file]);
    const good = readFileSync(file);
    const spoilt = path.join(folder, 'spoilt');
    const spoil = async (change: (bytes: Buffer) => Buffer, line: RegExp): Promise<void> => {
      writeFileSync(spoilt, change(Buffer.from(good)));
      refused(await efikit(['boot', '--resume', spoilt]), 4, line);
    };
    await spoil((bytes) => bytes.subarray(0, bytes.length - 100), /the snapshot is damaged or not complete/);
    await spoil((bytes) => bytes.fill(0x55, 2000, 2010), /the snapshot is damaged/);
    await spoil(
      (bytes) => (bytes.writeUInt32LE(99, 12), bytes),
      /version 1\.99 and this efikit takes 1\.\d+: boot again/,
    );
    await spoil((bytes) => bytes.fill(0, 0, 4), /this is no snapshot: boot --save writes them/);
    await spoil(() => Buffer.alloc(0), /this is no snapshot/);
    refused(await efikit(['boot', '--resume', path.join(folder, 'none')]), 4, /the snapshot .*none does not exist/);
    rmSync(spoilt);
  });

  it('refuses options that the snapshot has decided on, and --save-at without --save', async () => {
    await efikit(['boot', efi, '--until', 'exit-boot-services', '--save', file]);
    for (const [given, named] of [
      [[efi], /--resume: the snapshot has decided on the image .*two-doors.efi already/],
      [['--memory', '64M'], /decided on --memory already/],
      [['--strict'], /decided on --strict already/],
      [['--quirk', 'no-execute'], /decided on --quirk already/],
    ] as const) {
      refused(await efikit(['boot', '--resume', file, ...given]), 2, named);
    }
    refused(await efikit(['boot', efi, '--save-at', 'user-space']), 2, /say with --save FILE/);
    refused(
      await efikit(['boot', efi, '--save', file, '--save-at', 'entry']),
      2,
      /--save-at entry: give .*instructions:N/,
    );
    refused(await efikit(['boot', efi, '--save', file, '--vars', 'v']), 2, /a snapshot has the variables in it/);
  });

  it('a full disk is refused with one line (skipped without /dev/full)', async function () {
    if (!existsSync('/dev/full')) this.skip();
    refused(
      await efikit(['boot', efi, '--until', 'text:cr3', '--save', '/dev/full']),
      4,
      /\/dev\/full.*ENOSPC|no space/i,
    );
  });

  it('a file in no folder is refused with one line', async () => {
    const nowhere = path.join(folder, 'no', 'folder', 'f');
    refused(await efikit(['boot', efi, '--until', 'text:cr3', '--save', nowhere]), 4, /no.folder.f/);
  });
});
