/*
 * Lines of text to the first way out that works: the firmware's console, a UART at COM1, Xen's console ring. Each line is
 * tried from the way that took the last one, so that output goes on after ExitBootServices.
 */
#ifndef EXAMPLES_CONSOLE_H
#define EXAMPLES_CONSOLE_H

#include "efi.h"

/* A null system table (PVH, or boot services ended) skips the firmware's console. */
void console_open(const EFI_SYSTEM_TABLE *system);

/*
 * Prints one line. %s string, %u decimal u64, %x hexadecimal u64 with 0x, %X the same with 16 digits, %p as %x for a
 * pointer, %w CHAR16 string. Every integer argument must be 64 bits wide.
 */
void print(const char *format, ...);

/* The name of an EFI_STATUS, or null when it is none of those in efi.h. */
const char *status_name(EFI_STATUS status);

#endif
