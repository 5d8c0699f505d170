import {
  AllocateType,
  firstOemMemoryType,
  MemoryDescriptor,
  memoryDescriptorVersion,
  MemoryType,
  pageBytes,
} from '../../../firmware-tables/uefi/memory-descriptor.js';
import { Status } from '../../../firmware-tables/uefi/status.js';
import { ramEnd } from '../../memory/ram-map.js';
import type { MapEntry } from '../memory/memory-map.js';
import { describeMemoryMap, describeValue } from '../log/describe.js';
import { service } from '../service.js';

/** Bytes from one descriptor to the next: larger than the structure, so that nobody relies on its size. UEFI 2.10 section 7.2.3. */
export const descriptorBytes = 48;

/** Types that a caller may allocate. UEFI 2.10 section 7.2.1. */
function allocatable(type: number): boolean {
  if (type >= MemoryType.EfiMaxMemoryType) return type >= firstOemMemoryType;
  return (
    type !== MemoryType.EfiConventionalMemory &&
    type !== MemoryType.EfiPersistentMemory &&
    type !== MemoryType.EfiUnacceptedMemoryType
  );
}

/** EFI_BOOT_SERVICES.AllocatePages(). No pages at all cannot be found, as in EDK II. UEFI 2.10 section 7.2.1. */
const AllocatePages = service(
  { Type: 'allocateType', MemoryType: 'memoryType', Pages: 'uintn', Memory: 'uintnAt' },
  (fw, { Type, MemoryType: type, Pages, Memory }, show) => {
    if (Type > AllocateType.AllocateAddress || !allocatable(type) || Memory === 0n) return Status.INVALID_PARAMETER;
    const wanted = Type === AllocateType.AllocateAnyPages ? 0n : fw.guest.readU64(Memory);
    fw.guest.requireWritable(Memory, 8);
    if (Pages === 0n || Pages > BigInt(fw.host.memory.ramBytes / pageBytes)) {
      return Type === AllocateType.AllocateAddress ? Status.NOT_FOUND : Status.OUT_OF_RESOURCES;
    }
    const pages = Number(Pages);
    let start: number | undefined;
    if (Type === AllocateType.AllocateAddress) {
      if (wanted % BigInt(pageBytes) !== 0n) return Status.NOT_FOUND;
      start =
        wanted < BigInt(ramEnd(fw.host.memory)) && fw.memoryMap.isFree(Number(wanted), pages)
          ? Number(wanted)
          : undefined;
      if (start === undefined) return Status.NOT_FOUND;
    } else {
      const last = BigInt(ramEnd(fw.host.memory) - 1);
      const limit = Type === AllocateType.AllocateMaxAddress && wanted < last ? wanted : last;
      start = fw.memoryMap.findFree(pages, Number(limit));
      if (start === undefined) return Status.OUT_OF_RESOURCES;
    }
    fw.memoryMap.set(start, pages, type, true);
    fw.guest.writeU64(Memory, BigInt(start));
    show('Memory', `0x${start.toString(16)}`);
    return Status.SUCCESS;
  },
);

/** EFI_BOOT_SERVICES.FreePages(). UEFI 2.10 section 7.2.2. */
const FreePages = service({ Memory: 'uint64', Pages: 'uintn' }, (fw, { Memory, Pages }) => {
  if (Memory % BigInt(pageBytes) !== 0n || Pages === 0n) return Status.INVALID_PARAMETER;
  if (Memory + Pages * BigInt(pageBytes) > BigInt(ramEnd(fw.host.memory))) return Status.NOT_FOUND;
  const start = Number(Memory);
  if (!fw.memoryMap.every(start, Number(Pages), (region) => region.allocated)) return Status.NOT_FOUND;
  fw.memoryMap.set(start, Number(Pages), MemoryType.EfiConventionalMemory, false);
  return Status.SUCCESS;
});

