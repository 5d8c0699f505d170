/*
 * Calls of EFI services by slot, so that any argument can be wrong, and checks that print one line each:
 * `SECTION SERVICE: what: ok` or `...: FAILED got STATUS`.
 */
#ifndef CONFORMANCE_H
#define CONFORMANCE_H

#include "console.h"
#include "entry.h"

/* Slots of EFI_BOOT_SERVICES in words of 8 bytes; the header takes three. UEFI 2.10 section 4.4. */
enum boot_slot {
  RaiseTPL = 3, RestoreTPL, AllocatePages, FreePages, GetMemoryMap, AllocatePool, FreePool, CreateEvent, SetTimer,
  WaitForEvent, SignalEvent, CloseEvent, CheckEvent, InstallProtocolInterface, ReinstallProtocolInterface,
  UninstallProtocolInterface, HandleProtocol, Reserved, RegisterProtocolNotify, LocateHandle, LocateDevicePath,
  InstallConfigurationTable, LoadImage, StartImage, Exit, UnloadImage, ExitBootServices, GetNextMonotonicCount, Stall,
  SetWatchdogTimer, ConnectController, DisconnectController, OpenProtocol, CloseProtocol, OpenProtocolInformation,
  ProtocolsPerHandle, LocateHandleBuffer, LocateProtocol, InstallMultipleProtocolInterfaces,
  UninstallMultipleProtocolInterfaces, CalculateCrc32, CopyMem, SetMem, CreateEventEx, BootSlots
};

/* Slots of EFI_RUNTIME_SERVICES. UEFI 2.10 section 4.5. */
enum runtime_slot {
  GetTime = 3, SetTime, GetWakeupTime, SetWakeupTime, SetVirtualAddressMap, ConvertPointer, GetVariable,
  GetNextVariableName, SetVariable, GetNextHighMonotonicCount, ResetSystem, UpdateCapsule, QueryCapsuleCapabilities,
  QueryVariableInfo, RuntimeSlots
};

#define EFI_WRITE_PROTECTED (EFI_ERROR_BIT | 8)
#define EFI_NO_MAPPING (EFI_ERROR_BIT | 17)

typedef EFI_STATUS(EFIAPI *service)(u64, u64, u64, u64, u64);

typedef EFI_STATUS(EFIAPI *service6)(u64, u64, u64, u64, u64, u64);

extern EFI_HANDLE image;
extern EFI_SYSTEM_TABLE *systab;
extern const u64 *boot_table; /* stays when the System Table forgets it */
/* Set under efikit: what EDK II does not check and we do is left out elsewhere. */
extern int ours;

/* Any argument converts: pointers and integers. */
#define A(x) ((u64)(x))
#define call6(fn, a, b, c, d, e, f) (((service6)(u64)(fn))(A(a), A(b), A(c), A(d), A(e), A(f)))
#define call5(fn, a, b, c, d, e) (((service)(u64)(fn))(A(a), A(b), A(c), A(d), A(e)))
#define call4(fn, a, b, c, d) call5(fn, a, b, c, d, 0)
#define call3(fn, a, b, c) call5(fn, a, b, c, 0, 0)
#define call2(fn, a, b) call5(fn, a, b, 0, 0, 0)
#define call1(fn, a) call5(fn, a, 0, 0, 0, 0)
#define BOOT(slot) (boot_table[slot])
#define RUNTIME(slot) (((const u64 *)systab->RuntimeServices)[slot])

/* 9.1 */
struct loaded_image {
  u32 Revision;
  EFI_HANDLE ParentHandle;
  EFI_SYSTEM_TABLE *SystemTable;
  EFI_HANDLE DeviceHandle;
  void *FilePath, *Reserved;
  u32 LoadOptionsSize;
  void *LoadOptions, *ImageBase;
  u64 ImageSize;
  u32 ImageCodeType, ImageDataType;
  void *Unload;
};

extern const EFI_GUID loaded_image_guid;
/* The LoadedImage of a handle, or null. */
struct loaded_image *loaded_image_of(EFI_HANDLE handle);

/* `clause` is "7.2.1 AllocatePages", `what` says what was asked. */
void check_status(const char *clause, const char *what, EFI_STATUS got, EFI_STATUS wanted);
void check(const char *clause, const char *what, int holds);
const char *name_of(EFI_STATUS status);

int same(const void *a, const void *b, u64 bytes);
/* The CRC32 of a table is the one in its header. UEFI 2.10 section 4.2. */
int crc_holds(const void *table);

/* GetMemoryMap into a buffer of its own. */
struct map {
  u8 bytes[24576];
  u64 size, key, stride;
  u32 version;
};
extern struct map map;
EFI_STATUS read_map(void);
EFI_MEMORY_DESCRIPTOR *map_entry(u64 index);
u64 map_entries(void);
/* The entry with that address, or null. */
EFI_MEMORY_DESCRIPTOR *map_find(u64 address);

void check_map(void);
void check_pages(void);
void check_pools(void);
void check_handles(void);
void check_paths(void);
void check_initrd(void);
void check_console(void);
void check_tables(void);
void check_leave(void);
void check_images(void);
/* Pointers that cannot be followed: those of the variable services, and of the boot services on request. */
void check_pointers(int boot);
void check_variables(void);
/* The variable services behind ExitBootServices. */
void check_variables_after(void);
/* Loads this image again, gives it the words and starts it. */
EFI_STATUS start_child(const CHAR16 *words, u64 *size, CHAR16 **data);
/* Frees what starting took. */
void release_children(void);
void check_absent(const char *profile);

#endif
