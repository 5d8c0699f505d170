import { expect } from 'chai';
import { BootParams, efiLoaderSignature64 } from '../../firmware-tables/linux/boot-params.js';
import { ConfigurationTable, RtPropertiesTable } from '../../firmware-tables/uefi/configuration-table.js';
import { Guid } from '../../firmware-tables/uefi/guids.js';
import { MemoryAttribute, MemoryDescriptor, MemoryType } from '../../firmware-tables/uefi/memory-descriptor.js';
import { SystemTable, systemTableSignature } from '../../firmware-tables/uefi/system-table.js';
import { crc32 } from '../../src/bytes/crc32.js';
import { BootError } from '../../src/boot/boot-protocol.js';
import { efi } from '../../src/boot/efi.js';
import { linux64 } from '../../src/boot/linux64.js';
import { Firmware } from '../../src/firmware/firmware.js';
import { tables, type Overrides } from '../../src/firmware/profiles.js';
import { readImage } from '../../src/loaders/read-image.js';
import { xenMap, type GuestMap } from '../../src/memory/guest-map.js';
import { layout } from '../../src/memory/layout.js';
import { FakeMachine, FakeMemory } from '../firmware/fake-machine.js';
import { smallBzImage, smallPe } from '../support/images.js';

const ramBytes = 2 ** 25;
const services = new FakeMachine();

/** Enters a small kernel under the profile; `rsdp` is where the PC has it. */
function enter(overrides: Overrides = {}, map?: GuestMap) {
  const memory = new FakeMemory(ramBytes);
  const host = Object.assign(Object.create(services) as FakeMachine, { memory });
  const firmware = new Firmware(host, { profile: tables, overrides });
  const target = { memory, rsdp: map?.acpi.start ?? layout.acpiTables, firmware, ...(map && { map }) };
  linux64.enter(target, readImage(smallBzImage()), { commandLine: 'quiet', modules: [] });
  const params = BootParams.decode(memory.ram, layout.linuxBootParams);
  const info = params.efi_info;
  const table = SystemTable.decode(memory.ram, info.efi_systab);
  const entries = Array.from({ length: Number(table.NumberOfTableEntries) }, (_, index) =>
    ConfigurationTable.decode(memory.ram, Number(table.ConfigurationTable) + index * ConfigurationTable.size),
  );
  const descriptors = Array.from({ length: info.efi_memmap_size / info.efi_memdesc_size }, (_, index) =>
    MemoryDescriptor.decode(memory.ram, info.efi_memmap + index * info.efi_memdesc_size),
  );
  return { memory, firmware, params, info, table, entries, descriptors };
}

describe('door linux64 under the profile tables (Linux arch/x86/include/uapi/asm/bootparam.h, struct efi_info)', () => {
  it('efi_info names a System Table whose services and consoles are NULL (UEFI 2.10 section 4.3)', () => {
    const { info, table, memory } = enter();
    expect(info.efi_loader_signature).to.equal(efiLoaderSignature64);
    expect([info.efi_systab_hi, info.efi_memmap_hi, info.efi_memdesc_version]).to.deep.equal([0, 0, 1]);
    expect(table.Hdr.Signature).to.equal(systemTableSignature);
    for (const name of ['ConIn', 'ConOut', 'StdErr', 'RuntimeServices', 'BootServices'] as const)
      expect(table[name], name).to.equal(0n);
    const bytes = memory.readPhysical(info.efi_systab, SystemTable.size);
    bytes.fill(0, 16, 20);
    expect(crc32(bytes)).to.equal(table.Hdr.CRC32);
  });
  it('the configuration tables are ACPI and RT_PROPERTIES with no service in it; boot_params has no RSDP then', () => {
    const { entries, params, memory } = enter();
    expect(params.acpi_rsdp_addr).to.equal(0n);
    expect(entries.map(({ VendorGuid }) => VendorGuid)).to.deep.equal([
      Guid.EFI_ACPI_20_TABLE,
      Guid.EFI_RT_PROPERTIES_TABLE,
    ]);
    expect(entries[0]?.VendorTable).to.equal(BigInt(layout.acpiTables));
    const properties = RtPropertiesTable.decode(memory.ram, Number(entries[1]?.VendorTable));
    expect(properties).to.deep.equal({ Version: 1, Length: 8, RuntimeServicesSupported: 0 });
  });
  it('overrides of configuration tables hold here too', () => {
    const { entries } = enter({ 'table:Acpi20': 'absent', 'table:Xen': 'present' });
    expect(entries.map(({ VendorGuid }) => VendorGuid)).to.deep.equal([
      Guid.EFI_RT_PROPERTIES_TABLE,
      Guid.EFIKIT_XEN_TABLE,
    ]);
  });
  it('the memory map and the e820 table say the same, and no range wants a virtual address', () => {
    const { descriptors, params, info } = enter();
    const types: Record<number, number> = {
      1: MemoryType.EfiConventionalMemory,
      2: MemoryType.EfiReservedMemoryType,
      3: MemoryType.EfiACPIReclaimMemory,
    };
    const e820 = params.e820_table.slice(0, params.e820_entries);
    expect(
      descriptors.map(({ Type, PhysicalStart, NumberOfPages }) => [Type, PhysicalStart, NumberOfPages * 4096n]),
    ).to.deep.equal(e820.map(({ addr, size, type }) => [types[type], addr, size]));
    expect(descriptors.some(({ Attribute }) => (Attribute & MemoryAttribute.RUNTIME) !== 0n)).to.equal(false);
    const own = descriptors.find(({ PhysicalStart }) => PhysicalStart === BigInt(layout.linuxEfiTables));
    expect(own?.Type).to.equal(MemoryType.EfiACPIReclaimMemory);
    const end = BigInt(info.efi_memmap + info.efi_memmap_size);
    expect(end <= (own?.PhysicalStart ?? 0n) + (own?.NumberOfPages ?? 0n) * 4096n).to.equal(true);
  });
  it("a Xen domain's map ends at whole pages", () => {
    const { descriptors } = enter({}, xenMap);
    const acpi = descriptors.find(({ PhysicalStart }) => PhysicalStart === BigInt(layout.xenAcpi));
    expect(acpi?.NumberOfPages).to.equal(9n);
  });
  it('no image is entered with these tables alone', () => {
    const memory = new FakeMemory(ramBytes);
    const host = Object.assign(Object.create(services) as FakeMachine, { memory });
    const firmware = new Firmware(host, { profile: tables });
    expect(() =>
      efi.enter({ memory, rsdp: 0, firmware }, readImage(smallPe()), { commandLine: '', modules: [] }),
    ).to.throw(BootError, 'take the door linux64');
  });
});
