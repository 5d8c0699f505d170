/* What the examples use of UEFI 2.10; functions that they do not call are void pointers. */
#ifndef EXAMPLES_EFI_H
#define EXAMPLES_EFI_H

#include "types.h"

#define EFIAPI __attribute__((ms_abi))

typedef u64 EFI_STATUS;
typedef void *EFI_HANDLE;
typedef u16 CHAR16;
typedef struct {
  u32 Data1;
  u16 Data2, Data3;
  u8 Data4[8];
} EFI_GUID;

/* Appendix D. */
#define EFI_ERROR_BIT (1ULL << 63)
#define EFI_SUCCESS 0ULL
#define EFI_LOAD_ERROR (EFI_ERROR_BIT | 1)
#define EFI_INVALID_PARAMETER (EFI_ERROR_BIT | 2)
#define EFI_UNSUPPORTED (EFI_ERROR_BIT | 3)
#define EFI_BUFFER_TOO_SMALL (EFI_ERROR_BIT | 5)
#define EFI_OUT_OF_RESOURCES (EFI_ERROR_BIT | 9)
#define EFI_NOT_FOUND (EFI_ERROR_BIT | 14)
#define EFI_ABORTED (EFI_ERROR_BIT | 21)

/* 4.2 */
typedef struct {
  u64 Signature;
  u32 Revision, HeaderSize, CRC32, Reserved;
} EFI_TABLE_HEADER;

/* 7.2.3: EFI_MEMORY_TYPE and EFI_MEMORY_DESCRIPTOR. Descriptors lie DescriptorSize bytes apart, which is more than sizeof. */
enum {
  EfiReservedMemoryType,
  EfiLoaderCode,
  EfiLoaderData,
  EfiBootServicesCode,
  EfiBootServicesData,
  EfiRuntimeServicesCode,
  EfiRuntimeServicesData,
  EfiConventionalMemory,
  EfiUnusableMemory,
  EfiACPIReclaimMemory,
  EfiACPIMemoryNVS,
  EfiMemoryMappedIO,
  EfiMemoryMappedIOPortSpace,
  EfiPalCode,
  EfiPersistentMemory
};

#define EFI_MEMORY_RUNTIME (1ULL << 63)

typedef struct {
  u32 Type;
  u64 PhysicalStart, VirtualStart, NumberOfPages, Attribute;
} EFI_MEMORY_DESCRIPTOR;

/* 12.4 */
typedef struct EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL;
struct EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL {
  void *Reset;
  EFI_STATUS(EFIAPI *OutputString)(EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL *This, const CHAR16 *String);
};

/* 4.4 */
typedef struct {
  EFI_TABLE_HEADER Hdr;
  void *RaiseTPL, *RestoreTPL;
  EFI_STATUS(EFIAPI *AllocatePages)(u32 Type, u32 MemoryType, u64 Pages, u64 *Memory);
  EFI_STATUS(EFIAPI *FreePages)(u64 Memory, u64 Pages);
  EFI_STATUS(EFIAPI *GetMemoryMap)(u64 *Size, void *Map, u64 *MapKey, u64 *DescriptorSize, u32 *DescriptorVersion);
  EFI_STATUS(EFIAPI *AllocatePool)(u32 Type, u64 Size, void **Buffer);
  EFI_STATUS(EFIAPI *FreePool)(void *Buffer);
  void *CreateEvent, *SetTimer, *WaitForEvent, *SignalEvent, *CloseEvent, *CheckEvent;
  void *InstallProtocolInterface, *ReinstallProtocolInterface, *UninstallProtocolInterface;
  EFI_STATUS(EFIAPI *HandleProtocol)(EFI_HANDLE Handle, const EFI_GUID *Protocol, void **Interface);
  void *Reserved, *RegisterProtocolNotify, *LocateHandle, *LocateDevicePath;
  EFI_STATUS(EFIAPI *InstallConfigurationTable)(const EFI_GUID *Guid, void *Table);
  EFI_STATUS(EFIAPI *LoadImage)
  (u8 BootPolicy, EFI_HANDLE Parent, void *DevicePath, void *Source, u64 SourceSize, EFI_HANDLE *Image);
  EFI_STATUS(EFIAPI *StartImage)(EFI_HANDLE Image, u64 *ExitDataSize, CHAR16 **ExitData);
  EFI_STATUS(EFIAPI *Exit)(EFI_HANDLE Image, EFI_STATUS Status, u64 ExitDataSize, CHAR16 *ExitData);
  void *UnloadImage;
  EFI_STATUS(EFIAPI *ExitBootServices)(EFI_HANDLE Image, u64 MapKey);
} EFI_BOOT_SERVICES;

