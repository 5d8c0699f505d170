/*
 * The rules of UEFI 2.10 section 8.2 one by one, while boot services are there: attributes, parameters, appending, deleting,
 * the order of names, sizes and a full store.
 */
#include "rules.h"

#include "calls.h"

void attribute_rules(void) {
  section("8.2.3 attributes: every combination of the lowest seven bits, created and deleted");
  for (u32 attributes = 0; attributes < 0x80; attributes++)
    if (set(u"Combination", A, attributes, 4, bytes) == EFI_SUCCESS) {
      get(u"Combination", A, 16);
      set(u"Combination", A, attributes & ~AP, 0, 0);
    }
  section("8.2.3 attributes: bits beyond those");
  for (u32 bit = 7; bit < 32; bit++) set(u"Bit", A, NV | BS | RT | 1u << bit, 4, bytes);
  set(u"Bit", A, 0xffffffff, 4, bytes);
  section("8.2.3 attributes of an existing variable");
  static const u32 existing[] = {BS, BS | RT, NV | BS, NV | BS | RT};
  for (u32 i = 0; i < 4; i++) {
    set(u"Existing", A, existing[i], 3, bytes);
    for (u32 attributes = 0; attributes < 0x80; attributes++) {
      if (attributes == 0 || (attributes & ~AP) == existing[i]) continue;
      if ((attributes & (HR | AW | AT)) && (attributes & 7) != existing[i]) continue;
      set(u"Existing", A, attributes, 2, bytes + 8);
    }
    get(u"Existing", A, 16);
    set(u"Existing", A, existing[i], 0, 0);
  }
}

void parameters(void) {
  section("8.2.1 GetVariable: null pointers and names");
  set(u"Known", A, NV | BS | RT, 5, bytes);
  for (u32 null = 0; null < 32; null++) get_null(u"Known", 16, null);
  get_null(u"Known", 4, 16);
  get_null(u"Known", 0, 16);
  get_null(u"Known", 5, 16);
  get_null(u"Unknown", 16, 16);
  get_null(u"Unknown", 16, 4);
  get_null(u"", 16, 0);
  get(u"", A, 16);
  section("8.2.1 GetVariable: sizes");
  for (u64 size = 0; size < 8; size++) get(u"Known", A, size);
  section("8.2.1 names: case, prefixes, the other GUID");
  get(u"known", A, 16);
  get(u"Know", A, 16);
  get(u"KnownX", A, 16);
  get(u"Known", B, 16);
  set(u"known", A, NV | BS | RT, 1, bytes);
  set(u"Known", B, NV | BS | RT, 2, bytes);
  set(u"Kn\u00f6wn\u4e2d \\x", A, NV | BS | RT, 6, bytes);
  set(u"Known\xd800", A, BS, 7, bytes);
  set(u" ", A, BS, 8, bytes);
  get(u"known", A, 16);
  get(u"Known", B, 16);
  get(u"Known", A, 16);
  get(u"Kn\u00f6wn\u4e2d \\x", A, 16);
  get(u"Kn\u00d6wn\u4e2d \\x", A, 16);
  get(u"Known\xd800", A, 16);
  get(u" ", A, 16);
  walk();
  section("8.2.3 SetVariable: null pointers, empty names");
  set(0, A, NV | BS, 1, bytes);
  set(u"", A, NV | BS, 1, bytes);
  set(u"Null", 0, NV | BS, 1, bytes);
  set(u"Null", A, NV | BS, 1, 0);
  set(u"Null", A, 0, 1, 0);
  set(u"Null", A, RT, 1, 0);
  set(u"", A, 0, 0, 0);
  set(u"", A, RT, 0, 0);
  set(u"Null", A, RT, 0, 0);
  set(u"Null", A, NV, 0, 0);
  set(u"Null", A, 0, 0, 0);
  set(u"Null", A, NV | BS, 0, bytes);
  section("8.2.3 and they leave nothing");
  walk();
  set(u"known", A, NV | BS | RT, 0, 0);
  set(u"Known", B, 0, 2, bytes);
  set(u"Kn\u00f6wn\u4e2d \\x", A, 0, 0, 0);
  set(u"Known\xd800", A, BS, 0, bytes);
  set(u" ", A, BS, 0, 0);
  set(u"Known", A, NV | BS | RT, 0, 0);
  walk();
}

