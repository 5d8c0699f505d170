import {
  MemoryAttribute,
  MemoryDescriptor,
  memoryDescriptorVersion,
  pageBytes,
} from '../../../firmware-tables/uefi/memory-descriptor.js';
import { Status } from '../../../firmware-tables/uefi/status.js';
import type { VirtualRange } from '../firmware.js';
import { byteCount } from '../guest-access.js';
import { service } from '../service.js';

/** EFI_OPTIONAL_PTR: ConvertPointer lets NULL pass. UEFI 2.10 section 8.4.2. */
const optionalPointer = 1n;

/** The virtual address of a physical one; undefined when no range holds it. */
function toVirtual(ranges: readonly VirtualRange[], physical: bigint): bigint | undefined {
  const at = Number(physical);
  const range = ranges.find((candidate) => candidate.physical <= at && at < candidate.physical + candidate.bytes);
  return range && range.virtual + BigInt(at - range.physical);
}

function rangeText({ physical, bytes, virtual }: VirtualRange): string {
  const end = BigInt(bytes - 1);
  return `0x${physical.toString(16)}-0x${(physical + bytes - 1).toString(16)} at 0x${virtual.toString(16)}-0x${(virtual + end).toString(16)}`;
}

/** True when every byte of the range lies in some virtual range. */
function covered(ranges: readonly VirtualRange[], start: number, bytes: number): boolean {
  let at = start;
  while (at < start + bytes) {
    const range = ranges.find((candidate) => candidate.physical <= at && at < candidate.physical + candidate.bytes);
    if (!range) return false;
    at = range.physical + range.bytes;
  }
  return true;
}

/** EFI_RUNTIME_SERVICES.SetVirtualAddressMap(): once, after ExitBootServices. UEFI 2.10 section 8.4.1. */
const SetVirtualAddressMap = service(
  { MemoryMapSize: 'uintn', DescriptorSize: 'uintn', DescriptorVersion: 'uint32', VirtualMap: 'pointer' },
  (fw, { MemoryMapSize, DescriptorSize, DescriptorVersion, VirtualMap }, show) => {
    if (!fw.bootServicesEnded || fw.virtualMap) return Status.UNSUPPORTED;
    if (
      DescriptorVersion !== memoryDescriptorVersion ||
      DescriptorSize < BigInt(MemoryDescriptor.size) ||
      VirtualMap === 0n
    ) {
      return Status.INVALID_PARAMETER;
    }
    const bytes = fw.guest.read(VirtualMap, byteCount(MemoryMapSize, VirtualMap));
    const stride = Number(DescriptorSize);
    const ranges: VirtualRange[] = [];
    for (let at = 0; at + stride <= bytes.length; at += stride) {
      const descriptor = MemoryDescriptor.decode(bytes, at);
      if (!(descriptor.Attribute & MemoryAttribute.RUNTIME)) continue;
      const physical = Number(descriptor.PhysicalStart);
      const length = Number(descriptor.NumberOfPages) * pageBytes;
      if (!fw.memoryMap.every(physical, length / pageBytes, () => true)) return Status.NOT_FOUND;
      ranges.push({ physical, bytes: length, virtual: descriptor.VirtualStart });
    }
    for (const { start, pages, attribute } of fw.memoryMap.entries()) {
      if (attribute & MemoryAttribute.RUNTIME && !covered(ranges, start, pages * pageBytes)) return Status.NO_MAPPING;
    }
    fw.virtualMap = ranges;
    fw.tables.convertPointers((physical) => toVirtual(ranges, physical) ?? physical);
    show('VirtualMap', ranges.map(rangeText));
    return Status.SUCCESS;
  },
);

/**
 * EFI_RUNTIME_SERVICES.ConvertPointer(): only for drivers while SetVirtualAddressMap notifies them. No driver can be
 * notified here, so before a virtual map is set there is nothing to convert by. UEFI 2.10 section 8.4.2.
 */
const ConvertPointer = service(
  { DebugDisposition: 'uintn', Address: 'uintnAt' },
  (fw, { DebugDisposition, Address }, show) => {
    if (!fw.virtualMap) return Status.UNSUPPORTED;
    if (Address === 0n) return Status.INVALID_PARAMETER;
    const pointer = fw.guest.readU64(Address);
    if (pointer === 0n) return DebugDisposition & optionalPointer ? Status.SUCCESS : Status.INVALID_PARAMETER;
    const converted = toVirtual(fw.virtualMap, pointer);
    if (converted === undefined) return Status.NOT_FOUND;
    fw.guest.writeU64(Address, converted);
    show('Address', `0x${converted.toString(16)}`);
    return Status.SUCCESS;
  },
);

/** Virtual memory services. UEFI 2.10 section 8.4. */
export const virtualMemoryServices = { SetVirtualAddressMap, ConvertPointer };
