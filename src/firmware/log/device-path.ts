import {
  DevicePathNode,
  DevicePathType,
  MemoryMappedNode,
  memoryMappedSubtype,
  VendorMediaNode,
  vendorMediaSubtype,
} from '../../../firmware-tables/uefi/protocols/device-path.js';
import { guidName } from '../../../firmware-tables/uefi/guids.js';
import { memoryTypeName } from './describe.js';
import type { GuestAccess } from '../guest-access.js';

const mostNodes = 256;

/** Nodes of a device path up to its first end node, as bytes; undefined when it never ends. UEFI 2.10 section 10.2. */
export function readDevicePathNodes(guest: GuestAccess, address: bigint): Uint8Array[] | undefined {
  const nodes: Uint8Array[] = [];
  for (let at = address; nodes.length < mostNodes;) {
    const { Type, Length } = DevicePathNode.decode(guest.read(at, DevicePathNode.size));
    if (Type === DevicePathType.end) return nodes;
    if (Length < DevicePathNode.size) return undefined;
    nodes.push(guest.read(at, Length));
    at += BigInt(Length);
  }
  return undefined;
}

/**
 * A device path as text: nodes with a slash between them, in the generic form where the node has no other here; `(end)` for
 * one that has no node. UEFI 2.10 section 10.6.1.6.
 */
export function devicePathText(nodes: readonly Uint8Array[]): string {
  return nodes.length === 0 ? '(end)' : nodes.map(nodeText).join('/');
}

function nodeText(node: Uint8Array): string {
  const { Type, SubType } = DevicePathNode.decode(node);
  const is = (type: number, subtype: number, bytes: number): boolean =>
    Type === type && SubType === subtype && node.length >= bytes;
  if (is(DevicePathType.media, vendorMediaSubtype, VendorMediaNode.size)) {
    const data = node.slice(VendorMediaNode.size);
    return `VenMedia(${guidName(VendorMediaNode.decode(node).VendorGuid)}${data.length > 0 ? `,${hexText(data)}` : ''})`;
  }
  if (is(DevicePathType.hardware, memoryMappedSubtype, MemoryMappedNode.size)) {
    const { MemoryType, StartAddress, EndAddress } = MemoryMappedNode.decode(node);
    return `MemoryMapped(${memoryTypeName(MemoryType)},0x${StartAddress.toString(16)},0x${EndAddress.toString(16)})`;
  }
  const data = node.slice(DevicePathNode.size);
  return `Path(${String(Type)},${String(SubType)}${data.length > 0 ? `,${hexText(data)}` : ''})`;
}

const hexText = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
