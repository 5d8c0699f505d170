/* The variable services: every status of their sections. UEFI 2.10 section 8.2; test/efi/variable-calls goes into depth. */
#include "conformance.h"

static const char get[] = "8.2.1 GetVariable", next[] = "8.2.2 GetNextVariableName", set[] = "8.2.3 SetVariable",
                  query[] = "8.2.4 QueryVariableInfo";

static const EFI_GUID vendor = {0x0d2f7c11, 0x5a83, 0x4be6, {0x8c, 0x61, 0x93, 0x2a, 0xf0, 0x4d, 0x7e, 0x15}};
static const EFI_GUID other = {0x7b90e4a2, 0x13cd, 0x4f52, {0xa7, 0x0e, 0x5b, 0x61, 0xd8, 0x29, 0x3f, 0xc4}};
static const EFI_GUID global = {0x8be4df61, 0x93ca, 0x11d2, {0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c}};

#define NV 1
#define BS 2
#define RT 4
#define HARDWARE_ERROR 8
#define AUTHENTICATED 0x10
#define TIME_AUTHENTICATED 0x20
#define APPEND 0x40

static const CHAR16 kept[] = u"Kept", early[] = u"BootOnly", fleeting[] = u"Fleeting", missing[] = u"Missing", made[] = u"Made";
static const u8 data[] = {1, 2, 3, 4, 5, 6};
static u8 large[1 << 17];

static EFI_STATUS set_variable(const CHAR16 *name, u64 attributes, u64 size) {
  return call5(RUNTIME(SetVariable), name, &vendor, attributes, size, size > sizeof data ? large : data);
}

/* What GetVariable says of a variable: status, size, attributes, first byte. */
static struct {
  EFI_STATUS status;
  u64 size;
  u32 attributes;
  u8 bytes[16];
} found;
static EFI_STATUS look(const CHAR16 *name) {
  memset(&found, 0xee, sizeof found);
  found.size = sizeof found.bytes;
  return found.status = call5(RUNTIME(GetVariable), name, &vendor, &found.attributes, &found.size, found.bytes);
}

/* Whether GetNextVariableName comes to a name of ours, and how its way ends. */
static EFI_STATUS last_status;
static int enumerates(const CHAR16 *name) {
  static CHAR16 at[512];
  EFI_GUID guid = {0};
  int seen = 0;
  at[0] = 0;
  for (;;) {
    u64 size = sizeof at;
    last_status = call3(RUNTIME(GetNextVariableName), &size, at, &guid);
    if (last_status != EFI_SUCCESS) return seen;
    u64 length = 0;
    while (name[length]) length++;
    if (same(&guid, &vendor, sizeof guid) && size == (length + 1) * 2 && same(at, name, size)) seen++;
  }
}

static void check_get(void) {
  u64 size = sizeof found.bytes;
  check_status(get, "into a buffer that is large enough", look(kept), EFI_SUCCESS);
  check(get, "the data, its size and its attributes are given",
        found.size == sizeof data && same(found.bytes, data, sizeof data) && found.attributes == (NV | BS | RT));
  check_status(get, "without Attributes", call5(RUNTIME(GetVariable), kept, &vendor, 0, &size, found.bytes), EFI_SUCCESS);
  size = sizeof data - 1;
  found.attributes = 0;
  memset(found.bytes, 0xee, sizeof found.bytes);
  check_status(get, "into a buffer that is one byte too small", call5(RUNTIME(GetVariable), kept, &vendor, &found.attributes, &size, found.bytes), EFI_BUFFER_TOO_SMALL);
  check(get, "too small a buffer: the size needed and the attributes are told, no data", size == sizeof data && found.attributes == (NV | BS | RT) && found.bytes[0] == 0xee);
  size = 0;
  check_status(get, "for the size alone, Data NULL", call5(RUNTIME(GetVariable), kept, &vendor, 0, &size, 0), EFI_BUFFER_TOO_SMALL);
  check_status(get, "when Data is NULL and DataSize is large enough", call5(RUNTIME(GetVariable), kept, &vendor, 0, &size, 0), EFI_INVALID_PARAMETER);
  check_status(get, "when VariableName is NULL", call5(RUNTIME(GetVariable), 0, &vendor, 0, &size, found.bytes), EFI_INVALID_PARAMETER);
  check_status(get, "when VendorGuid is NULL", call5(RUNTIME(GetVariable), kept, 0, 0, &size, found.bytes), EFI_INVALID_PARAMETER);
  check_status(get, "when DataSize is NULL", call5(RUNTIME(GetVariable), kept, &vendor, 0, 0, found.bytes), EFI_INVALID_PARAMETER);
  check_status(get, "for a name that nobody has", look(missing), EFI_NOT_FOUND);
  check_status(get, "for an empty name", look(u""), EFI_NOT_FOUND);
  check_status(get, "for a name in other letters", look(u"kept"), EFI_NOT_FOUND);
  check_status(get, "for the same name under another GUID", call5(RUNTIME(GetVariable), kept, &other, 0, &size, found.bytes), EFI_NOT_FOUND);
}

