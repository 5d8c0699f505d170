/*
 * Long sequences of the four variable services of UEFI 2.10 section 8.2, before and after ExitBootServices, one line a call
 * on COM1 at 0x3f8, between the lines BEGIN and END. What a call prints depends on nothing but the rules of the services
 * and on variables of this program, so that the lines of two firmwares compare one by one. Only `query` lines show sizes
 * that a platform chooses. Boot services are used to get the memory map and to leave them.
 */
#include "calls.h"
#include "rules.h"

#include "../../../examples/lib/console.h"
#include "../../../examples/lib/cpu.h"
#include "../../../examples/lib/entry.h"

/* Numerical Recipes' linear congruential generator: the same calls on every firmware. */
static u32 seed;
static u32 chance(u32 below) {
  seed = seed * 1664525 + 1013904223;
  return (u32)(((u64)seed * below) >> 32);
}

static void architectural(void) {
  section("3.3 architectural variables: which there are");
#define LOOK(name) look(u##name, GLOBAL)
  LOOK("SecureBoot"), LOOK("SetupMode"), LOOK("AuditMode"), LOOK("DeployedMode"), LOOK("VendorKeys"), LOOK("PK"), LOOK("KEK");
  LOOK("SignatureSupport"), LOOK("OsIndications"), LOOK("OsIndicationsSupported"), LOOK("BootOptionSupport");
  LOOK("PlatformLang"), LOOK("PlatformLangCodes"), LOOK("Lang"), LOOK("LangCodes"), LOOK("Timeout");
  LOOK("BootOrder"), LOOK("BootNext"), LOOK("BootCurrent"), LOOK("ConIn"), LOOK("ConOut"), LOOK("ErrOut");
  LOOK("ConInDev"), LOOK("ConOutDev"), LOOK("ErrOutDev"), LOOK("HwErrRecSupport"), LOOK("Boot0000");
  section("3.3 architectural variables: those that only the firmware writes");
#define TRY(name, attributes, size) set(u##name, GLOBAL, attributes, size, bytes)
  TRY("SecureBoot", BS | RT, 1), TRY("SecureBoot", BS | RT, 0), TRY("SecureBoot", 0, 0), TRY("SecureBoot", NV | BS | RT, 1);
  TRY("SecureBoot", BS | RT, 2), TRY("SecureBoot", RT, 1), TRY("SetupMode", BS | RT, 1), TRY("SetupMode", 0, 0);
  TRY("AuditMode", BS | RT, 1), TRY("DeployedMode", BS | RT, 1), TRY("VendorKeys", BS | RT, 1), TRY("SignatureSupport", BS | RT, 16);
  TRY("PKDefault", BS | RT, 1), TRY("KEKDefault", BS | RT, 1), TRY("dbDefault", BS | RT, 1), TRY("dbxDefault", BS | RT, 1);
  TRY("dbtDefault", BS | RT, 1), TRY("dbrDefault", BS | RT, 1);
  TRY("OsIndicationsSupported", BS | RT, 8), TRY("OsIndicationsSupported", BS | RT, 7), TRY("OsIndicationsSupported", 0, 0);
  TRY("OsIndicationsSupported", NV | BS | RT, 8), TRY("BootOptionSupport", BS | RT, 4), TRY("BootOptionSupport", BS | RT, 0);
  TRY("PlatformLangCodes", BS | RT, 3), TRY("LangCodes", BS | RT, 3), TRY("HwErrRecSupport", NV | BS | RT, 2);
  section("3.3 architectural variables: attributes and sizes");
  TRY("OsIndications", NV | BS | RT, 8), TRY("OsIndications", NV | BS | RT, 7), TRY("OsIndications", NV | BS | RT, 9);
  TRY("OsIndications", BS | RT, 8), TRY("OsIndications", NV | BS, 8), TRY("OsIndications", NV | BS | RT, 0);
  TRY("OsIndications", NV | BS | RT | AP, 4), TRY("OsIndications", NV | BS | RT | AP, 8), TRY("OsIndications", 0, 0);
  get(u"OsIndications", GLOBAL, 16);
  TRY("BootNext", NV | BS | RT, 2), TRY("BootNext", NV | BS | RT, 1), TRY("BootNext", NV | BS | RT, 4), TRY("BootNext", BS | RT, 2);
  TRY("BootNext", NV | BS | RT, 0), TRY("BootNext", NV | BS | RT, 0);
  TRY("BootCurrent", NV | BS | RT, 2), TRY("BootCurrent", BS | RT, 3);
  TRY("DriverOrder", NV | BS | RT, 2), TRY("DriverOrder", NV | BS | RT, 6), TRY("DriverOrder", NV | BS | RT, 3);
  TRY("DriverOrder", NV | BS | RT, 1), TRY("DriverOrder", NV | BS | RT | AP, 2), TRY("DriverOrder", NV | BS | RT | AP, 1);
  get(u"DriverOrder", GLOBAL, 16);
  TRY("DriverOrder", NV | BS | RT, 0), TRY("SysPrepOrder", NV | BS, 2), TRY("SysPrepOrder", NV | BS | RT, 4);
  TRY("SysPrepOrder", 0, 0), TRY("Timeout", BS | RT, 2), TRY("Timeout", NV | BS | RT, 3);
  section("3.3 load options: names and data");
  static const u8 option[] = {1, 0, 0, 0, 4, 0, 'x', 0, 0, 0, 0x7f, 0xff, 4, 0};
  static const u8 with_data[] = {1, 0, 0, 0, 4, 0, 'x', 0, 0, 0, 0x7f, 0xff, 4, 0, 9, 9, 9};
  static const u8 long_path[] = {1, 0, 0, 0, 40, 0, 'x', 0, 0, 0, 0x7f, 0xff, 4, 0};
  static const u8 no_end[] = {1, 0, 0, 0, 4, 0, 'x', 0, 0, 0, 4, 4, 4, 0};
  static const u8 no_nul[] = {1, 0, 0, 0, 4, 0, 'x', 0, 'y', 0};
#define OPTION(name, attributes, data) set(u##name, GLOBAL, attributes, sizeof data, data)
  OPTION("Boot1000", NV | BS | RT, option), get(u"Boot1000", GLOBAL, 32), TRY("Boot1000", NV | BS | RT, 0);
  OPTION("Boot10AF", NV | BS | RT, with_data), TRY("Boot10AF", 0, 0);
  OPTION("Boot10aF", NV | BS | RT, option), OPTION("Boot100", NV | BS | RT, option), OPTION("Boot10000", NV | BS | RT, option);
  OPTION("Boot100G", NV | BS | RT, option), OPTION("boot1000", NV | BS | RT, option), OPTION("Boot1000", BS | RT, option);
  OPTION("Boot1000", NV | BS, option), OPTION("Boot1000", NV | BS | RT, long_path), OPTION("Boot1000", NV | BS | RT, no_end);
  OPTION("Boot1000", NV | BS | RT, no_nul), TRY("Boot1000", NV | BS | RT, 5), TRY("Boot1000", NV | BS | RT, 6);
  OPTION("Driver1000", NV | BS | RT, option), TRY("Driver1000", NV | BS | RT, 0);
  OPTION("SysPrep1000", NV | BS | RT, option), TRY("SysPrep1000", NV | BS | RT, 0);
  OPTION("PlatformRecovery1000", NV | BS | RT, option), OPTION("PlatformRecovery1000", BS | RT, option);
  TRY("PlatformRecovery1000", 0, 0);
  TRY("Key1000", NV | BS | RT, 1), TRY("Boot1000", NV | BS | RT | AP, 0), TRY("Boot1000", NV | BS | RT | AP, 4);
  get(u"Boot1000", GLOBAL, 32), TRY("Boot1000", NV | BS | RT, 0);
  section("3.3 device paths and texts");
  static const u8 path[] = {0x7f, 0xff, 4, 0};
  static const u8 bad_path[] = {0x7f, 0xff, 3, 0};
  static const u8 two_paths[] = {2, 1, 12, 0, 0xd0, 0x41, 1, 5, 0, 0, 0, 0, 0x7f, 0xff, 4, 0};
  set(u"ConInDev", GLOBAL, NV | BS | RT, sizeof path, path);
  set(u"ConInDev", GLOBAL, BS | RT, sizeof bad_path, bad_path);
  set(u"ErrOutDev", GLOBAL, BS | RT, 3, path);
  set(u"ErrOut", GLOBAL, NV | BS | RT, sizeof bad_path, bad_path);
  set(u"ErrOut", GLOBAL, NV | BS | RT, 15, two_paths);
  section("8.2.3 variables of the specification's GUIDs that the specification does not have");
  TRY("Invented", NV | BS | RT, 1), TRY("Invented", BS, 1), TRY("Invented", NV | BS | RT, 0), TRY("Invented", 0, 0);
  TRY("Invented", NV | BS | RT | AP, 0), look(u"Invented", GLOBAL);
  set(u"Invented", &guid_security, NV | BS | RT, 1, bytes);
  set(u"db", &guid_security, NV | BS | RT, 1, bytes);
  set(u"db", &guid_security, 0, 0, 0);
  set(u"Invented", &guid_hardware_error, NV | BS | RT, 1, bytes);
  set(u"HwErrRec0000", &guid_hardware_error, NV | BS | RT, 1, bytes);
  set(u"HwErrRec0000", &guid_hardware_error, NV | BS | RT | HR, 1, bytes);
  set(u"HwErrRec0000", &guid_hardware_error, BS | RT | HR, 1, bytes);
  set(u"HwErrRec0000", A, NV | BS | RT | HR, 1, bytes);
  TRY("PK", NV | BS | RT, 1), TRY("PK", NV | BS | RT | AT, 16), TRY("KEK", NV | BS | RT, 1), TRY("PK", 0, 0), TRY("PK", NV | BS | RT, 0);
  section("8.2.6 authenticated attributes");
  memset(buffer, 0, 0x200);
  static const u8 descriptor[] = {0xea, 7, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 24, 0, 0, 0, 0, 2, 0xf1, 0x0e};
  static const EFI_GUID pkcs7 = {0x4aafd29d, 0x68df, 0x49ee, {0x8a, 0xa9, 0x34, 0x7d, 0x37, 0x56, 0x65, 0xa7}};
  memcpy(buffer, descriptor, sizeof descriptor);
  memcpy(buffer + sizeof descriptor, &pkcs7, sizeof pkcs7);
  set(u"Authenticated", A, NV | BS | RT | AT, 44, buffer);
  set(u"Authenticated", A, NV | BS | RT | AT, 39, buffer);
  set(u"Authenticated", A, NV | BS | RT | AT | AP, 44, buffer);
  set(u"Authenticated", A, NV | BS | RT | AT, 0, 0);
  set(u"Authenticated", A, BS | AT, 44, buffer);
  set(u"Authenticated", A, NV | BS | RT | AW, 44, buffer);
  set(u"Authenticated", A, NV | BS | RT | AW, 280, buffer);
  set(u"Authenticated", A, NV | BS | RT | AW, 0, 0);
  set(u"Authenticated", A, NV | BS | RT | AW | AT, 44, buffer);
  set(u"Authenticated", A, RT | AW, 44, buffer);
  set(u"Authenticated", A, AW, 44, buffer);
  set(u"Authenticated", A, AT, 44, buffer);
  set(u"Authenticated", A, NV | BS | RT | EA, 44, buffer);
  set(u"Authenticated", A, NV | BS | RT | EA | AT, 44, buffer);
  set(u"Authenticated", A, NV | BS | RT | EA | AW, 44, buffer);
  get(u"Authenticated", A, 64);
}

