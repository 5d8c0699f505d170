/*
 * Compute kernels for the bench, one a run. The command line is "NAME" or "NAME REPEATS" (decimal); without REPEATS a
 * kernel does what takes a processor emulator three seconds or so, many times what it needs to start. It writes
 * "begin", then "NAME REPEATS CHECKSUM", and powers off. The same image runs on other machines that have a PVH loader
 * and a UART at 0x3f8.
 */
#include "compute.h"

static const struct {
  const char *name;
  kernel *run;
  u64 repeats;
} kernels[] = {
  { "sieve", sieve, 800 }, { "crc", crc, 2400 },    { "sha256", sha256, 4000 }, { "tree", tree, 40 },
  { "calls", calls, 128 }, { "copy", copy, 16000 }, { "sse", sse, 16000 },
};

static void print_decimal(u64 value) {
  char text[21];
  char *at = text + sizeof text - 1;
  *at = 0;
  do {
    *--at = '0' + value % 10;
    value /= 10;
  } while (value);
  print(at);
}

/* Where the word ends if the line starts with it; 0 otherwise. */
static const char *skip_word(const char *line, const char *word) {
  while (*word && *line == *word) line++, word++;
  return !*word && (!*line || *line == ' ') ? line : 0;
}

/*
 * efikit: the sleep control register of a hardware-reduced platform, ACPI 6.5 section 4.8.3.7. QEMU's pc and q35: PM1a
 * control, 4.8.3.2.1, 16 bits, SLP_EN with type 0; then isa-debug-exit. Last a triple fault: there is no IDT.
 */
static void end(void) {
  outb(0x600, 0x34);
  __asm__ volatile("outw %0, %1" : : "a"((u16)0x2000), "Nd"((u16)0x604));
  outb(0x501, 0);
  __asm__ volatile("ud2");
}

/* hvm_start_info: cmdline_paddr at byte 24. Xen docs/misc/pvh. */
void guest_main(const u64 *start_info) {
  const char *line = (const char *)start_info[3];
  while (line && *line == ' ') line++;
  for (u32 i = 0; line && i < sizeof kernels / sizeof *kernels; i++) {
    const char *rest = skip_word(line, kernels[i].name);
    if (!rest) continue;
    u64 repeats = 0;
    while (*rest == ' ') rest++;
    for (; *rest >= '0' && *rest <= '9'; rest++) repeats = repeats * 10 + (*rest - '0');
    if (!repeats) repeats = kernels[i].repeats;
    print("begin\n");
    u64 checksum = kernels[i].run(repeats);
    print(kernels[i].name);
    print(" ");
    print_decimal(repeats);
    print(" ");
    print_hex(checksum);
    print("\n");
    end();
  }
  print("the command line names no kernel; there are:");
  for (u32 i = 0; i < sizeof kernels / sizeof *kernels; i++) {
    print(" ");
    print(kernels[i].name);
  }
  print("\n");
  end();
}
