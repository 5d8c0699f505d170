import { expect } from 'chai';
import type { Context } from 'mocha';
import { join } from 'node:path';
import { cachedFile, kernelFolder } from '../support/kernels.js';
import { bootInProcess } from './boot-in-process.js';
import type { BootJob, BootResult, DoorName } from './boot-job.js';

const kernel = '6.1-cloud';
const doors = ['efi', 'pvh', 'linux64', 'proposal'] as const;
const cached = (name: string): string => join(kernelFolder, name);
const boot = (door: DoorName, more: Partial<BootJob> = {}): Promise<BootResult> =>
  bootInProcess({ kernel: cached(`vmlinuz-${kernel}`), initrd: cached('initrd.gz'), door, ...more });

/** Skips the caller by name, or fails it under CI, unless the files are there. */
function need(context: Context, initrd = 'initrd.gz'): void {
  cachedFile(context, `vmlinuz-${kernel}`);
  cachedFile(context, initrd);
}

function expectUserSpace(result: BootResult): void {
  expect(result.console).to.match(/^USERSPACE-UP /m);
  expect(result.outcome, result.reason).to.equal('powered-off');
}

/** What the commands' tests (test/boots) do not see: services, ticks and what must not show in them. */
describe(`Debian's kernel ${kernel} through every door, console=ttyS0 alone`, function () {
  this.timeout(300_000);
  const results = new Map<DoorName, Promise<BootResult>>();
  const through = async (door: DoorName): Promise<BootResult> => (await results.get(door)) ?? boot(door);
  before(function () {
    need(this);
    for (const door of doors) {
      const result = boot(door);
      result.catch(() => undefined); // the test that awaits it reports it
      results.set(door, result);
    }
  });

  for (const door of doors) {
    it(`reaches a user-space program through the door ${door} and powers off`, async () => {
      expectUserSpace(await through(door));
    });
  }

  it('powers off by ResetSystem where EFI offers it, by the ACPI sleep register elsewhere', async () => {
    expect((await through('efi')).reason).to.contain('ResetSystem');
    for (const door of ['pvh', 'linux64', 'proposal'] as const) {
      expect((await through(door)).reason, door).to.contain('ACPI sleep register');
    }
  });

  it('needs nothing of EFI through pvh and linux64', async () => {
    expect((await through('pvh')).services).to.deep.equal([]);
    expect((await through('linux64')).services).to.deep.equal([]);
  });

  it('is started by GetMemoryMap and ExitBootServices alone through proposal; afterwards only variables are asked for', async () => {
    const { services, missed } = await through('proposal');
    const names = services.map(({ name }) => name);
    expect(names.slice(0, 2)).to.deep.equal(['GetMemoryMap', 'ExitBootServices']);
    expect(services.slice(0, 2).map(({ calls }) => calls)).to.deep.equal([1, 1]);
    expect(['GetVariable', 'GetNextVariableName', 'SetVariable', 'QueryVariableInfo']).to.include.members(
      names.slice(2),
    );
    expect(missed).to.deep.equal([]);
  });

  it('misses nothing of the profile linux but protocols that a machine may lack: it looks for them and goes on', async () => {
    expect(['LocateProtocol', 'LocateHandle', 'LocateHandleBuffer']).to.include.members((await through('efi')).missed);
  });

  it('runs the same in another process, with other slices, a smaller TLB and no hot tier: ticks, console, services', async () => {
    const again = await boot('efi', { slice: 1_234_567, tlbEntries: 32, compileAfter: 'never' });
    expect(again).to.deep.equal(await through('efi'));
  });

  it('gives up under the profile proposal by Exit, and the first service that it missed is named', async () => {
    const { outcome, reason, missed, console } = await boot('efi', { profile: 'proposal' });
    expect(outcome, console).to.equal('exited');
    expect(reason).to.match(/^Exit\(EFI_/);
    expect(missed[0]).to.equal('HandleProtocol');
  });

  it('gives a shell in which /sys/firmware/efi shows the EFI system to who types at its prompt', async function () {
    need(this, 'initrd-shell.gz');
    const job = {
      initrd: cached('initrd-shell.gz'),
      type: { prompt: '# ', lines: ['ls /sys/firmware/efi', 'poweroff -f'] },
    };
    const { outcome, reason, console } = await boot('efi', job);
    expect(outcome, reason).to.equal('powered-off');
    const listing = console.slice(console.indexOf('ls /sys/firmware/efi')).split(/\s+/);
    expect(listing).to.include.members(['fw_platform_size', 'fw_vendor', 'runtime', 'runtime-map', 'systab']);
  });
});
