/**
 * The Xen configuration table: an EFI_CONFIGURATION_TABLE entry with this GUID, whose VendorTable is the physical
 * address of a version 1 hvm_start_info in EfiRuntimeServicesData. All addresses in it are physical, before and after
 * SetVirtualAddressMap. memmap_entries is 0: under EFI the memory map is GetMemoryMap's. The GUID was drawn at random
 * for this table; it is not the GUID of OVMF's Xen HOB.
 */
export const xenConfigurationTableGuid = '6c8f3b1e-52d4-4f0a-9b67-0e41d2a7c835';

/**
 * The protocol that tags the image handle of a Xen guest, as the proposal of 2016 thought of; only the quirk
 * xen-image-handle installs it. Its interface is the same hvm_start_info, or NULL. Drawn at random for this, too.
 */
export const xenProtocolGuid = '492dd13d-9026-4557-9c11-cc674bb01333';