void appending(void) {
  section("8.2.3 append");
  static const u32 kinds[] = {BS, BS | RT, NV | BS, NV | BS | RT};
  for (u32 i = 0; i < 4; i++) {
    u32 kind = kinds[i];
    set(u"Append", A, kind | AP, 0, 0);
    set(u"Append", A, kind | AP, 0, bytes);
    get(u"Append", A, 16);
    set(u"Append", A, kind | AP, 2, bytes);
    set(u"Append", A, kind | AP, 3, bytes + 4);
    get(u"Append", A, 16);
    set(u"Append", A, kind | AP, 0, 0);
    get(u"Append", A, 16);
    set(u"Append", A, AP, 1, bytes);
    get(u"Append", A, 16);
    set(u"Append", A, kind | AP, 2, bytes);
    set(u"Append", A, AP, 0, 0);
    get(u"Append", A, 16);
    set(u"Append", A, kind, 1, bytes + 9);
    get(u"Append", A, 16);
    set(u"Append", A, NV | AP, 1, bytes);
    set(u"Append", A, kind, 0, 0);
    get(u"Append", A, 16);
  }
}

void deleting(void) {
  section("8.2.3 deletion in all its forms");
  static const u32 kinds[] = {BS, BS | RT, NV | BS, NV | BS | RT};
  for (u32 i = 0; i < 4; i++)
    for (u32 form = 0; form < 8; form++) {
      static const u32 attributes[] = {0, 0, 7, 7, 7, HR, AP, NV | HR};
      static const u64 sizes[] = {0, 4, 0, 0, 0, 0, 0, 4};
      u32 with = attributes[form];
      if (with == 7) with = form == 2 ? kinds[i] : form == 3 ? kinds[i] ^ NV : (kinds[i] ^ RT) | BS;
      set(u"Delete", A, kinds[i], 4, bytes);
      set(u"Delete", A, with, sizes[form], sizes[form] ? bytes + 4 : 0);
      get(u"Delete", A, 16);
      set(u"Delete", A, kinds[i], 0, 0);
    }
  set(u"Delete", A, NV | BS, 0, 0);
  set(u"Delete", A, 0, 4, bytes);
}

void enumerating(void) {
  section("8.2.2 GetNextVariableName");
  for (u32 null = 1; null < 8; null++) next_null(null);
  set(u"One", A, NV | BS | RT, 1, bytes);
  set(u"Number two", A, NV | BS, 2, bytes);
  set(u"Three", B, NV | BS | RT, 3, bytes);
  set(u"Four", A, NV | BS, 4, bytes);
  next(u"One", A, 2048);
  next(u"Number two", A, 2048);
  next(u"Three", B, 2048);
  next(u"Four", A, 2048);
  next(u"Four", B, 2048);
  next(u"four", A, 2048);
  next(u"Nobody", A, 2048);
  next(u"Nobody", A, 2);
  for (u64 size = 0; size < 26; size++) next(u"One", A, size);
  next(u"", A, 0);
  next(u"", A, 1);
  next(u"", A, 2);
  next(u"", A, 3);
  section("8.2.2 the order after changes");
  set(u"One", A, NV | BS | RT, 1, bytes);
  walk();
  set(u"One", A, NV | BS | RT, 1, bytes + 1);
  walk();
  set(u"Number two", A, NV | BS | AP, 1, bytes + 1);
  walk();
  set(u"Three", B, NV | BS | RT | AP, 0, 0);
  walk();
  set(u"Volatile", A, BS | RT, 1, bytes);
  set(u"Five", A, NV | BS, 1, bytes);
  set(u"Volatile too", A, BS, 1, bytes);
  walk();
  set(u"Volatile", A, BS | RT, 2, bytes);
  set(u"Four", A, NV | BS, 0, 0);
  set(u"Four", A, BS, 1, bytes);
  walk();
  section("8.2.2 names and GUIDs that stay when the next is deleted");
  next(u"Three", B, 2048);
  set(u"One", A, 0, 0, 0);
  next(u"Three", B, 2048);
  next(u"One", A, 2048);
  set(u"Number two", A, 0, 0, 0);
  set(u"Three", B, 0, 0, 0);
  set(u"Five", A, 0, 0, 0);
  set(u"Volatile", A, 0, 0, 0);
  set(u"Volatile too", A, 0, 0, 0);
  set(u"Four", A, 0, 0, 0);
  walk();
}