static void check_next(void) {
  static CHAR16 at[512];
  EFI_GUID guid = vendor;
  u64 size = sizeof at;
  check(next, "comes to each variable once", enumerates(kept) == 1 && enumerates(early) == 1 && enumerates(fleeting) == 1);
  check_status(next, "behind the last variable", last_status, EFI_NOT_FOUND);
  memcpy(at, kept, sizeof kept);
  size = sizeof at;
  check_status(next, "behind a variable that is there", call3(RUNTIME(GetNextVariableName), &size, at, &guid), EFI_SUCCESS);
  at[0] = 0;
  size = 2;
  check_status(next, "when the next name does not fit", call3(RUNTIME(GetNextVariableName), &size, at, &guid), EFI_BUFFER_TOO_SMALL);
  check(next, "too small a buffer: the size needed is told, the name is left as it was", size > 2 && at[0] == 0);
  check_status(next, "when VariableNameSize is NULL", call3(RUNTIME(GetNextVariableName), 0, at, &guid), EFI_INVALID_PARAMETER);
  check_status(next, "when VariableName is NULL", call3(RUNTIME(GetNextVariableName), &size, 0, &guid), EFI_INVALID_PARAMETER);
  check_status(next, "when VendorGuid is NULL", call3(RUNTIME(GetNextVariableName), &size, at, 0), EFI_INVALID_PARAMETER);
  memcpy(at, missing, sizeof missing);
  size = sizeof at;
  guid = vendor;
  check_status(next, "behind a variable that is not there", call3(RUNTIME(GetNextVariableName), &size, at, &guid), EFI_INVALID_PARAMETER);
  at[0] = at[1] = 'x';
  size = 4;
  check_status(next, "for a name without an end in VariableNameSize bytes", call3(RUNTIME(GetNextVariableName), &size, at, &guid), EFI_INVALID_PARAMETER);
}

