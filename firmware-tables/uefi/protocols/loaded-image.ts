import { struct, u32, u64 } from '../../layout.js';

/** EFI_LOADED_IMAGE_PROTOCOL. UEFI 2.10 section 9.1. */
export const LoadedImageProtocol = struct('EFI_LOADED_IMAGE_PROTOCOL', 96, [
  u32('Revision'), // 0x1000
  u32('Pad1'),
  u64('ParentHandle'),
  u64('SystemTable'),
  u64('DeviceHandle'), // 0: loaded from memory
  u64('FilePath'), // EFI_DEVICE_PATH_PROTOCOL *
  u64('Reserved'),
  u32('LoadOptionsSize'), // bytes
  u32('Pad2'),
  u64('LoadOptions'), // CHAR16 * by convention
  u64('ImageBase'),
  u64('ImageSize'), // bytes
  u32('ImageCodeType'), // EFI_MEMORY_TYPE
  u32('ImageDataType'),
  u64('Unload'),
]);

/** EFI_LOADED_IMAGE_PROTOCOL_REVISION. */
export const loadedImageRevision = 0x1000;
