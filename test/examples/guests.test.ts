import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { BootOptions, BootProtocol } from '../../src/boot/boot-protocol.js';
import { efi } from '../../src/boot/efi.js';
import { pvh } from '../../src/boot/pvh.js';
import { linux, proposal, type Profile, type ServiceCall } from '../../src/firmware/index.js';
import { loadProcessorArtifacts } from '../../src/host/processor-artifacts.js';
import { readImage } from '../../src/loaders/read-image.js';
import type { EfiTarget } from '../../src/boot/efi.js';
import { Machine, type Outcome } from '../../src/machine.js';

interface Run {
  readonly outcome: Outcome | undefined;
  readonly lines: readonly string[];
  readonly calls: readonly ServiceCall[];
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** Runs an example on 64 MiB to its end, at most 50 million ticks. */
function run(
  file: string,
  door: BootProtocol<EfiTarget>,
  options: Partial<BootOptions> = {},
  profile: Profile = proposal,
): Run {
  const calls: ServiceCall[] = [];
  const bytes: number[] = [];
  const machine = new Machine({
    artifacts: loadProcessorArtifacts(),
    memoryBytes: 64 << 20,
    profile,
    strict: true,
    onServiceCall: (call) => calls.push(call),
  });
  machine.onConsole = (byte) => bytes.push(byte);
  const image = readImage(readFileSync(new URL(`../../examples/${file}`, import.meta.url)));
  machine.boot(door, image, { commandLine: '', modules: [], ...options });
  while (machine.outcome === undefined && machine.ticks < 50e6) machine.run(5e6);
  const lines = String.fromCharCode(...bytes).split('\r\n');
  return { outcome: machine.outcome, lines, calls };
}

/** The values of a key, in order. */
function values({ lines }: Run, key: string): string[] {
  return lines.filter((line) => line.startsWith(`${key}: `)).map((line) => line.slice(key.length + 2));
}

describe('two-doors on the emulated machine, profile proposal', function () {
  this.timeout(20_000);
  const options: BootOptions = {
    commandLine: 'a=1 two words',
    modules: [{ bytes: text('abc'), commandLine: 'module zero' }, { bytes: text('hello\n') }],
  };
  let throughEfi: Run;
  let throughPvh: Run;
  before(() => {
    throughEfi = run('two-doors/two-doors.efi', efi, options);
    throughPvh = run('two-doors/two-doors.elf', pvh, options);
  });

  it('switches itself off by the ACPI sleep register through both doors', () => {
    expect(throughEfi.outcome).to.deep.include({ outcome: 'powered-off' });
    expect(throughPvh.outcome).to.deep.equal(throughEfi.outcome);
  });

  for (const key of [
    'command-line',
    'modules',
    'module 0 size',
    'module 0 fnv1a',
    'module 0 command-line',
    'module 1 size',
    'module 1 fnv1a',
    'module 1 command-line',
    'rsdp',
    'ram total',
    'ram range',
    'start-info magic',
    'start-info version',
    'start-info rsdp_paddr',
  ]) {
    it(`finds the same ${key} through both doors`, () => {
      expect(values(throughEfi, key)).to.have.length.above(0);
      expect(values(throughPvh, key)).to.deep.equal(values(throughEfi, key));
    });
  }

  it('finds what was given: command line, modules by their FNV-1a hash', () => {
    expect(values(throughPvh, 'command-line')).to.deep.equal(['a=1 two words']);
    expect(values(throughPvh, 'module 0 fnv1a')).to.deep.equal(['0xe71fa2190541574b']); // of "abc"
    expect(values(throughPvh, 'module 0 command-line')).to.deep.equal(['module zero']);
  });

  it('enters in 64-bit mode by EFI (UEFI 2.10 section 2.3.4), in 32-bit mode by PVH (Xen docs/misc/pvh)', () => {
    expect(values(throughEfi, 'mode')).to.deep.equal(['64-bit, paging on']);
    expect(values(throughPvh, 'mode')).to.deep.equal(['32-bit protected, paging off']);
    expect(values(throughPvh, 'cr0')).to.deep.equal(['0x11']);
  });

  it('calls nothing of EFI but GetMemoryMap, ExitBootServices and one OutputString that is refused', () => {
    const names = throughEfi.calls.map(({ name }) => name);
    expect(names).to.deep.equal(['SimpleTextOutput.OutputString', 'GetMemoryMap', 'GetMemoryMap', 'ExitBootServices']);
  });
});

describe('other examples on the emulated machine', function () {
  this.timeout(20_000);

  it('hello-variables finds every variable service as UEFI 2.10 section 8.2 has it and calls Exit(EFI_SUCCESS)', () => {
    const { outcome, lines } = run('hello-variables/hello-variables.efi', efi);
    expect(lines).to.include('hello-variables: all as expected');
    expect(outcome?.status).to.equal(0n);
  });

  it('proposal-linux without a kernel says so and calls Exit(EFI_NOT_FOUND)', () => {
    const { outcome, lines } = run('proposal-linux/proposal-linux.efi', efi, {
      modules: [{ bytes: text('no kernel') }],
    });
    expect(lines[0]).to.equal('proposal-linux: no module is a bzImage (EFI_NOT_FOUND)');
    expect(outcome?.status).to.equal((1n << 63n) | 14n);
  });

  it('hello fails as its lesson says: a stale map key, EFI_INVALID_PARAMETER (UEFI 2.10 section 7.4.6)', () => {
    const { outcome, calls, lines } = run('hello/hello.efi', efi, {}, linux);
    expect(calls.find(({ name }) => name === 'ExitBootServices')?.status).to.equal((1n << 63n) | 2n);
    expect(lines.slice(0, 2)).to.deep.equal(['Hello from an EFI application.', 'Boot services did not end.']);
    expect(outcome?.outcome).to.equal('exited');
  });
});
