import { Guid } from '../../../firmware-tables/uefi/guids.js';
import { MemoryType, pageBytes } from '../../../firmware-tables/uefi/memory-descriptor.js';
import { RtPropertiesTable, runtimeSupportedBits } from '../../../firmware-tables/uefi/configuration-table.js';
import { pcMap, rangesOfMap, type GuestMap } from '../../memory/guest-map.js';
import { structureOf } from '../../memory/provided.js';
import { ramEnd, type RamSizes } from '../../memory/ram-map.js';
import { FirmwareError } from '../errors.js';
import type { Firmware } from '../firmware.js';
import { GateGroup, gatePage, gateStride } from '../gate.js';
import { imagePieces, imageProtection, placeImage, type PeLayout } from '../images/image-loader.js';
import type { MemoryRegion } from '../memory/memory-map.js';
import { troubledRegions } from '../memory/memory-quirks.js';
import { applyNoExecute } from '../memory/no-execute.js';
import type { ConfigurationTableName, ProtocolName } from '../profiles.js';
import { installConsole } from '../protocols/console.js';
import { installLoadFile2 } from '../protocols/load-file2.js';
import { installLoadedImage } from '../protocols/loaded-image.js';
import { buildProcessorTables, identityGiB, type ProcessorTables } from './processor-tables.js';
import { buildXenTable, type TableMemory } from './xen-table.js';

/** A module of the Xen table. */
export interface FirmwareModule {
  readonly bytes: Uint8Array;
  readonly commandLine?: string;
}

/** What is booted, and with what. */
export interface BootInputs {
  readonly image: PeLayout;
  /** The image's file. */
  readonly file: Uint8Array;
  readonly commandLine: string;
  readonly initrd?: Uint8Array;
  readonly modules: readonly FirmwareModule[];
  /** Guest-physical address of the RSDP; 0 without ACPI. */
  readonly rsdp: number;
  /** What lies beside RAM; the PC's hole with the tables in it when left out. */
  readonly map?: GuestMap;
}

/** The state in which the image is entered, as far as the firmware decides it. UEFI 2.10 section 2.3.4. */
export interface FirmwareEntry extends ProcessorTables {
  readonly entryPoint: number; // guest-physical, identity mapped
  readonly imageBase: number;
  readonly imageBytes: number;
  readonly imageHandle: bigint; // RCX
  readonly systemTable: number; // RDX
  readonly stackPointer: number; // RSP: at the return address, RSP + 8 a multiple of 16
}

/** At least 128 KiB of stack are required; the rest is for the return address and the home space. UEFI 2.10 section 2.3.4. */
const stackPages = 36;

