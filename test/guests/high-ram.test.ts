import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { BootError } from '../../src/boot/boot-protocol.js';
import { efi, linux64, pvh } from '../../src/boot/index.js';
import { linux } from '../../src/firmware/index.js';
import { quirkOverrides } from '../../src/firmware/quirks.js';
import { loadProcessorArtifacts } from '../../src/host/processor-artifacts.js';
import { readImage } from '../../src/loaders/read-image.js';
import { Machine, type MachineOptions } from '../../src/machine.js';
import { GuestAddressError } from '../../src/memory/guest-memory.js';
import { layout } from '../../src/memory/layout.js';
import { smallBzImage } from '../support/images.js';
import { RecordedBoot, type BootChoice } from '../support/recorded-boot.js';

const mib = 2 ** 20;
const twoDoors = (file: string): string => fileURLToPath(new URL(`../../examples/two-doors/${file}`, import.meta.url));
const overrides = (...names: string[]): Pick<MachineOptions, 'overrides'> => ({ overrides: quirkOverrides(names) });
const choice = (door: 'efi' | 'pvh', options: Partial<MachineOptions>): BootChoice => ({
  image: twoDoors(door === 'efi' ? 'two-doors.efi' : 'two-doors.elf'),
  door,
  profile: 'proposal',
  memoryBytes: 64 * mib,
  commandLine: 'high up',
  options: { strict: true, ...options },
});
const totalOf = (console: string): string | undefined => /ram total: (\d+ KiB)/.exec(console)?.[1];
const machineWith = (...names: string[]): Machine =>
  new Machine({
    artifacts: loadProcessorArtifacts(),
    memoryBytes: 64 * mib,
    profile: linux,
    ...overrides(...names),
  });
/** A machine whose firmware has started two-doors, which has not run yet. */
function started(...names: string[]): Machine {
  const machine = machineWith(...names);
  machine.boot(efi, readImage(readFileSync(twoDoors('two-doors.efi'))), { commandLine: '', modules: [] });
  return machine;
}

describe('a machine with little RAM below 4 GiB', function () {
  this.timeout(120_000);
  const below = { efi: '1M', pvh: '16M' } as const;

  for (const door of ['efi', 'pvh'] as const) {
    const high = overrides(`no-ram-below-4g=${below[door]}`);
    it(`two-doors finds as much RAM by ${door} as on the usual one, and its command line`, async () => {
      const usual = (await RecordedBoot.start(choice(door, {}))).finish();
      const ending = (await RecordedBoot.start(choice(door, high))).finish();
      expect(ending.outcome, ending.console).to.equal('powered-off');
      expect(ending.console).to.contain('command-line: high up');
      expect(totalOf(ending.console)).to.be.a('string').and.equal(totalOf(usual.console));
      expect(ending.console).to.match(/memory: 0x0*100000000-/);
    });
    it(`the same run by ${door} whatever is compiled, and when it is saved half-way`, async () => {
      const expected = (await RecordedBoot.start(choice(door, { ...high, compileAfter: 'never' }))).finish();
      const other = choice(door, { ...high, compileAfter: 1 });
      expect((await RecordedBoot.start(other)).finish()).to.deep.equal(expected);
      const boot = await RecordedBoot.start(other);
      boot.runTo(Math.floor(expected.ticks / 2));
      expect(RecordedBoot.resume(boot.save()).finish()).to.deep.equal(expected);
    });
  }

  it('the firmware loads the image and puts everything of its own above 4 GiB', () => {
    const machine = started('no-ram-below-4g');
    const { registers } = machine.processor;
    for (const value of [registers.rip, registers.get('rsp'), registers.cr3, registers.get('rdx')])
      expect(value >= BigInt(layout.highRam), value.toString(16)).to.equal(true);
    const map = machine.firmware.memoryMap;
    expect(map.findFree(1, 0xffff_ffff)).to.be.below(layout.lowMemoryEnd);
    expect(map.findFree(1)).to.be.at.least(layout.highRam);
    expect(map.entries().filter(({ start }) => start >= mib && start < layout.highRam)).to.deep.equal([]);
  });
  it('other quirks of memory go with it', () => {
    const map = started('no-ram-below-4g', 'no-ram-below=1M').firmware.memoryMap;
    expect(map.findFree(1, 0xffff_ffff)).to.equal(undefined);
    const islands = started('no-ram-below-4g', 'fragmented-map=40')
      .firmware.memoryMap.entries()
      .filter(({ start, type, pages }) => start >= layout.highRam && type === 0 && pages === 1);
    expect(islands).to.have.length(40);
    const machine = started('no-ram-below-4g', 'no-execute');
    while (machine.outcome === undefined && machine.ticks < 50e6) machine.run(5e6);
    expect(machine.outcome?.outcome).to.equal('powered-off');
  });
  it('physical reads and writes reach both parts and nothing between or behind them', () => {
    const { memory } = machineWith('no-ram-below-4g=2M');
    const end = layout.highRam + 62 * mib;
    memory.writePhysical(layout.highRam, Uint8Array.of(1, 2));
    memory.writePhysical(end - 2, Uint8Array.of(3, 4));
    expect([...memory.readPhysical(layout.highRam, 2)]).to.deep.equal([1, 2]);
    expect([...memory.readPhysical(end - 2, 2)]).to.deep.equal([3, 4]);
    for (const address of [2 * mib - 1, 2 * mib, layout.highRam - 1, end - 1])
      expect(() => memory.readPhysical(address, 2), address.toString(16)).to.throw(GuestAddressError, 'not-ram');
  });
  it('breakpoints and decoded addresses are guest-physical', () => {
    const machine = started('no-ram-below-4g');
    const entry = Number(machine.processor.registers.rip);
    const decoded: number[] = [];
    let passed = 0;
    machine.processor.onDecode = (_, physical) => decoded.push(physical);
    machine.processor.setBreakpoint(entry, () => passed++);
    machine.run(1000);
    expect(decoded[0]).to.equal(entry);
    expect(passed).to.equal(1);
  });
  it('doors whose entry is 32-bit say what is missing; the 64-bit one takes a kernel that may lie above 4 GiB there', () => {
    const elf = readImage(readFileSync(twoDoors('two-doors.elf')));
    const none = { commandLine: '', modules: [] };
    expect(() => {
      machineWith('no-ram-below-4g').boot(pvh, elf, none);
    }).to.throw(BootError, 'below 4 GiB');
    const initrd = Uint8Array.of(1, 2, 3);
    const initrds = { ...none, initrd: new Uint8Array(20 * mib) };
    expect(() => {
      machineWith('no-ram-below-4g=16M').boot(pvh, elf, initrds);
    }).to.throw(BootError, 'the initrd');
    const machine = machineWith('no-ram-below-4g');
    machine.boot(linux64, readImage(smallBzImage()), { ...none, initrd });
    expect(machine.processor.registers.rip >= BigInt(layout.highRam)).to.equal(true);
    expect(() => {
      machineWith('no-ram-below-4g').boot(linux64, readImage(smallBzImage({ xloadflags: 1 })), none);
    }).to.throw(BootError, 'the kernel needs');
  });
  it('it refuses sizes that it cannot have', () => {
    for (const size of [4096, mib + 1, 64 * mib]) {
      const options = { artifacts: loadProcessorArtifacts(), memoryBytes: 64 * mib };
      expect(() => new Machine({ ...options, overrides: { 'memory:below-4g': size } })).to.throw(
        BootError,
        'at least 1 MiB',
      );
    }
  });
});