/* Any call with any argument of a few, most of them likely. */
static void seeded(const char *title, u32 start, u32 calls) {
  static const CHAR16 *const names = u"V\0W\0v\0VV\0Longer name";
  static const u8 starts[] = {0, 2, 4, 6, 9};
  static const u8 likely[] = {BS, BS | RT, NV | BS, NV | BS | RT, NV | BS | RT, NV | BS | RT};
  section(title);
  seed = start;
  while (calls-- > 0) {
    const CHAR16 *name = names + starts[chance(5)];
    const EFI_GUID *guid = chance(3) ? A : B;
    u32 attributes = chance(12) ? likely[chance(sizeof likely)] : chance(0x80);
    if (chance(6) == 0) attributes |= AP;
    if (chance(12) == 0) attributes = 0;
    u64 size = chance(4) ? 1 + chance(20) : chance(2) ? 0 : chance(200);
    for (u64 i = 0; i < 200; i++) buffer[i] = (u8)(chance(4) ? i : chance(256));
    switch (chance(8)) {
      case 0: get(name, guid, chance(2) ? 400 : chance(40)); break;
      case 1: get(name, guid, 600); break;
      case 2: chance(2) ? walk() : growth(attributes & NV ? NV | BS | RT : BS | RT); break;
      default: set(name, guid, attributes, size, buffer);
    }
  }
  walk();
}

