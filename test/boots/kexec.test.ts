import { expect } from 'chai';
import { efi } from '../../src/boot/index.js';
import { linux } from '../../src/firmware/index.js';
import { loadProcessorArtifacts } from '../../src/host/processor-artifacts.js';
import { runMachine } from '../../src/host/run-loop.js';
import { readImage } from '../../src/loaders/read-image.js';
import { Machine } from '../../src/machine.js';
import { cachedKernel } from '../support/kernels.js';
import { initramfs } from '../support/linux-files.js';
import { watchRuntimeCalls } from '../support/runtime-calls.js';

const kernel = '6.1-cloud';
const upperHalf = 0xffff_8000_0000_0000n;
/** Where Linux maps the firmware's run-time memory: EFI_VA_END to EFI_VA_START. Linux Documentation/arch/x86/x86_64/mm.rst. */
const efiVirtual = { first: 0xffff_ffef_0000_0000n, last: 0xffff_fffe_ffff_ffffn };
const noInput = { open: false, waiting: false, deliver: () => false, changed: () => Promise.resolve() };
const hex = (attributes: number, text: string): string =>
  Buffer.from([attributes, 0, 0, 0, ...Buffer.from(text)]).toString('hex');

describe(`runtime services after a kexec of Debian's kernel ${kernel}`, function () {
  this.timeout(300_000);

  it('the second kernel takes the virtual address map over: variables and ResetSystem go on, without the identity mapping', async function () {
    const file = cachedKernel(this, kernel);
    const second = initramfs(this, kernel, 'kexec.sh');
    const initrd = initramfs(this, kernel, 'kexec.sh', { 'second.kernel': file, 'second.initrd': second });
    const image = readImage(file);
    await image.prepare();

    const names: string[] = [];
    const machine = new Machine({
      artifacts: loadProcessorArtifacts(),
      memoryBytes: 512 * 2 ** 20,
      profile: linux,
      strict: true,
      onServiceCall: ({ name }) => names.push(name),
    });
    const calls = watchRuntimeCalls(machine);
    const bytes: number[] = [];
    machine.onConsole = (byte) => bytes.push(byte);
    machine.boot(efi, image, { commandLine: 'console=ttyS0 loglevel=1 visit=first', initrd, modules: [] });
    const { outcome, reason } = await runMachine(machine, { input: noInput });

    const console = Buffer.from(bytes).toString();
    expect(outcome, reason + console).to.equal('powered-off');
    expect(reason).to.equal('ResetSystem(EfiResetShutdown)');
    const lines = console.split('\r\n').filter((line) => line !== '' && !line.startsWith('['));
    expect(lines.slice(lines.indexOf('== first'))).to.deep.equal([
      '== first',
      '== second',
      `First ${hex(7, 'from the first')}`,
      `Changed ${hex(7, 'not yet')}`,
      `Changed ${hex(7, 'by the second')}`,
      `Second ${hex(7, 'new')}`,
      'Changed-cfc8fc79-be2e-4ddc-97f0-9f98bfe298a0',
      'First-cfc8fc79-be2e-4ddc-97f0-9f98bfe298a0',
      'OsIndicationsSupported-8be4df61-93ca-11d2-aa0d-00e098032b8c',
      'Second-cfc8fc79-be2e-4ddc-97f0-9f98bfe298a0',
      'SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c',
      'SetupMode-8be4df61-93ca-11d2-aa0d-00e098032b8c',
    ]);
    const kept = machine.firmware.variables.all().map(({ name, data }) => [name, Buffer.from(data).toString()]);
    expect(kept.slice(3)).to.deep.equal([
      ['First', 'from the first'],
      ['Changed', 'by the second'],
      ['Second', 'new'],
    ]);

    // One map for both kernels; the second one calls no boot service.
    const mapped = names.indexOf('SetVirtualAddressMap');
    expect(mapped).to.equal(names.lastIndexOf('SetVirtualAddressMap'));
    const after = names.slice(mapped + 1);
    expect(new Set(after)).to.have.keys(
      'GetVariable',
      'GetNextVariableName',
      'SetVariable',
      'QueryVariableInfo',
      'ResetSystem',
    );
    expect(calls.length).to.equal(after.length);
    expect(calls.flatMap(({ followed }) => followed).length).to.be.greaterThan(calls.length);

    // Code at the addresses of that map, in both kernels; the stack and whatever is pointed at in the kernel's half.
    for (const { rip, rsp, followed } of calls) {
      expect(rip >= efiVirtual.first && rip <= efiVirtual.last, `RIP 0x${rip.toString(16)}`).to.be.true;
      for (const address of [rsp, ...followed])
        expect(address >= upperHalf, `0x${address.toString(16)} is in the lower half`).to.be.true;
    }
  });
});
