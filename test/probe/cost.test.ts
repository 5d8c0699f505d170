import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { MemoryType, pageBytes } from '../../firmware-tables/uefi/memory-descriptor.js';
import type { DoorName } from '../../src/boot/door-choice.js';
import { linux, memoryTypeName, proposal, type MapEntry } from '../../src/firmware/index.js';
import { loadProcessorArtifacts } from '../../src/host/processor-artifacts.js';
import { readImage } from '../../src/loaders/read-image.js';
import type { CostRecord, HeldMemory } from '../../src/probe/cost/result.js';
import { ObservedBoot } from '../../src/probe/observed-boot.js';
import { cost } from '../../src/probe/probes/cost.js';
import { codeLines } from '../efi/code-lines.js';
import { serviceLines } from '../efi/service-lines.js';

const artifacts = loadProcessorArtifacts();
const figures = codeLines();

interface Run {
  readonly record: CostRecord;
  readonly maps: readonly (readonly MapEntry[])[];
}

function run(door: DoorName, { xen = false } = {}): Run {
  const file = new URL(`../../examples/two-doors/two-doors.${door === 'pvh' ? 'elf' : 'efi'}`, import.meta.url);
  const maps: (readonly MapEntry[])[] = [];
  const boot = ObservedBoot.start({
    artifacts,
    door,
    image: readImage(readFileSync(file)),
    profile: linux,
    strict: true,
    memoryBytes: 64 << 20,
    options: { commandLine: 'abc', modules: [{ bytes: new Uint8Array(70_000) }] },
    ...(xen ? { xen: {} } : {}),
    observer: { memoryMap: (_when, entries) => void maps.push(entries) },
    probes: [cost],
    codeLines: figures,
  });
  boot.machine.run(50_000_000);
  return { record: boot.taken().get('cost') as CostRecord, maps };
}

const sumBy = (held: readonly HeldMemory[], key: 'owner' | 'type'): Record<string, number> => {
  const sums: Record<string, number> = {};
  for (const one of held) sums[one[key]] = (sums[one[key]] ?? 0) + one.bytes;
  return sums;
};

/** Bytes of some types in a map, by name. */
const bytesOf = (entries: readonly MapEntry[], types: readonly number[]): Record<string, number> => {
  const sums: Record<string, number> = {};
  for (const { type, pages } of entries) {
    const name = memoryTypeName(type);
    if (types.includes(type)) sums[name] = (sums[name] ?? 0) + pages * pageBytes;
  }
  return sums;
};

const { EfiBootServicesCode, EfiBootServicesData, EfiRuntimeServicesCode, EfiRuntimeServicesData } = MemoryType;
const forGood = [EfiRuntimeServicesCode, EfiRuntimeServicesData, MemoryType.EfiACPIReclaimMemory];

describe('what a door costs', () => {
  const efi = run('efi');
  const pvh = run('pvh');

  it('EFI: every page that the map at the entry calls the firmware’s, each once', () => {
    const wanted = bytesOf(efi.maps[0] ?? [], [EfiBootServicesCode, EfiBootServicesData, ...forGood]);
    expect(sumBy(efi.record.memory.entry, 'type')).to.deep.equal(wanted);
    expect(sumBy(efi.record.memory.entry, 'owner')).to.include({
      stack: 36 * pageBytes,
      code: 2 * pageBytes,
      'descriptor tables': pageBytes,
      ACPI: 64 << 10,
    });
  });
  it('EFI: behind ExitBootServices runtime services and ACPI stay, as its map says', () => {
    expect(sumBy(efi.record.memory.after, 'type')).to.deep.equal(bytesOf(efi.maps[1] ?? [], forGood));
    expect(sumBy(efi.record.memory.after, 'owner')).to.have.all.keys('ACPI', 'code', 'tables');
  });
  it('PVH: hvm_start_info until it was read, ACPI for good; kernel and modules are the guest’s', () => {
    expect(pvh.record.memory.entry).to.deep.equal([
      { owner: 'ACPI', type: 'ACPI', bytes: 64 << 10 },
      { owner: 'tables', type: 'RAM', bytes: pageBytes },
    ]);
    expect(pvh.record.memory.after).to.deep.equal([{ owner: 'ACPI', type: 'ACPI', bytes: 64 << 10 }]);
  });
  it('under Xen the special pages come besides, through every door', () => {
    for (const door of ['efi', 'pvh'] as const)
      expect(sumBy(run(door, { xen: true }).record.memory.after, 'owner')).to.include({ 'special pages': 32 << 10 });
  });
  it('tables: what is laid out in front of the entry', () => {
    const { tables } = pvh.record;
    // hvm_start_info, its module, map and command line; RSDP, XSDT, FADT, MADT, DSDT
    expect(tables).to.deep.equal({ count: 9, bytes: 56 + 32 + 3 * 24 + 4 + 36 + 52 + 276 + 64 + 108 });
    expect(efi.record.tables.bytes).to.be.above(tables.bytes);
  });
  it('code: lines behind each service as docs/conformance.md has them, those of the profile alone', () => {
    expect(efi.record.code.services?.map(({ name, lines, behind }) => ({ name, own: lines, behind }))).to.deep.equal(
      serviceLines().filter(({ name }) => name in linux.services),
    );
    expect(pvh.record.code.services).to.deep.equal([]);
  });
  it('code: EFI’s lines hold those of the proposal, which has fewer services, and of PVH no firmware', () => {
    const lines = (door: string): number => (figures.doors[door] ?? []).reduce((sum, one) => sum + one.lines, 0);
    expect(Object.keys(linux.services).length).to.be.above(Object.keys(proposal.services).length);
    expect(lines('efi')).to.be.above(lines('proposal'));
    expect(lines('proposal')).to.be.above(lines('pvh'));
    expect(figures.doors['pvh']?.map(({ name }) => name)).to.not.include('src/firmware');
    const folders = run('pvh', { xen: true }).record.code.door?.map(({ name }) => name);
    expect(folders).to.include('src/xen');
  });
});
