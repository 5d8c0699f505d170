import { BootServices, bootServicesSignature, bootServiceSlots } from '../../../firmware-tables/uefi/boot-services.js';
import { ConfigurationTable } from '../../../firmware-tables/uefi/configuration-table.js';
import {
  RuntimeServices,
  runtimeServicesSignature,
  runtimeServiceSlots,
} from '../../../firmware-tables/uefi/runtime-services.js';
import { SystemTable, systemTableSignature } from '../../../firmware-tables/uefi/system-table.js';
import { revision210, TableHeader } from '../../../firmware-tables/uefi/table-header.js';
import { guidText } from '../../../firmware-tables/guid.js';
import { guidName } from '../../../firmware-tables/uefi/guids.js';
import type { LayoutFields } from '../../../firmware-tables/layout.js';
import type { GuestMemory } from '../../memory/guest-memory.js';
import { structureOf, type ProvidedMemory } from '../../memory/provided.js';
import { crc32 } from '../../bytes/crc32.js';
import { string16Bytes } from '../guest-access.js';

/** Where the tables stand, guest-physical; they stay there also when the guest maps them elsewhere. */
export interface TableAddresses {
  readonly systemTable: number;
  readonly runtimeServices: number;
  readonly bootServices: number;
  configurationTable: number;
  configurationCapacity: number; // entries
}

export interface ConsoleAddresses {
  readonly handle: bigint;
  readonly output: bigint;
  readonly input: bigint;
}

type SystemTableValues = ReturnType<typeof SystemTable.decode>;
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Entries for which the configuration table has room at first. */
const initialCapacity = 16;
const vendor = 'efikit';
const firmwareRevision = 1;

/** Gives a table of EFI the CRC32 that its header wants: over all bytes, the field itself taken as 0. */
export function sealTable(table: Uint8Array): Uint8Array {
  const at = TableHeader.offsetOf('CRC32');
  const sealed = table.slice();
  sealed.fill(0, at, at + 4);
  const length = TableHeader.decode(sealed).HeaderSize;
  new DataView(sealed.buffer).setUint32(at, crc32(sealed.subarray(0, length)), true);
  return sealed;
}

const header = (signature: bigint, size: number): { Signature: bigint; Revision: number; HeaderSize: number } => ({
  Signature: signature,
  Revision: revision210,
  HeaderSize: size,
});

/** The System Table and the tables it names, in guest memory. UEFI 2.10 chapter 4. */
export class Tables {
  addresses: TableAddresses = {
    systemTable: 0,
    runtimeServices: 0,
    bootServices: 0,
    configurationTable: 0,
    configurationCapacity: 0,
  };

  constructor(
    private readonly memory: GuestMemory,
    private readonly provided: ProvidedMemory,
  ) {}

