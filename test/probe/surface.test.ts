import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { linux } from '../../src/firmware/index.js';
import { loadProcessorArtifacts } from '../../src/host/processor-artifacts.js';
import { readImage } from '../../src/loaders/read-image.js';
import { ObservedBoot } from '../../src/probe/observed-boot.js';
import { surface } from '../../src/probe/probes/surface.js';
import type { SurfaceField, SurfaceRecord } from '../../src/probe/surface/result.js';

const artifacts = loadProcessorArtifacts();

interface Run {
  readonly record: SurfaceRecord;
  readonly instructions: number;
  readonly reason: string | undefined;
}

interface How {
  readonly watching?: boolean;
  readonly tier?: 'both' | 'interpreter';
}

function runGuest(door: 'efi' | 'pvh', { watching = true, tier = 'both' }: How = {}): Run {
  const file = new URL(`surface-guest/surface-guest.${door === 'efi' ? 'efi' : 'elf'}`, import.meta.url);
  const run = ObservedBoot.start({
    artifacts,
    door,
    image: readImage(readFileSync(file)),
    profile: linux,
    strict: true,
    tier,
    memoryBytes: 64 << 20,
    observing: watching,
    options: { commandLine: 'abc', modules: [] },
    probes: watching ? [surface] : [],
  });
  run.machine.run(10_000_000);
  const record = (watching ? run.taken().get('surface') : undefined) as SurfaceRecord;
  return { record, instructions: run.machine.instructions, reason: run.outcome?.reason };
}

function fieldOf({ structures }: SurfaceRecord, structure: string, field: string): SurfaceField {
  const found = structures.find(({ name }) => name === structure)?.fields.find(({ name }) => name === field);
  if (found === undefined) throw new Error(`no ${structure}.${field}`);
  return found;
}

/** Fields that were read, with how often; `copy`, `sweep` as they come. */
const readOf = ({ structures }: SurfaceRecord, structure: string): Record<string, string> =>
  Object.fromEntries(
    (structures.find(({ name }) => name === structure)?.fields ?? [])
      .filter(({ reads }) => reads > 0)
      .map(({ name, readers }) => [
        name,
        readers.map(({ kind, reads, ofCopy }) => `${kind}${ofCopy ? ' of copy' : ''} ${String(reads)}`).join(', '),
      ]),
  );

for (const tier of ['both', 'interpreter'] as const) {
  describe(`the surface of a guest that reads known fields, tier ${tier}`, () => {
    const efi = runGuest('efi', { tier });
    const pvh = runGuest('pvh', { tier });

    it('EFI: the guest came to its end, after as many instructions as without a watch', () => {
      expect(efi.reason).to.equal('Exit(EFI_SUCCESS)');
      expect(efi.instructions).to.equal(runGuest('efi', { watching: false, tier }).instructions);
    });
    it('EFI: fields of the tables, as often as they were read, and no others', () => {
      expect(readOf(efi.record, 'EFI_SYSTEM_TABLE')).to.deep.equal({
        'Hdr.Signature': 'field 3',
        FirmwareVendor: 'field 1',
        BootServices: 'field 1',
        ConfigurationTable: 'field 1',
      });
      expect(readOf(efi.record, 'EFI_BOOT_SERVICES')).to.deep.equal({
        HandleProtocol: 'field 2',
        GetMemoryMap: 'field 2',
      });
      expect(readOf(efi.record, 'EFI_RUNTIME_SERVICES')).to.deep.equal({});
      expect(readOf(efi.record, 'EFI_LOADED_IMAGE_PROTOCOL')).to.deep.equal({ LoadOptionsSize: 'field 1' });
      expect(fieldOf(efi.record, 'FirmwareVendor', 'text')).to.include({ reads: 1, bytesRead: 2 });
    });
    it('EFI: memory maps descriptor by descriptor; a store of the guest ends the watch of its bytes', () => {
      expect(readOf(efi.record, 'memory map 1')).to.deep.equal({
        '[0].Type': 'field 1',
        '[1].PhysicalStart': 'field 2',
      });
      expect(fieldOf(efi.record, 'memory map 1', '[1].VirtualStart')).to.include({ reads: 0, writes: 1 });
      expect(efi.record.structures.find(({ name }) => name === 'memory map 1')?.ended).to.equal('replaced');
      expect(readOf(efi.record, 'memory map 2')).to.deep.equal({ '[1].NumberOfPages': 'field 1' });
      expect(efi.record.totals).to.include({ memoryDescriptorsRead: 3 });
    });
    it('EFI: a copy by MOVS is no read of the field, and reads of the copy are', () => {
      expect(readOf(efi.record, 'configuration table EFI_ACPI_20_TABLE')).to.deep.equal({
        VendorGuid: 'copy 16',
        VendorTable: 'field 1, copy 8, field of copy 2',
      });
    });
    it('EFI: a loop over all bytes is told apart from reads of fields', () => {
      expect(readOf(efi.record, 'RSDP')['Signature']).to.equal('sweep 8');
      expect(fieldOf(efi.record, 'RSDP', 'XsdtAddress')).to.include({ reads: 8, fieldReads: 0, bytesRead: 8 });
    });
    it('EFI: services and protocols, found or not', () => {
      expect(efi.record.services).to.deep.equal([
        { name: 'HandleProtocol', calls: 2 },
        { name: 'GetMemoryMap', calls: 2 },
      ]);
      expect(efi.record.lookups).to.deep.equal([
        { guid: 'EFI_LOADED_IMAGE_PROTOCOL', service: 'HandleProtocol', calls: 1, found: 1 },
        { guid: '11111111-2222-3333-4444-444444444444', service: 'HandleProtocol', calls: 1, found: 0 },
      ]);
      expect(efi.record.totals).to.include({ services: 2, serviceCalls: 4, lookups: 2, lookupsFound: 1 });
    });

    it('PVH: the same for hvm_start_info, its memory map and command line', () => {
      expect(pvh.instructions).to.equal(runGuest('pvh', { watching: false, tier }).instructions);
      expect(readOf(pvh.record, 'hvm_start_info')).to.deep.equal({
        magic: 'field 1',
        flags: 'field 2',
        cmdline_paddr: 'field 1',
        memmap_paddr: 'field 1',
      });
      expect(fieldOf(pvh.record, 'hvm_start_info', 'version')).to.include({ reads: 0, writes: 1 });
      expect(readOf(pvh.record, 'hvm_memmap_table_entry')).to.deep.equal({ 'entry[1].type': 'field 1' });
      expect(fieldOf(pvh.record, 'command line', 'text')).to.include({ reads: 1, bytesRead: 1, bytes: 4 });
      expect(pvh.record.totals).to.include({ services: 0, fieldsRead: 6, fieldsWritten: 1, reads: 7 });
    });
  });
}
