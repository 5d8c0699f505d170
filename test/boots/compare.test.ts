import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { readImage } from '../../src/loaders/read-image.js';
import type { CoverageOfDoor, JoinedCoverage } from '../../src/probe/probes/coverage.js';
import type { HandOver, JoinedHandOver } from '../../src/probe/probes/hand-over.js';
import type { Instructions } from '../../src/probe/probes/instructions.js';
import type { Touched } from '../../src/probe/probes/touches.js';
import type { ComparisonResult, DoorResult } from '../../src/report/comparison.js';
import { undocumentedPaths } from '../support/documented-paths.js';
import { efikit } from '../support/efikit.js';
import { cachedFile, kernelFolder } from '../support/kernels.js';

const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);

interface Compared {
  readonly stdout: string;
  readonly result: ComparisonResult;
  readonly ofDoor: (door: string) => DoorResult;
  readonly instructions: (door: string) => Instructions;
  readonly coverage: JoinedCoverage;
}

describe('compare on a real kernel', function () {
  this.timeout(300_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'efikit-compare-'));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  const kernel = path.join(kernelFolder, 'vmlinuz-6.1-cloud');

  async function compare(...args: readonly string[]): Promise<Compared> {
    const file = path.join(folder, 'result.json');
    const { status, stdout, stderr } = await efikit(['compare', kernel, '--memory', '512M', '--json', file, ...args]);
    expect(status, stderr).to.equal(0);
    const result = JSON.parse(readFileSync(file, 'utf8')) as ComparisonResult;
    const ofDoor = (name: string): DoorResult => {
      const found = result.doors.find(({ door }) => door === name);
      if (found === undefined || 'closed' in found) throw new Error(`the door ${name} was not run`);
      return found;
    };
    return {
      stdout,
      result,
      ofDoor,
      instructions: (door) => ofDoor(door).probes['instructions'] as Instructions,
      coverage: result.joined['coverage'] as JoinedCoverage,
    };
  }

  it('6.1-cloud up to start_kernel, all four doors: figures add up, and who unpacks the kernel is told apart', async function () {
    cachedFile(this, 'vmlinuz-6.1-cloud');
    const doors = ['efi', 'pvh', 'proposal', 'linux64'];
    const compared = await compare('--doors', doors.join(','), '--until', 'start_kernel');
    expect(undocumentedPaths(compared.result), 'paths of the result that docs/comparison.md lacks').to.deep.equal([]);
    for (const door of doors) {
      const { total, stretches } = compared.instructions(door);
      expect(total).to.equal(compared.ofDoor(door).instructions);
      for (const stretch of stretches) {
        expect(sum(Object.values(stretch.modes))).to.equal(stretch.instructions);
        expect(sum(Object.values(stretch.functions).flatMap((names) => Object.values(names)))).to.equal(
          stretch.instructions,
        );
      }
      expect(
        Object.keys(Object.assign({}, ...(stretches.map(({ functions }) => functions) as object[])) as object),
      ).not.to.include('elsewhere');
    }
    expect(compared.instructions('pvh').unpacking).to.equal(undefined);
    expect(compared.instructions('efi').unpacking?.instructions).to.be.greaterThan(50e6);
    expect(compared.instructions('efi').unpacking?.where).to.match(/^between FreePool and /);
    expect(compared.instructions('linux64').unpacking?.where).to.equal('between entry and kernel-entry');
    expect(compared.instructions('proposal').unpacking?.where).to.equal('between exit-boot-services and kernel-entry');
    const [first] = compared.instructions('pvh').stretches;
    expect(first?.modes['32-bit protected, no paging']).to.be.greaterThan(10);
    expect(compared.instructions('pvh').longMode.controlWrites[0]).to.include({
      register: 'CR4',
      name: 'pvh_start_xen',
    });

    const early = compared.coverage.scopes.find(({ scope }) => scope === 'kernel entry to start_kernel');
    expect(early?.all.addresses).to.be.greaterThan(500);
    expect((early?.common.addresses ?? 0) / (early?.all.addresses ?? 1)).to.be.greaterThan(0.95);
    for (const { all, common, some, only } of compared.coverage.scopes) {
      const parts = [common, some, ...only];
      expect(sum(parts.map(({ addresses }) => addresses))).to.equal(all.addresses);
      expect(sum(parts.map(({ functions }) => functions))).to.equal(all.functions);
      doors.forEach((_, door) => {
        expect(sum(parts.map(({ executions }) => executions[door] ?? 0))).to.equal(all.executions[door]);
      });
    }
    expect(compared.coverage.joins.map(({ door, at }) => [door, typeof at])).to.deep.equal(
      doors.map((door) => [door, 'string']),
    );

    const handedOver = compared.result.joined['hand-over'] as JoinedHandOver;
    expect(handedOver.doors).to.deep.equal(doors);
    const field = (name: string) => handedOver.different.find((one) => one.field === name);
    expect(field('boot_params.hdr.type_of_loader')?.values[1]).to.equal('0xb0'); // Xen
    expect(field('boot_params.efi_info.efi_loader_signature')?.values).to.deep.equal([
      '0x34364c45',
      null,
      '0x34364c45',
      null,
    ]);
    expect(handedOver.different.filter(({ why }) => why === undefined)).to.deep.equal([]);
    const { zeroPage, registers } = compared.ofDoor('pvh').probes['hand-over'] as HandOver;
    expect(zeroPage?.commandLine).to.equal('console=ttyS0');
    expect(registers['CR3']).to.match(/^(init|early)_top_pgt\+0x0$/);

    const touched = compared.ofDoor('pvh').probes['touches'] as readonly Touched[];
    const leaf = touched.find(({ kind, at }) => kind === 'cpuid' && at === '0x40000000');
    expect(leaf?.by.map(({ function: name }) => name)).to.include('native_cpuid');
    for (const { times, by } of touched) expect(sum(by.map((one) => one.times))).to.equal(times);

    expect(compared.stdout).to.match(/^ {2}kernel-entry +[\d,]+ +[\d,]+/m);
    expect(compared.stdout).to.match(/^more: --details for everything/m);
  });

  it('6.1-cloud beside its own payload as an ELF: the same kernel, compared by instruction', async function () {
    const image = readImage(cachedFile(this, 'vmlinuz-6.1-cloud'));
    await image.prepare();
    const payload = path.join(folder, 'vmlinux');
    writeFileSync(payload, image.elf()?.bytes ?? '');
    const only = ['--until', 'start_kernel', '--only', 'instructions,coverage'];
    const packed = await compare('--doors', 'pvh', ...only);
    const file = path.join(folder, 'both.json');
    const { status, stderr } = await efikit(['compare', payload, kernel, '--memory', '512M', '--json', file, ...only]);
    expect(status, stderr).to.equal(0);
    const { doors, joined } = JSON.parse(readFileSync(file, 'utf8')) as ComparisonResult;
    expect(doors.map((door) => ('closed' in door ? '' : door.image.kind))).to.deep.equal(['bzimage', 'elf']);
    const elf = doors[1] as DoorResult;
    expect(elf.probes['instructions']).to.deep.equal(packed.ofDoor('pvh').probes['instructions']);
    const coverage = joined['coverage'] as JoinedCoverage;
    expect(coverage.refused).to.equal(undefined);
    expect(coverage.scopes[0]?.common.addresses).to.be.greaterThan(500);
  });

  it('6.1-cloud whole: user space is counted apart, and what is compared and what is not is all', async function () {
    cachedFile(this, 'vmlinuz-6.1-cloud');
    const compared = await compare('--append', 'console=ttyS0 nokaslr', '--only', 'instructions,coverage');
    for (const door of ['efi', 'pvh']) {
      const { instructions, outcome } = compared.ofDoor(door);
      expect(outcome).to.equal('powered-off');
      expect(compared.instructions(door).total).to.equal(instructions);
      const scopes = compared.ofDoor(door).probes['coverage'] as CoverageOfDoor[];
      const whole = scopes.find(({ scope }) => scope === 'in all');
      expect((whole?.executions ?? 0) + sum(whole?.notCompared.map(({ executions }) => executions) ?? [])).to.equal(
        instructions,
      );
      const user = compared
        .instructions(door)
        .stretches.flatMap(({ functions }) => Object.values(functions['user space'] ?? {}));
      expect(whole?.notCompared.find(({ subsystem }) => subsystem === 'user space')?.executions).to.equal(sum(user));
    }
    const whole = compared.coverage.scopes.find(({ scope }) => scope === 'in all');
    expect((whole?.common.addresses ?? 0) / (whole?.all.addresses ?? 1)).to.be.greaterThan(0.9);
    expect(Object.keys(compared.ofDoor('efi').probes)).to.deep.equal(['instructions', 'coverage']);
    expect(compared.stdout).to.match(/^instructions by subsystem:/m);
  });
});
