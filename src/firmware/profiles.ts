import type { BootServiceName } from '../../firmware-tables/uefi/boot-services.js';
import type { TextInputFunctionName } from '../../firmware-tables/uefi/protocols/simple-text-input.js';
import type { TextOutputFunctionName } from '../../firmware-tables/uefi/protocols/simple-text-output.js';
import type { RuntimeServiceName } from '../../firmware-tables/uefi/runtime-services.js';

export type ProtocolFunctionName =
  `SimpleTextOutput.${TextOutputFunctionName}` | `SimpleTextInput.${TextInputFunctionName}` | 'LoadFile2.LoadFile';
export type ServiceName = BootServiceName | RuntimeServiceName | ProtocolFunctionName;
export type ProtocolName = 'LoadedImage' | 'LoadFile2' | 'SimpleTextInput' | 'SimpleTextOutput' | 'Xen';
export type ConfigurationTableName = 'Acpi20' | 'RtProperties' | 'Xen';

/** Which parts of EFI exist. Each entry says why it is there. */
export interface Profile {
  readonly name: string;
  readonly services: Readonly<Partial<Record<ServiceName, string>>>;
  /** Protocols that handles carry. Console tables exist in every profile, also where no handle carries them. */
  readonly protocols: Readonly<Partial<Record<ProtocolName, string>>>;
  readonly configurationTables: Readonly<Partial<Record<ConfigurationTableName, string>>>;
  /** Whether an initrd is module 0 of the Xen table, or comes by LoadFile2 alone. */
  readonly initrdInXenTable: boolean;
  /** No image is entered with these tables: a loader hands them to the kernel (boot_params' efi_info), services are gone. */
  readonly handedOver?: boolean;
}

/** The proposal of 2016: a kernel needs GetMemoryMap and ExitBootServices; Exit and variables serve tools. */
export const proposal: Profile = {
  name: 'proposal',
  services: {
    GetMemoryMap: 'required by the proposal',
    ExitBootServices: 'required by the proposal',
    Exit: 'the proposal: for tools, perhaps',
    GetVariable: 'the proposal: for tools and installers, perhaps',
    GetNextVariableName: 'as GetVariable',
    SetVariable: 'as GetVariable',
    QueryVariableInfo: 'as GetVariable',
  },
  protocols: {},
  configurationTables: {
    Acpi20: 'where the RSDP is',
    RtProperties: 'says that of the runtime services only the variable services work',
    Xen: 'command line and modules',
  },
  initrdInXenTable: true,
};

/**
 * What Linux EFI stubs need, by taking each away (fatal: no user space without it). docs/linux-profile.md has the boots that
 * say so.
 */
export const linux: Profile = {
  name: 'linux',
  services: {
    AllocatePages: 'fatal: boot_params and the unpacked kernel',
    AllocatePool: 'fatal: command line, memory map',
    FreePages: 'how a stub gives memory back when it gives up; no boot that succeeds calls it',
    FreePool: 'every stub gives memory back; nobody minds a refusal',
    GetMemoryMap: 'fatal',
    HandleProtocol: 'fatal: LoadedImage',
    LocateDevicePath: 'fatal with any status but SUCCESS and NOT_FOUND: the initrd',
    LocateProtocol: 'called without a check, for protocols that a machine may lack: RNG, TCG2, memory attributes',
    LocateHandle: 'as LocateProtocol: screens and PCI devices, where a stub does not call LocateHandleBuffer',
    InstallConfigurationTable: 'fatal: boot memory map, initrd',
    Exit: 'how a stub gives up',
    ExitBootServices: 'fatal',
    GetVariable: 'efivars; Secure Boot state',
    GetNextVariableName: 'efivars',
    SetVariable: 'efivars; each kernel deletes a variable DUMMY when it starts',
    QueryVariableInfo: 'efivars: before a variable is written, and for the free space',
    SetVirtualAddressMap: 'without it the kernel switches runtime services off',
    ResetSystem: 'power-off and reboot on a hardware-reduced platform; without it power-off goes by ACPI',
    'SimpleTextOutput.OutputString': 'messages; ConOut is used without a check',
    'LoadFile2.LoadFile': 'the initrd',
  },
  protocols: {
    LoadedImage: 'fatal: command line',
    LoadFile2: 'the initrd, at the vendor media path LINUX_EFI_INITRD_MEDIA',
    SimpleTextOutput: 'ConOut is used without a check, but no stub looks for its protocol',
  },
  configurationTables: {
    Acpi20: 'fatal: where the RSDP is',
    RtProperties: 'which runtime services work; a kernel without it tries them all',
    Xen: 'the same table as under the proposal, without the initrd; no Linux reads it',
  },
  initrdInXenTable: false,
};

/**
 * What boot loaders and tools need besides: events and timers, a console that can be typed at, protocols of their own, images
 * out of memory. There are no files. `.ci/evaluation/rows/images.mjs` runs what Debian has of them.
 */
