import { guid, struct, u16, u32, u64 } from '../layout.js';

/** EFI_CONFIGURATION_TABLE: one entry. Whether VendorTable is physical at run time is the GUID's matter. UEFI 2.10 section 4.6. */
export const ConfigurationTable = struct('EFI_CONFIGURATION_TABLE', 24, [guid('VendorGuid'), u64('VendorTable')]);

/** EFI_RT_PROPERTIES_TABLE: which runtime services work after ExitBootServices. UEFI 2.10 section 4.6.2. */
export const RtPropertiesTable = struct('EFI_RT_PROPERTIES_TABLE', 8, [
  u16('Version'), // 1
  u16('Length'), // bytes
  u32('RuntimeServicesSupported'), // EFI_RT_SUPPORTED_*
]);

/** EFI_RT_SUPPORTED_*, by the service that the bit stands for. UEFI 2.10 section 4.6.2. */
export const runtimeSupportedBits: Readonly<Record<string, number>> = {
  GetTime: 0x0001,
  SetTime: 0x0002,
  GetWakeupTime: 0x0004,
  SetWakeupTime: 0x0008,
  GetVariable: 0x0010,
  GetNextVariableName: 0x0020,
  SetVariable: 0x0040,
  SetVirtualAddressMap: 0x0080,
  ConvertPointer: 0x0100,
  GetNextHighMonotonicCount: 0x0200,
  ResetSystem: 0x0400,
  UpdateCapsule: 0x0800,
  QueryCapsuleCapabilities: 0x1000,
  QueryVariableInfo: 0x2000,
};