static u64 map[0x4000 / 8];

static EFI_STATUS leave_boot_services(EFI_HANDLE image, const EFI_BOOT_SERVICES *boot) {
  EFI_STATUS status = EFI_ABORTED;
  for (u32 tries = 0; tries < 3 && status != EFI_SUCCESS; tries++) {
    u64 size = sizeof map, key, stride;
    u32 version;
    status = boot->GetMemoryMap(&size, map, &key, &stride, &version);
    if (status == EFI_SUCCESS) status = boot->ExitBootServices(image, key);
  }
  interrupts_off();
  return status;
}

static void at_run_time(void) {
  static const u32 kinds[] = {BS, BS | RT, NV | BS, NV | BS | RT};
  static const CHAR16 *const names = u"Boot\0Volatile\0Hidden\0Both";
  static const u8 starts[] = {0, 5, 14, 21};
  section("8.2.1, 8.2.2 at run time: which variables are seen");
  walk();
  for (u32 i = 0; i < 4; i++) get(names + starts[i], A, 16);
  for (u32 i = 0; i < 4; i++) next(names + starts[i], A, 4);
  section("8.2.3 at run time: writing what exists");
  for (u32 i = 0; i < 4; i++) {
    const CHAR16 *name = names + starts[i];
    for (u32 k = 0; k < 4; k++) set(name, A, kinds[k], 2, bytes + 4);
    for (u32 k = 0; k < 4; k++) set(name, A, kinds[k] | AP, 2, bytes + 8);
    set(name, A, kinds[i] | AP, 0, 0);
    set(name, A, kinds[i], 4, bytes);
    get(name, A, 16);
    set(name, A, 0, 0, 0);
    get(name, A, 16);
    set(name, A, kinds[i], 0, 0);
    set(name, A, NV | BS | RT, 0, 0);
    get(name, A, 16);
  }
  walk();
  section("8.2.3 at run time: creating, every combination of the lowest seven bits");
  for (u32 attributes = 0; attributes < 0x80; attributes++)
    if (set(u"Created", A, attributes, 4, bytes) == EFI_SUCCESS) {
      get(u"Created", A, 16);
      set(u"Created", A, attributes & ~AP, 0, 0);
    }
  section("8.2.4 at run time");
  for (u32 attributes = 0; attributes < 0x80; attributes++) query(attributes);
  section("8.2.3 at run time: architectural variables");
  TRY("SecureBoot", BS | RT, 1), TRY("SetupMode", 0, 0), TRY("OsIndicationsSupported", BS | RT, 8);
  TRY("OsIndications", NV | BS | RT, 8), get(u"OsIndications", GLOBAL, 16), TRY("OsIndications", NV | BS | RT, 0);
  TRY("BootCurrent", BS | RT, 2), TRY("Invented", NV | BS | RT, 1), TRY("BootNext", NV | BS | RT, 2), TRY("BootNext", 0, 0);
  section("8.2.3 at run time: sizes");
  set(u"L", A, NV | BS | RT, 0x83c0, buffer);
  set(u"L", A, NV | BS | RT, 0x83c1, buffer);
  get(u"L", A, BufferBytes);
  set(u"L", A, 0, 0, 0);
}

