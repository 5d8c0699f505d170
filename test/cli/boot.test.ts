import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import type { BootResult } from '../../src/report/result.js';
import { complaints, efikit, example } from '../support/efikit.js';

const efi = example('two-doors/two-doors.efi');
const elf = example('two-doors/two-doors.elf');

describe('efikit boot', function () {
  this.timeout(30_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'efikit-boot-'));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  it('says first what was filled in by default', async () => {
    const { stderr } = await efikit(['boot', elf, '--memory', '64M']);
    expect(stderr.split('\n')[0]).to.equal(
      'efikit: defaults: --door pvh --append console=ttyS0 --initrd (built in: prints USERSPACE-UP and powers off)',
    );
  });

  it('gives the console to standard output, and ends with why it ended and three closing lines', async () => {
    const ended = await efikit(['boot', efi, '--profile', 'proposal', '--append', 'hello there']);
    expect(ended.status).to.equal(0);
    expect(ended.stdout)
      .to.match(/^door: efi$/m)
      .and.match(/^command-line: hello there$/m);
    const lines = complaints(ended);
    expect(lines).to.have.length(4);
    expect(lines[0]).to.equal('efikit: the guest powered off: ACPI sleep register (S5)');
    expect(lines[1]).to.match(/asked: .*GetMemoryMap x2, ExitBootServices/);
    expect(lines[2]).to.match(/never used: .*SetVariable/);
    expect(lines[3]).to.match(/SimpleTextOutput.OutputString was called .* --profile linux/);
  });

  it('ends with 0 after Exit with success and 1 after Exit with an error', async () => {
    const good = await efikit(['boot', example('hello-variables/hello-variables.efi')]);
    expect(good.status, good.stdout).to.equal(0);
    expect(good.stderr).to.match(/called Exit: Exit\(EFI_SUCCESS\)/);
    const bad = await efikit(['boot', example('hello/hello.efi')]);
    expect(bad.status).to.equal(1);
    expect(bad.stderr).to.match(/Exit\(EFI_INVALID_PARAMETER\)/);
  });

  it('ends with 0 at --until and with 3 at a limit', async () => {
    const reached = await efikit(['boot', efi, '--until', 'text:ram total']);
    expect(reached.status).to.equal(0);
    expect(reached.stdout)
      .to.match(/ram total/)
      .and.not.match(/stop:/);
    const phase = await efikit(['boot', efi, '--until', 'exit-boot-services']);
    expect(phase.status).to.equal(0);
    expect(phase.stdout).not.to.match(/stop:/);
    const limit = await efikit(['boot', efi, '--max-instructions', '1_000', '--json', '-']);
    expect(limit.status).to.equal(3);
    expect((JSON.parse(limit.stdout) as BootResult).instructions).to.equal(1000);
    expect(limit.stderr).to.match(/--max-instructions 1000 is reached/);
  });

  it('writes the same JSON on every run but for wallSeconds, whatever the slices and the input', async () => {
    const results = [];
    for (const input of ['', 'ls\n'.repeat(50)]) {
      const file = path.join(folder, 'result.json');
      expect((await efikit(['boot', efi, '--strict', '--json', file], { input })).status).to.equal(0);
      results.push({ ...(JSON.parse(readFileSync(file, 'utf8')) as BootResult), wallSeconds: 0 });
    }
    expect(results[0]).to.deep.equal(results[1]);
    const [result] = results;
    expect(result).to.include({
      door: 'efi',
      profile: 'linux',
      memory: 2 ** 30,
      outcome: 'powered-off',
      append: 'console=ttyS0',
    });
    expect(result?.image).to.include({ kind: 'pe', path: efi }).and.have.property('sha256').with.length(64);
    expect(result?.phases.map(({ name }) => name)).to.deep.equal(['entry', 'exit-boot-services']);
    expect(result?.services.find(({ name }) => name === 'GetMemoryMap')).to.deep.equal({
      name: 'GetMemoryMap',
      calls: 2,
      statuses: { EFI_SUCCESS: 2 },
    });
    expect(result?.console).to.match(/^door: efi\nmode: 64-bit/);
  });

  it('--replay types what a result or a bare list says, and says what came too late', async () => {
    const typed = [
      { tick: 1000, bytes: '6c73' },
      { tick: 2000, bytes: '0a' },
    ];
    const file = path.join(folder, 'typed.json');
    const replay = async (data: unknown) => {
      writeFileSync(file, JSON.stringify(data));
      return efikit(['boot', elf, '--json', '-', '--replay', file]);
    };
    const first = JSON.parse((await replay(typed)).stdout) as BootResult;
    expect(first.typed).to.deep.equal(typed);
    const second = JSON.parse((await replay(first)).stdout) as BootResult;
    expect({ ...second, wallSeconds: 0 }).to.deep.equal({ ...first, wallSeconds: 0 });
    const { typed: none, ...silent } = first;
    expect(none).to.have.length(2);
    expect(JSON.parse((await replay(silent)).stdout)).not.to.have.property('typed');
    const late = await replay([...typed, { tick: 1e12, bytes: '61' }]);
    expect(late.status).to.equal(0);
    expect(late.stderr).to.match(/1 of the inputs in \S+ not typed: the run ended before/);
  });

  it('--replay refuses a file that holds no typed input', async () => {
    const file = path.join(folder, 'typed.json');
    for (const [text, message] of [
      ['no JSON', /is not valid JSON; give a result of boot --json/],
      ['{}', /is a list of/],
      ['[{"tick": 1, "bytes": "6"}]', /entry 0 .*"bytes" must be hexadecimal/],
    ] as const) {
      writeFileSync(file, text);
      const { status, stderr } = await efikit(['boot', elf, '--replay', file]);
      expect(status).to.equal(4);
      expect(stderr).to.match(message);
    }
    expect((await efikit(['boot', elf, '--replay', path.join(folder, 'absent')])).status).to.equal(4);
  });

  it('writes the same JSON without the hot tier', async () => {
    const runs = await Promise.all(
      [[], ['--tier', 'interpreter']].map((tier) => efikit(['boot', elf, '--json', '-', ...tier])),
    );
    const results = runs.map(({ stdout }) => ({ ...(JSON.parse(stdout) as BootResult), wallSeconds: 0 }));
    expect(results[0]).to.deep.equal(results[1]);
  });

  it('puts the console on standard error when the result goes to standard output', async () => {
    const { stdout, stderr } = await efikit(['boot', elf, '--json', '-']);
    expect((JSON.parse(stdout) as BootResult).door).to.equal('pvh');
    expect(stderr).to.match(/^door: pvh$/m);
  });

  it('traces every firmware call as a line of JSON', async () => {
    const file = path.join(folder, 'trace');
    await efikit(['boot', example('hello-variables/hello-variables.efi'), '--trace', file]);
    const calls = readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { name: string; status: string; args: object });
    expect(calls.at(-1))
      .to.include({ name: 'Exit', status: 'EFI_SUCCESS' })
      .and.to.have.property('from')
      .that.match(/^image\+0x/);
    expect(calls.find(({ name }) => name === 'SetVariable')?.args).to.have.property('VariableName', '"Greeting"');
    expect(calls[0]).to.include({ event: 'image-entry' });
    const { stderr } = await efikit(['boot', example('hello-variables/hello-variables.efi'), '--trace', '-']);
    const lines = stderr.split('\n').filter((line) => line.startsWith('{'));
    expect(lines.map((line) => JSON.parse(line) as unknown)).to.deep.equal(calls);
  });

  it('explains each firmware call with its status and section, and the memory maps', async () => {
    const { stderr } = await efikit(['boot', efi, '--profile', 'proposal', '--explain']);
    expect(stderr).to.match(/memory map at the entry:\n {2}000000000-/);
    expect(stderr).to.match(/GetMemoryMap\(.*\) -> EFI_SUCCESS .*\[UEFI 2\.10 section 7\.2\.3\]/);
    expect(stderr).to.match(/OutputString\(.*EFI_UNSUPPORTED.*not in this profile/);
    expect(stderr).to.match(/memory map that ExitBootServices finds:/);
    expect(stderr).to.match(/-- exit-boot-services at 0x/);
  });
});

