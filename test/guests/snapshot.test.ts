import { expect } from 'chai';
import { join } from 'node:path';
import { Continuer } from '../support/continue-in-process.js';
import { cachedFile, kernelFolder } from '../support/kernels.js';
import { RecordedBoot } from '../support/recorded-boot.js';

describe("Debian's kernel 6.1, saved in the middle of its boot", function () {
  this.timeout(300_000);
  const continuer = new Continuer();
  before(async function () {
    cachedFile(this, 'vmlinuz-6.1-cloud');
    cachedFile(this, 'initrd.gz');
    await continuer.open();
  });
  after(() => {
    continuer.close();
  });

  // Before and after ExitBootServices; with the initrd still to be loaded; deep in the kernel.
  for (const [door, points] of [
    ['efi', [1_234_567, 1_055_555_555]],
    ['pvh', [98_765_432, 777_777_777]],
  ] as const) {
    it(`by ${door}: restored in fresh processes it ends in the same JSON`, async () => {
      const boot = await RecordedBoot.start({
        image: join(kernelFolder, 'vmlinuz-6.1-cloud'),
        initrd: join(kernelFolder, 'initrd.gz'),
        door,
        profile: 'linux',
        memoryBytes: 256 << 20,
        commandLine: 'console=ttyS0',
        options: { strict: true },
      });
      const saved = points.map((tick) => {
        boot.runTo(tick);
        expect(boot.machine.ticks).to.equal(tick);
        return boot.save();
      });
      const expected = boot.finish();
      expect(expected.outcome).to.equal('powered-off');
      expect(expected.console).to.match(/^USERSPACE-UP /m);
      const endings = await Promise.all(saved.map((snapshot) => continuer.finish(snapshot)));
      for (const ending of endings) expect(ending).to.deep.equal(expected);
    });
  }
});