  /** Writes all tables. `slotAddress` gives the gate of a slot, 0 for NULL; the allocators give run-time or boot memory. */
  build(
    slotAddress: (name: string) => bigint,
    allocateRuntime: (bytes: number) => number,
    allocateBoot: (bytes: number) => number,
    console: ConsoleAddresses,
  ): void {
    const pointers = (slots: readonly { readonly name: string }[]): Record<string, bigint> =>
      Object.fromEntries(slots.map(({ name }) => [name, slotAddress(name)]));
    const vendorBytes = string16Bytes(vendor);
    const vendorAddress = allocateRuntime(vendorBytes.length);
    this.memory.writePhysical(vendorAddress, vendorBytes);
    const addresses: TableAddresses = {
      systemTable: allocateRuntime(SystemTable.size),
      runtimeServices: allocateRuntime(RuntimeServices.size),
      bootServices: allocateBoot(BootServices.size),
      configurationTable: allocateRuntime(initialCapacity * ConfigurationTable.size),
      configurationCapacity: initialCapacity,
    };
    this.addresses = addresses;
    const bootTable = { Hdr: header(bootServicesSignature, BootServices.size), ...pointers(bootServiceSlots) };
    this.memory.writePhysical(addresses.bootServices, sealTable(BootServices.encode(bootTable)));
    const runtimeTable = {
      Hdr: header(runtimeServicesSignature, RuntimeServices.size),
      ...pointers(runtimeServiceSlots),
    };
    this.memory.writePhysical(addresses.runtimeServices, sealTable(RuntimeServices.encode(runtimeTable)));
    const systemTable = SystemTable.encode({
      Hdr: header(systemTableSignature, SystemTable.size),
      FirmwareVendor: vendorAddress,
      FirmwareRevision: firmwareRevision,
      ConsoleInHandle: console.handle,
      ConIn: console.input,
      ConsoleOutHandle: console.handle,
      ConOut: console.output,
      StandardErrorHandle: console.handle,
      StdErr: console.output,
      RuntimeServices: addresses.runtimeServices,
      BootServices: addresses.bootServices,
      ConfigurationTable: addresses.configurationTable,
    });
    this.memory.writePhysical(addresses.systemTable, sealTable(systemTable));
    this.provide(SystemTable, addresses.systemTable);
    this.provide(BootServices, addresses.bootServices);
    this.provide(RuntimeServices, addresses.runtimeServices);
    this.provideVendor(vendorAddress, vendorBytes);
    this.provideArray();
  }

  /** Writes a System Table whose services are gone: their pointers and the consoles' are NULL. */
  buildWithoutServices(allocate: (bytes: number) => number): void {
    const vendorBytes = string16Bytes(vendor);
    const vendorAddress = allocate(vendorBytes.length);
    this.memory.writePhysical(vendorAddress, vendorBytes);
    this.addresses = {
      systemTable: allocate(SystemTable.size),
      runtimeServices: 0,
      bootServices: 0,
      configurationTable: allocate(initialCapacity * ConfigurationTable.size),
      configurationCapacity: initialCapacity,
    };
    const systemTable = SystemTable.encode({
      Hdr: header(systemTableSignature, SystemTable.size),
      FirmwareVendor: vendorAddress,
      FirmwareRevision: firmwareRevision,
      ConfigurationTable: this.addresses.configurationTable,
    });
    this.memory.writePhysical(this.addresses.systemTable, sealTable(systemTable));
    this.provide(SystemTable, this.addresses.systemTable);
    this.provideVendor(vendorAddress, vendorBytes);
    this.provideArray();
  }

  private provide(layout: LayoutFields, address: number): void {
    this.provided.add(structureOf('firmware', layout.name, address, [layout]));
  }

  private provideVendor(address: number, { length: bytes }: Uint8Array): void {
    this.provided.add(structureOf('firmware', 'FirmwareVendor', address, [{ name: 'text', bytes }]));
  }

  /** Changes fields of the System Table and its CRC32. */
  changeSystemTable(change: (table: Mutable<SystemTableValues>) => void): void {
    const table = this.readSystemTable();
    change(table);
    this.memory.writePhysical(this.addresses.systemTable, sealTable(SystemTable.encode(table)));
  }

  readSystemTable(): SystemTableValues {
    return SystemTable.decode(this.memory.readPhysical(this.addresses.systemTable, SystemTable.size));
  }

  /** The installed entries in order. */
  configurationTables(): { readonly guid: string; readonly address: bigint }[] {
    const count = Number(this.readSystemTable().NumberOfTableEntries);
    const bytes = this.memory.readPhysical(this.addresses.configurationTable, count * ConfigurationTable.size);
    return Array.from({ length: count }, (_, index) => {
      const { VendorTable } = ConfigurationTable.decode(bytes, index * ConfigurationTable.size);
      return { guid: guidText(bytes, index * ConfigurationTable.size), address: VendorTable };
    });
  }