u64 guest_main(const struct entry *entry) {
  EFI_HANDLE image = (EFI_HANDLE)entry->argument[0];
  const EFI_SYSTEM_TABLE *system = (const EFI_SYSTEM_TABLE *)entry->argument[1];
  console_open(0); /* the UART, before and after: a firmware's console adds escape sequences */
  calls_open(system->RuntimeServices);
  print("");
  print("BEGIN");

  attribute_rules();
  parameters();
  appending();
  deleting();
  enumerating();
  querying();
  accounting(BS);
  accounting(NV | BS);
  limits(BS);
  limits(NV | BS | RT);
  filling(BS);
  filling(NV | BS | RT);
  architectural();
  seeded("seeded calls 1", 1, 600);
  seeded("seeded calls 4711", 4711, 600);

  section("ExitBootServices");
  set(u"Boot", A, BS, 4, bytes);
  set(u"Volatile", A, BS | RT, 4, bytes);
  set(u"Hidden", A, NV | BS, 4, bytes);
  set(u"Both", A, NV | BS | RT, 4, bytes);
  if (leave_boot_services(image, system->BootServices) != EFI_SUCCESS) print("ExitBootServices failed");
  at_run_time();
  seeded("seeded calls at run time", 20, 500);

  print("END");
  EFI_STATUS(EFIAPI *reset)(u32, EFI_STATUS, u64, void *) = system->RuntimeServices->ResetSystem;
  reset(2, EFI_SUCCESS, 0, 0);
  halt_for_good();
}
