import { Guid } from '../../../firmware-tables/uefi/guids.js';
import { MemoryType } from '../../../firmware-tables/uefi/memory-descriptor.js';
import {
  DevicePathNode,
  DevicePathType,
  endOfDevicePath,
  VendorMediaNode,
  vendorMediaSubtype,
} from '../../../firmware-tables/uefi/protocols/device-path.js';
import { LoadFile2Protocol } from '../../../firmware-tables/uefi/protocols/load-file2.js';
import { Status } from '../../../firmware-tables/uefi/status.js';
import { structureOf } from '../../memory/provided.js';
import type { Firmware } from '../firmware.js';
import { readDevicePathNodes } from '../log/device-path.js';
import { service } from '../service.js';
import type { TableMemory } from '../set-up/xen-table.js';

/** EFI_LOAD_FILE2_PROTOCOL.LoadFile(): the initrd, the one file here, so that nothing of the path may be left. UEFI 2.10 section 13.2.2. */
const LoadFile = service(
  { This: 'pointer', FilePath: 'devicePath', BootPolicy: 'boolean', BufferSize: 'uintnAt', Buffer: 'pointer' },
  (fw, { This, FilePath, BootPolicy, BufferSize, Buffer }, show) => {
    if (BootPolicy) return Status.UNSUPPORTED;
    if (This !== fw.loadFile2 || FilePath === 0n || BufferSize === 0n) return Status.INVALID_PARAMETER;
    const path = readDevicePathNodes(fw.guest, FilePath);
    if (!path) return Status.INVALID_PARAMETER;
    if (path.length > 0 || !fw.initrd) return Status.NOT_FOUND;
    const size = BigInt(fw.initrd.length);
    const given = fw.guest.readU64(BufferSize);
    fw.guest.writeU64(BufferSize, size);
    show('BufferSize', `0x${size.toString(16)}`);
    if (Buffer === 0n || given < size) return Status.BUFFER_TOO_SMALL;
    fw.guest.write(Buffer, fw.initrd);
    return Status.SUCCESS;
  },
);

export const loadFile2Services = { 'LoadFile2.LoadFile': LoadFile };

/** A handle with the vendor media path under which Linux looks for an initrd. Linux Documentation/arch/x86/boot.rst, efi-stub.rst. */
export function installLoadFile2(
  fw: Firmware,
  memory: TableMemory,
  slotAddress: (name: string) => bigint,
  handle: bigint,
  initrd: Uint8Array,
): void {
  const data = MemoryType.EfiBootServicesData;
  const path = new Uint8Array(VendorMediaNode.size + endOfDevicePath.length);
  path.set(
    VendorMediaNode.encode({
      Type: DevicePathType.media,
      SubType: vendorMediaSubtype,
      Length: VendorMediaNode.size,
      VendorGuid: Guid.LINUX_EFI_INITRD_MEDIA,
    }),
  );
  path.set(endOfDevicePath, VendorMediaNode.size);
  const pathAddress = memory.allocatePool(data, path.length, 'the initrd device path');
  memory.write(pathAddress, path);
  const protocol = memory.allocatePool(data, LoadFile2Protocol.size, 'LoadFile2');
  memory.write(protocol, LoadFile2Protocol.encode({ LoadFile: slotAddress('LoadFile2.LoadFile') }));
  const pathParts = [VendorMediaNode, { name: 'end', of: DevicePathNode }];
  fw.provided.add(structureOf('firmware', 'device path of the initrd', pathAddress, pathParts));
  fw.provided.add(structureOf('firmware', LoadFile2Protocol.name, protocol, [LoadFile2Protocol]));
  fw.handles.install(handle, Guid.EFI_DEVICE_PATH_PROTOCOL, BigInt(pathAddress));
  fw.handles.install(handle, Guid.EFI_LOAD_FILE2_PROTOCOL, BigInt(protocol));
  fw.loadFile2 = BigInt(protocol);
  fw.initrd = initrd;
}