static void check_set(void) {
  check_status(set, "for a new variable", set_variable(made, NV | BS | RT, 4), EFI_SUCCESS);
  check_status(set, "with other data and another size", set_variable(made, NV | BS | RT, 6), EFI_SUCCESS);
  check(set, "the data is replaced", look(made) == EFI_SUCCESS && found.size == 6 && found.bytes[5] == 6);
  check_status(set, "with APPEND_WRITE", set_variable(made, NV | BS | RT | APPEND, 3), EFI_SUCCESS);
  check(set, "the data is appended", look(made) == EFI_SUCCESS && found.size == 9 && found.bytes[6] == 1 && found.bytes[8] == 3);
  check_status(set, "with APPEND_WRITE of nothing", set_variable(made, NV | BS | RT | APPEND, 0), EFI_SUCCESS);
  check(set, "that changes nothing", look(made) == EFI_SUCCESS && found.size == 9);
  check_status(set, "with other attributes than the variable has", set_variable(made, BS | RT, 4), EFI_INVALID_PARAMETER);
  check(set, "a refused call changes nothing", look(made) == EFI_SUCCESS && found.size == 9 && found.attributes == (NV | BS | RT));
  check_status(set, "with DataSize 0: it deletes", set_variable(made, NV | BS | RT, 0), EFI_SUCCESS);
  check_status(get, "of a variable that was deleted", look(made), EFI_NOT_FOUND);
  check_status(set, "for deleting what is not there", set_variable(made, NV | BS | RT, 0), EFI_NOT_FOUND);
  set_variable(made, NV | BS | RT, 4);
  check_status(set, "with Attributes 0: it deletes", set_variable(made, 0, 4), EFI_SUCCESS);
  check_status(get, "of a variable that was deleted by Attributes 0", look(made), EFI_NOT_FOUND);
  set_variable(made, NV | BS, 4);
  check_status(set, "with the non-volatile attribute alone", set_variable(made, NV, 4), EFI_INVALID_PARAMETER);
  set_variable(made, NV | BS, 0);
  check_status(set, "for an empty name", set_variable(u"", NV | BS | RT, 4), EFI_INVALID_PARAMETER);
  check_status(set, "when VariableName is NULL", set_variable(0, NV | BS | RT, 4), EFI_INVALID_PARAMETER);
  check_status(set, "when VendorGuid is NULL", call5(RUNTIME(SetVariable), made, 0, NV | BS | RT, 4, data), EFI_INVALID_PARAMETER);
  check_status(set, "when Data is NULL and DataSize is not 0", call5(RUNTIME(SetVariable), made, &vendor, NV | BS | RT, 4, 0), EFI_INVALID_PARAMETER);
  check_status(set, "for run-time access without boot-service access", set_variable(made, NV | RT, 4), EFI_INVALID_PARAMETER);
  check_status(set, "for a hardware error record that is not one", set_variable(made, NV | BS | HARDWARE_ERROR, 4), EFI_INVALID_PARAMETER);
  check_status(set, "for the deprecated AUTHENTICATED_WRITE_ACCESS", set_variable(made, NV | BS | RT | AUTHENTICATED, 4), EFI_UNSUPPORTED);
  check_status(set, "for both kinds of authentication", set_variable(made, NV | BS | RT | AUTHENTICATED | TIME_AUTHENTICATED, 4), EFI_UNSUPPORTED);
  check_status(set, "for data that is larger than a variable may be", set_variable(made, NV | BS | RT, sizeof large), EFI_INVALID_PARAMETER);
  check_status(get, "after refused calls", look(made), EFI_NOT_FOUND);
  check_status(set, "for a variable that only the firmware writes",
               call5(RUNTIME(SetVariable), u"SecureBoot", &global, BS | RT, 1, data), EFI_WRITE_PROTECTED);
}

/* The volatile store, so that OVMF's flash need not be filled. */
static void check_full(void) {
  CHAR16 name[] = u"Filler00";
  EFI_STATUS status = EFI_SUCCESS;
  u64 room = 0, remaining = 0, most = 0;
  int n = 0;
  call4(RUNTIME(QueryVariableInfo), BS, &room, &remaining, &most);
  for (; n < 100 && status == EFI_SUCCESS; n++) {
    name[6] = (CHAR16)('0' + n / 10);
    name[7] = (CHAR16)('0' + n % 10);
    status = set_variable(name, BS, most - 64 > 30000 ? 30000 : most - 64);
  }
  check_status(set, "when the store is full", status, EFI_OUT_OF_RESOURCES);
  check_status(get, "of a variable that did not fit", look(name), EFI_NOT_FOUND);
  check_status(get, "of another variable when the store is full", look(kept), EFI_SUCCESS);
  while (n-- > 0) {
    name[6] = (CHAR16)('0' + n / 10);
    name[7] = (CHAR16)('0' + n % 10);
    set_variable(name, BS, 0);
  }
  check_status(set, "when there is room again", set_variable(made, BS, 4), EFI_SUCCESS);
  set_variable(made, BS, 0);
}

