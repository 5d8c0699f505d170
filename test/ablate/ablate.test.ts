import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { ablate } from '../../src/ablate/ablate.js';
import { Forker } from '../../src/ablate/forker.js';
import type { AblationSetup, Executor, Job, RunRecord } from '../../src/ablate/job.js';
import { journaled } from '../../src/ablate/journal.js';
import { plan } from '../../src/ablate/plan.js';
import { ablationLines, baselineLines } from '../../src/ablate/table.js';
import { linux, proposal } from '../../src/firmware/index.js';
import { noInput } from '../../src/host/console-input.js';
import { loadProcessorArtifacts } from '../../src/host/processor-artifacts.js';
import { runMachine } from '../../src/host/run-loop.js';
import { readImage } from '../../src/loaders/read-image.js';
import { example } from '../support/efikit.js';

async function setupOf(file: string, choice: Partial<AblationSetup> = {}): Promise<AblationSetup> {
  const image = readImage(new Uint8Array(readFileSync(example(file))));
  await image.prepare();
  return {
    artifacts: loadProcessorArtifacts(),
    door: 'efi',
    image,
    profile: linux,
    strict: true,
    memoryBytes: 64 << 20,
    options: { commandLine: 'a lesson', modules: [] },
    ...choice,
  };
}
const forkerOf = (setup: AblationSetup): Forker =>
  new Forker(setup, (machine, maxInstructions) => runMachine(machine, { input: noInput, maxInstructions }));

/** Counts what it lets through, and stops after so many jobs, as a killed process does. */
function counted(executor: Executor, most = Infinity): Executor & { readonly ran: string[] } {
  const ran: string[] = [];
  return {
    ran,
    whole: (max) => {
      ran.push('whole');
      return executor.whole(max);
    },
    run: (jobs, onEnd) =>
      executor.run(jobs, (job, record) => {
        if (ran.length >= most) throw new Error('killed');
        ran.push(job.id);
        onEnd(job, record);
      }),
  };
}

describe('ablation', function () {
  this.timeout(120_000);

  it('tries what the guest called, in every way that its section names, and lists what it never called', async () => {
    const setup = await setupOf('hello-variables/hello-variables.efi');
    const whole = await forkerOf(setup).whole(Infinity);
    const parts = plan(whole, setup);
    const trialsOf = (id: string): string[] =>
      (parts.find((part) => part.id === id)?.trials ?? []).map((trial) => trial.id);
    expect(trialsOf('SetVariable')).to.include.members([
      'SetVariable=absent',
      'SetVariable=null',
      'SetVariable=EFI_OUT_OF_RESOURCES',
      'SetVariable=EFI_WRITE_PROTECTED',
      'SetVariable=idle',
    ]);
    expect(trialsOf('GetVariable')).to.include.members(['GetVariable=empty', 'GetVariable=empty:once']);
    expect(trialsOf('AllocatePages'), 'never called').to.deep.equal([]);
    expect(trialsOf('protocol:SimpleTextOutput')).to.have.length(2);
    expect(trialsOf('machine:io-apic')).to.deep.equal(['machine:io-apic=absent']);
    const ids = parts.flatMap(({ trials }) => trials.map(({ id }) => id));
    expect(new Set(ids).size).to.equal(ids.length);
    const runTime = parts.find(({ id }) => id === 'SetVariable')?.trials ?? [];
    expect(runTime.find(({ way }) => way === 'null')?.fork, 'a table is as it is from the start').to.equal(0);
    expect(runTime.find(({ way }) => way === 'status')?.fork).to.be.greaterThan(0);
  });

  it('a run that is forked ends as one that had the override from its start', async () => {
    const setup = await setupOf('hello-variables/hello-variables.efi');
    const forker = forkerOf(setup);
    const whole = await forker.whole(Infinity);
    const trials = plan(whole, setup).flatMap((part) => part.trials);
    const forked = trials.filter(({ fork }) => fork > 0);
    expect(forked.length).to.be.greaterThan(20);
    for (const { id, overrides, fork } of forked.filter((trial) => !trial.id.includes('NextVariableName=idle'))) {
      const job: Job = { id, overrides, fork, maxInstructions: 2_000_000 };
      const { shared, ...record } = await forker.runOne(job);
      expect(shared, id).to.be.greaterThan(0);
      expect(record, id).to.deep.equal(withoutShared(await forker.runOne({ ...job, fork: 0 })));
    }
  });

  it('finds the smallest set of an example, and goes on after a kill without running anything twice', async () => {
    const setup = await setupOf('two-doors/two-doors.efi', { profile: proposal });
    const records = new Map<string, RunRecord>();
    const journal = {
      get: (id: string) => records.get(id),
      put: (id: string, record: RunRecord) => void records.set(id, JSON.parse(JSON.stringify(record)) as RunRecord),
    };
    const killed = counted(forkerOf(setup), 12);
    let message = '';
    await ablate(setup, journaled(killed, journal)).catch((error: unknown) => (message = String(error)));
    expect(message).to.equal('Error: killed');
    expect(records.size).to.equal(12);

    const rest = counted(forkerOf(setup));
    const found = await ablate(setup, journaled(rest, journal));
    expect(rest.ran.filter((id) => killed.ran.includes(id))).to.deep.equal([]);
    expect(found).to.deep.equal(await ablate(setup, forkerOf(setup)));

    expect(found.whole.reached).to.equal('end');
    const end = found.minimal.find(({ goal }) => goal === 'end');
    expect(end?.parts).to.include.members(['GetMemoryMap', 'ExitBootServices']).and.not.include('SetVariable');
    expect(end?.verified.reached).to.equal('end');
    const needs = Object.fromEntries(found.parts.map(({ id, need }) => [id, need]));
    expect(needs).to.include({ GetMemoryMap: 'acts', ExitBootServices: 'acts', SetVariable: 'unused' });
    expect(needs['SimpleTextOutput.OutputString'], 'not in the profile, and called').to.equal('callable');
    expect(found.tolerated).to.include('machine:rtc=absent');
    expect(found.cost.shared).to.be.greaterThan(0);

    const about = {
      efikit: '0',
      image: { path: 'two-doors.efi', sha256: '', kind: 'pe' },
      door: 'efi',
      profile: 'proposal',
    };
    const rest2 = { memory: 0, append: '', initrd: 'none', xen: false, strict: true } as const;
    const ablation = { ...about, ...rest2, ...found };
    const text = ablationLines(ablation).join('\n');
    expect(text).to.match(/^ {2}GetMemoryMap +2 +needed +exit-boot-services/m);
    expect(text).to.match(/never used: Exit, /);
    expect(baselineLines([ablation, ablation]).join('\n')).to.match(/^ {2}end: .*GetMemoryMap/m);
  });
});

function withoutShared({ shared, ...record }: RunRecord): Omit<RunRecord, 'shared'> {
  expect(shared).to.equal(0);
  return record;
}