/* 8.2: attributes of a variable. */
#define EFI_VARIABLE_NON_VOLATILE 1u
#define EFI_VARIABLE_BOOTSERVICE_ACCESS 2u
#define EFI_VARIABLE_RUNTIME_ACCESS 4u

/* 4.5 */
typedef struct {
  EFI_TABLE_HEADER Hdr;
  void *GetTime, *SetTime, *GetWakeupTime, *SetWakeupTime, *SetVirtualAddressMap, *ConvertPointer;
  EFI_STATUS(EFIAPI *GetVariable)(const CHAR16 *Name, const EFI_GUID *Vendor, u32 *Attributes, u64 *Size, void *Data);
  EFI_STATUS(EFIAPI *GetNextVariableName)(u64 *NameSize, CHAR16 *Name, EFI_GUID *Vendor);
  EFI_STATUS(EFIAPI *SetVariable)
  (const CHAR16 *Name, const EFI_GUID *Vendor, u32 Attributes, u64 Size, const void *Data);
  void *GetNextHighMonotonicCount, *ResetSystem, *UpdateCapsule, *QueryCapsuleCapabilities;
  EFI_STATUS(EFIAPI *QueryVariableInfo)(u32 Attributes, u64 *Maximum, u64 *Remaining, u64 *MaximumVariable);
} EFI_RUNTIME_SERVICES;

/* 4.6 */
typedef struct {
  EFI_GUID VendorGuid;
  void *VendorTable;
} EFI_CONFIGURATION_TABLE;

/* 4.3 */
typedef struct {
  EFI_TABLE_HEADER Hdr;
  CHAR16 *FirmwareVendor;
  u32 FirmwareRevision;
  EFI_HANDLE ConsoleInHandle;
  void *ConIn;
  EFI_HANDLE ConsoleOutHandle;
  EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL *ConOut;
  EFI_HANDLE StandardErrorHandle;
  EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL *StdErr;
  EFI_RUNTIME_SERVICES *RuntimeServices;
  EFI_BOOT_SERVICES *BootServices;
  u64 NumberOfTableEntries;
  EFI_CONFIGURATION_TABLE *ConfigurationTable;
} EFI_SYSTEM_TABLE;

/* 4.6.1 */
#define EFI_ACPI_20_TABLE_GUID \
  ((EFI_GUID){0x8868e871, 0xe4f1, 0x11d3, {0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81}})
/* The Xen configuration table: VendorTable points to a version 1 hvm_start_info (xen.h), all addresses physical. */
#define XEN_TABLE_GUID ((EFI_GUID){0x6c8f3b1e, 0x52d4, 0x4f0a, {0x9b, 0x67, 0x0e, 0x41, 0xd2, 0xa7, 0xc8, 0x35}})
/* A protocol that tags the image handle of a Xen guest; its interface is what VendorTable points to, or NULL. */
#define XEN_PROTOCOL_GUID ((EFI_GUID){0x492dd13d, 0x9026, 0x4557, {0x9c, 0x11, 0xcc, 0x67, 0x4b, 0xb0, 0x13, 0x33}})

/* The vendor table with this GUID, or null. */
static inline void *efi_table(const EFI_SYSTEM_TABLE *system, EFI_GUID guid) {
  for (u64 i = 0; i < system->NumberOfTableEntries; i++)
    if (memcmp(&system->ConfigurationTable[i].VendorGuid, &guid, sizeof guid) == 0)
      return system->ConfigurationTable[i].VendorTable;
  return 0;
}

#endif
