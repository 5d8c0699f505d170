import type { Status } from '../../firmware-tables/uefi/status.js';
import type { ServiceName } from './profiles.js';

type StatusName = keyof typeof Status;

/**
 * What else than EFI_SUCCESS a service may return by "Status Codes Returned" of its section of UEFI 2.10, warnings
 * included. A service without such a list is left out: CopyMem and SetMem return nothing, ResetSystem does not return.
 */
export const specifiedStatuses: Readonly<Partial<Record<ServiceName, readonly StatusName[]>>> = {
  AllocatePages: ['OUT_OF_RESOURCES', 'INVALID_PARAMETER', 'NOT_FOUND'], // 7.2.1
  FreePages: ['NOT_FOUND', 'INVALID_PARAMETER'], // 7.2.2
  GetMemoryMap: ['BUFFER_TOO_SMALL', 'INVALID_PARAMETER'], // 7.2.3
  AllocatePool: ['OUT_OF_RESOURCES', 'INVALID_PARAMETER'], // 7.2.4
  FreePool: ['INVALID_PARAMETER'], // 7.2.5
  LocateHandle: ['NOT_FOUND', 'BUFFER_TOO_SMALL', 'INVALID_PARAMETER'], // 7.3.6
  HandleProtocol: ['UNSUPPORTED', 'INVALID_PARAMETER'], // 7.3.7
  LocateDevicePath: ['NOT_FOUND', 'INVALID_PARAMETER'], // 7.3.8
  LocateHandleBuffer: ['NOT_FOUND', 'OUT_OF_RESOURCES', 'INVALID_PARAMETER'], // 7.3.15
  LocateProtocol: ['NOT_FOUND', 'INVALID_PARAMETER'], // 7.3.16
  LoadImage: [
    'NOT_FOUND',
    'INVALID_PARAMETER',
    'UNSUPPORTED',
    'OUT_OF_RESOURCES',
    'LOAD_ERROR',
    'DEVICE_ERROR',
    'ACCESS_DENIED',
    'SECURITY_VIOLATION',
  ], // 7.4.1
  StartImage: ['INVALID_PARAMETER', 'SECURITY_VIOLATION'], // 7.4.2
  UnloadImage: ['UNSUPPORTED', 'INVALID_PARAMETER'], // 7.4.3
  Exit: ['INVALID_PARAMETER'], // 7.4.5
  ExitBootServices: ['INVALID_PARAMETER'], // 7.4.6
  InstallConfigurationTable: ['INVALID_PARAMETER', 'NOT_FOUND', 'OUT_OF_RESOURCES'], // 7.5.6
  CalculateCrc32: ['INVALID_PARAMETER'], // 7.5.7
  GetVariable: [
    'NOT_FOUND',
    'BUFFER_TOO_SMALL',
    'INVALID_PARAMETER',
    'DEVICE_ERROR',
    'SECURITY_VIOLATION',
    'UNSUPPORTED',
  ], // 8.2.1
  GetNextVariableName: ['NOT_FOUND', 'BUFFER_TOO_SMALL', 'INVALID_PARAMETER', 'DEVICE_ERROR', 'UNSUPPORTED'], // 8.2.2
  SetVariable: [
    'INVALID_PARAMETER',
    'OUT_OF_RESOURCES',
    'DEVICE_ERROR',
    'WRITE_PROTECTED',
    'SECURITY_VIOLATION',
    'NOT_FOUND',
    'UNSUPPORTED',
  ], // 8.2.3
  QueryVariableInfo: ['INVALID_PARAMETER', 'UNSUPPORTED'], // 8.2.4
  GetTime: ['INVALID_PARAMETER', 'DEVICE_ERROR', 'UNSUPPORTED'], // 8.3.1
  SetVirtualAddressMap: ['UNSUPPORTED', 'INVALID_PARAMETER', 'NO_MAPPING', 'NOT_FOUND'], // 8.4.1
  ConvertPointer: ['NOT_FOUND', 'INVALID_PARAMETER', 'UNSUPPORTED'], // 8.4.2
  'SimpleTextOutput.OutputString': ['DEVICE_ERROR', 'UNSUPPORTED', 'WARN_UNKNOWN_GLYPH'], // 12.4.3
  'LoadFile2.LoadFile': [
    'UNSUPPORTED',
    'INVALID_PARAMETER',
    'NO_MEDIA',
    'DEVICE_ERROR',
    'NO_RESPONSE',
    'NOT_FOUND',
    'ABORTED',
    'BUFFER_TOO_SMALL',
  ], // 13.2.2
};