/** The entries as GetMemoryMap gives them. */
export function encodeMemoryMap(entries: readonly MapEntry[], stride = descriptorBytes): Uint8Array {
  const bytes = new Uint8Array(entries.length * stride);
  entries.forEach(({ type, start, pages, attribute }, index) => {
    const descriptor = { Type: type, PhysicalStart: start, NumberOfPages: pages, Attribute: attribute };
    bytes.set(MemoryDescriptor.encode(descriptor), index * stride);
  });
  return bytes;
}

/**
 * EFI_BOOT_SERVICES.GetMemoryMap(). Size and key are given also where the map is not, and nothing where a pointer is
 * bad. UEFI 2.10 section 7.2.3.
 */
const GetMemoryMap = service(
  {
    MemoryMapSize: 'uintnAt',
    MemoryMap: 'pointer',
    MapKey: 'pointer',
    DescriptorSize: 'pointer',
    DescriptorVersion: 'pointer',
  },
  (fw, { MemoryMapSize, MemoryMap, MapKey, DescriptorSize, DescriptorVersion }, show) => {
    if (MemoryMapSize === 0n) return Status.INVALID_PARAMETER;
    const given = fw.guest.readU64(MemoryMapSize);
    const stride = fw.overrides['memory:descriptor-bytes'] ?? descriptorBytes;
    const entries = fw.memoryMap.entries();
    const bytes = encodeMemoryMap(entries, stride);
    const enough = given >= BigInt(bytes.length);
    for (const pointer of [MemoryMapSize, MapKey, DescriptorSize]) {
      if (pointer !== 0n) fw.guest.requireWritable(pointer, 8);
    }
    if (DescriptorVersion !== 0n) fw.guest.requireWritable(DescriptorVersion, 4);
    if (enough && MemoryMap !== 0n) fw.guest.write(MemoryMap, bytes);
    fw.guest.writeU64(MemoryMapSize, BigInt(bytes.length));
    if (MapKey !== 0n) fw.guest.writeU64(MapKey, BigInt(fw.memoryMap.key));
    if (DescriptorSize !== 0n) fw.guest.writeU64(DescriptorSize, BigInt(stride));
    if (DescriptorVersion !== 0n) fw.guest.writeU32(DescriptorVersion, memoryDescriptorVersion);
    show('MemoryMapSize', `0x${bytes.length.toString(16)}`);
    show('MapKey', describeValue('uintn', BigInt(fw.memoryMap.key)));
    show('DescriptorSize', `0x${stride.toString(16)}`);
    show('DescriptorVersion', String(memoryDescriptorVersion));
    if (enough && MemoryMap !== 0n) show('MemoryMap', describeMemoryMap(entries));
    if (!enough) return Status.BUFFER_TOO_SMALL;
    return MemoryMap === 0n ? Status.INVALID_PARAMETER : Status.SUCCESS;
  },
);

/** EFI_BOOT_SERVICES.AllocatePool(). The pointer is NULL when nothing is given, as in EDK II. UEFI 2.10 section 7.2.4. */
const AllocatePool = service(
  { PoolType: 'memoryType', Size: 'uintn', Buffer: 'pointer' },
  (fw, { PoolType, Size, Buffer }, show) => {
    if (Buffer === 0n || !allocatable(PoolType)) return Status.INVALID_PARAMETER;
    fw.guest.writeU64(Buffer, 0n);
    if (Size > BigInt(fw.host.memory.ramBytes)) return Status.OUT_OF_RESOURCES;
    const address = fw.pool.allocate(PoolType, Number(Size));
    if (address === undefined) return Status.OUT_OF_RESOURCES;
    fw.guest.writeU64(Buffer, BigInt(address));
    show('Buffer', `0x${address.toString(16)}`);
    return Status.SUCCESS;
  },
);

/** EFI_BOOT_SERVICES.FreePool(). NULL and what was never allocated are refused. UEFI 2.10 section 7.2.5. */
const FreePool = service({ Buffer: 'pointer' }, (fw, { Buffer }) =>
  Buffer !== 0n && Buffer < BigInt(ramEnd(fw.host.memory)) && fw.pool.free(Number(Buffer))
    ? Status.SUCCESS
    : Status.INVALID_PARAMETER,
);

export const memoryServices = { AllocatePages, FreePages, GetMemoryMap, AllocatePool, FreePool };
