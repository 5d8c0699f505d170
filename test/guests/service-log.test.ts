import { expect } from 'chai';
import { defaultInitramfs } from '../../src/boot/default-initramfs.js';
import type { Digest } from '../../src/digest.js';
import { linux } from '../../src/firmware/index.js';
import { loadProcessorArtifacts } from '../../src/host/processor-artifacts.js';
import { readImage } from '../../src/loaders/read-image.js';
import { ObservedBoot } from '../../src/probe/observed-boot.js';
import { cachedKernel, kernelNames } from '../support/kernels.js';

interface Run {
  readonly digest: Digest;
  readonly ticks: number;
  /** Of each call the service and its caller. */
  readonly callers: readonly (readonly [string, string | undefined])[];
}

async function boot(kernel: Uint8Array, isNamed: boolean): Promise<Run> {
  const image = readImage(kernel);
  await image.prepare();
  const callers: (readonly [string, string | undefined])[] = [];
  const { machine } = ObservedBoot.start({
    artifacts: loadProcessorArtifacts(),
    door: 'efi',
    image,
    profile: linux,
    strict: true,
    memoryBytes: 512 << 20,
    kernelPhases: false,
    options: { commandLine: 'console=ttyS0', modules: [], initrd: defaultInitramfs() },
    observer: isNamed ? { call: (call, from) => callers.push([call.name, from()]) } : {},
  });
  while (machine.outcome === undefined && machine.ticks < 4e9) {
    machine.run(100e6);
    if (machine.idle) machine.skipTo(machine.idleUntil() ?? Infinity);
  }
  expect(machine.outcome).to.include({ outcome: 'powered-off', reason: 'ResetSystem(EfiResetShutdown)' });
  return { digest: machine.digest(), ticks: machine.ticks, callers };
}

describe("the service log's callers in Debian's kernels", function () {
  this.timeout(120_000);

  for (const name of kernelNames) {
    it(`${name}: every caller has a name${name === '6.1-cloud' ? ', and naming them shows nowhere in the guest' : ''}`, async function () {
      const kernel = cachedKernel(this, name);
      const named = await boot(kernel, true);
      const of = (service: string): string | undefined => named.callers.find(([called]) => called === service)?.[1];
      expect(named.callers.filter(([, from]) => from === undefined)).to.deep.equal([]);
      expect(of('ExitBootServices')).to.match(/^image\+0x[0-9a-f]+$/);
      expect(of('SetVirtualAddressMap')).to.match(/^__efi_call\+0x[0-9a-f]+ from efi_set_virtual_address_map\+0x/);
      expect(of('ResetSystem')).to.match(/ from virt_efi_reset_system\+0x/);
      if (name !== '6.1-cloud') return; // the same code watches all of them: one comparison will do
      const plain = await boot(kernel, false);
      expect(plain.ticks).to.equal(named.ticks);
      expect(plain.digest).to.deep.equal(named.digest);
    });
  }
});
