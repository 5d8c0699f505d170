import { struct, u32, u64 } from '../layout.js';

/** EFI_MEMORY_DESCRIPTOR, version 1. UEFI 2.10 section 7.2.3. */
export const MemoryDescriptor = struct('EFI_MEMORY_DESCRIPTOR', 40, [
  u32('Type'), // EFI_MEMORY_TYPE
  u32('Pad'),
  u64('PhysicalStart'), // bytes, a multiple of 4096
  u64('VirtualStart'), // bytes, a multiple of 4096; 0 until SetVirtualAddressMap
  u64('NumberOfPages'), // of 4096 bytes
  u64('Attribute'), // EFI_MEMORY_*
]);

/** EFI_MEMORY_DESCRIPTOR_VERSION. */
export const memoryDescriptorVersion = 1;

/** EFI_MEMORY_TYPE. UEFI 2.10 section 7.2.1, table 7-6. */
export const MemoryType = {
  EfiReservedMemoryType: 0,
  EfiLoaderCode: 1,
  EfiLoaderData: 2,
  EfiBootServicesCode: 3,
  EfiBootServicesData: 4,
  EfiRuntimeServicesCode: 5,
  EfiRuntimeServicesData: 6,
  EfiConventionalMemory: 7,
  EfiUnusableMemory: 8,
  EfiACPIReclaimMemory: 9,
  EfiACPIMemoryNVS: 10,
  EfiMemoryMappedIO: 11,
  EfiMemoryMappedIOPortSpace: 12,
  EfiPalCode: 13,
  EfiPersistentMemory: 14,
  EfiUnacceptedMemoryType: 15,
  EfiMaxMemoryType: 16,
} as const;
/** Types from here on belong to OEMs and operating system loaders. */
export const firstOemMemoryType = 0x7000_0000;

/** EFI_MEMORY_*: what a region can do and must have. UEFI 2.10 section 7.2.3. */
export const MemoryAttribute = {
  UC: 0x1n,
  WC: 0x2n,
  WT: 0x4n,
  WB: 0x8n,
  RUNTIME: 0x8000_0000_0000_0000n,
} as const;

/** EFI_ALLOCATE_TYPE. UEFI 2.10 section 7.2.1. */
export const AllocateType = { AllocateAnyPages: 0, AllocateMaxAddress: 1, AllocateAddress: 2 } as const;

/** Bytes of an EFI page. */
export const pageBytes = 4096;
