import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { DoorName } from '../../src/boot/door-choice.js';
import { proposal } from '../../src/firmware/index.js';
import { loadProcessorArtifacts } from '../../src/host/processor-artifacts.js';
import { readImage } from '../../src/loaders/read-image.js';
import { ObservedBoot } from '../../src/probe/observed-boot.js';
import { answer } from '../../src/probe/probe.js';
import { coverage, type CoverageOfDoor, type JoinedCoverage } from '../../src/probe/probes/coverage.js';
import { instructions, type Instructions } from '../../src/probe/probes/instructions.js';
import { example } from '../support/efikit.js';

const probes = [instructions, coverage];
const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);

function run(door: DoorName, file: string, tier: 'both' | 'interpreter') {
  const boot = ObservedBoot.start({
    artifacts: loadProcessorArtifacts(),
    door,
    image: readImage(readFileSync(example(file))),
    profile: proposal,
    strict: true,
    tier,
    memoryBytes: 256 << 20,
    options: { commandLine: 'a b', modules: [] },
    probes,
  });
  while (boot.machine.outcome === undefined && boot.machine.ticks < 1e8) boot.machine.run(1e6);
  expect(boot.machine.outcome?.outcome).to.equal('powered-off');
  return { door, taken: boot.taken(), total: boot.machine.instructions };
}

describe('probes on two-doors', function () {
  this.timeout(30_000);
  for (const tier of ['both', 'interpreter'] as const) {
    it(`instructions: modes, functions and stretches sum to what was retired (tier ${tier})`, () => {
      for (const [door, file] of [
        ['efi', 'two-doors/two-doors.efi'],
        ['pvh', 'two-doors/two-doors.elf'],
      ] as const) {
        const { taken, total } = run(door, file, tier);
        const result = taken.get('instructions') as Instructions;
        expect(result.total).to.equal(total);
        expect(sum(result.stretches.map((stretch) => stretch.instructions))).to.equal(total);
        for (const stretch of result.stretches) {
          expect(sum(Object.values(stretch.modes))).to.equal(stretch.instructions);
          const functions = Object.values(stretch.functions).flatMap((byName) => Object.values(byName));
          expect(sum(functions)).to.equal(stretch.instructions);
          expect(Object.keys(stretch.functions)).not.to.include('elsewhere');
        }
      }
    });
  }

  it('instructions: PVH enters in 32-bit mode without paging, and the guest switches; EFI enters in 64-bit mode', () => {
    const modes = (taken: ReturnType<typeof run>): Set<string> =>
      new Set(
        (taken.taken.get('instructions') as Instructions).stretches.flatMap((stretch) => Object.keys(stretch.modes)),
      );
    const pvh = run('pvh', 'two-doors/two-doors.elf', 'both');
    expect([...modes(pvh)]).to.include.members(['32-bit protected, no paging', '64-bit']);
    const { controlWrites } = (pvh.taken.get('instructions') as Instructions).longMode;
    expect(controlWrites.map(({ register, times }) => [register, times])).to.deep.include.members([
      ['CR3', 1],
      ['CR4', 1],
      ['CR0', 1],
    ]);
    const efi = run('efi', 'two-doors/two-doors.efi', 'both');
    expect([...modes(efi)]).to.deep.equal(['64-bit']);
    const [atEntry] = (efi.taken.get('instructions') as Instructions).longMode.pageTables;
    expect(atEntry).to.deep.include({ at: 'entry', by: ['firmware'] });
  });

  it('coverage: two runs of one door have everything in common, two files nothing', () => {
    const efi = run('efi', 'two-doors/two-doors.efi', 'both');
    const again = run('efi', 'two-doors/two-doors.efi', 'interpreter');
    const joined = (...doors: readonly ReturnType<typeof run>[]): JoinedCoverage =>
      answer(probes, doors).joined['coverage'] as JoinedCoverage;
    const [same] = joined(efi, again).scopes.filter(({ scope }) => scope === 'in all');
    expect(same?.common).to.deep.equal(same?.all);
    expect(same?.all.executions).to.deep.equal([efi.total, efi.total]);
    const pvh = run('pvh', 'two-doors/two-doors.elf', 'both');
    const [different] = joined(efi, pvh).scopes.filter(({ scope }) => scope === 'in all');
    expect(different?.common.addresses).to.equal(0);
    const ofDoor = coverage.record(efi.taken.get('coverage')) as CoverageOfDoor[];
    expect(ofDoor.find(({ scope }) => scope === 'in all')?.executions).to.equal(efi.total);
  });
});
