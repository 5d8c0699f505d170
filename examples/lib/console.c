#include "console.h"

#include <stdarg.h>

#include "cpu.h"
#include "xen.h"

/* National Semiconductor PC16550D: registers from the base of COM1. */
enum { Com1 = 0x3f8, Divisor = 0, DivisorHigh = 1, Fifo = 2, LineControl = 3, ModemControl = 4, LineStatus = 5, Scratch = 7 };

enum { LineBytes = 1024 };

/* After ExitBootServices the image's own data stays, so a static line buffer serves before and after. */
static struct {
  EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL *firmware;
  int uart; /* 0 not looked for yet, 1 works, -1 absent */
  size_t used;
  char line[LineBytes];
  CHAR16 wide[LineBytes + 1];
} console;

void console_open(const EFI_SYSTEM_TABLE *system) {
  console.firmware = system ? system->ConOut : 0;
}

static void put(char c) {
  if (console.used < sizeof console.line) console.line[console.used++] = c;
}

static void put_string(const char *text) {
  while (*text) put(*text++);
}

static void put_hex(u64 value, int digits) {
  put_string("0x");
  int started = 0;
  for (int shift = 60; shift >= 0; shift -= 4) {
    u32 digit = (value >> shift) & 15;
    started |= digit != 0 || shift < digits * 4;
    if (started) put("0123456789abcdef"[digit]);
  }
}

static void put_decimal(u64 value) {
  char digits[20];
  int n = 0;
  do digits[n++] = (char)('0' + value % 10);
  while ((value /= 10) != 0);
  while (n > 0) put(digits[--n]);
}

/* Whether something keeps what is written to the scratch register; an empty bus reads as all ones. */
static int uart_answers(void) {
  outb(Com1 + Scratch, 0x5a);
  if (inb(Com1 + Scratch) != 0x5a) return 0;
  outb(Com1 + Scratch, 0xa5);
  return inb(Com1 + Scratch) == 0xa5;
}

/* 115200 baud, 8 bits, no parity, one stop bit, FIFOs on, no interrupts. */
static void uart_open(void) {
  outb(Com1 + LineControl, 0x80);
  outb(Com1 + Divisor, 1);
  outb(Com1 + DivisorHigh, 0);
  outb(Com1 + LineControl, 0x03);
  outb(Com1 + Fifo, 0x01);
  outb(Com1 + ModemControl, 0x03);
}

static void uart_write(const char *text, size_t bytes) {
  for (size_t i = 0; i < bytes; i++) {
    for (u32 spin = 0; spin < 1000000 && (inb(Com1 + LineStatus) & 0x20) == 0; spin++) continue;
    outb(Com1, (u8)text[i]);
  }
}

static int firmware_write(void) {
  for (size_t i = 0; i < console.used; i++) console.wide[i] = (u8)console.line[i];
  console.wide[console.used] = 0;
  return console.firmware->OutputString(console.firmware, console.wide) == EFI_SUCCESS;
}

static void flush(void) {
  if (console.firmware) {
    if (firmware_write()) return;
    console.firmware = 0;
  }
  if (console.uart == 0) {
    console.uart = uart_answers() ? 1 : -1;
    if (console.uart > 0) uart_open();
  }
  if (console.uart > 0) uart_write(console.line, console.used);
  else xen_console_write(console.line, console.used);
}

void print(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  console.used = 0;
  for (; *format; format++) {
    if (*format != '%') {
      put(*format);
      continue;
    }
    switch (*++format) {
      case 's': put_string(va_arg(arguments, const char *)); break;
      case 'u': put_decimal(va_arg(arguments, u64)); break;
      case 'x':
      case 'p': put_hex(va_arg(arguments, u64), 1); break;
      case 'X': put_hex(va_arg(arguments, u64), 16); break;
      case 'w':
        for (const CHAR16 *wide = va_arg(arguments, const CHAR16 *); *wide; wide++) put(*wide < 128 ? (char)*wide : '?');
        break;
      default: put(*format);
    }
  }
  va_end(arguments);
  if (console.used > sizeof console.line - 2) console.used = sizeof console.line - 2;
  put_string("\r\n");
  flush();
}

const char *status_name(EFI_STATUS status) {
  switch (status) {
    case EFI_SUCCESS: return "EFI_SUCCESS";
    case EFI_LOAD_ERROR: return "EFI_LOAD_ERROR";
    case EFI_INVALID_PARAMETER: return "EFI_INVALID_PARAMETER";
    case EFI_UNSUPPORTED: return "EFI_UNSUPPORTED";
    case EFI_BUFFER_TOO_SMALL: return "EFI_BUFFER_TOO_SMALL";
    case EFI_OUT_OF_RESOURCES: return "EFI_OUT_OF_RESOURCES";
    case EFI_NOT_FOUND: return "EFI_NOT_FOUND";
    case EFI_ABORTED: return "EFI_ABORTED";
    default: return 0;
  }
}
