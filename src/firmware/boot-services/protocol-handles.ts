import { MemoryType } from '../../../firmware-tables/uefi/memory-descriptor.js';
import { guidBytes } from '../../../firmware-tables/guid.js';
import { guidName } from '../../../firmware-tables/uefi/guids.js';
import { Status } from '../../../firmware-tables/uefi/status.js';
import type { Firmware } from '../firmware.js';
import { declared, rawArgument, service } from '../service.js';

const hex = (value: bigint): string => `0x${value.toString(16)}`;

/** EFI_OPEN_PROTOCOL_*. UEFI 2.10 section 7.3.9. */
const OpenAttribute = { byHandle: 1, get: 2, test: 4, byChild: 8, byDriver: 16, exclusive: 32 } as const;
const openAttributes: ReadonlySet<number> = new Set([
  OpenAttribute.byHandle,
  OpenAttribute.get,
  OpenAttribute.test,
  OpenAttribute.byChild,
  OpenAttribute.byDriver,
  OpenAttribute.exclusive,
  OpenAttribute.byDriver | OpenAttribute.exclusive,
]);

/**
 * EFI_BOOT_SERVICES.OpenProtocol(). There are no drivers that could hold a protocol, so that nothing keeps it from being
 * opened, and no book of who did. UEFI 2.10 section 7.3.9.
 */
const OpenProtocol = service(
  {
    Handle: 'handle',
    Protocol: 'guid',
    Interface: 'pointer',
    AgentHandle: 'handle',
    ControllerHandle: 'handle',
    Attributes: 'uint32',
  },
  (fw, { Handle, Protocol, Interface, Attributes }, show) => {
    const tests = Attributes === OpenAttribute.test;
    if (Protocol === undefined || (Interface === 0n && !tests)) return Status.INVALID_PARAMETER;
    if (!fw.handles.has(Handle) || !openAttributes.has(Attributes)) return Status.INVALID_PARAMETER;
    const found = fw.handles.interfaceOf(Handle, Protocol);
    if (!tests) fw.guest.writeU64(Interface, found ?? 0n);
    if (found === undefined) return Status.UNSUPPORTED;
    show('Interface', hex(found));
    return Status.SUCCESS;
  },
);

/** EFI_BOOT_SERVICES.CloseProtocol(). UEFI 2.10 section 7.3.10. */
const CloseProtocol = service(
  { Handle: 'handle', Protocol: 'guid', AgentHandle: 'handle', ControllerHandle: 'handle' },
  (fw, { Handle, Protocol, AgentHandle }) => {
    if (Protocol === undefined || !fw.handles.has(Handle) || !fw.handles.has(AgentHandle))
      return Status.INVALID_PARAMETER;
    return fw.handles.interfaceOf(Handle, Protocol) === undefined ? Status.NOT_FOUND : Status.SUCCESS;
  },
);

const guidSize = 16; // bytes

/** An array in pool memory that the caller frees; undefined when there is no memory. */
function giveArray(fw: Firmware, words: readonly bigint[]): bigint | undefined {
  const address = fw.pool.allocate(MemoryType.EfiBootServicesData, words.length * 8);
  if (address === undefined) return undefined;
  const bytes = new DataView(new ArrayBuffer(words.length * 8));
  words.forEach((word, index) => {
    bytes.setBigUint64(index * 8, word, true);
  });
  fw.host.memory.writePhysical(address, new Uint8Array(bytes.buffer));
  return BigInt(address);
}

const SearchType = { AllHandles: 0, ByRegisterNotify: 1, ByProtocol: 2 } as const;

/** EFI_BOOT_SERVICES.LocateHandleBuffer(). UEFI 2.10 section 7.3.15. */
const LocateHandleBuffer = service(
  { SearchType: 'searchType', Protocol: 'guid', SearchKey: 'pointer', NoHandles: 'pointer', Buffer: 'pointer' },
  (fw, { SearchType: search, Protocol, SearchKey, NoHandles, Buffer }, show) => {
    if (NoHandles === 0n || Buffer === 0n || search > SearchType.ByProtocol) return Status.INVALID_PARAMETER;
    if (search === SearchType.ByProtocol && Protocol === undefined) return Status.INVALID_PARAMETER;
    if (search === SearchType.ByRegisterNotify) return SearchKey === 0n ? Status.INVALID_PARAMETER : Status.NOT_FOUND;
    fw.guest.writeU64(NoHandles, 0n);
    fw.guest.writeU64(Buffer, 0n);
    const found = fw.handles.list(search === SearchType.ByProtocol ? Protocol : undefined);
    if (found.length === 0) return Status.NOT_FOUND;
    const array = giveArray(fw, found);
    if (array === undefined) return Status.OUT_OF_RESOURCES;
    fw.guest.writeU64(NoHandles, BigInt(found.length));
    fw.guest.writeU64(Buffer, array);
    show('Buffer', found.map(hex));
    return Status.SUCCESS;
  },
  Status.NOT_FOUND,
);

