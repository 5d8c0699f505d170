import { Guid } from '../../../firmware-tables/uefi/guids.js';
import { Status } from '../../../firmware-tables/uefi/status.js';
import { devicePathText, readDevicePathNodes } from '../log/device-path.js';
import { service } from '../service.js';

const hex = (value: bigint): string => `0x${value.toString(16)}`;

/** EFI_BOOT_SERVICES.HandleProtocol(). UEFI 2.10 section 7.3.7. */
const HandleProtocol = service(
  { Handle: 'handle', Protocol: 'guid', Interface: 'pointer' },
  (fw, { Handle, Protocol, Interface }, show) => {
    if (!fw.handles.has(Handle) || Protocol === undefined || Interface === 0n) return Status.INVALID_PARAMETER;
    const found = fw.handles.interfaceOf(Handle, Protocol);
    fw.guest.writeU64(Interface, found ?? 0n);
    if (found === undefined) return Status.UNSUPPORTED;
    show('Interface', hex(found));
    return Status.SUCCESS;
  },
);

/** EFI_BOOT_SERVICES.LocateProtocol(). UEFI 2.10 section 7.3.16. */
const LocateProtocol = service(
  { Protocol: 'guid', Registration: 'pointer', Interface: 'pointer' },
  (fw, { Protocol, Registration, Interface }, show) => {
    if (Protocol === undefined || Interface === 0n) return Status.INVALID_PARAMETER;
    const handle = Registration === 0n ? fw.handles.list(Protocol)[0] : undefined;
    const found = handle === undefined ? undefined : fw.handles.interfaceOf(handle, Protocol);
    fw.guest.writeU64(Interface, found ?? 0n);
    if (found === undefined) return Status.NOT_FOUND;
    show('Interface', hex(found));
    return Status.SUCCESS;
  },
  Status.NOT_FOUND,
);

const SearchType = { AllHandles: 0, ByRegisterNotify: 1, ByProtocol: 2 } as const;

/** EFI_BOOT_SERVICES.LocateHandle(). A size without a buffer is refused before anything is looked up, as in EDK II. UEFI 2.10 section 7.3.6. */
const LocateHandle = service(
  { SearchType: 'searchType', Protocol: 'guid', SearchKey: 'pointer', BufferSize: 'uintnAt', Buffer: 'pointer' },
  (fw, { SearchType: search, Protocol, SearchKey, BufferSize, Buffer }, show) => {
    if (search > SearchType.ByProtocol || BufferSize === 0n) return Status.INVALID_PARAMETER;
    const given = fw.guest.readU64(BufferSize);
    if (given > 0n && Buffer === 0n) return Status.INVALID_PARAMETER;
    if (search === SearchType.ByProtocol && Protocol === undefined) return Status.INVALID_PARAMETER;
    if (search === SearchType.ByRegisterNotify) return SearchKey === 0n ? Status.INVALID_PARAMETER : Status.NOT_FOUND;
    const found = fw.handles.list(search === SearchType.ByProtocol ? Protocol : undefined);
    if (found.length === 0) return Status.NOT_FOUND;
    const needed = BigInt(found.length * 8);
    fw.guest.writeU64(BufferSize, needed);
    show('BufferSize', hex(needed));
    if (given < needed) return Status.BUFFER_TOO_SMALL;
    found.forEach((handle, index) => {
      fw.guest.writeU64(Buffer + BigInt(index * 8), handle);
    });
    show('Buffer', found.map(hex));
    return Status.SUCCESS;
  },
  Status.NOT_FOUND,
);

const sameBytes = (a: Uint8Array, b: Uint8Array | undefined): boolean =>
  a.length === b?.length && a.every((byte, index) => byte === b[index]);

/** EFI_BOOT_SERVICES.LocateDevicePath(): the handle with the longest path that begins the given one. UEFI 2.10 section 7.3.8. */
const LocateDevicePath = service(
  { Protocol: 'guid', DevicePath: 'devicePathAt', Device: 'pointer' },
  (fw, { Protocol, DevicePath, Device }, show) => {
    if (Protocol === undefined || DevicePath === 0n) return Status.INVALID_PARAMETER;
    const start = fw.guest.readU64(DevicePath);
    if (start === 0n) return Status.INVALID_PARAMETER;
    const wanted = readDevicePathNodes(fw.guest, start);
    if (!wanted) return Status.INVALID_PARAMETER;
    let best: { readonly handle: bigint; readonly nodes: number } | undefined;
    for (const handle of fw.handles.list(Protocol)) {
      const path = fw.handles.interfaceOf(handle, Guid.EFI_DEVICE_PATH_PROTOCOL);
      const nodes = path === undefined ? undefined : readDevicePathNodes(fw.guest, path);
      if (!nodes || !nodes.every((node, index) => sameBytes(node, wanted[index]))) continue;
      if (!best || nodes.length > best.nodes) best = { handle, nodes: nodes.length };
    }
    if (!best) return Status.NOT_FOUND;
    if (Device === 0n) return Status.INVALID_PARAMETER;
    const matched = wanted.slice(0, best.nodes).reduce((sum, node) => sum + node.length, 0);
    fw.guest.writeU64(Device, best.handle);
    fw.guest.writeU64(DevicePath, start + BigInt(matched));
    show('Device', hex(best.handle));
    show('DevicePath', `${hex(start + BigInt(matched))} (=${devicePathText(wanted.slice(best.nodes))})`);
    return Status.SUCCESS;
  },
  Status.NOT_FOUND,
);

/** Protocol services. UEFI 2.10 section 7.3. */
export const protocolServices = {
  HandleProtocol,
  LocateProtocol,
  LocateHandle,
  LocateDevicePath,
};
