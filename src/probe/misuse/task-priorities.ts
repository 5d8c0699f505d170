import { Tpl } from '../../firmware/events/event.js';
import type { ServiceName } from '../../firmware/index.js';

const group = (highest: number, ...names: ServiceName[]): [ServiceName, number][] =>
  names.map((name) => [name, highest]);

/** The highest task priority level at which a service may be called. UEFI 2.10 section 7.1, table "TPL Restrictions". */
export const highestPriority: ReadonlyMap<string, number> = new Map([
  ...group(Tpl.application, 'ExitBootServices', 'WaitForEvent', 'LoadImage', 'StartImage'),
  ...group(Tpl.application, 'SimpleTextInput.Reset', 'SimpleTextInput.ReadKeyStroke'),
  ...group(Tpl.callback, 'Exit', 'UnloadImage', 'GetTime'),
  ...group(Tpl.callback, 'GetVariable', 'GetNextVariableName', 'SetVariable', 'QueryVariableInfo'),
  ...group(Tpl.notify, 'AllocatePages', 'FreePages', 'GetMemoryMap', 'AllocatePool', 'FreePool'),
  ...group(Tpl.notify, 'HandleProtocol', 'OpenProtocol', 'CloseProtocol', 'ProtocolsPerHandle'),
  ...group(Tpl.notify, 'LocateHandle', 'LocateHandleBuffer', 'LocateProtocol', 'LocateDevicePath'),
  ...group(Tpl.notify, 'InstallProtocolInterface', 'ReinstallProtocolInterface', 'UninstallProtocolInterface'),
  ...group(Tpl.notify, 'InstallMultipleProtocolInterfaces', 'UninstallMultipleProtocolInterfaces'),
  ...group(Tpl.notify, 'SimpleTextOutput.OutputString'),
]);
