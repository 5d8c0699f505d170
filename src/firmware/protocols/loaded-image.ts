import { Guid } from '../../../firmware-tables/uefi/guids.js';
import { MemoryType } from '../../../firmware-tables/uefi/memory-descriptor.js';
import {
  DevicePathNode,
  DevicePathType,
  endOfDevicePath,
  MemoryMappedNode,
  memoryMappedSubtype,
} from '../../../firmware-tables/uefi/protocols/device-path.js';
import { LoadedImageProtocol, loadedImageRevision } from '../../../firmware-tables/uefi/protocols/loaded-image.js';
import { structureOf, type Part } from '../../memory/provided.js';
import type { Firmware } from '../firmware.js';
import { string16Bytes } from '../guest-access.js';
import type { BootInputs } from '../set-up/set-up.js';
import type { TableMemory } from '../set-up/xen-table.js';

/** Puts EFI_LOADED_IMAGE_PROTOCOL on the image's handle; the command line is its LoadOptions, in UCS-2. UEFI 2.10 section 9.1. */
export function installLoadedImage(fw: Firmware, memory: TableMemory, inputs: BootInputs, imageBase: number): void {
  const data = MemoryType.EfiBootServicesData;
  const write = (bytes: Uint8Array, name: string, parts: readonly Part[]): number => {
    const address = memory.allocatePool(data, bytes.length, name);
    memory.write(address, bytes);
    fw.provided.add(structureOf('firmware', name, address, parts));
    return address;
  };
  const options = inputs.commandLine === '' ? new Uint8Array(0) : string16Bytes(inputs.commandLine);
  const node = MemoryMappedNode.encode({
    Type: DevicePathType.hardware,
    SubType: memoryMappedSubtype,
    Length: MemoryMappedNode.size,
    MemoryType: MemoryType.EfiLoaderCode,
    StartAddress: imageBase,
    EndAddress: imageBase + inputs.image.sizeOfImage - 1,
  });
  const path = new Uint8Array(node.length + endOfDevicePath.length);
  path.set(node);
  path.set(endOfDevicePath, node.length);
  const protocol = LoadedImageProtocol.encode({
    Revision: loadedImageRevision,
    SystemTable: fw.tables.addresses.systemTable,
    FilePath: write(path, 'device path of the image', [MemoryMappedNode, { name: 'end', of: DevicePathNode }]),
    LoadOptionsSize: options.length,
    LoadOptions: options.length === 0 ? 0 : write(options, 'LoadOptions', [{ name: 'text', bytes: options.length }]),
    ImageBase: imageBase,
    ImageSize: inputs.image.sizeOfImage,
    ImageCodeType: MemoryType.EfiLoaderCode,
    ImageDataType: MemoryType.EfiLoaderData,
  });
  const address = write(protocol, LoadedImageProtocol.name, [LoadedImageProtocol]);
  fw.handles.install(fw.imageHandle, Guid.EFI_LOADED_IMAGE_PROTOCOL, BigInt(address));
}