  /** Writes all entries; `allocateRuntime` is asked when they need a larger array, and may give undefined: false then. */
  setConfigurationTables(
    entries: readonly { readonly guid: string; readonly address: bigint }[],
    allocateRuntime: (bytes: number) => number | undefined,
  ): boolean {
    const before = this.configurationTables();
    const oldAddress = this.addresses.configurationTable;
    if (entries.length > this.addresses.configurationCapacity) {
      const capacity = this.addresses.configurationCapacity * 2;
      const address = allocateRuntime(capacity * ConfigurationTable.size);
      if (address === undefined) return false;
      this.addresses.configurationTable = address;
      this.addresses.configurationCapacity = capacity;
      this.provideArray();
    }
    const bytes = new Uint8Array(this.addresses.configurationCapacity * ConfigurationTable.size);
    entries.forEach(({ guid, address }, index) => {
      bytes.set(ConfigurationTable.encode({ VendorGuid: guid, VendorTable: address }), index * ConfigurationTable.size);
    });
    this.memory.writePhysical(this.addresses.configurationTable, bytes);
    this.changeSystemTable((table) => {
      table.NumberOfTableEntries = BigInt(entries.length);
      table.ConfigurationTable = BigInt(this.addresses.configurationTable);
    });
    this.provideEntries(
      { address: oldAddress, guids: before.map(({ guid }) => guid) },
      entries.map(({ guid }) => guid),
    );
    return true;
  }

  /** The array takes its room, with entries or without. */
  private provideArray(): void {
    const { configurationTable, configurationCapacity } = this.addresses;
    const bytes = configurationCapacity * ConfigurationTable.size;
    this.provided.occupy('firmware', 'configuration table array', configurationTable, bytes);
  }

  /** Each entry is a structure of its own, which stays while its place holds the same GUID. */
  private provideEntries(
    before: { readonly address: number; readonly guids: readonly string[] },
    guids: readonly string[],
  ): void {
    const address = this.addresses.configurationTable;
    const stays = (index: number): boolean => before.address === address && before.guids[index] === guids[index];
    before.guids.forEach((_, index) => {
      if (!stays(index)) this.provided.end(before.address + index * ConfigurationTable.size, 'replaced');
    });
    guids.forEach((guid, index) => {
      if (stays(index)) return;
      const name = `configuration table ${guidName(guid)}`;
      const at = address + index * ConfigurationTable.size;
      this.provided.add(structureOf('firmware', name, at, [ConfigurationTable]));
    });
  }

  /** ExitBootServices: clears what is gone. UEFI 2.10 section 7.4.6. */
  clearBootFields(): void {
    this.changeSystemTable((table) => {
      table.ConsoleInHandle = 0n;
      table.ConIn = 0n;
      table.ConsoleOutHandle = 0n;
      table.ConOut = 0n;
      table.StandardErrorHandle = 0n;
      table.StdErr = 0n;
      table.BootServices = 0n;
    });
  }

  /**
   * SetVirtualAddressMap: the pointers that the firmware owns become virtual. What stands behind a configuration
   * table's VendorTable is the matter of its GUID and stays. UEFI 2.10 sections 4.6 and 8.4.
   */
  convertPointers(convert: (physical: bigint) => bigint): void {
    const { runtimeServices } = this.addresses;
    const bytes = this.memory.readPhysical(runtimeServices, RuntimeServices.size);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    for (const { name } of runtimeServiceSlots) {
      const at = RuntimeServices.offsetOf(name);
      const pointer = view.getBigUint64(at, true);
      if (pointer !== 0n) view.setBigUint64(at, convert(pointer), true);
    }
    this.memory.writePhysical(runtimeServices, sealTable(bytes));
    this.changeSystemTable((table) => {
      table.FirmwareVendor = convert(table.FirmwareVendor);
      table.ConfigurationTable = convert(table.ConfigurationTable);
      table.RuntimeServices = convert(table.RuntimeServices);
    });
  }
}
