import { nested, struct, u64 } from '../layout.js';
import { TableHeader } from './table-header.js';

/** "BOOTSERV". UEFI 2.10 section 4.4. */
export const bootServicesSignature = 0x5652_4553_544f_4f42n;

/** The slots of EFI_BOOT_SERVICES in the table's order, each with its section of UEFI 2.10. */
export const bootServiceSlots = [
  { name: 'RaiseTPL', section: '7.1.8' },
  { name: 'RestoreTPL', section: '7.1.9' },
  { name: 'AllocatePages', section: '7.2.1' },
  { name: 'FreePages', section: '7.2.2' },
  { name: 'GetMemoryMap', section: '7.2.3' },
  { name: 'AllocatePool', section: '7.2.4' },
  { name: 'FreePool', section: '7.2.5' },
  { name: 'CreateEvent', section: '7.1.1' },
  { name: 'SetTimer', section: '7.1.7' },
  { name: 'WaitForEvent', section: '7.1.5' },
  { name: 'SignalEvent', section: '7.1.4' },
  { name: 'CloseEvent', section: '7.1.3' },
  { name: 'CheckEvent', section: '7.1.6' },
  { name: 'InstallProtocolInterface', section: '7.3.2' },
  { name: 'ReinstallProtocolInterface', section: '7.3.4' },
  { name: 'UninstallProtocolInterface', section: '7.3.3' },
  { name: 'HandleProtocol', section: '7.3.7' },
  { name: 'Reserved', section: '4.4' },
  { name: 'RegisterProtocolNotify', section: '7.3.5' },
  { name: 'LocateHandle', section: '7.3.6' },
  { name: 'LocateDevicePath', section: '7.3.8' },
  { name: 'InstallConfigurationTable', section: '7.5.6' },
  { name: 'LoadImage', section: '7.4.1' },
  { name: 'StartImage', section: '7.4.2' },
  { name: 'Exit', section: '7.4.5' },
  { name: 'UnloadImage', section: '7.4.3' },
  { name: 'ExitBootServices', section: '7.4.6' },
  { name: 'GetNextMonotonicCount', section: '7.5.5' },
  { name: 'Stall', section: '7.5.2' },
  { name: 'SetWatchdogTimer', section: '7.5.1' },
  { name: 'ConnectController', section: '7.3.12' },
  { name: 'DisconnectController', section: '7.3.13' },
  { name: 'OpenProtocol', section: '7.3.9' },
  { name: 'CloseProtocol', section: '7.3.10' },
  { name: 'OpenProtocolInformation', section: '7.3.11' },
  { name: 'ProtocolsPerHandle', section: '7.3.14' },
  { name: 'LocateHandleBuffer', section: '7.3.15' },
  { name: 'LocateProtocol', section: '7.3.16' },
  { name: 'InstallMultipleProtocolInterfaces', section: '7.3.17' },
  { name: 'UninstallMultipleProtocolInterfaces', section: '7.3.18' },
  { name: 'CalculateCrc32', section: '7.5.7' },
  { name: 'CopyMem', section: '7.5.3' },
  { name: 'SetMem', section: '7.5.4' },
  { name: 'CreateEventEx', section: '7.1.2' },
] as const;
export type BootServiceName = (typeof bootServiceSlots)[number]['name'];

/** EFI_BOOT_SERVICES: a header and function pointers. UEFI 2.10 section 4.4. */
export const BootServices = struct('EFI_BOOT_SERVICES', 376, [
  nested('Hdr', TableHeader),
  ...bootServiceSlots.map((slot) => u64(slot.name)),
]);