/** Lays out guest memory for an image: memory map, gates, tables, protocols, the image itself. Throws FirmwareError. */
export function setUp(fw: Firmware, inputs: BootInputs): FirmwareEntry {
  if (fw.imageHandle !== 0n) throw new FirmwareError('this firmware has booted already: make a new machine');
  fw.memoryMap.restore({
    regions: troubledRegions(initialRegions(fw.host.memory, inputs.map ?? pcMap), fw.overrides),
    key: 1,
  });
  fw.provided.occupy('firmware', 'page 0', 0, pageBytes);
  const memory = tableMemory(fw);
  const { runtimeGates, bootGates } = writeGates(fw, memory);
  const slotAddresses = new Map<string, bigint>();
  for (const slot of fw.slots.values()) {
    const page = slot.runtime ? runtimeGates : bootGates;
    slotAddresses.set(slot.name, slot.isNull ? 0n : BigInt(page + slot.gate * gateStride));
  }
  const slotAddress = (name: string): bigint => slotAddresses.get(name) ?? 0n;
  const newHandle = (): bigint => {
    const address = memory.allocatePool(MemoryType.EfiBootServicesData, 16, 'a handle');
    fw.provided.occupy('firmware', 'handles', address, 16);
    const handle = BigInt(address);
    fw.handles.add(handle);
    return handle;
  };

  const console = installConsole(fw, memory, slotAddress, newHandle());
  fw.tables.build(
    slotAddress,
    (bytes) => memory.allocatePool(MemoryType.EfiRuntimeServicesData, bytes, 'the System Table'),
    (bytes) => memory.allocatePool(MemoryType.EfiBootServicesData, bytes, 'the boot services table'),
    console,
  );
  const imageBase = placeImage(fw.memoryMap, inputs.image);
  const imagePages = Math.ceil(inputs.image.sizeOfImage / pageBytes);
  const pieces = imagePieces(inputs.image, inputs.file, imageBase);
  fw.memoryMap.set(imageBase, imagePages, MemoryType.EfiLoaderCode, false);
  fw.provided.occupy('firmware', 'image', imageBase, imagePages * pageBytes);
  for (const { rva, bytes } of pieces) memory.write(imageBase + rva, bytes);
  fw.imageHandle = newHandle();
  if (offers(fw, 'LoadedImage')) installLoadedImage(fw, memory, inputs, imageBase);
  if (inputs.initrd && offers(fw, 'LoadFile2')) installLoadFile2(fw, memory, slotAddress, newHandle(), inputs.initrd);
  installConfigurationTables(fw, memory, inputs);

  const vectorGate = (vector: number): number => bootGates + (GateGroup.vectors + vector) * gateStride;
  const protections = imageProtection(inputs.image, imageBase);
  const allNoExecute = fw.overrides['memory:no-execute'] !== undefined;
  const end = ramEnd(fw.host.memory);
  const policy = { protections, smallPageBytes: allNoExecute ? end : 0, identityGiB: identityGiB(end) };
  const processor = buildProcessorTables(memory, vectorGate, policy);
  const stack = memory.allocatePages(MemoryType.EfiBootServicesData, stackPages, 'the stack');
  fw.provided.occupy('firmware', 'stack', stack, stackPages * pageBytes);
  const stackPointer = stack + stackPages * pageBytes - 0x38; // return address, home space, alignment
  fw.imageReturn = BigInt(bootGates + GateGroup.imageReturn * gateStride);
  memory.write(stackPointer, u64Bytes(fw.imageReturn));
  if (allNoExecute) applyNoExecute(fw, processor.pageTables, inputs.image, imageBase);
  return {
    ...processor,
    usesNoExecute: processor.usesNoExecute || allNoExecute,
    entryPoint: imageBase + inputs.image.entryPoint,
    imageBase,
    imageBytes: imagePages * pageBytes,
    imageHandle: fw.imageHandle,
    systemTable: fw.tables.addresses.systemTable,
    stackPointer,
  };
}

export const regionTypes = {
  ram: MemoryType.EfiConventionalMemory,
  acpi: MemoryType.EfiACPIReclaimMemory,
  reserved: MemoryType.EfiReservedMemoryType,
} as const;

/**
 * What there is before anything is allocated. Page 0 is never handed out; a PC's hole is left out whatever the platform
 * says, because kernels take 640 KiB to 1 MiB for it.
 */
function initialRegions(ram: RamSizes, map: GuestMap): MemoryRegion[] {
  const region = (start: number, end: number, type: number): MemoryRegion => ({ start, end, type, allocated: false });
  const [first, ...rest] = rangesOfMap(ram, { ...map, hole: true }, true).map(({ start, end, kind }) =>
    region(start, Math.ceil(end / pageBytes) * pageBytes, regionTypes[kind]),
  );
  if (first === undefined) return [];
  const zero = region(0, pageBytes, MemoryType.EfiBootServicesData);
  return [zero, { ...first, start: pageBytes }, ...rest];
}

function tableMemory(fw: Firmware): TableMemory {
  const exhausted = (what: string): FirmwareError =>
    new FirmwareError(
      `${String(Math.floor(fw.host.memory.ramBytes / 2 ** 20))} MiB of guest RAM have no room for ${what}: give the machine more memory`,
    );
  return {
    allocatePages(type, pages, what) {
      const start = fw.memoryMap.findFree(pages);
      if (start === undefined) throw exhausted(what);
      fw.memoryMap.set(start, pages, type, false);
      return start;
    },
    allocatePool(type, bytes, what) {
      const address = fw.pool.allocate(type, bytes);
      if (address === undefined) throw exhausted(what);
      fw.host.memory.writePhysical(address, new Uint8Array(bytes));
      return address;
    },
    write(address, bytes) {
      fw.host.memory.writePhysical(address, bytes);
    },
    provided: fw.provided,
  };
}