describe('efikit compare', function () {
  this.timeout(30_000);

  it('two-doors: the same command line, modules, RSDP and RAM through both doors; each difference of the maps explained', async () => {
    const { status, stdout } = await efikit([
      'compare',
      efi,
      elf,
      '--profile',
      'proposal',
      '--append',
      'one line',
      '--module',
      `${example('README.md')},text of it`,
      '--initrd',
      'none',
    ]);
    expect(status).to.equal(0);
    const same = stdout.slice(stdout.indexOf('the same through every door'), stdout.indexOf('and differs in'));
    for (const key of [
      'rsdp',
      'command-line',
      'modules',
      'module 0 fnv1a',
      'module 0 size',
      'module 0 command-line',
      'ram total',
      'ram range',
    ]) {
      expect(same).to.match(new RegExp(`^  ${key} `, 'm'));
    }
    expect(stdout).to.match(/EfiBootServicesData +RAM +\(1\)/);
    expect(stdout).to.match(/^ {2}\(1\) /m);
    expect(stdout).not.to.match(/unexplained/);
  });

  it('shows a door that the image lacks as a column that says why', async () => {
    const { status, stdout } = await efikit(['compare', elf]);
    expect(status).to.equal(0);
    expect(stdout).to.match(/^outcome +closed +powered-off$/m);
    expect(stdout).to.match(/^efi is closed: .*CONFIG_EFI_STUB/m);
  });

  it('gives the results as JSON', async () => {
    const { stdout } = await efikit(['compare', elf, '--json', '-']);
    const { doors } = JSON.parse(stdout) as { doors: { door: string; closed?: string; outcome?: string }[] };
    expect(doors.map(({ door }) => door)).to.deep.equal(['efi', 'pvh']);
    expect(doors[1]?.outcome).to.equal('powered-off');
  });
});