void querying(void) {
  section("8.2.4 QueryVariableInfo: every combination of the lowest seven bits, null pointers");
  for (u32 attributes = 0; attributes < 0x80; attributes++) query(attributes);
  for (u32 bit = 7; bit < 32; bit++) query(BS | 1u << bit);
  query(0x80000000);
  for (u32 null = 1; null < 8; null++) query_null(NV | BS, null);
  query_null(AW | BS, 1);
  query_null(0, 1);
}

void accounting(u32 kind) {
  section("8.2.4 what a variable takes");
  growth(kind);
  for (u64 size = 1; size < 10; size++) {
    set(u"Growth", A, kind, size, bytes);
    growth(kind);
  }
  set(u"Growth", A, kind, 9, bytes);
  growth(kind);
  set(u"Growth", A, kind | AP, 3, bytes);
  growth(kind);
  set(u"Growth too", A, kind, 3, bytes);
  growth(kind);
  set(u"Growth", A, 0, 0, 0);
  growth(kind);
  set(u"Growth too", A, 0, 0, 0);
  growth(kind);
}

void limits(u32 kind) {
  section("8.2.3 sizes: the largest variable, and one byte more");
  query(kind);
  for (u64 i = 0; i < BufferBytes; i++) buffer[i] = (u8)(i * 7 + (i >> 8));
  static const u64 sizes[] = {0x1fc0, 0x1fc4, 0x1fff, 0x2000, 0x27c4, 0x2800, 0x83bc, 0x83be, 0x83c0, 0x83c2, 0x83c3, 0x83c4,
                              0x83c5, 0x83ff, 0x8400, 0x10000, 0x3ffbe, 0x3ffc2, 0x3ffc3, 0x3ffc4, 0x3ffc5, 0x40000, 0x40001};
  for (u32 i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    if (set(u"L", A, kind, sizes[i] - 4, buffer) != EFI_SUCCESS) continue;
    get(u"L", A, BufferBytes);
    set(u"L", A, 0, 0, 0);
  }
  section("8.2.3 sizes: appending beyond the largest");
  set(u"L", A, kind, 0x8000, buffer);
  set(u"L", A, kind | AP, 0x8000, buffer);
  get(u"L", A, BufferBytes);
  set(u"L", A, kind | AP, 0x3c0, buffer);
  set(u"L", A, kind | AP, 1, buffer);
  get(u"L", A, 0);
  set(u"L", A, 0, 0, 0);
  section("8.2.3 sizes: beyond any buffer");
  set(u"L", A, kind, 0xffffffffffffffff, buffer);
  set(u"L", A, kind, 0xfffffffffffffffc, buffer);
  set(u"L", A, kind, 0x8000000000000000, buffer);
  set(u"L", A, kind, 0x100000000, buffer);
  get(u"L", A, 0);
}

void filling(u32 kind) {
  static CHAR16 name[] = u"Fill 00";
  section("8.2.3 a full store: EFI_OUT_OF_RESOURCES, and nothing changes");
  for (u64 i = 0; i < BufferBytes; i++) buffer[i] = (u8)(i * 7 + (i >> 8));
  set(u"Old", A, kind, 100, buffer);
  fill_quietly(kind, name);
  set(u"New", A, kind, 0x2000, buffer);
  set(u"Old", A, kind, 0x2000, buffer);
  set(u"Old", A, kind | AP, 0x2000, buffer);
  get(u"Old", A, 128);
  get(u"New", A, 0);
  set(u"Old", A, kind, 10, buffer);
  get(u"Old", A, 128);
  set(u"New", A, kind, 80, buffer);
  get(u"New", A, 128);
  empty_quietly(name);
  set(u"Old", A, kind, 0, 0);
  set(u"New", A, 0, 0, 0);
  walk();
}
