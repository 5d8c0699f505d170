/** The EFI System Table provider: what the machine, the doors and the reports use of it. */
export type { FirmwareEvent } from './log/firmware-event.js';
export {
  describeCall,
  describeEnd,
  describeMemoryMap,
  memoryTypeName,
  variableAttributes,
  type ServiceCall,
} from './log/describe.js';
export { FirmwareError } from './errors.js';
export {
  Firmware,
  type FirmwareOptions,
  type FirmwareState,
  type MissedService,
  type VirtualRange,
} from './firmware.js';
export { gateCode } from './gate.js';
export type { FirmwareHost, FirmwareRegister, ResetKind } from './host.js';
export type { PeLayout } from './images/image-loader.js';
export type { MapEntry } from './memory/memory-map.js';
export {
  linux,
  loader,
  profiles,
  proposal,
  tables,
  type Override,
  type Overrides,
  type OverrideTarget,
  type Profile,
  type ServiceName,
} from './profiles.js';
export { quirkOverrides, QuirkError, quirks, type Quirk } from './quirks.js';
export type { BootInputs, FirmwareEntry, FirmwareModule } from './set-up/set-up.js';
export {
  storageBytes,
  variableBytes,
  variableLimits,
  VariableStore,
  type CommitVariable,
  type StoredVariable,
  type Variable,
  type VariableChange,
} from './variables/variable-store.js';
