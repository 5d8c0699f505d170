import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { Status } from '../../firmware-tables/uefi/status.js';
import { FirmwareError } from '../../src/firmware/errors.js';
import { quirkOverrides, QuirkError, quirks } from '../../src/firmware/quirks.js';
import { smallPageEntry } from '../../src/firmware/set-up/processor-tables.js';
import { root } from '../support/efikit.js';
import { FakeMachine, image, scratch } from './fake-machine.js';

const mib = 2 ** 20;
const quirky = (...names: string[]): FakeMachine => new FakeMachine({ overrides: quirkOverrides(names) });

describe('quirks', () => {
  it('each has a default that works, and names itself when it refuses a value', () => {
    for (const { name } of quirks) {
      expect(Object.keys(quirkOverrides([name])), name).to.not.have.length(0);
      expect(() => quirkOverrides([`${name}=`]), name).to.throw(QuirkError, `${name}=`);
      expect(() => quirkOverrides([`${name}=nonsense`]), name).to.throw(QuirkError, /give/);
    }
    expect(() => quirkOverrides(['moody'])).to.throw(QuirkError, 'stale-map-key');
  });
  it('docs/quirks.md lists each with its meaning, as the code has them', () => {
    const page = readFileSync(path.join(root, 'docs/quirks.md'), 'utf8');
    for (const { name, value, byDefault, meaning } of quirks) {
      const row = page.split('\n').find((line) => line.startsWith(`| \`${name}\``));
      const cells = row
        ?.split(/(?<!\\)\|/)
        .map((cell) => cell.trim().replaceAll('\\|', '|'))
        .slice(1, -1);
      expect(cells, name).to.deep.equal([`\`${name}\``, `\`${value}\``, `\`${byDefault}\``, meaning]);
    }
  });
  it('docs/quirks.md says of each, as it is by default, what became of kernels', () => {
    const page = readFileSync(path.join(root, 'docs/quirks.md'), 'utf8');
    const results = page.slice(page.indexOf('<!-- table: runs'));
    for (const { name } of quirks) expect(results, name).to.match(new RegExp(`^\\| \`${name}[\`=]`, 'm'));
    expect(results).not.to.contain('not known');
  });
  it('stale-map-key: ExitBootServices refuses a key that is right, N times (UEFI 2.10 section 7.4.6)', () => {
    const machine = quirky('stale-map-key=2');
    expect(machine.exitBootServices()).to.equal(Status.INVALID_PARAMETER);
    expect(machine.exitBootServices()).to.equal(Status.INVALID_PARAMETER);
    expect(machine.exitBootServices()).to.equal(Status.SUCCESS);
  });
  it('no-ram-below: nothing below is conventional memory (UEFI 2.10 section 7.2.3)', () => {
    const map = quirky('no-ram-below=16M').memoryMap();
    const free = map.filter(({ type }) => type === 7);
    expect(Math.min(...free.map(({ start }) => start))).to.equal(16 * mib);
    expect(() => quirky('no-ram-below=64M')).to.throw(FirmwareError, 'more memory');
  });
  it('no-ram-below-4g: pages and pools above 4 GiB are given out, asked for by address and taken back (UEFI 2.10 section 7.2)', () => {
    const high = 2 ** 32;
    const machine = new FakeMachine({}, {}, 64 * mib, 4 * mib);
    const end = high + 60 * mib;
    const allocate = (type: number, address: number, pages = 2): bigint => {
      machine.put(scratch, BigInt(address));
      return machine.call('AllocatePages', type, 2, pages, scratch);
    };
    const given = (): number => Number(machine.u64(scratch));
    const [any, max, at] = [0, 1, 2];
    expect(allocate(any, 0)).to.equal(Status.SUCCESS);
    expect(given()).to.be.within(high, end);
    expect(machine.call('FreePages', given(), 2)).to.equal(Status.SUCCESS);
    expect(allocate(max, high - 1)).to.equal(Status.SUCCESS);
    expect(given()).to.be.below(4 * mib);
    expect(allocate(max, high - 1, 2000)).to.equal(Status.OUT_OF_RESOURCES);
    expect(allocate(at, high)).to.equal(Status.SUCCESS);
    for (const address of [high, high - 4096, 4 * mib, end - 4096, end])
      expect(allocate(at, address), address.toString(16)).to.equal(Status.NOT_FOUND);
    expect(machine.call('FreePages', high, 2)).to.equal(Status.SUCCESS);
    expect(machine.call('FreePages', high, 2)).to.equal(Status.NOT_FOUND);
    expect(machine.call('AllocatePool', 2, 100, scratch)).to.equal(Status.SUCCESS);
    expect(given()).to.be.within(high, end);
    expect(machine.call('FreePool', given())).to.equal(Status.SUCCESS);
    expect(machine.call('FreePool', end)).to.equal(Status.INVALID_PARAMETER);
    expect(Math.max(...machine.memoryMap().map(({ start, pages }) => start + pages * 4096))).to.equal(end);
  });
  it('fragmented-map: so many reserved pages, and as many runs between them', () => {
    const machine = new FakeMachine({ overrides: quirkOverrides(['fragmented-map=40']) });
    const islands = machine
      .memoryMap()
      .filter(({ type, pages, start }) => type === 0 && pages === 1 && start > 32 * mib);
    expect(islands).to.have.length(40);
    expect(machine.memoryMap().length).to.be.greaterThan(80);
    expect(() => quirky('fragmented-map=4001')).to.throw(QuirkError, '4000');
  });
  it('descriptor-size: GetMemoryMap counts and says that distance (UEFI 2.10 section 7.2.3)', () => {
    const usual = new FakeMachine().memoryMap();
    for (const bytes of [40, 64, 256]) {
      const machine = quirky(`descriptor-size=${String(bytes)}`);
      expect(machine.memoryMap()).to.deep.equal(usual);
      expect(machine.u64(scratch + 16n)).to.equal(BigInt(bytes));
    }
  });
  it('failing-variables, full-variables, failing-service: the status comes instead of the service', () => {
    const call = (machine: FakeMachine, name: string): bigint => machine.call(name, 0, 0, 0, 0, 0);
    expect(call(quirky('failing-variables'), 'GetVariable')).to.equal(Status.DEVICE_ERROR);
    expect(call(quirky('failing-variables=EFI_TIMEOUT'), 'QueryVariableInfo')).to.equal(Status.TIMEOUT);
    expect(call(quirky('full-variables'), 'SetVariable')).to.equal(Status.OUT_OF_RESOURCES);
    expect(call(quirky('full-variables'), 'GetVariable')).to.equal(Status.INVALID_PARAMETER);
    const once = quirky('failing-service=AllocatePool:OUT_OF_RESOURCES:1');
    expect(once.call('AllocatePool', 4, 16, scratch)).to.equal(Status.OUT_OF_RESOURCES);
    expect(once.call('AllocatePool', 4, 16, scratch)).to.equal(Status.SUCCESS);
  });
  it('slow-variables: the call takes so long, and does what it does', () => {
    const machine = quirky('slow-variables=20');
    const stalls: number[] = [];
    Object.assign(machine, { stall: (ticks: number) => stalls.push(ticks) });
    expect(machine.call('GetVariable', 0, 0, 0, 0, 0)).to.equal(Status.INVALID_PARAMETER);
    expect(stalls).to.deep.equal([20_000_000]);
  });
  it('missing-table and missing-protocol: the part is not there', () => {
    const count = (machine: FakeMachine): number => machine.firmware.tables.configurationTables().length;
    const usual = count(new FakeMachine());
    for (const table of ['Acpi20', 'RtProperties', 'Xen'])
      expect(count(quirky(`missing-table=${table}`)), table).to.equal(usual - 1);
    const handles = quirky('missing-protocol=LoadedImage').firmware.handles;
    expect(handles.list('5b1b31a1-9562-11d2-8e3f-00a0c969723b')).to.have.length(0);
  });

  describe('no-execute: page tables follow the memory types until ExitBootServices', () => {
    const noExecute = 1n << 63n;
    const executable = (machine: FakeMachine, address: number): boolean =>
      (machine.u64(BigInt(smallPageEntry(machine.entry.pageTables, address & ~0xfff))) & noExecute) === 0n;
    const allocate = (machine: FakeMachine, type: number): number => {
      expect(machine.call('AllocatePages', 0, type, 3, scratch)).to.equal(Status.SUCCESS);
      return Number(machine.u64(scratch));
    };
    it('data: code types are executable, others are not; freed pages are not', () => {
      const machine = quirky('no-execute');
      expect(machine.entry.usesNoExecute).to.equal(true);
      for (const [type, wanted] of [
        [1, true],
        [2, false],
        [3, true],
        [4, false],
        [6, false],
      ] as const) {
        const start = allocate(machine, type);
        expect(executable(machine, start), String(type)).to.equal(wanted);
        expect(executable(machine, start + 0x2000), String(type)).to.equal(wanted);
        expect(machine.call('FreePages', start, 3)).to.equal(Status.SUCCESS);
        expect(executable(machine, start), 'freed').to.equal(false);
      }
      expect(executable(machine, 0x10_0000)).to.equal(false);
      expect(executable(machine, machine.entry.imageBase)).to.equal(true);
    });
    it('all: the image must be NX_COMPAT, and EfiLoaderCode is not executable either', () => {
      expect(() => quirky('no-execute=all')).to.throw(FirmwareError, 'NX_COMPAT');
      const sections = image.sections.map((section) => ({ ...section, characteristics: 0x6000_0020 }));
      const compatible = { ...image, sectionAlignment: 4096, dllCharacteristics: 0x100, sections };
      const machine = new FakeMachine({ overrides: quirkOverrides(['no-execute=all']) }, { image: compatible });
      expect(executable(machine, machine.entry.imageBase)).to.equal(false);
      expect(executable(machine, machine.entry.entryPoint)).to.equal(true);
      expect(executable(machine, allocate(machine, 1))).to.equal(false);
      expect(executable(machine, allocate(machine, 3))).to.equal(true);
    });
    it('a saved firmware goes on with them', () => {
      const machine = quirky('no-execute');
      machine.firmware.restore(machine.firmware.save());
      expect(executable(machine, allocate(machine, 1))).to.equal(true);
    });
    it('after ExitBootServices they are the guest’s', () => {
      const machine = quirky('no-execute');
      const start = allocate(machine, 1);
      expect(machine.exitBootServices()).to.equal(Status.SUCCESS);
      expect(executable(machine, start)).to.equal(true);
    });
  });
});
