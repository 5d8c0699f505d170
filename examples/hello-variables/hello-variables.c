/*
 * Sets, reads, enumerates and deletes EFI variables and calls Exit with what came of it. UEFI 2.10 section 8.2. Uses only
 * the variable services, Exit and, where it works, OutputString. A second run against a kept variable store also finds
 * the counter of the first: that variable is non-volatile and stays.
 */
#include "../lib/console.h"
#include "../lib/entry.h"

/* Random, of this example alone. */
static const EFI_GUID vendor = {0x3f1c7b52, 0x8e0d, 0x4c39, {0xa4, 0x16, 0x5b, 0xd2, 0x70, 0xe9, 0x4f, 0xc1}};

static const EFI_RUNTIME_SERVICES *runtime;
static u64 unexpected;

static void expect(const char *step, EFI_STATUS status, EFI_STATUS wanted) {
  const char *name = status_name(status);
  if (name) print("%s: %s", step, name);
  else print("%s: %x", step, status);
  if (status == wanted) return;
  print("  expected %s", status_name(wanted));
  unexpected++;
}

static void expect_true(const char *what, int holds) {
  print("  %s: %s", what, holds ? "yes" : "NO");
  unexpected += !holds;
}

/* Walks all names and counts those of this example; the firmware's own are passed over in silence. */
static u64 enumerate(void) {
  static CHAR16 name[512];
  EFI_GUID guid;
  EFI_STATUS status;
  u64 found = 0, all = 0;
  name[0] = 0;
  for (;;) {
    u64 size = sizeof name;
    status = runtime->GetNextVariableName(&size, name, &guid);
    if (status != EFI_SUCCESS) break;
    all++;
    if (memcmp(&guid, &vendor, sizeof guid) != 0) continue;
    found++;
    print("  found %w", name);
  }
  expect("GetNextVariableName, at the end", status, EFI_NOT_FOUND);
  print("  %s", all > found ? "other vendors have variables too" : "nobody else has variables");
  return found;
}

static void run_volatile(void) {
  static const char greeting[] = "hello, firmware";
  static const char farewell[] = "goodbye";
  const u32 attributes = EFI_VARIABLE_BOOTSERVICE_ACCESS;
  char data[64];
  u32 got = 0;
  u64 size = sizeof data;

  expect("GetVariable, before it exists", runtime->GetVariable(u"Greeting", &vendor, &got, &size, data), EFI_NOT_FOUND);
  expect("SetVariable", runtime->SetVariable(u"Greeting", &vendor, attributes, sizeof greeting - 1, greeting), EFI_SUCCESS);

  size = 4;
  expect("GetVariable, buffer too small", runtime->GetVariable(u"Greeting", &vendor, &got, &size, data), EFI_BUFFER_TOO_SMALL);
  expect_true("the size it needs is told", size == sizeof greeting - 1);

  size = sizeof data;
  expect("GetVariable", runtime->GetVariable(u"Greeting", &vendor, &got, &size, data), EFI_SUCCESS);
  expect_true("same bytes", size == sizeof greeting - 1 && memcmp(data, greeting, size) == 0);
  expect_true("same attributes", got == attributes);

  expect("SetVariable, replace", runtime->SetVariable(u"Greeting", &vendor, attributes, sizeof farewell - 1, farewell), EFI_SUCCESS);
  size = sizeof data;
  expect("GetVariable, replaced", runtime->GetVariable(u"Greeting", &vendor, &got, &size, data), EFI_SUCCESS);
  expect_true("replaced, not appended", size == sizeof farewell - 1 && memcmp(data, farewell, size) == 0);

  expect("SetVariable, runtime without boot access",
         runtime->SetVariable(u"Wrong", &vendor, EFI_VARIABLE_RUNTIME_ACCESS, 1, data), EFI_INVALID_PARAMETER);
  expect("SetVariable, empty name", runtime->SetVariable(u"", &vendor, attributes, 1, data), EFI_INVALID_PARAMETER);
}

static void run_counter(void) {
  const u32 attributes =
      EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS;
  u32 runs = 0;
  u64 size = sizeof runs;
  EFI_STATUS status = runtime->GetVariable(u"Runs", &vendor, 0, &size, &runs);
  expect("GetVariable, counter of runs", status, status == EFI_NOT_FOUND ? EFI_NOT_FOUND : EFI_SUCCESS);
  runs++;
  expect("SetVariable, counter of runs", runtime->SetVariable(u"Runs", &vendor, attributes, sizeof runs, &runs), EFI_SUCCESS);
  print("  runs so far: %u", (u64)runs);
}

static void run_delete(void) {
  u64 size = 0;
  expect("SetVariable, size 0 deletes",
         runtime->SetVariable(u"Greeting", &vendor, EFI_VARIABLE_BOOTSERVICE_ACCESS, 0, 0), EFI_SUCCESS);
  expect("GetVariable, after it is gone", runtime->GetVariable(u"Greeting", &vendor, 0, &size, 0), EFI_NOT_FOUND);
  expect("SetVariable, delete again",
         runtime->SetVariable(u"Greeting", &vendor, EFI_VARIABLE_BOOTSERVICE_ACCESS, 0, 0), EFI_NOT_FOUND);
}

u64 guest_main(const struct entry *entry) {
  EFI_HANDLE image = (EFI_HANDLE)entry->argument[0];
  const EFI_SYSTEM_TABLE *system = (const EFI_SYSTEM_TABLE *)entry->argument[1];
  runtime = system->RuntimeServices;
  console_open(system);

  run_volatile();
  run_counter();
  expect_true("both variables are listed", enumerate() == 2);
  run_delete();
  expect_true("one variable is left", enumerate() == 1);

  print("hello-variables: %s", unexpected == 0 ? "all as expected" : "some steps were not as expected");
  EFI_STATUS status = unexpected == 0 ? EFI_SUCCESS : EFI_ABORTED;
  return system->BootServices->Exit(image, status, 0, 0);
}