/** EFI_BOOT_SERVICES.InstallProtocolInterface(). UEFI 2.10 section 7.3.2. */
const InstallProtocolInterface = service(
  { Handle: 'uintnAt', Protocol: 'guid', InterfaceType: 'uint32', Interface: 'pointer' },
  (fw, { Handle, Protocol, InterfaceType, Interface }, show) => {
    if (Protocol === undefined || InterfaceType !== 0) return Status.INVALID_PARAMETER;
    const given = fw.guest.readU64(Handle);
    fw.guest.requireWritable(Handle, 8);
    if (given !== 0n && !fw.handles.has(given)) return Status.INVALID_PARAMETER;
    if (given !== 0n && fw.handles.interfaceOf(given, Protocol) !== undefined) return Status.INVALID_PARAMETER;
    const handle = given === 0n ? fw.pool.allocate(MemoryType.EfiBootServicesData, 16) : given;
    if (handle === undefined) return Status.OUT_OF_RESOURCES;
    fw.handles.install(BigInt(handle), Protocol, Interface);
    fw.guest.writeU64(Handle, BigInt(handle));
    show('Handle', hex(BigInt(handle)));
    return Status.SUCCESS;
  },
);

interface Installed {
  readonly protocol: string;
  readonly address: bigint;
}

/** What follows the handle in a call with a variable number of arguments: GUIDs and interfaces in turn, up to a NULL. */
function* variableArguments(fw: Firmware): Generator<Installed> {
  for (let index = 1; index < mostArguments; index += 2) {
    const pointer = rawArgument(fw.host, fw.guest, index);
    if (pointer === 0n) return;
    yield { protocol: fw.guest.readGuid(pointer), address: rawArgument(fw.host, fw.guest, index + 1) };
  }
}
const mostArguments = 129;
/** The first of them, for the log. */
const variable = { Protocol: 'guidAt', Interface: 'pointer' } as const;

/** EFI_BOOT_SERVICES.InstallMultipleProtocolInterfaces(): all or none. UEFI 2.10 section 7.3.17. */
const InstallMultipleProtocolInterfaces = service({ Handle: 'uintnAt', ...variable }, (fw, { Handle }, show) => {
  const given = fw.guest.readU64(Handle);
  fw.guest.requireWritable(Handle, 8);
  const wanted = [...variableArguments(fw)];
  if (given !== 0n && !fw.handles.has(given)) return Status.INVALID_PARAMETER;
  const isThere = ({ protocol }: Installed): boolean => fw.handles.interfaceOf(given, protocol) !== undefined;
  const names = new Set(wanted.map(({ protocol }) => protocol));
  if (wanted.some(isThere) || names.size < wanted.length) return Status.INVALID_PARAMETER;
  if (wanted.length === 0) return Status.SUCCESS;
  const handle = given === 0n ? fw.pool.allocate(MemoryType.EfiBootServicesData, 16) : given;
  if (handle === undefined) return Status.OUT_OF_RESOURCES;
  for (const { protocol, address } of wanted) fw.handles.install(BigInt(handle), protocol, address);
  fw.guest.writeU64(Handle, BigInt(handle));
  show('Handle', hex(BigInt(handle)));
  show('Protocols', [...names].map(guidName));
  return Status.SUCCESS;
});

/** EFI_BOOT_SERVICES.UninstallMultipleProtocolInterfaces(): all or none. UEFI 2.10 section 7.3.18. */
const UninstallMultipleProtocolInterfaces = service({ Handle: 'handle', ...variable }, (fw, { Handle }) => {
  const wanted = [...variableArguments(fw)];
  const isThere = ({ protocol, address }: Installed): boolean => fw.handles.interfaceOf(Handle, protocol) === address;
  if (!fw.handles.has(Handle) || !wanted.every(isThere)) return Status.INVALID_PARAMETER;
  for (const { protocol } of wanted) fw.handles.uninstall(Handle, protocol);
  return Status.SUCCESS;
});

