import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { StartInfoFlag } from '../../firmware-tables/pvh/start-info.js';
import { quirkOverrides } from '../../src/firmware/quirks.js';
import { platforms } from '../../src/platform-description.js';
import { RecordedBoot, type Ending } from '../support/recorded-boot.js';

interface Seen {
  readonly ending: Ending;
  readonly value: (key: string) => string | undefined;
  /** Calls of HandleProtocol that asked for the protocol of the Xen image handle. */
  readonly lookUps: number;
}

interface Wish {
  readonly xen?: boolean;
  readonly quirks?: readonly string[];
  readonly commandLine?: string;
  readonly isOnPc?: boolean;
  readonly isDom0?: boolean;
}

async function run(
  door: 'efi' | 'pvh',
  { xen = false, quirks = [], commandLine = '', isOnPc = false, isDom0 = false }: Wish,
): Promise<Seen> {
  const name = door === 'efi' ? 'two-doors.efi' : 'two-doors.elf';
  const boot = await RecordedBoot.start({
    image: fileURLToPath(new URL(`../../examples/two-doors/${name}`, import.meta.url)),
    door,
    profile: 'proposal',
    memoryBytes: 64 << 20,
    commandLine,
    ...(isDom0 && { pvh: { flags: StartInfoFlag.PRIVILEGED | StartInfoFlag.INITDOMAIN } }),
    options: {
      strict: true,
      overrides: quirkOverrides(quirks),
      ...(xen && { xen: isDom0 ? { initialDomain: 'efi' as const } : {} }),
      ...(isOnPc && { platform: platforms['xen-uart'] }),
    },
  });
  const ending = boot.finish();
  expect(ending.outcome, ending.reason).to.equal('powered-off');
  const lines = ending.console.split('\r\n');
  return {
    ending,
    value: (key) => lines.find((line) => line.startsWith(`${key}: `))?.slice(key.length + 2),
    lookUps: ending.services.filter((line) => line.includes('HandleProtocol') && line.includes('EFIKIT_XEN_PROTOCOL'))
      .length,
  };
}

/** What two-doors says of each signal by which a guest can find Xen, through both doors. */
describe('the signals of Xen, seen by two-doors', function () {
  this.timeout(20_000);

  it('no Xen: the EFI door has the table, the PVH door hvm_start_info, and neither has CPUID leaves', async () => {
    const throughEfi = await run('efi', {});
    const throughPvh = await run('pvh', {});
    expect(throughEfi.value('xen seen by')).to.equal('table');
    expect(throughPvh.value('xen seen by')).to.equal('start-info');
    for (const seen of [throughEfi, throughPvh]) {
      expect(seen.value('xen cpuid')).to.equal('(none)');
      expect(seen.value('xen hypercall')).to.equal(undefined);
      expect(seen.lookUps).to.equal(0);
    }
  });

  it('nothing: without the table, the EFI door says nothing of Xen', async () => {
    const seen = await run('efi', { quirks: ['missing-table=Xen'] });
    expect(seen.value('xen seen by')).to.equal('nothing');
  });

  for (const isOnPc of [false, true]) {
    const platform = isOnPc ? "the small PC's" : "a domain's";
    it(`Xen on ${platform} platform: version and domid by CPUID, and xen_version answers the same`, async () => {
      const throughEfi = await run('efi', { xen: true, isOnPc });
      const throughPvh = await run('pvh', { xen: true, isOnPc });
      expect(throughEfi.value('xen seen by')).to.equal('cpuid table');
      expect(throughPvh.value('xen seen by')).to.equal('cpuid start-info');
      for (const { value } of [throughEfi, throughPvh]) {
        expect(value('xen cpuid')).to.equal('leaves 0x40000000 to 0x40000005');
        expect(value('xen cpuid version')).to.equal('4.17');
        expect(value('xen cpuid features')).to.equal('0x5c');
        expect(value('xen cpuid vcpu')).to.equal('0');
        expect(value('xen cpuid domid')).to.equal('1');
        expect(value('xen hypercall')).to.equal('xen_version by vmcall: 4.17.7');
      }
    });
  }

  it('SIF flags: neither door makes the guest the initial domain', async () => {
    expect((await run('efi', {})).value('xen table says')).to.equal('not the initial domain');
    expect((await run('pvh', {})).value('xen start-info says')).to.equal('not the initial domain');
  });

  it('dom0: the flags of hvm_start_info and the domid say so (Xen public/xen.h, SIF_*)', async () => {
    const seen = await run('pvh', { xen: true, isOnPc: true, isDom0: true });
    expect(seen.value('start-info flags')).to.equal('0x3');
    expect(seen.value('xen start-info says')).to.equal('the initial domain, privileged');
    expect(seen.value('xen cpuid domid')).to.equal('0');
  });

  describe('the image handle tagged with a protocol', () => {
    it('is not there by default: the proposal has no HandleProtocol, and the look-up is counted', async () => {
      const seen = await run('efi', { commandLine: 'a image-handle' });
      expect(seen.value('xen image-handle status')).to.equal('EFI_UNSUPPORTED');
      expect(seen.lookUps).to.equal(1);
    });

    it('brings hvm_start_info, also where no configuration table does', async () => {
      const both = await run('efi', { quirks: ['xen-image-handle'], commandLine: 'image-handle b' });
      expect(both.value('xen seen by')).to.equal('table image-handle');
      expect(both.value('xen image-handle')).to.equal(both.value('xen table'));
      const alone = await run('efi', { quirks: ['xen-image-handle', 'missing-table=Xen'], xen: true });
      expect(alone.value('xen seen by')).to.equal('cpuid image-handle');
      expect(alone.lookUps).to.equal(1);
    });

    it('or is a mere tag, with a NULL interface (UEFI 2.10 section 7.3.7 allows it)', async () => {
      const seen = await run('efi', { quirks: ['xen-image-handle=tag'], commandLine: 'image-handle' });
      expect(seen.value('xen image-handle')).to.equal('a tag without an interface');
      expect(seen.value('xen seen by')).to.equal('table image-handle');
    });
  });
});
