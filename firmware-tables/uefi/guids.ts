import { xenConfigurationTableGuid, xenProtocolGuid } from '../xen/config-table.js';

/** GUIDs by name: of protocols, tables and vendors. The section or source stands behind each. */
export const Guid = {
  // Protocols. UEFI 2.10, the chapter of each.
  EFI_LOADED_IMAGE_PROTOCOL: '5b1b31a1-9562-11d2-8e3f-00a0c969723b', // 9.1
  EFI_LOADED_IMAGE_DEVICE_PATH_PROTOCOL: 'bc62157e-3e33-4fec-9920-2d3b36d750df', // 9.2
  EFI_DEVICE_PATH_PROTOCOL: '09576e91-6d3f-11d2-8e39-00a0c969723b', // 10.2
  EFI_SIMPLE_TEXT_INPUT_PROTOCOL: '387477c1-69c7-11d2-8e39-00a0c969723b', // 12.3
  EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL: '387477c2-69c7-11d2-8e39-00a0c969723b', // 12.4
  EFI_GRAPHICS_OUTPUT_PROTOCOL: '9042a9de-23dc-4a38-96fb-7aded080516a', // 12.9
  EFI_LOAD_FILE_PROTOCOL: '56ec3091-954c-11d2-8e3f-00a0c969723b', // 13.1
  EFI_LOAD_FILE2_PROTOCOL: '4006c0c1-fcb3-403e-996d-4a6c8724e06d', // 13.2
  EFI_SIMPLE_FILE_SYSTEM_PROTOCOL: '964e5b22-6459-11d2-8e39-00a0c969723b', // 13.4
  EFI_PCI_IO_PROTOCOL: '4cf5b200-68b8-4ca5-9eec-b23e3f50029a', // 14.4
  EFI_RNG_PROTOCOL: '3152bca5-eade-433d-862e-c01cdc291f44', // 37.5
  EFI_MEMORY_ATTRIBUTE_PROTOCOL: 'f4560cf6-40ec-4b4a-a192-bf1d57d0b189', // 37.7
  EFI_CC_MEASUREMENT_PROTOCOL: '96751a3d-72f4-41a6-a794-ed5d0e67ae6b', // 38.2
  EFI_TCG2_PROTOCOL: '607f766c-7455-42be-930b-e4d76db2720f', // TCG EFI Protocol Specification 6
  EFI_UGA_DRAW_PROTOCOL: '982c298b-f4fa-41cb-b838-77aa688fb839', // UEFI 1.1
  OVMF_SEV_MEMORY_ACCEPTANCE_PROTOCOL: 'c5a010fe-38a7-4531-8a4a-0500d2fd1649', // OVMF
  APPLE_PROPERTIES_PROTOCOL: '91bd12fe-f6c3-44fb-a5b7-5122ab303ae0', // Linux include/linux/efi.h
  EFIKIT_XEN_PROTOCOL: xenProtocolGuid,
  // Groups of events.
  EFI_EVENT_GROUP_EXIT_BOOT_SERVICES: '27abf055-b1b8-4c26-8048-748f37baa2df', // 7.1.2
  // Configuration tables.
  EFI_ACPI_20_TABLE: '8868e871-e4f1-11d3-bc22-0080c73c8881', // 4.6.1
  EFI_ACPI_TABLE: 'eb9d2d30-2d88-11d3-9a16-0090273fc14d', // 4.6.1
  EFI_SMBIOS_TABLE: 'eb9d2d31-2d88-11d3-9a16-0090273fc14d', // 4.6.1
  EFI_SMBIOS3_TABLE: 'f2fd1544-9794-4a2c-992e-e5bbcf20e394', // 4.6.1
  EFI_RT_PROPERTIES_TABLE: 'eb66918a-7eef-402a-842e-931d21c38ae9', // 4.6.2
  EFI_MEMORY_ATTRIBUTES_TABLE: 'dcfa911d-26eb-469f-a220-38b7dc461220', // 4.6.4
  EFI_SYSTEM_RESOURCE_TABLE: 'b122a263-3661-4f68-9929-78f8b0d62180', // 23.4
  EFI_DXE_SERVICES_TABLE: '05ad34ba-6f02-4214-952e-4da0398e2bb9', // PI 1.7
  EFIKIT_XEN_TABLE: xenConfigurationTableGuid,
  LINUX_EFI_INITRD_MEDIA: '5568e427-68fc-4f3d-ac74-ca555231cc68', // Linux include/linux/efi.h, and what follows
  LINUX_EFI_BOOT_MEMMAP: '800f683f-d08b-423a-a293-965c3c6fe2b4',
  LINUX_EFI_RANDOM_SEED: '1ce1e5bc-7ceb-42f2-81e5-8aadf180f57b',
  LINUX_EFI_MEMRESERVE_TABLE: '888eb0c6-8ede-4ff5-a8f0-9aee5cb977c2',
  LINUX_EFI_TPM_EVENT_LOG: 'b7799cb0-eca2-4943-9667-1fae07b747fa',
  LINUX_EFI_TPM_FINAL_LOG: '1e2ed096-30e2-4254-bd89-863bbef82325',
  // Variable vendors.
  EFI_GLOBAL_VARIABLE: '8be4df61-93ca-11d2-aa0d-00e098032b8c', // 3.3
  EFI_IMAGE_SECURITY_DATABASE: 'd719b2cb-3d3a-4596-a3bc-dad00e67656f', // 32.4
  EFI_HARDWARE_ERROR_VARIABLE: '414e6bdd-e47b-47cc-b244-bb61020cf516', // 8.2.4.2
  EFI_DUMMY_GUID: '4424ac57-be4b-47dd-9e97-ed50f09f92a9', // Linux arch/x86/platform/efi/quirks.c
  SHIM_LOCK: '605dab50-e046-4300-abb6-3dd810dd8b23', // shim: protocol and variables
  MEMORY_OVERWRITE_REQUEST_CONTROL: 'e20939be-32d4-41be-a150-897f85d49829', // TCG Platform Reset Attack Mitigation
} as const;

const names = new Map<string, string>();
for (const [name, text] of Object.entries(Guid)) if (!names.has(text)) names.set(text, name);

/** `EFI_RNG_PROTOCOL` for its GUID; an unknown one stays as it is. */
export function guidName(text: string): string {
  return names.get(text.toLowerCase()) ?? text;
}