static EFI_STATUS ask(u64 attributes, u64 *sizes) {
  return call4(RUNTIME(QueryVariableInfo), attributes, sizes, sizes + 1, sizes + 2);
}

static void check_query(int left) {
  u64 sizes[3] = {0}, before[3];
  check_status(query, left ? "at run time, for non-volatile variables" : "for non-volatile variables", ask(NV | BS | RT, sizes), EFI_SUCCESS);
  check(query, left ? "at run time, the room left and the largest variable fit into the store" : "the room left and the largest variable fit into the store",
        sizes[0] > 0 && sizes[1] <= sizes[0] && sizes[2] <= sizes[0]);
  if (left) {
    check_status(query, "at run time, without run-time access", ask(NV | BS, sizes), EFI_INVALID_PARAMETER);
    return;
  }
  check_status(query, "for volatile variables", ask(BS, sizes), EFI_SUCCESS);
  ask(NV | BS | RT, before);
  set_variable(made, NV | BS | RT, 6);
  ask(NV | BS | RT, sizes);
  check(query, "a new variable leaves less room", sizes[1] < before[1] && sizes[0] == before[0]);
  set_variable(made, NV | BS | RT, 0);
  check_status(query, "when MaximumVariableStorageSize is NULL", call4(RUNTIME(QueryVariableInfo), NV | BS | RT, 0, sizes, sizes), EFI_INVALID_PARAMETER);
  check_status(query, "when RemainingVariableStorageSize is NULL", call4(RUNTIME(QueryVariableInfo), NV | BS | RT, sizes, 0, sizes), EFI_INVALID_PARAMETER);
  check_status(query, "when MaximumVariableSize is NULL", call4(RUNTIME(QueryVariableInfo), NV | BS | RT, sizes, sizes, 0), EFI_INVALID_PARAMETER);
  check_status(query, "for Attributes 0", ask(0, sizes), EFI_INVALID_PARAMETER);
  check_status(query, "for run-time access without boot-service access", ask(NV | RT, sizes), EFI_INVALID_PARAMETER);
  check_status(query, "for the non-volatile attribute alone", ask(NV, sizes), EFI_INVALID_PARAMETER);
  check_status(query, "for an attribute that there is not", ask(0x80000000, sizes), EFI_UNSUPPORTED);
}

static void make_variables(void) {
  set_variable(kept, NV | BS | RT, sizeof data);
  set_variable(early, NV | BS, sizeof data);
  set_variable(fleeting, BS | RT, sizeof data);
}

void check_variables_after(void) {
  make_variables();
  read_map();
  call2(BOOT(ExitBootServices), image, map.key);
  check_status(get, "at run time, of a variable with run-time access", look(kept), EFI_SUCCESS);
  check_status(get, "at run time, of a variable without run-time access", look(early), EFI_NOT_FOUND);
  check(next, "at run time, only variables with run-time access come", enumerates(kept) == 1 && enumerates(early) == 0);
  check_status(set, "at run time, for a new non-volatile variable", set_variable(made, NV | BS | RT, 4), EFI_SUCCESS);
  check_status(set, "at run time, for a new volatile variable", set_variable(u"Volatile", BS | RT, 4), EFI_INVALID_PARAMETER);
  check_status(set, "at run time, for a new variable without run-time access", set_variable(u"Hidden", NV | BS, 4), EFI_INVALID_PARAMETER);
  check_status(set, "at run time, for a volatile variable that is there", set_variable(fleeting, BS | RT, 4), EFI_WRITE_PROTECTED);
  check_status(set, "at run time, for a variable without run-time access that is there", set_variable(early, NV | BS, 4), EFI_WRITE_PROTECTED);
  check_status(set, "at run time, for deleting a variable", set_variable(made, NV | BS | RT, 0), EFI_SUCCESS);
  check_status(get, "at run time, of a variable that was deleted", look(made), EFI_NOT_FOUND);
  check_query(1);
}

void check_variables(void) {
  make_variables();
  check_get();
  check_next();
  check_set();
  check_full();
  check_query(0);
}