/** One page of gates for run time and one for the rest, so that the latter can be reused after ExitBootServices. */
function writeGates(fw: Firmware, memory: TableMemory): { runtimeGates: number; bootGates: number } {
  const slots = [...fw.slots.values()];
  const runtimeGates = memory.allocatePages(MemoryType.EfiRuntimeServicesCode, 1, 'the runtime services');
  memory.write(runtimeGates, gatePage(slots.filter((slot) => slot.runtime).map((slot) => slot.gate)));
  const bootGates = memory.allocatePages(MemoryType.EfiBootServicesCode, 1, 'the boot services');
  for (const page of [runtimeGates, bootGates]) fw.provided.occupy('firmware', 'code', page, pageBytes);
  const vectors = Array.from({ length: 256 }, (_, vector) => GateGroup.vectors + vector);
  const gates = slots.filter((slot) => !slot.runtime).map((slot) => slot.gate);
  memory.write(bootGates, gatePage([...gates, GateGroup.notifyReturn, GateGroup.imageReturn, ...vectors]));
  return { runtimeGates, bootGates };
}

/** The configuration tables that the profile and its overrides name. */
export function installConfigurationTables(
  fw: Firmware,
  memory: TableMemory,
  inputs: Pick<BootInputs, 'rsdp' | 'initrd' | 'modules' | 'commandLine'>,
): void {
  const entries: { guid: string; address: bigint }[] = [];
  const add = (guid: string, address: number): void => {
    entries.push({ guid, address: BigInt(address) });
  };
  if (inputs.rsdp !== 0 && offersTable(fw, 'Acpi20')) add(Guid.EFI_ACPI_20_TABLE, inputs.rsdp);
  if (offersTable(fw, 'RtProperties')) {
    const address = memory.allocatePool(MemoryType.EfiRuntimeServicesData, RtPropertiesTable.size, 'RT_PROPERTIES');
    const table = {
      Version: 1,
      Length: RtPropertiesTable.size,
      RuntimeServicesSupported: supportedRuntimeServices(fw),
    };
    memory.write(address, RtPropertiesTable.encode(table));
    fw.provided.add(structureOf('firmware', RtPropertiesTable.name, address, [RtPropertiesTable]));
    add(Guid.EFI_RT_PROPERTIES_TABLE, address);
  }
  const wantsProtocol = offers(fw, 'Xen');
  if (offersTable(fw, 'Xen') || wantsProtocol) {
    const initrd = fw.profile.initrdInXenTable && inputs.initrd ? [{ bytes: inputs.initrd }] : [];
    const table = buildXenTable(memory, inputs.commandLine, [...initrd, ...inputs.modules], inputs.rsdp);
    if (offersTable(fw, 'Xen')) add(Guid.EFIKIT_XEN_TABLE, table);
    if (wantsProtocol) fw.handles.install(fw.imageHandle, Guid.EFIKIT_XEN_PROTOCOL, BigInt(table));
  }
  if (fw.overrides['protocol:Xen'] === 'null') fw.handles.install(fw.imageHandle, Guid.EFIKIT_XEN_PROTOCOL, 0n);
  fw.tables.setConfigurationTables(entries, (bytes) =>
    memory.allocatePool(MemoryType.EfiRuntimeServicesData, bytes, 'the configuration tables'),
  );
}

/** EFI_RT_SUPPORTED_* of the runtime services that act. */
function supportedRuntimeServices(fw: Firmware): number {
  let mask = 0;
  for (const slot of fw.slots.values()) if (slot.runtime && !slot.absent) mask |= runtimeSupportedBits[slot.name] ?? 0;
  return mask;
}

function offers(fw: Firmware, protocol: ProtocolName): boolean {
  const override = fw.overrides[`protocol:${protocol}`];
  return override === 'present' || (override === undefined && protocol in fw.profile.protocols);
}

function offersTable(fw: Firmware, table: ConfigurationTableName): boolean {
  const override = fw.overrides[`table:${table}`];
  return override === 'present' || (override === undefined && table in fw.profile.configurationTables);
}

function u64Bytes(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return bytes;
}
