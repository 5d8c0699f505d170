import { Guid } from './guids.js';
import { VariableAttribute as Attribute } from './runtime-services.js';

/** What the data of a variable is. */
export type VariableContent =
  | 'bytes'
  | 'ascii' // with a NUL
  | 'device-path' // one or more instances, to the end node
  | 'load-option' // EFI_LOAD_OPTION, UEFI 2.10 section 3.1.3
  | 'key-option' // EFI_KEY_OPTION, UEFI 2.10 section 3.1.6
  | 'array'; // of elements of `minimum` bytes

/** A variable that the specification defines, by its name; #### stands for four upper-case hexadecimal digits. */
export interface DefinedVariable {
  /** The attributes that it must have. */
  readonly attributes: number;
  /** Bytes of data. */
  readonly minimum: number;
  readonly maximum: number;
  readonly content: VariableContent;
  /**
   * Who refuses a write that is not the firmware's: 'always' before anything else is looked at; 'valid' only once
   * attributes and data are right, as EDK II's boot manager locks its variables.
   */
  readonly readOnly?: 'always' | 'valid';
}

const bootRuntime = Attribute.BOOTSERVICE_ACCESS | Attribute.RUNTIME_ACCESS;
const lasting = Attribute.NON_VOLATILE | bootRuntime;
const signed = lasting | Attribute.TIME_BASED_AUTHENTICATED_WRITE_ACCESS;
const any = Number.MAX_SAFE_INTEGER;

const data = (
  attributes: number,
  minimum: number,
  maximum: number,
  content: VariableContent = 'bytes',
): DefinedVariable => ({ attributes, minimum, maximum, content });
const firmwares = (variable: DefinedVariable, readOnly: 'always' | 'valid' = 'always'): DefinedVariable => ({
  ...variable,
  readOnly,
});

const devicePathHeader = 4;
const loadOptionHeader = 6; // Attributes and FilePathListLength
const keyOptionHeader = 12;
export const inputKeyBytes = 4;

/**
 * Variables of EFI_GLOBAL_VARIABLE, UEFI 2.10 section 3.3 (table 3.1), as EDK II 2022.11 checks them: it has no AuditMode,
 * DeployedMode, dbrDefault and OsRecovery. Read-only 'valid' are those that its boot manager locks.
 */
const globalVariables: Readonly<Record<string, DefinedVariable>> = {
  LangCodes: firmwares(data(bootRuntime, 1, any, 'ascii'), 'valid'),
  Lang: data(lasting, 1, any, 'ascii'),
  Timeout: data(lasting, 2, 2),
  PlatformLangCodes: firmwares(data(bootRuntime, 1, any, 'ascii'), 'valid'),
  PlatformLang: data(lasting, 1, any, 'ascii'),
  ConIn: data(lasting, devicePathHeader, any, 'device-path'),
  ConOut: data(lasting, devicePathHeader, any, 'device-path'),
  ErrOut: data(lasting, devicePathHeader, any, 'device-path'),
  ConInDev: data(bootRuntime, devicePathHeader, any, 'device-path'),
  ConOutDev: data(bootRuntime, devicePathHeader, any, 'device-path'),
  ErrOutDev: data(bootRuntime, devicePathHeader, any, 'device-path'),
  BootOrder: data(lasting, 2, any, 'array'),
  BootNext: data(lasting, 2, 2),
  BootCurrent: data(bootRuntime, 2, 2),
  BootOptionSupport: firmwares(data(bootRuntime, 4, 4), 'valid'),
  DriverOrder: data(lasting, 2, any, 'array'),
  SysPrepOrder: data(lasting, 2, any, 'array'),
  HwErrRecSupport: firmwares(data(lasting, 2, 2), 'valid'),
  SetupMode: firmwares(data(bootRuntime, 1, 1)),
  KEK: data(signed, 1, any),
  PK: data(signed, 1, any),
  SignatureSupport: firmwares(data(bootRuntime, 16, any, 'array')),
  SecureBoot: firmwares(data(bootRuntime, 1, 1)),
  KEKDefault: firmwares(data(bootRuntime, 1, any)),
  PKDefault: firmwares(data(bootRuntime, 1, any)),
  dbDefault: firmwares(data(bootRuntime, 1, any)),
  dbxDefault: firmwares(data(bootRuntime, 1, any)),
  dbtDefault: firmwares(data(bootRuntime, 1, any)),
  OsIndicationsSupported: firmwares(data(bootRuntime, 8, 8), 'valid'),
  OsIndications: data(lasting, 8, 8),
  VendorKeys: firmwares(data(bootRuntime, 1, 1)),
  'Boot####': data(lasting, loadOptionHeader, any, 'load-option'),
  'Driver####': data(lasting, loadOptionHeader, any, 'load-option'),
  'SysPrep####': data(lasting, loadOptionHeader, any, 'load-option'),
  'Key####': data(lasting, keyOptionHeader, keyOptionHeader + 3 * inputKeyBytes, 'key-option'),
  'PlatformRecovery####': data(bootRuntime, loadOptionHeader, any, 'load-option'),
};

/** The vendors whose variables are the specification's alone, each with its variables. UEFI 2.10 sections 3.3 and 8.2. */
export const definedVariables: ReadonlyMap<string, Readonly<Record<string, DefinedVariable>>> = new Map<
  string,
  Readonly<Record<string, DefinedVariable>>
>([
  [Guid.EFI_GLOBAL_VARIABLE, globalVariables],
  [
    Guid.EFI_IMAGE_SECURITY_DATABASE,
    { db: data(signed, 1, any), dbx: data(signed, 1, any), dbt: data(signed, 1, any) },
  ],
  [Guid.EFI_HARDWARE_ERROR_VARIABLE, { 'HwErrRec####': data(lasting | Attribute.HARDWARE_ERROR_RECORD, 1, any) }],
]);