/** EFI_BOOT_SERVICES.ProtocolsPerHandle(): the GUIDs stand behind the pointers to them. UEFI 2.10 section 7.3.14. */
const ProtocolsPerHandle = service(
  { Handle: 'handle', ProtocolBuffer: 'pointer', ProtocolBufferCount: 'pointer' },
  (fw, { Handle, ProtocolBuffer, ProtocolBufferCount }, show) => {
    if (!fw.handles.has(Handle) || ProtocolBuffer === 0n || ProtocolBufferCount === 0n) return Status.INVALID_PARAMETER;
    fw.guest.requireWritable(ProtocolBuffer, 8);
    fw.guest.requireWritable(ProtocolBufferCount, 8);
    const names = fw.handles.protocolsOf(Handle);
    const address = fw.pool.allocate(MemoryType.EfiBootServicesData, names.length * (8 + guidSize));
    if (address === undefined) return Status.OUT_OF_RESOURCES;
    const block = new Uint8Array(names.length * (8 + guidSize));
    names.forEach((name, index) => {
      const at = names.length * 8 + index * guidSize;
      new DataView(block.buffer).setBigUint64(index * 8, BigInt(address + at), true);
      block.set(guidBytes(name), at);
    });
    fw.host.memory.writePhysical(address, block);
    fw.guest.writeU64(ProtocolBuffer, BigInt(address));
    fw.guest.writeU64(ProtocolBufferCount, BigInt(names.length));
    show('Protocols', names.map(guidName));
    return Status.SUCCESS;
  },
);

/** EFI_BOOT_SERVICES.UninstallProtocolInterface(). UEFI 2.10 section 7.3.3. */
const UninstallProtocolInterface = service(
  { Handle: 'handle', Protocol: 'guid', Interface: 'pointer' },
  (fw, { Handle, Protocol, Interface }) => {
    if (Protocol === undefined || !fw.handles.has(Handle)) return Status.INVALID_PARAMETER;
    if (fw.handles.interfaceOf(Handle, Protocol) !== Interface) return Status.NOT_FOUND;
    fw.handles.uninstall(Handle, Protocol);
    return Status.SUCCESS;
  },
);

/** EFI_BOOT_SERVICES.ReinstallProtocolInterface(). UEFI 2.10 section 7.3.4. */
const ReinstallProtocolInterface = service(
  { Handle: 'handle', Protocol: 'guid', OldInterface: 'pointer', NewInterface: 'pointer' },
  (fw, { Handle, Protocol, OldInterface, NewInterface }) => {
    if (Protocol === undefined || !fw.handles.has(Handle)) return Status.INVALID_PARAMETER;
    if (fw.handles.interfaceOf(Handle, Protocol) !== OldInterface) return Status.NOT_FOUND;
    fw.handles.install(Handle, Protocol, NewInterface);
    return Status.SUCCESS;
  },
);

/** EFI_BOOT_SERVICES.ConnectController(): there are no drivers to connect. UEFI 2.10 section 7.3.12. */
const ConnectController = service(
  { ControllerHandle: 'handle', DriverImageHandle: 'pointer', RemainingDevicePath: 'pointer', Recursive: 'boolean' },
  (fw, { ControllerHandle }) => (fw.handles.has(ControllerHandle) ? Status.NOT_FOUND : Status.INVALID_PARAMETER),
);

/** EFI_BOOT_SERVICES.DisconnectController(): no driver manages anything. UEFI 2.10 section 7.3.13. */
const DisconnectController = service(
  { ControllerHandle: 'handle', DriverImageHandle: 'handle', ChildHandle: 'handle' },
  (fw, { ControllerHandle }) => (fw.handles.has(ControllerHandle) ? Status.SUCCESS : Status.INVALID_PARAMETER),
);

/** Services about handles and what is installed on them, for loaders and drivers. UEFI 2.10 section 7.3. */
export const handleServices = {
  OpenProtocol,
  CloseProtocol,
  LocateHandleBuffer,
  InstallProtocolInterface,
  UninstallProtocolInterface,
  ReinstallProtocolInterface,
  InstallMultipleProtocolInterfaces,
  UninstallMultipleProtocolInterfaces,
  ProtocolsPerHandle,
  ConnectController,
  DisconnectController,
  RegisterProtocolNotify: declared({ Protocol: 'guid', Event: 'pointer', Registration: 'pointer' }),
  OpenProtocolInformation: declared({
    Handle: 'handle',
    Protocol: 'guid',
    EntryBuffer: 'pointer',
    EntryCount: 'pointer',
  }),
};
