import { expect } from 'chai';
import { BootServices } from '../../../firmware-tables/uefi/boot-services.js';
import { RtPropertiesTable } from '../../../firmware-tables/uefi/configuration-table.js';
import { Guid } from '../../../firmware-tables/uefi/guids.js';
import { MemoryAttribute, MemoryDescriptor, MemoryType } from '../../../firmware-tables/uefi/memory-descriptor.js';
import { RuntimeServices, runtimeServiceSlots } from '../../../firmware-tables/uefi/runtime-services.js';
import { Status } from '../../../firmware-tables/uefi/status.js';
import { SystemTable } from '../../../firmware-tables/uefi/system-table.js';
import { HvmModlistEntry, HvmStartInfo, hvmStartMagic } from '../../../firmware-tables/pvh/start-info.js';
import { crc32 } from '../../../src/bytes/crc32.js';
import { linux, proposal } from '../../../src/firmware/profiles.js';
import { FakeMachine, scratch } from '../fake-machine.js';

function checkCrc(machine: FakeMachine, address: number, size: number): void {
  const table = machine.memory.readPhysical(address, size);
  const view = new DataView(table.buffer);
  const stored = view.getUint32(16, true);
  view.setUint32(16, 0, true);
  expect(view.getUint32(12, true)).to.equal(size);
  expect(stored).to.equal(crc32(table));
}

function checkAll(machine: FakeMachine): void {
  checkCrc(machine, machine.entry.systemTable, SystemTable.size);
  checkCrc(machine, machine.firmware.tables.addresses.bootServices, BootServices.size);
  checkCrc(machine, machine.firmware.tables.addresses.runtimeServices, RuntimeServices.size);
}

const text = (machine: FakeMachine, address: bigint): string => {
  const bytes = machine.memory.readVirtual(address, 256);
  return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
};

