import { expect } from 'chai';
import { defaultInitramfs } from '../../src/boot/default-initramfs.js';
import type { DoorName } from '../../src/boot/door-choice.js';
import { linux } from '../../src/firmware/index.js';
import { loadProcessorArtifacts } from '../../src/host/processor-artifacts.js';
import { readImage } from '../../src/loaders/read-image.js';
import { ObservedBoot } from '../../src/probe/observed-boot.js';
import { surface } from '../../src/probe/probes/surface.js';
import type { SurfaceReader, SurfaceRecord } from '../../src/probe/surface/result.js';
import { cachedKernel } from '../support/kernels.js';

const until = 'symbol:rest_init';

const records = new Map<string, SurfaceRecord>();

async function surfaceOf(door: DoorName, bytes: Uint8Array, { xen = false } = {}): Promise<SurfaceRecord> {
  const key = `${door} ${String(xen)}`;
  const record = records.get(key) ?? (await boot(door, bytes, xen));
  records.set(key, record);
  return record;
}

/** Boots up to rest_init: the stub, setup_arch and ACPI have passed then. */
async function boot(door: DoorName, bytes: Uint8Array, xen: boolean): Promise<SurfaceRecord> {
  const image = readImage(bytes);
  await image.prepare();
  const run = ObservedBoot.start({
    artifacts: loadProcessorArtifacts(),
    door,
    image,
    profile: linux,
    strict: true,
    memoryBytes: 512 << 20,
    options: { commandLine: 'console=ttyS0 nokaslr', initrd: defaultInitramfs(), modules: [] },
    until,
    ...(xen ? { xen: {} } : {}),
    probes: [surface],
  });
  while (run.machine.outcome === undefined) run.machine.run(50_000_000);
  expect(run.outcome?.reason).to.equal(until);
  return run.taken().get('surface') as SurfaceRecord;
}

function readersOf({ structures }: SurfaceRecord, structure: string, field: string): readonly SurfaceReader[] {
  const found = structures.find(({ name }) => name === structure)?.fields.find(({ name }) => name === field);
  if (found === undefined) throw new Error(`no ${structure}.${field}`);
  return found.readers;
}

const functions = (readers: readonly SurfaceReader[]): string[] =>
  readers.filter(({ kind }) => kind === 'field').map((reader) => reader.function);

describe('the surface of Linux 6.1', function () {
  this.timeout(240_000);
  let bytes: Uint8Array;
  before(function () {
    bytes = cachedKernel(this, '6.1-cloud');
  });

  it('EFI: the stub and the kernel, each by its name, in the phase in which it reads', async () => {
    const record = await surfaceOf('efi', bytes);
    expect(functions(readersOf(record, 'EFI_SYSTEM_TABLE', 'FirmwareVendor'))).to.deep.equal([
      'EFI stub .text',
      'efi_init',
    ]);
    expect(readersOf(record, 'FirmwareVendor', 'text').map(({ phase }) => phase)).to.deep.equal([
      'entry',
      'start_kernel',
    ]);
    expect(functions(readersOf(record, 'EFI_LOADED_IMAGE_PROTOCOL', 'LoadOptions'))).to.deep.equal(['EFI stub .text']);
    expect(readersOf(record, 'EFI_LOADED_IMAGE_PROTOCOL', 'ImageBase')).to.deep.equal([]);
    expect(readersOf(record, 'EFI_BOOT_SERVICES', 'Stall')).to.deep.equal([]);
    const { totals, lookups, configurationTables } = record;
    expect(totals.memoryDescriptorsRead).to.equal(totals.memoryDescriptors);
    expect(totals.hypercalls).to.equal(0);
    expect(lookups).to.deep.include({ guid: 'EFI_TCG2_PROTOCOL', service: 'LocateProtocol', calls: 3, found: 0 });
    const acpi = configurationTables.find(({ guid }) => guid === 'EFI_ACPI_20_TABLE');
    expect(acpi?.by).to.equal('firmware');
    expect(acpi?.guidReads).to.be.above(0);
    expect(configurationTables.filter(({ by }) => by === 'guest').map(({ guid }) => guid)).to.deep.equal([
      'LINUX_EFI_INITRD_MEDIA',
      'LINUX_EFI_BOOT_MEMMAP',
    ]);
  });
  it('EFI: the last memory map goes on to be read where GetMemoryMap put it', async () => {
    const record = await surfaceOf('efi', bytes);
    const map = record.structures.findLast(({ name }) => name.startsWith('memory map '));
    expect(map?.ended).to.equal(undefined);
    expect(functions(readersOf(record, map?.name ?? '', '[0].Type'))).to.include.members([
      'EFI stub .text',
      'efi_memblock_x86_reserve_range',
    ]);
  });
  it('PVH: pvh_start_xen copies hvm_start_info, and xen_prepare_pvh reads the copy', async () => {
    const record = await surfaceOf('pvh', bytes);
    expect(readersOf(record, 'hvm_start_info', 'magic')).to.deep.equal([
      { function: 'pvh_start_xen', phase: 'entry', kind: 'copy', reads: 1 },
      { function: 'xen_prepare_pvh', phase: 'entry', kind: 'field', ofCopy: true, reads: 1 },
    ]);
    expect(functions(readersOf(record, 'hvm_start_info', 'flags'))).to.deep.equal([]); // Xen's alone
    expect(functions(readersOf(record, 'hvm_start_info', 'rsdp_paddr'))).to.deep.equal(['pvh_get_root_pointer']);
    expect(functions(readersOf(record, 'hvm_memmap_table_entry', 'entry[0].type'))).to.deep.equal(['xen_prepare_pvh']);
    expect(record.totals).to.include({ services: 0, lookups: 0, memoryDescriptors: 0 });
  });
  it('through either door ACPI is read alike: checksums are sums, the FADT is a copy of which fields are read', async () => {
    for (const door of ['efi', 'pvh'] as const) {
      const record = await surfaceOf(door, bytes);
      const sci = readersOf(record, 'FADT', 'SCI_INT').map(({ function: name, kind }) => `${name} ${kind}`);
      expect(sci).to.deep.equal(['acpi_tb_verify_checksum sum', 'acpi_tb_create_local_fadt copy']);
      const arch = readersOf(record, 'FADT', 'IAPC_BOOT_ARCH').find(({ ofCopy }) => ofCopy === true);
      expect(arch?.function).to.equal('acpi_parse_fadt');
    }
  });
  it('PVH under Xen: hypercalls with their structures, shared_info and vcpu_info from when they are there', async () => {
    const record = await surfaceOf('pvh', bytes, { xen: true });
    expect(functions(readersOf(record, 'hvm_start_info', 'flags'))).to.deep.equal(['xen_pvh_init']);
    expect(functions(readersOf(record, 'vcpu_info', 'time.version'))).to.include('pvclock_clocksource_read');
    expect(record.hypercalls.find(({ name }) => name === 'XENMEM_add_to_physmap')?.argumentBytes).to.be.above(0);
    expect(record.totals.hypercallArgumentBytes).to.be.above(0);
    expect(functions(readersOf(record, 'XSDT', 'Entry[0].Address'))).to.include('acpi_tb_parse_root_table'); // not in RAM
  });
});
