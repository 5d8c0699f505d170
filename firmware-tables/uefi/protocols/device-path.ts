import { guid, struct, u16, u32, u64, u8 } from '../../layout.js';

/** EFI_DEVICE_PATH_PROTOCOL: the header of every node. UEFI 2.10 section 10.2. */
export const DevicePathNode = struct('EFI_DEVICE_PATH_PROTOCOL', 4, [
  u8('Type'),
  u8('SubType'),
  u16('Length'), // bytes, header included
]);

/** Vendor-Defined Media Device Path, type 4, subtype 3. UEFI 2.10 section 10.3.5.3. */
export const VendorMediaNode = struct('VendorMediaDevicePath', 20, [
  u8('Type'),
  u8('SubType'),
  u16('Length'),
  guid('VendorGuid'),
]);

/** Memory Mapped Device Path, type 1, subtype 3. UEFI 2.10 section 10.3.2.3. */
export const MemoryMappedNode = struct('MemoryMappedDevicePath', 24, [
  u8('Type'),
  u8('SubType'),
  u16('Length'),
  u32('MemoryType'),
  u64('StartAddress'),
  u64('EndAddress'), // the last byte
]);

export const DevicePathType = { hardware: 1, media: 4, end: 0x7f } as const;
export const memoryMappedSubtype = 3;
export const vendorMediaSubtype = 3;
export const endEntireSubtype = 0xff;

/** End Entire Device Path. UEFI 2.10 section 10.3.1. */
export const endOfDevicePath = DevicePathNode.encode({
  Type: DevicePathType.end,
  SubType: endEntireSubtype,
  Length: 4,
});
