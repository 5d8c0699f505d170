import { expect } from 'chai';
import { Forker } from '../../src/ablate/forker.js';
import type { AblationSetup, Job } from '../../src/ablate/job.js';
import { plan } from '../../src/ablate/plan.js';
import { defaultInitramfs } from '../../src/boot/default-initramfs.js';
import { linux } from '../../src/firmware/index.js';
import { hostCodecs } from '../../src/host/codecs.js';
import { noInput } from '../../src/host/console-input.js';
import { loadProcessorArtifacts } from '../../src/host/processor-artifacts.js';
import { runMachine } from '../../src/host/run-loop.js';
import { readImage } from '../../src/loaders/read-image.js';
import { cachedFile } from '../support/kernels.js';

describe('forks of a boot of Linux', function () {
  this.timeout(300_000);

  it('end as boots that had the override from their start: before and after ExitBootServices', async function () {
    const image = readImage(cachedFile(this, 'vmlinuz-6.1-cloud'), { codecs: hostCodecs() });
    await image.prepare();
    const setup: AblationSetup = {
      artifacts: loadProcessorArtifacts(),
      door: 'efi',
      image,
      profile: linux,
      strict: true,
      memoryBytes: 256 << 20,
      options: { commandLine: 'console=ttyS0', modules: [], initrd: defaultInitramfs() },
    };
    const forker = new Forker(setup, (machine, maxInstructions) =>
      runMachine(machine, { input: noInput, maxInstructions }),
    );
    const whole = await forker.whole(Infinity);
    expect(whole.phases.map(({ name }) => name)).to.include('user-space');
    const trials = plan(whole, setup).flatMap((part) => part.trials);
    for (const [id, until] of [
      ['LocateDevicePath=EFI_UNSUPPORTED', undefined],
      ['ExitBootServices=map-changes:once', 'start_kernel'],
      ['SetVirtualAddressMap=EFI_NO_MAPPING', 'user-space'],
    ] as const) {
      const trial = trials.find((one) => one.id === id);
      if (trial === undefined) throw new Error(`no trial ${id}`);
      const { overrides, fork } = trial;
      const job: Job = { id, overrides, fork, maxInstructions: 3e9, ...(until && { until }) };
      const forked = await forker.runOne(job);
      expect(forked.shared, id).to.be.greaterThan(80_000_000);
      expect({ ...forked, shared: 0 }, id).to.deep.equal(await forker.runOne({ ...job, fork: 0 }));
    }
  });
});
