/* The four variable services of UEFI 2.10 section 8.2, each call printed as one line with its arguments and results. */
#ifndef CALLS_H
#define CALLS_H

#include "../../../examples/lib/efi.h"

#define NV 0x01u
#define BS 0x02u
#define RT 0x04u
#define HR 0x08u /* HARDWARE_ERROR_RECORD */
#define AW 0x10u /* AUTHENTICATED_WRITE_ACCESS, deprecated */
#define AT 0x20u /* TIME_BASED_AUTHENTICATED_WRITE_ACCESS */
#define AP 0x40u /* APPEND_WRITE */
#define EA 0x80u /* ENHANCED_AUTHENTICATED_ACCESS */

#define EFI_WRITE_PROTECTED (EFI_ERROR_BIT | 8)
#define EFI_SECURITY_VIOLATION (EFI_ERROR_BIT | 26)

/* A and B are of this program alone; the others are those of the specification. */
extern const EFI_GUID guid_a, guid_b, guid_global, guid_security, guid_hardware_error;
#define A &guid_a
#define B &guid_b
#define GLOBAL &guid_global

/* Data of variables: 1, 2, 3 ... */
extern const u8 bytes[16];

/* As large as the largest call of the sequences. */
enum { BufferBytes = 0x48000 };
extern u8 buffer[BufferBytes];

void calls_open(const EFI_RUNTIME_SERVICES *services);

/* Names the lines that follow. */
void section(const char *title);

/* Null pointers are passed on as they are. */
EFI_STATUS set(const CHAR16 *name, const EFI_GUID *guid, u32 attributes, u64 size, const void *data);
EFI_STATUS get(const CHAR16 *name, const EFI_GUID *guid, u64 size);
/* Shows no data: for variables whose value is the platform's. */
EFI_STATUS look(const CHAR16 *name, const EFI_GUID *guid);
EFI_STATUS next(const CHAR16 *name, const EFI_GUID *guid, u64 size);
/* Shows which pointer is null by bits: 1 the size, 2 the name, 4 the GUID. */
void next_null(u32 null);
/* Bits: 1 the name, 2 the GUID, 4 the attributes, 8 the size, 16 the data. */
void get_null(const CHAR16 *name, u64 size, u32 null);
/* Lists the variables of A and B in the order in which the firmware does; those of others are passed over. */
void walk(void);
EFI_STATUS query(u32 attributes);
/* Bits: 1 the maximum, 2 what remains, 4 the largest variable. */
void query_null(u32 attributes, u32 null);
/* What remains of the storage, without a line. */
u64 remaining(u32 attributes);
/* Prints how many bytes the variables of these attributes take since the last time. */
void growth(u32 attributes);
/* Creates variables of 4096 bytes until the firmware refuses, and deletes them; `name` ends in two digits. No lines. */
void fill_quietly(u32 attributes, CHAR16 *name);
void empty_quietly(CHAR16 *name);

#endif
