import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import type { DoorName } from '../../src/boot/door-choice.js';
import { defaultInitramfs } from '../../src/boot/default-initramfs.js';
import { linux, proposal } from '../../src/firmware/index.js';
import { hostCodecs } from '../../src/host/codecs.js';
import { noInput } from '../../src/host/console-input.js';
import { loadProcessorArtifacts } from '../../src/host/processor-artifacts.js';
import { loadProposalLinux } from '../../src/host/proposal-linux.js';
import { runMachine } from '../../src/host/run-loop.js';
import { readSnapshotFile, writeSnapshotFile } from '../../src/host/snapshot-file.js';
import { readImage } from '../../src/loaders/read-image.js';
import { ObservedBoot } from '../../src/probe/observed-boot.js';
import type { BootSetup } from '../../src/probe/boot-setup.js';
import { bootResult } from '../../src/cli/boot-result.js';
import { cachedFile } from '../support/kernels.js';

describe('boots of Linux that go on from a file', function () {
  this.timeout(300_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'efikit-saved-'));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  const about = { image: { path: 'kernel', sha256: '', kind: 'bzimage' }, wallSeconds: 0 };
  const ends = async (run: ObservedBoot): Promise<unknown> => {
    const last = await runMachine(run.machine, { input: noInput });
    return bootResult(run, run.outcome ?? last, about);
  };
  const choices: readonly [door: DoorName, at: string, choice: Partial<BootSetup>][] = [
    ['efi', 'exit-boot-services', { strict: true }],
    [
      'efi',
      'kernel-entry',
      { xen: {}, options: { commandLine: 'console=hvc0', modules: [], initrd: defaultInitramfs() } },
    ],
    ['pvh', 'user-space', {}],
    ['linux64', 'start_kernel', {}],
    ['proposal', 'exit-boot-services', { profile: proposal, proposalLinux: loadProposalLinux() }],
  ];
  for (const [door, at, choice] of choices) {
    it(`by the door ${door}${choice.xen ? ' under Xen' : ''}, from ${at} on: the result of one run`, async function () {
      const image = readImage(cachedFile(this, 'vmlinuz-6.1-cloud'), { codecs: hostCodecs() });
      await image.prepare();
      const file = path.join(folder, 'machine');
      const setup: BootSetup = {
        artifacts: loadProcessorArtifacts(),
        door,
        image,
        profile: linux,
        strict: false,
        memoryBytes: 256 << 20,
        options: { commandLine: 'console=ttyS0', modules: [], initrd: defaultInitramfs() },
        ...choice,
      };
      const stopped = ObservedBoot.start({ ...setup, until: at });
      await runMachine(stopped.machine, { input: noInput });
      expect(writeSnapshotFile(file, stopped.save())).to.equal(readFileSync(file).length);
      const whole = await ends(ObservedBoot.start(setup));
      const artifacts = loadProcessorArtifacts();
      expect(await ends(ObservedBoot.resume({ artifacts }, readSnapshotFile(file)))).to.deep.equal(whole);
    });
  }
});
