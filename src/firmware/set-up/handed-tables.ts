import {
  MemoryDescriptor,
  memoryDescriptorVersion,
  MemoryType,
  pageBytes,
} from '../../../firmware-tables/uefi/memory-descriptor.js';
import { pcMap, rangesOfMap, type GuestMap, type MapRange } from '../../memory/guest-map.js';
import { layout } from '../../memory/layout.js';
import { structureOf } from '../../memory/provided.js';
import { descriptorBytes, encodeMemoryMap } from '../boot-services/memory.js';
import { FirmwareError } from '../errors.js';
import type { Firmware } from '../firmware.js';
import { installConfigurationTables, regionTypes } from './set-up.js';
import type { TableMemory } from './xen-table.js';

/** What a loader hands to a kernel of an EFI whose services are gone. Addresses are guest-physical, below 4 GiB. */
export interface HandedTables {
  readonly systemTable: number;
  readonly memoryMap: number;
  /** Bytes of the map, of a descriptor, and EFI_MEMORY_DESCRIPTOR_VERSION. */
  readonly memoryMapBytes: number;
  readonly descriptorBytes: number;
  readonly descriptorVersion: number;
  /** The map's ranges; the tables' own one is of the kind `acpi`. */
  readonly ranges: readonly MapRange[];
}

const area = { start: layout.linuxEfiTables, end: layout.linuxEfiTables + layout.linuxEfiTablesBytes };

/**
 * Writes a System Table without services, its configuration tables and a memory map. All of it lies in memory of the type
 * EfiACPIReclaimMemory, and no range wants a virtual address, so that a kernel has no reason to call
 * SetVirtualAddressMap. Throws FirmwareError. Xen arch/arm/acpi/domain_build.c does the same for an ARM dom0.
 */
export function handTables(
  fw: Firmware,
  inputs: { readonly rsdp: number; readonly map?: GuestMap; readonly commandLine: string },
): HandedTables {
  const memory = areaMemory(fw);
  fw.tables.buildWithoutServices((bytes) => memory.allocatePool(MemoryType.EfiACPIReclaimMemory, bytes, 'a table'));
  installConfigurationTables(fw, memory, { ...inputs, modules: [] });
  const ranges = rangesOfMap(fw.host.memory, inputs.map ?? pcMap, inputs.rsdp !== 0).flatMap(withoutArea);
  const pageUp = (address: number): number => Math.ceil(address / pageBytes) * pageBytes;
  const regions = ranges.map(({ start, end, kind }) => ({
    start,
    end: pageUp(end),
    type: regionTypes[kind],
    allocated: false,
  }));
  const stride = fw.overrides['memory:descriptor-bytes'] ?? descriptorBytes;
  fw.memoryMap.restore({ regions, key: 1 });
  const map = encodeMemoryMap(fw.memoryMap.entries(), stride);
  const memoryMap = memory.allocatePool(MemoryType.EfiACPIReclaimMemory, map.length, 'the memory map');
  memory.write(memoryMap, map);
  const padding = stride - MemoryDescriptor.size;
  const descriptors = fw.memoryMap
    .entries()
    .flatMap((_, index) => [
      { name: `descriptor[${String(index)}]`, of: MemoryDescriptor },
      ...(padding > 0 ? [{ name: 'pad', bytes: padding }] : []),
    ]);
  fw.provided.add(structureOf('firmware', 'memory map', memoryMap, descriptors));
  return {
    systemTable: fw.tables.addresses.systemTable,
    memoryMap,
    memoryMapBytes: map.length,
    descriptorBytes: stride,
    descriptorVersion: memoryDescriptorVersion,
    ranges,
  };
}

/** RAM without the tables' area; they get a range of their own. */
function withoutArea(range: MapRange): MapRange[] {
  if (range.end <= area.start || range.start >= area.end) return [range];
  const own: MapRange = { ...area, kind: 'acpi' };
  return [{ ...range, end: area.start }, own, { ...range, start: area.end }].filter(({ start, end }) => end > start);
}

/** Memory from the fixed area, one piece behind the other. */
function areaMemory(fw: Firmware): TableMemory {
  const alignment = 16;
  let next = area.start;
  const allocate = (bytes: number, what: string): number => {
    const address = next;
    next += Math.ceil(bytes / alignment) * alignment;
    if (next <= area.end) return address;
    throw new FirmwareError(
      `${what} of ${String(bytes)} bytes does not fit into the ${String(layout.linuxEfiTablesBytes)} bytes of EFI tables: shorten the command line`,
    );
  };
  return {
    allocatePages: (_type, pages, what) => allocate(pages * pageBytes, what),
    allocatePool: (_type, bytes, what) => allocate(bytes, what),
    provided: fw.provided,
    write: (address, bytes) => {
      fw.host.memory.writePhysical(address, bytes);
    },
  };
}