export const loader: Profile = {
  ...linux,
  name: 'loader',
  services: {
    ...linux.services,
    CreateEvent: 'waiting with a time limit; being told of ExitBootServices',
    CreateEventEx: 'as CreateEvent, for a group',
    CloseEvent: 'as CreateEvent',
    SignalEvent: 'as CreateEvent',
    CheckEvent: 'as CreateEvent',
    WaitForEvent: 'waiting for a key',
    SetTimer: 'waiting with a time limit',
    RaiseTPL: 'drivers: keeps notification functions away',
    RestoreTPL: 'as RaiseTPL',
    Stall: 'loaders show a message for some seconds before they give up',
    SetWatchdogTimer: 'loaders switch it off',
    OpenProtocol: 'HandleProtocol for programs since EFI 1.1: GRUB, systemd-boot, iPXE',
    CloseProtocol: 'as OpenProtocol',
    LocateHandleBuffer: 'LocateHandle for programs since EFI 1.1',
    InstallProtocolInterface: 'drivers',
    ReinstallProtocolInterface: 'drivers',
    UninstallProtocolInterface: 'drivers',
    InstallMultipleProtocolInterfaces: 'drivers; shim',
    UninstallMultipleProtocolInterfaces: 'as InstallMultipleProtocolInterfaces',
    ProtocolsPerHandle: 'drivers and shells',
    ConnectController: 'loaders let drivers look for devices; there are none',
    DisconnectController: 'as ConnectController',
    LoadImage: 'loaders that have read an image',
    StartImage: 'as LoadImage',
    UnloadImage: 'as LoadImage',
    CalculateCrc32: 'GRUB and partition tools',
    CopyMem: 'EDK II libraries',
    SetMem: 'EDK II libraries',
    GetTime: 'time-outs and certificates',
    'SimpleTextOutput.Reset': 'menus',
    'SimpleTextOutput.TestString': 'menus',
    'SimpleTextOutput.QueryMode': 'menus: how large the screen is',
    'SimpleTextOutput.SetMode': 'menus',
    'SimpleTextOutput.SetAttribute': 'menus: colours',
    'SimpleTextOutput.ClearScreen': 'menus',
    'SimpleTextOutput.SetCursorPosition': 'menus',
    'SimpleTextOutput.EnableCursor': 'menus',
    'SimpleTextInput.Reset': 'menus',
    'SimpleTextInput.ReadKeyStroke': 'menus and prompts',
  },
  protocols: { ...linux.protocols, SimpleTextInput: 'found through the handle of the console' },
};

/**
 * EFI tables without services, as Xen gives them to an ARM dom0 with ACPI: a System Table whose pointers to services are
 * NULL, a memory map and where the RSDP is. For the door linux64, whose boot_params can name them (efi_info).
 */
export const tables: Profile = {
  name: 'tables',
  services: {},
  protocols: {},
  configurationTables: {
    Acpi20: 'where the RSDP is; boot_params does not say it then',
    RtProperties: 'says that no runtime service works',
  },
  initrdInXenTable: false,
  handedOver: true,
};

/** Every profile that is built, poorest first. */
export const profiles: readonly Profile[] = [tables, proposal, linux, loader];

/**
 * What an ablation or a quirk changes in a profile, by the name of a service, protocol or table:
 * `null` makes the slot (or the System Table's pointer) NULL, `absent` takes the part out as if the profile lacked it,
 * `present` adds it, a status is returned instead of acting, for the first `times` calls or always; `delay` lets each
 * call take so many ticks (1 ns) more; with `corrupt` the service acts, and the first `times` calls that leave something to
 * spoil, or all, are spoilt (corruptions.ts).
 */
export type Override =
  | 'null'
  | 'absent'
  | 'present'
  | { readonly status: bigint; readonly times?: number }
  | { readonly delay: number }
  | { readonly corrupt: string; readonly times?: number };
export type OverrideTarget = ServiceName | `protocol:${ProtocolName}` | `table:${ConfigurationTableName}`;

/** What an override changes of memory as the firmware shows it. */
export interface MemoryOverrides {
  /** RAM below this address (bytes) is reserved. */
  readonly 'memory:lowest'?: number;
  /** So many reserved pages are strewn over the upper half of RAM. */
  readonly 'memory:fragments'?: number;
  /** So much RAM (bytes) lies below 4 GiB, from address 0 on; the rest lies above. The machine's doors all see it. */
  readonly 'memory:below-4g'?: number;
  /** GetMemoryMap's DescriptorSize, bytes. */
  readonly 'memory:descriptor-bytes'?: number;
  /** So many bytes (a multiple of 16) on both sides of each pool block belong to nobody, so that overruns are found. */
  readonly 'memory:red-zones'?: number;
  /** Memory is not executable by its type: all types but code, or all but the firmware's own code. */
  readonly 'memory:no-execute'?: 'data' | 'all';
}
export type Overrides = Readonly<Partial<Record<OverrideTarget, Override>>> & MemoryOverrides;
