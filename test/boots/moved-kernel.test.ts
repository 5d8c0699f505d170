import { expect } from 'chai';
import { linux } from '../../src/firmware/index.js';
import { loadProcessorArtifacts } from '../../src/host/processor-artifacts.js';
import { readImage } from '../../src/loaders/read-image.js';
import { ObservedBoot } from '../../src/probe/observed-boot.js';
import { cachedKernel } from '../support/kernels.js';

describe('a kernel with PHYS32_RELOC that stands elsewhere', () => {
  it("Debian's 6.12, moved to 64 MiB, enters there and comes to start_kernel", async function () {
    this.timeout(60_000);
    const image = readImage(cachedKernel(this, '6.12-cloud'));
    await image.prepare();
    const run = ObservedBoot.start({
      artifacts: loadProcessorArtifacts(),
      door: 'pvh',
      image,
      profile: linux,
      strict: true,
      memoryBytes: 2 ** 28,
      options: { commandLine: 'console=ttyS0', modules: [], pvh: { loadAt: 0x400_0000 } },
      until: 'start_kernel',
    });
    while (run.outcome === undefined && run.machine.instructions < 5_000_000) run.machine.run(1_000_000);
    expect(run.outcome).to.include({ outcome: 'reached' });
    const addresses = run.probe.phases.map(({ name, address }) => [name, address]);
    expect(addresses).to.deep.include(['entry', 0x400_0000n + 0xa30n]);
    expect(addresses).to.deep.include(['kernel-entry', 0x400_0000n + 0xb53n]);
  });
});
