import { expect } from 'chai';
import { linux } from '../../src/firmware/index.js';
import { loadProcessorArtifacts } from '../../src/host/processor-artifacts.js';
import { runMachine } from '../../src/host/run-loop.js';
import { readImage } from '../../src/loaders/read-image.js';
import { bootResult, imageRecord } from '../../src/cli/boot-result.js';
import { ObservedBoot } from '../../src/probe/observed-boot.js';
import type { BootResult } from '../../src/report/result.js';
import { cachedFile, cachedKernel } from '../support/kernels.js';

const memoryBytes = 256 * 2 ** 20;

describe('a session typed at the 6.1 shell', function () {
  this.timeout(120_000);

  it('has the same JSON when its log is replayed', async function () {
    const image = readImage(cachedKernel(this, '6.1-cloud'));
    const initrd = cachedFile(this, 'initrd-shell.gz');
    await image.prepare();

    /** Boots to the shell and runs to the end; `prepare` has the boot before its first tick and gives what is called between slices. */
    const session = async (prepare: (boot: ObservedBoot) => () => boolean): Promise<BootResult> => {
      const options = { commandLine: 'console=ttyS0', initrd, modules: [] };
      const artifacts = loadProcessorArtifacts();
      const boot = ObservedBoot.start({
        artifacts,
        door: 'efi',
        image,
        profile: linux,
        strict: false,
        memoryBytes,
        options,
      });
      const deliver = prepare(boot);
      const input = { open: false, waiting: false, deliver, changed: () => Promise.resolve() };
      const outcome = await runMachine(boot.machine, { input });
      return bootResult(boot, boot.outcome ?? outcome, { image: imageRecord('vmlinuz', image), wallSeconds: 0 });
    };

    const lines = ['ls /sys/firmware/efi\n', 'poweroff -f\n'];
    const typed = await session((boot) => {
      let prompts = 0;
      return () => {
        const text = new TextDecoder().decode(boot.console.bytes());
        if (text.split('/ # ').length - 1 <= prompts) return false;
        prompts++;
        boot.machine.type(new TextEncoder().encode(lines.shift() ?? ''));
        return true;
      };
    });
    expect(typed.outcome).to.equal('powered-off');
    expect(typed.console).to.match(/# ls \/sys\/firmware\/efi\n[^#]*fw_platform_size/);
    expect(typed.typed?.map(({ bytes }) => Buffer.from(bytes, 'hex').toString())).to.deep.equal([
      'ls /sys/firmware/efi\n',
      'poweroff -f\n',
    ]);

    const replayed = await session((boot) => {
      boot.machine.replayInput(typed.typed ?? []);
      return () => false;
    });
    expect(replayed).to.deep.equal(typed);
  });
});
