import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { quirkOverrides } from '../../src/firmware/quirks.js';
import { RecordedBoot, type Ending } from '../support/recorded-boot.js';

const image = fileURLToPath(new URL('../../examples/two-doors/two-doors.efi', import.meta.url));
const ramKiB = 65_536;
const holeKiB = 384; // 640 KiB to 1 MiB

/** two-doors, which leaves boot services with the map that it prints, on a firmware with these quirks. */
const run = async (...quirks: string[]): Promise<Ending> =>
  (
    await RecordedBoot.start({
      image,
      door: 'efi',
      profile: 'linux',
      memoryBytes: ramKiB * 1024,
      commandLine: '',
      options: { strict: true, overrides: quirkOverrides(quirks) },
    })
  ).finish();

const totalKiB = ({ console }: Ending): number => Number(/ram total: (\d+) KiB/.exec(console)?.[1]);
const mapOf = ({ console }: Ending): string[] => console.split('\r\n').filter((line) => line.startsWith('memory: '));

describe('a whole guest on troublesome firmware: two-doors', function () {
  this.timeout(60_000);
  let usual: Ending;
  before(async () => {
    usual = await run();
    expect(totalKiB(usual)).to.equal(ramKiB - holeKiB);
  });

  for (const quirk of ['descriptor-size=40', 'descriptor-size=64', 'descriptor-size=256', 'slow-variables']) {
    it(`${quirk}: the same map, the same end`, async () => {
      const ending = await run(quirk);
      expect(ending.outcome).to.equal('powered-off');
      expect(mapOf(ending)).to.deep.equal(mapOf(usual));
    });
  }
  for (const quirk of ['no-execute', 'no-execute=all']) {
    it(`${quirk}: it runs from its own code pages alone`, async () => {
      const ending = await run(quirk);
      expect(ending.outcome, ending.reason).to.equal('powered-off');
      expect(totalKiB(ending)).to.equal(totalKiB(usual));
    });
  }
  it('no-ram-below: it finds the first MiB taken away', async () => {
    const ending = await run('no-ram-below');
    expect(ending.outcome).to.equal('powered-off');
    expect(totalKiB(usual) - totalKiB(ending)).to.equal(640 - 4); // page 0 is the firmware's, and freed
  });
  it('fragmented-map: it finds so many pages less, and the runs between them', async () => {
    const ending = await run('fragmented-map=40');
    expect(ending.outcome).to.equal('powered-off');
    expect(totalKiB(usual) - totalKiB(ending)).to.equal(40 * 4);
    expect(mapOf(ending)).to.have.length.within(mapOf(usual).length + 78, mapOf(usual).length + 80);
  });
  it('stale-map-key: ExitBootServices refuses the key, and a guest that does not read the map again gives up', async () => {
    const ending = await run('stale-map-key');
    expect(ending.reason).to.equal('Exit(EFI_INVALID_PARAMETER)');
  });
});
