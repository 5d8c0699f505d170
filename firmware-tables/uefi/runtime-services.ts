import { nested, struct, u64 } from '../layout.js';
import { TableHeader } from './table-header.js';

/** "RUNTSERV". UEFI 2.10 section 4.5. */
export const runtimeServicesSignature = 0x5652_4553_544e_5552n;

/** The slots of EFI_RUNTIME_SERVICES in the table's order, each with its section of UEFI 2.10. */
export const runtimeServiceSlots = [
  { name: 'GetTime', section: '8.3.1' },
  { name: 'SetTime', section: '8.3.2' },
  { name: 'GetWakeupTime', section: '8.3.3' },
  { name: 'SetWakeupTime', section: '8.3.4' },
  { name: 'SetVirtualAddressMap', section: '8.4.1' },
  { name: 'ConvertPointer', section: '8.4.2' },
  { name: 'GetVariable', section: '8.2.1' },
  { name: 'GetNextVariableName', section: '8.2.2' },
  { name: 'SetVariable', section: '8.2.3' },
  { name: 'GetNextHighMonotonicCount', section: '8.5.2' },
  { name: 'ResetSystem', section: '8.5.1' },
  { name: 'UpdateCapsule', section: '8.5.3' },
  { name: 'QueryCapsuleCapabilities', section: '8.5.4' },
  { name: 'QueryVariableInfo', section: '8.2.4' },
] as const;
export type RuntimeServiceName = (typeof runtimeServiceSlots)[number]['name'];

/** EFI_RUNTIME_SERVICES: a header and function pointers. UEFI 2.10 section 4.5. */
export const RuntimeServices = struct('EFI_RUNTIME_SERVICES', 136, [
  nested('Hdr', TableHeader),
  ...runtimeServiceSlots.map((slot) => u64(slot.name)),
]);

/** EFI_RESET_TYPE. UEFI 2.10 section 8.5.1. */
export const ResetType = {
  EfiResetCold: 0,
  EfiResetWarm: 1,
  EfiResetShutdown: 2,
  EfiResetPlatformSpecific: 3,
} as const;

/** EFI_VARIABLE_*: attributes of a variable. UEFI 2.10 section 8.2.1. */
export const VariableAttribute = {
  NON_VOLATILE: 0x01,
  BOOTSERVICE_ACCESS: 0x02,
  RUNTIME_ACCESS: 0x04,
  HARDWARE_ERROR_RECORD: 0x08,
  AUTHENTICATED_WRITE_ACCESS: 0x10, // deprecated
  TIME_BASED_AUTHENTICATED_WRITE_ACCESS: 0x20,
  APPEND_WRITE: 0x40,
  ENHANCED_AUTHENTICATED_ACCESS: 0x80,
} as const;