describe('EFI tables (UEFI 2.10 chapter 4)', () => {
  it('4.2: signatures, sizes and CRC32s are right for every profile', () => {
    expect(crc32(new TextEncoder().encode('123456789'))).to.equal(0xcbf43926);
    for (const profile of [proposal, linux]) {
      const machine = new FakeMachine({ profile });
      checkAll(machine);
      const { Hdr } = machine.systemTable;
      expect(Hdr.Signature).to.equal(0x5453595320494249n);
      expect(Hdr.Revision).to.equal((2 << 16) | 100);
    }
  });

  it('no slot is NULL, and each has a gate of its own', () => {
    const machine = new FakeMachine({ profile: proposal });
    const { bootServices, runtimeServices } = machine.firmware.tables.addresses;
    const seen = new Set<bigint>();
    for (const [address, layout] of [
      [bootServices, BootServices],
      [runtimeServices, RuntimeServices],
    ] as const) {
      for (let at = 24; at < layout.size; at += 8) seen.add(machine.u64(BigInt(address + at)));
    }
    expect(seen.has(0n)).to.equal(false);
    expect(seen.size).to.equal(44 + 14);
  });

  it('run-time tables lie in EfiRuntimeServicesData, gates in code pages of their kind', () => {
    const machine = new FakeMachine();
    const typeAt = (address: bigint | number): number | undefined => machine.firmware.memoryMap.typeAt(Number(address));
    const table = machine.systemTable;
    for (const address of [
      machine.entry.systemTable,
      table.RuntimeServices,
      table.FirmwareVendor,
      table.ConfigurationTable,
    ]) {
      expect(typeAt(address)).to.equal(MemoryType.EfiRuntimeServicesData);
    }
    expect(typeAt(table.BootServices)).to.equal(MemoryType.EfiBootServicesData);
    expect(typeAt(machine.u64(table.BootServices + 24n))).to.equal(MemoryType.EfiBootServicesCode);
    expect(typeAt(machine.u64(table.RuntimeServices + 24n))).to.equal(MemoryType.EfiRuntimeServicesCode);
  });

  it('7.4.6: ExitBootServices clears the boot fields, keeps CRC32s right and disables interrupts', () => {
    const machine = new FakeMachine();
    expect(machine.exitBootServices()).to.equal(Status.SUCCESS);
    const table = machine.systemTable;
    expect([table.BootServices, table.ConOut, table.ConIn, table.StdErr, table.ConsoleOutHandle]).to.deep.equal([
      0n,
      0n,
      0n,
      0n,
      0n,
    ]);
    checkAll(machine);
    expect(machine.events).to.deep.equal(['watchdog undefined', 'cli']);
    const { bootServices } = machine.firmware.tables.addresses;
    const gate = machine.u64(BigInt(bootServices + BootServices.offsetOf('AllocatePool')));
    expect(machine.callPointer(gate, 4, 16, scratch)).to.equal(Status.UNSUPPORTED);
    expect(machine.calls.at(-1)?.unserved).to.equal('after-exit-boot-services');
  });

  it('4.6.2: RT_PROPERTIES names what the profile has', () => {
    const mask = (machine: FakeMachine): number => {
      const entry = machine.firmware.tables
        .configurationTables()
        .find(({ guid }) => guid === Guid.EFI_RT_PROPERTIES_TABLE);
      const table = RtPropertiesTable.decode(machine.memory.readVirtual(entry?.address ?? 0n, 8));
      expect([table.Version, table.Length]).to.deep.equal([1, 8]);
      return table.RuntimeServicesSupported;
    };
    expect(mask(new FakeMachine({ profile: proposal }))).to.equal(0x2070);
    expect(mask(new FakeMachine({ profile: linux }))).to.equal(0x24f0);
  });

  it('the Xen table is a version 1 hvm_start_info with command line, RSDP and, under proposal, all modules', () => {
    const initrd = Uint8Array.of(1, 2, 3);
    const inputs = { initrd, modules: [{ bytes: Uint8Array.of(9), commandLine: 'mod=1' }] };
    for (const profile of [proposal, linux]) {
      const machine = new FakeMachine({ profile }, inputs);
      const entry = machine.firmware.tables
        .configurationTables()
        .find(({ guid }) => guid === '6c8f3b1e-52d4-4f0a-9b67-0e41d2a7c835');
      const address = entry?.address ?? 0n;
      expect(machine.firmware.memoryMap.typeAt(Number(address))).to.equal(MemoryType.EfiRuntimeServicesData);
      const info = HvmStartInfo.decode(machine.memory.readVirtual(address, HvmStartInfo.size));
      expect([info.magic, info.version, info.flags, info.memmap_entries]).to.deep.equal([hvmStartMagic, 1, 0, 0]);
      expect(info.rsdp_paddr).to.equal(0xe0000n);
      expect(text(machine, info.cmdline_paddr)).to.equal('console=ttyS0');
      expect(info.nr_modules).to.equal(profile === proposal ? 2 : 1);
      const list = machine.memory.readVirtual(info.modlist_paddr, info.nr_modules * 32);
      const last = HvmModlistEntry.decode(list, (info.nr_modules - 1) * 32);
      expect([...machine.memory.readVirtual(last.paddr, 1)]).to.deep.equal([9]);
      expect(text(machine, last.cmdline_paddr)).to.equal('mod=1');
      expect(machine.firmware.memoryMap.typeAt(Number(last.paddr))).to.equal(MemoryType.EfiLoaderData);
      if (profile === proposal) {
        const first = HvmModlistEntry.decode(list);
        expect([...machine.memory.readVirtual(first.paddr, Number(first.size))]).to.deep.equal([...initrd]);
      }
    }
  });

  it('7.5.6: InstallConfigurationTable adds, replaces, removes and grows', () => {
    const machine = new FakeMachine();
    const before = machine.systemTable.NumberOfTableEntries;
    const guid = (n: number): bigint => machine.bytes(scratch, new Uint8Array(16).fill(n));
    expect(machine.call('InstallConfigurationTable', 0, 0x1000)).to.equal(Status.INVALID_PARAMETER);
    expect(machine.call('InstallConfigurationTable', guid(1), 0)).to.equal(Status.NOT_FOUND);
    for (let n = 1; n <= 40; n++)
      expect(machine.call('InstallConfigurationTable', guid(n), n * 16)).to.equal(Status.SUCCESS);
    expect(machine.systemTable.NumberOfTableEntries).to.equal(before + 40n);
    expect(machine.call('InstallConfigurationTable', guid(7), 0x7777)).to.equal(Status.SUCCESS);
    expect(machine.call('InstallConfigurationTable', guid(8), 0)).to.equal(Status.SUCCESS);
    const tables = machine.firmware.tables.configurationTables();
    expect(tables.length).to.equal(Number(before) + 39);
    expect(tables.find(({ guid: text }) => text.startsWith('07070707'))?.address).to.equal(0x7777n);
    expect(machine.firmware.memoryMap.typeAt(Number(machine.systemTable.ConfigurationTable))).to.equal(6);
    checkAll(machine);
  });

  describe('SetVirtualAddressMap (8.4.1)', () => {
    const virtualBase = 0xffff_fffe_0000_0000n;
    function mapFor(machine: FakeMachine, include: (type: number) => boolean = () => true): number {
      const runtime = machine.firmware.memoryMap
        .entries()
        .filter((e) => e.attribute & MemoryAttribute.RUNTIME && include(e.type));
      runtime.forEach(({ type, start, pages, attribute }, i) => {
        const values = {
          Type: type,
          PhysicalStart: start,
          VirtualStart: virtualBase + BigInt(start),
          NumberOfPages: pages,
          Attribute: attribute,
        };
        machine.bytes(scratch + 0x2000n + BigInt(i * 40), MemoryDescriptor.encode(values));
      });
      return runtime.length * 40;
    }

    it('is refused before ExitBootServices, with a wrong version, and when a run-time region has no mapping', () => {
      const machine = new FakeMachine();
      const size = mapFor(machine);
      expect(machine.call('SetVirtualAddressMap', size, 40, 1, scratch + 0x2000n)).to.equal(Status.UNSUPPORTED);
      machine.exitBootServices();
      mapFor(machine);
      expect(machine.call('SetVirtualAddressMap', size, 40, 2, scratch + 0x2000n)).to.equal(Status.INVALID_PARAMETER);
      expect(machine.call('SetVirtualAddressMap', size, 39, 1, scratch + 0x2000n)).to.equal(Status.INVALID_PARAMETER);
      const fewer = mapFor(machine, (type) => type === MemoryType.EfiRuntimeServicesData);
      expect(machine.call('SetVirtualAddressMap', fewer, 40, 1, scratch + 0x2000n)).to.equal(Status.NO_MAPPING);
      expect(machine.systemTable.RuntimeServices < virtualBase).to.equal(true);
    });

    it('converts the pointers that the firmware owns once, keeps CRC32s right, and services work at virtual addresses', () => {
      const machine = new FakeMachine();
      const before = machine.systemTable;
      const entries = machine.firmware.tables.configurationTables();
      machine.exitBootServices();
      const size = mapFor(machine);
      machine.memory.alias = virtualBase;
      expect(machine.call('SetVirtualAddressMap', size, 40, 1, scratch + 0x2000n)).to.equal(Status.SUCCESS);
      const after = machine.systemTable;
      expect(after.RuntimeServices).to.equal(before.RuntimeServices + virtualBase);
      expect(after.FirmwareVendor).to.equal(before.FirmwareVendor + virtualBase);
      expect(after.ConfigurationTable).to.equal(before.ConfigurationTable + virtualBase);
      for (const { name } of runtimeServiceSlots) {
        const pointer = machine.u64(after.RuntimeServices + BigInt(RuntimeServices.offsetOf(name)));
        expect(pointer >= virtualBase, name).to.equal(true);
      }
      expect(machine.firmware.tables.configurationTables()).to.deep.equal(entries); // VendorTable stays physical
      checkAll(machine);
      expect(machine.call('SetVirtualAddressMap', size, 40, 1, scratch + 0x2000n)).to.equal(Status.UNSUPPORTED);
      machine.call('ResetSystem', 2, 0, 0, 0);
      expect(machine.events.at(-1)).to.equal('poweroff ResetSystem(EfiResetShutdown)');
    });

    it('8.4.2: ConvertPointer, where present, converts by the map', () => {
      const machine = new FakeMachine({ overrides: { ConvertPointer: 'present' } });
      const size = mapFor(machine);
      machine.put(scratch, before(machine));
      expect(machine.call('ConvertPointer', 0, scratch)).to.equal(Status.UNSUPPORTED);
      machine.exitBootServices();
      mapFor(machine);
      machine.call('SetVirtualAddressMap', size, 40, 1, scratch + 0x2000n);
      machine.memory.alias = virtualBase;
      machine.put(scratch, before(machine));
      expect(machine.call('ConvertPointer', 0, scratch)).to.equal(Status.SUCCESS);
      expect(machine.u64(scratch)).to.equal(virtualBase + before(machine));
      machine.put(scratch, 0n);
      expect(machine.call('ConvertPointer', 0, scratch)).to.equal(Status.INVALID_PARAMETER);
      expect(machine.call('ConvertPointer', 1, scratch)).to.equal(Status.SUCCESS);
      machine.put(scratch, 0x5000n);
      expect(machine.call('ConvertPointer', 0, scratch)).to.equal(Status.NOT_FOUND);
      expect(machine.call('ConvertPointer', 0, 0)).to.equal(Status.INVALID_PARAMETER);
    });
    const before = (machine: FakeMachine): bigint => BigInt(machine.entry.systemTable);
  });
});
