import { expect } from 'chai';
import { formatDigest } from '../../src/digest.js';
import { linux } from '../../src/firmware/index.js';
import { hostCodecs } from '../../src/host/codecs.js';
import { loadProcessorArtifacts } from '../../src/host/processor-artifacts.js';
import { readImage } from '../../src/loaders/read-image.js';
import { ObservedBoot } from '../../src/probe/observed-boot.js';
import { misuse, type MisuseRecord } from '../../src/probe/probes/misuse.js';
import { cachedFile, cachedKernel, type KernelName } from '../support/kernels.js';

interface Run {
  readonly found: readonly string[];
  readonly outcome: string | undefined;
  readonly digest: string;
}

/** A boot by EFI up to user space. */
async function boot([kernel, initrd]: readonly Uint8Array[], redZones: number, watched = true): Promise<Run> {
  if (kernel === undefined || initrd === undefined) throw new Error('a kernel and an initrd');
  const image = readImage(kernel, { codecs: hostCodecs() });
  await image.prepare();
  const run = ObservedBoot.start({
    artifacts: loadProcessorArtifacts(),
    door: 'efi',
    image,
    profile: linux,
    overrides: { 'memory:red-zones': redZones },
    strict: true,
    memoryBytes: 512 << 20,
    options: { commandLine: 'console=ttyS0', modules: [], initrd },
    probes: watched ? [misuse] : [],
    until: 'user-space',
  });
  const { machine } = run;
  while (machine.outcome === undefined && machine.ticks < 5e9) {
    machine.run(50e6);
    if (machine.idle) machine.skipTo(machine.idleUntil() ?? Infinity);
  }
  const { findings = [] } = (run.taken().get(misuse.name) ?? {}) as Partial<MisuseRecord>;
  return {
    found: findings.map(({ kind, what, times }) => `${String(times)} ${kind} ${what}`),
    outcome: run.outcome?.outcome,
    digest: formatDigest(machine.digest()),
  };
}

const biosData = /^1 boot-services-memory reserve_bios_regions\+0x[0-9a-f]+ loaded from page 0 in boot-services memory/;
const freeOfNull = /^1 bad-free FreePool was given NULL, where nothing was allocated, by image\+0x[0-9a-f]+$/;

describe('misuse of the firmware by real kernels', function () {
  this.timeout(300_000);

  for (const [name, expected] of [
    ['6.1-cloud', [freeOfNull, biosData, biosData]],
    ['6.12-cloud', [freeOfNull, biosData, biosData]],
    ['latest-cloud', [biosData, biosData]],
  ] as readonly (readonly [KernelName, readonly RegExp[]])[]) {
    it(`${name}: what docs/misuse.md says, with red zones and without, and the kernel does not notice`, async function () {
      const files = [cachedKernel(this, name), cachedFile(this, 'initrd.gz')];
      const watched = await boot(files, 0);
      const withZones = await boot(files, 64);
      for (const { found, outcome } of [watched, withZones]) {
        expect(outcome).to.equal('reached');
        expect(found.length, found.join('\n')).to.equal(expected.length);
        expected.forEach((pattern, i) => {
          expect(found[i]).to.match(pattern);
        });
      }
      expect((await boot(files, 0, false)).digest).to.equal(watched.digest);
    });
  }
});
