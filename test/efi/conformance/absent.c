/* Slots that a profile lacks: real gates, never NULL. */
#include "conformance.h"

static int listed(const char *name, const char *const *list, u64 count) {
  for (u64 i = 0; i < count; i++)
    if (strlen(list[i]) == strlen(name) && same(list[i], name, strlen(name))) return 1;
  return 0;
}

static void check_slot(const char *section, const char *name, u64 pointer, EFI_STATUS wanted) {
  char clause[64];
  u64 n = strlen(section), m = strlen(name);
  memcpy(clause, section, n);
  clause[n] = ' ';
  memcpy(clause + n + 1, name, m + 1);
  if (pointer == 0) check(clause, "a slot that the profile lacks is not NULL", 0);
  else check_status(clause, "where the profile lacks it", call5(pointer, 0, 0, 0, 0, 0), wanted);
}

struct slot {
  char section[8];
  char name[36];
};

static const struct slot boot_slots[] = {
    {"7.1.8", "RaiseTPL"}, {"7.1.9", "RestoreTPL"}, {"7.2.1", "AllocatePages"}, {"7.2.2", "FreePages"}, {"7.2.3", "GetMemoryMap"},
    {"7.2.4", "AllocatePool"}, {"7.2.5", "FreePool"}, {"7.1.1", "CreateEvent"}, {"7.1.7", "SetTimer"}, {"7.1.5", "WaitForEvent"},
    {"7.1.4", "SignalEvent"}, {"7.1.3", "CloseEvent"}, {"7.1.6", "CheckEvent"}, {"7.3.2", "InstallProtocolInterface"},
    {"7.3.4", "ReinstallProtocolInterface"}, {"7.3.3", "UninstallProtocolInterface"}, {"7.3.7", "HandleProtocol"},
    {"4.4", "Reserved"}, {"7.3.5", "RegisterProtocolNotify"}, {"7.3.6", "LocateHandle"}, {"7.3.8", "LocateDevicePath"},
    {"7.5.6", "InstallConfigurationTable"}, {"7.4.1", "LoadImage"}, {"7.4.2", "StartImage"}, {"7.4.5", "Exit"},
    {"7.4.3", "UnloadImage"}, {"7.4.6", "ExitBootServices"}, {"7.5.5", "GetNextMonotonicCount"}, {"7.5.2", "Stall"},
    {"7.5.1", "SetWatchdogTimer"}, {"7.3.12", "ConnectController"}, {"7.3.13", "DisconnectController"}, {"7.3.9", "OpenProtocol"},
    {"7.3.10", "CloseProtocol"}, {"7.3.11", "OpenProtocolInformation"}, {"7.3.14", "ProtocolsPerHandle"},
    {"7.3.15", "LocateHandleBuffer"}, {"7.3.16", "LocateProtocol"}, {"7.3.17", "InstallMultipleProtocolInterfaces"},
    {"7.3.18", "UninstallMultipleProtocolInterfaces"}, {"7.5.7", "CalculateCrc32"}, {"7.5.3", "CopyMem"}, {"7.5.4", "SetMem"},
    {"7.1.2", "CreateEventEx"}};

static const struct slot runtime_slots[] = {
    {"8.3.1", "GetTime"}, {"8.3.2", "SetTime"}, {"8.3.3", "GetWakeupTime"}, {"8.3.4", "SetWakeupTime"},
    {"8.4.1", "SetVirtualAddressMap"}, {"8.4.2", "ConvertPointer"}, {"8.2.1", "GetVariable"}, {"8.2.2", "GetNextVariableName"},
    {"8.2.3", "SetVariable"}, {"8.5.2", "GetNextHighMonotonicCount"}, {"8.5.1", "ResetSystem"}, {"8.5.3", "UpdateCapsule"},
    {"8.5.4", "QueryCapsuleCapabilities"}, {"8.2.4", "QueryVariableInfo"}};

/* What both profiles offer, then what linux offers besides. */
static const char both[][24] = {"GetMemoryMap", "ExitBootServices", "Exit", "GetVariable", "GetNextVariableName",
                                "SetVariable", "QueryVariableInfo"};
static const char linux_too[][28] = {"AllocatePages", "AllocatePool", "FreePages", "FreePool", "HandleProtocol", "LocateDevicePath",
                                     "LocateProtocol", "LocateHandle", "InstallConfigurationTable", "SetVirtualAddressMap", "ResetSystem"};

static int offered(const char *name, int linux_profile) {
  const char *list[sizeof both / sizeof *both + sizeof linux_too / sizeof *linux_too];
  u64 count = 0;
  for (u64 i = 0; i < sizeof both / sizeof *both; i++) list[count++] = both[i];
  for (u64 i = 0; linux_profile && i < sizeof linux_too / sizeof *linux_too; i++) list[count++] = linux_too[i];
  return listed(name, list, count);
}

void check_absent(const char *profile) {
  const int linux_profile = profile[0] == 'l';
  for (u64 i = 0; i < sizeof boot_slots / sizeof *boot_slots; i++) {
    const char *name = boot_slots[i].name;
    const int looks_up = memcmp(name, "Locate", 6) == 0;
    if (!offered(name, linux_profile))
      check_slot(boot_slots[i].section, name, boot_table[3 + i], looks_up ? EFI_NOT_FOUND : EFI_UNSUPPORTED);
  }
  for (u64 i = 0; i < sizeof runtime_slots / sizeof *runtime_slots; i++)
    if (!offered(runtime_slots[i].name, linux_profile))
      check_slot(runtime_slots[i].section, runtime_slots[i].name, RUNTIME(3 + i), EFI_UNSUPPORTED);
  if (!linux_profile)
    check_status("12.4.3 SimpleTextOutput.OutputString", "where the profile lacks it",
                 call2(systab->ConOut->OutputString, systab->ConOut, u"x"), EFI_UNSUPPORTED);
}
