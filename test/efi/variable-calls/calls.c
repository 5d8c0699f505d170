#include "calls.h"

#include "../../../examples/lib/console.h"

const EFI_GUID guid_a = {0x5b0c2d11, 0x77e4, 0x4f3a, {0x8d, 0x21, 0x3e, 0x90, 0xc4, 0x5a, 0x16, 0xaa}};
const EFI_GUID guid_b = {0x5b0c2d11, 0x77e4, 0x4f3a, {0x8d, 0x21, 0x3e, 0x90, 0xc4, 0x5a, 0x16, 0xbb}};
const EFI_GUID guid_global = {0x8be4df61, 0x93ca, 0x11d2, {0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c}};
const EFI_GUID guid_security = {0xd719b2cb, 0x3d3a, 0x4596, {0xa3, 0xbc, 0xda, 0xd0, 0x0e, 0x67, 0x65, 0x6f}};
const EFI_GUID guid_hardware_error = {0x414e6bdd, 0xe47b, 0x47cc, {0xb2, 0x44, 0xbb, 0x61, 0x02, 0x0c, 0xf5, 0x16}};

const u8 bytes[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
u8 buffer[BufferBytes];

static const EFI_RUNTIME_SERVICES *runtime;
static u8 result[BufferBytes];
static char line[512];
static size_t used;

void calls_open(const EFI_RUNTIME_SERVICES *services) {
  runtime = services;
}

void section(const char *title) {
  print("# %s", title);
}

static void put(const char *text) {
  while (*text && used < sizeof line - 1) line[used++] = *text++;
  line[used] = 0;
}

static void put_digits(u64 value, int digits) {
  for (int shift = digits * 4 - 4; shift >= 0; shift -= 4) {
    char digit[2] = {"0123456789abcdef"[(value >> shift) & 15], 0};
    put(digit);
  }
}

static void put_number(u64 value) {
  int digits = 1;
  while (digits < 16 && value >> (digits * 4)) digits++;
  put("0x");
  put_digits(value, digits);
}

/* ASCII as it is, everything else as \uXXXX; long names by their length. */
static void put_name(const CHAR16 *name) {
  if (!name) {
    put("NULL");
    return;
  }
  size_t length = 0;
  while (name[length]) length++;
  put("\"");
  for (size_t i = 0; name[i] && i < 40; i++) {
    char ascii[2] = {(char)name[i], 0};
    if (name[i] >= ' ' && name[i] < 127 && name[i] != '\\') {
      put(ascii);
    } else {
      put("\\u");
      put_digits(name[i], 4);
    }
  }
  put("\"");
  if (length > 40) {
    put("...");
    put_number(length);
  }
}

static void put_guid(const EFI_GUID *guid) {
  const char *name = "other";
  if (!guid) name = "NULL";
  else if (memcmp(guid, &guid_a, sizeof *guid) == 0) name = "A";
  else if (memcmp(guid, &guid_b, sizeof *guid) == 0) name = "B";
  else if (memcmp(guid, &guid_global, sizeof *guid) == 0) name = "global";
  else if (memcmp(guid, &guid_security, sizeof *guid) == 0) name = "security";
  else if (memcmp(guid, &guid_hardware_error, sizeof *guid) == 0) name = "hardware-error";
  put(" ");
  put(name);
}

static void put_attributes(u32 attributes) {
  static const char names[][4] = {"NV", "BS", "RT", "HR", "AW", "AT", "AP", "EA"};
  const char *separator = " ";
  if (attributes == 0) put(" 0");
  for (u32 bit = 0; bit < 8; bit++) {
    if ((attributes >> bit & 1) == 0) continue;
    put(separator);
    put(names[bit]);
    separator = "|";
  }
  if (attributes >> 8 == 0) return;
  put(separator);
  put_number(attributes & ~0xffu);
}

/* Up to 12 bytes as they are, more as their FNV-1a hash. */
static void put_data(const u8 *data, u64 size) {
  put(" ");
  if (size <= 12) {
    for (u64 i = 0; i < size; i++) put_digits(data[i], 2);
    if (size == 0) put("-");
    return;
  }
  u64 hash = 0xcbf29ce484222325;
  for (u64 i = 0; i < size; i++) hash = (hash ^ data[i]) * 0x100000001b3;
  put("fnv1a:");
  put_digits(hash, 16);
}

static void put_status(EFI_STATUS status) {
  put(" -> ");
  if (status == EFI_WRITE_PROTECTED) put("EFI_WRITE_PROTECTED");
  else if (status == EFI_SECURITY_VIOLATION) put("EFI_SECURITY_VIOLATION");
  else if (status_name(status)) put(status_name(status));
  else put_number(status);
}

static void begin(const char *service) {
  used = 0;
  put(service);
  put(" ");
}

static void end(void) {
  print("%s", line);
}

EFI_STATUS set(const CHAR16 *name, const EFI_GUID *guid, u32 attributes, u64 size, const void *data) {
  begin("set");
  put_name(name);
  put_guid(guid);
  put_attributes(attributes);
  put(" ");
  put_number(size);
  if (!data) put(" NULL");
  else if (size <= BufferBytes) put_data(data, size);
  EFI_STATUS status = runtime->SetVariable(name, guid, attributes, size, data);
  put_status(status);
  end();
  return status;
}

/* The bytes of `result` that a service changed, which held 0xee; the sign of a service that writes what it must not. */
static u64 touched(u64 from) {
  u64 count = 0;
  for (u64 i = from; i < sizeof result; i++) count += result[i] != 0xee;
  return count;
}

static void put_result(EFI_STATUS status, u64 size) {
  if (status == EFI_SUCCESS) put_data(result, size);
  u64 stray = touched(status == EFI_SUCCESS ? size : 0);
  if (stray == 0) return;
  put(" STRAY BYTES ");
  put_number(stray);
}

EFI_STATUS get(const CHAR16 *name, const EFI_GUID *guid, u64 size) {
  u32 attributes = 0xdeadbeef;
  begin("get");
  put_name(name);
  put_guid(guid);
  put(" ");
  put_number(size);
  memset(result, 0xee, sizeof result);
  EFI_STATUS status = runtime->GetVariable(name, guid, &attributes, &size, result);
  put_status(status);
  put(" ");
  put_number(size);
  if (attributes == 0xdeadbeef) put(" untouched");
  else put_attributes(attributes);
  put_result(status, size);
  end();
  return status;
}

EFI_STATUS look(const CHAR16 *name, const EFI_GUID *guid) {
  u32 attributes = 0;
  u64 size = 0;
  begin("look");
  put_name(name);
  put_guid(guid);
  EFI_STATUS status = runtime->GetVariable(name, guid, &attributes, &size, 0);
  put_status(status);
  if (status == EFI_BUFFER_TOO_SMALL) put_attributes(attributes);
  end();
  return status;
}

void get_null(const CHAR16 *name, u64 size, u32 null) {
  u32 attributes = 0xdeadbeef;
  begin("get-null");
  put_number(null);
  put(" ");
  put_name(name);
  put(" ");
  put_number(size);
  memset(result, 0xee, sizeof result);
  EFI_STATUS status = runtime->GetVariable(null & 1 ? 0 : name, null & 2 ? 0 : &guid_a, null & 4 ? 0 : &attributes,
                                           null & 8 ? 0 : &size, null & 16 ? 0 : result);
  put_status(status);
  put(" ");
  put_number(size);
  if (attributes == 0xdeadbeef) put(" untouched");
  else put_attributes(attributes);
  put_result(status, size);
  end();
}

EFI_STATUS next(const CHAR16 *name, const EFI_GUID *guid, u64 size) {
  static CHAR16 given[1024];
  EFI_GUID owner = *guid;
  begin("next");
  put_name(name);
  put_guid(guid);
  put(" ");
  put_number(size);
  size_t length = 0;
  while (name[length]) length++;
  memset(given, 0x5a, sizeof given);
  memcpy(given, name, (length + 1) * 2);
  EFI_STATUS status = runtime->GetNextVariableName(&size, given, &owner);
  put_status(status);
  if (status == EFI_SUCCESS && memcmp(&owner, &guid_a, sizeof owner) != 0 && memcmp(&owner, &guid_b, sizeof owner) != 0) {
    put(" another's");
  } else {
    put(" ");
    put_number(size);
    if (status == EFI_SUCCESS) {
      put(" ");
      put_name(given);
      put_guid(&owner);
    } else if (memcmp(given, name, (length + 1) * 2) != 0 || memcmp(&owner, guid, sizeof owner) != 0) {
      put(" TOUCHED");
    }
  }
  end();
  return status;
}

void next_null(u32 null) {
  CHAR16 name[64] = {0};
  EFI_GUID guid = guid_a;
  u64 size = sizeof name;
  begin("next-null");
  put_number(null);
  put_status(runtime->GetNextVariableName(null & 1 ? 0 : &size, null & 2 ? 0 : name, null & 4 ? 0 : &guid));
  end();
}

void walk(void) {
  static CHAR16 name[1024];
  EFI_GUID guid = guid_a;
  EFI_STATUS status;
  name[0] = 0;
  for (;;) {
    u64 size = sizeof name;
    status = runtime->GetNextVariableName(&size, name, &guid);
    if (status != EFI_SUCCESS) break;
    if (memcmp(&guid, &guid_a, sizeof guid) != 0 && memcmp(&guid, &guid_b, sizeof guid) != 0) continue;
    begin("walk");
    put_name(name);
    put_guid(&guid);
    put(" ");
    put_number(size);
    end();
  }
  begin("walk");
  put("ends");
  put_status(status);
  end();
}

EFI_STATUS query(u32 attributes) {
  u64 maximum = 1, remains = 2, largest = 3;
  begin("query");
  put_attributes(attributes);
  EFI_STATUS status = runtime->QueryVariableInfo(attributes, &maximum, &remains, &largest);
  put_status(status);
  if (status == EFI_SUCCESS) {
    put(" ");
    put_number(maximum);
    put(" ");
    put_number(largest);
    if (remains > maximum) put(" MORE REMAINS THAN THERE IS");
  } else if (maximum != 1 || remains != 2 || largest != 3) {
    put(" TOUCHED");
  }
  end();
  return status;
}

void query_null(u32 attributes, u32 null) {
  u64 maximum = 1, remains = 2, largest = 3;
  begin("query-null");
  put_number(null);
  put_attributes(attributes);
  put_status(runtime->QueryVariableInfo(attributes, null & 1 ? 0 : &maximum, null & 2 ? 0 : &remains,
                                        null & 4 ? 0 : &largest));
  end();
}

u64 remaining(u32 attributes) {
  u64 maximum = 0, remains = 0, largest = 0;
  runtime->QueryVariableInfo(attributes, &maximum, &remains, &largest);
  return remains;
}

void growth(u32 attributes) {
  static u64 before[2];
  u64 *last = &before[attributes & NV];
  u64 now = remaining(attributes);
  begin("growth");
  put_attributes(attributes);
  if (*last == 0) {
    put(" from here");
  } else {
    put(now > *last ? " -" : " ");
    put_number(now > *last ? now - *last : *last - now);
  }
  *last = now;
  end();
}

static void number(CHAR16 *name, u32 index) {
  while (name[2]) name++;
  name[0] = (CHAR16)('0' + index / 10);
  name[1] = (CHAR16)('0' + index % 10);
}

void fill_quietly(u32 attributes, CHAR16 *name) {
  for (u32 i = 0; i < 100; i++) {
    number(name, i);
    if (runtime->SetVariable(name, &guid_a, attributes, i < 10 ? 0x7000 : 0x1000, buffer) != EFI_SUCCESS && i > 10) return;
  }
}

void empty_quietly(CHAR16 *name) {
  for (u32 i = 0; i < 100; i++) {
    number(name, i);
    runtime->SetVariable(name, &guid_a, 0, 0, 0);
  }
}
