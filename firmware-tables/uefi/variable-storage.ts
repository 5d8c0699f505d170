/** The flash image of EDK II's variables (OVMF_VARS.fd). PI 1.8 volume 3 section 3.2; MdeModulePkg VariableFormat.h. */
import { bytes, guid, struct, u16, u32, u64, u8 } from '../layout.js';

/** EFI_FIRMWARE_VOLUME_HEADER without its block map. PI 1.8 volume 3 section 3.2.1. */
export const FirmwareVolumeHeader = struct('EFI_FIRMWARE_VOLUME_HEADER', 56, [
  bytes('ZeroVector', 16),
  guid('FileSystemGuid'),
  u64('FvLength'), // bytes, this header included
  u32('Signature'), // "_FVH"
  u32('Attributes'),
  u16('HeaderLength'), // bytes, block map included
  u16('Checksum'), // the 16-bit words of the header add up to 0
  u16('ExtHeaderOffset'),
  u8('Reserved'),
  u8('Revision'),
]);
export const firmwareVolumeSignature = 0x4856_465f;
/** EFI_SYSTEM_NV_DATA_FV_GUID: a volume that holds variables. */
export const systemNvDataGuid = 'fff12b8d-7696-4c8b-a985-2747075b4f50';

/** VARIABLE_STORE_HEADER. */
export const VariableStoreHeader = struct('VARIABLE_STORE_HEADER', 28, [
  guid('Signature'), // one of variableStoreGuids
  u32('Size'), // bytes, this header included
  u8('Format'), // variableStoreFormatted
  u8('State'), // variableStoreHealthy
  u16('Reserved'),
  u32('Reserved1'),
]);
export const variableStoreGuids = {
  authenticated: 'aaf32c78-947b-439a-a180-2e144ec37792', // gEfiAuthenticatedVariableGuid
  plain: 'ddcf3616-3275-4164-98b6-fe85707ffe7d', // gEfiVariableGuid
} as const;
export const variableStoreFormatted = 0x5a;
export const variableStoreHealthy = 0xfe;

/** VARIABLE_HEADER: of a store without authenticated variables. */
export const VariableHeader = struct('VARIABLE_HEADER', 32, [
  u16('StartId'), // variableStartId
  u8('State'), // one of variableStates
  u8('Reserved'),
  u32('Attributes'),
  u32('NameSize'), // bytes, NUL included
  u32('DataSize'), // bytes
  guid('VendorGuid'),
]);

/** AUTHENTICATED_VARIABLE_HEADER: of a store with authenticated variables. Name and data follow at once. */
export const AuthenticatedVariableHeader = struct('AUTHENTICATED_VARIABLE_HEADER', 60, [
  u16('StartId'), // variableStartId
  u8('State'), // one of variableStates
  u8('Reserved'),
  u32('Attributes'),
  u64('MonotonicCount'),
  bytes('TimeStamp', 16), // EFI_TIME
  u32('PubKeyIndex'),
  u32('NameSize'), // bytes, NUL included
  u32('DataSize'), // bytes
  guid('VendorGuid'),
]);
export const variableStartId = 0x55aa;

/** What State becomes, bit by bit, as a record is written and replaced: flash clears bits alone. */
export const variableStates = {
  headerValid: 0x7f, // VAR_HEADER_VALID_ONLY: name and data are being written
  added: 0x3f, // VAR_ADDED
  inDeletedTransition: 0x3e, // VAR_ADDED & VAR_IN_DELETED_TRANSITION: its successor is being written
} as const;

/** EFI_FAULT_TOLERANT_WORKING_BLOCK_HEADER; a queue of writes in progress follows it. MdeModulePkg FaultTolerantWrite.h. */
export const WorkingBlockHeader = struct('EFI_FAULT_TOLERANT_WORKING_BLOCK_HEADER', 32, [
  guid('Signature'), // workingBlockGuid
  u32('Crc'),
  u32('State'), // two bits: valid, invalid
  u64('WriteQueueSize'), // bytes
]);
export const workingBlockGuid = '9e58292b-7c68-497d-a0ce-6500fd9f1b95'; // EDKII_WORKING_BLOCK_SIGNATURE_GUID
