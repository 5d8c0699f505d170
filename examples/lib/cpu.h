/* The few instructions that C has no words for. Intel SDM volume 2. */
#ifndef EXAMPLES_CPU_H
#define EXAMPLES_CPU_H

#include "types.h"

static inline void outb(u16 port, u8 value) {
  __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline u8 inb(u16 port) {
  u8 value;
  __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

struct cpuid {
  u32 eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(u32 leaf) {
  struct cpuid r;
  __asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(0));
  return r;
}

static inline void interrupts_off(void) {
  __asm__ volatile("cli");
}

/* Stops for good: with interrupts off only an NMI or a reset wakes the processor. */
static inline __attribute__((noreturn)) void halt_for_good(void) {
  for (;;) __asm__ volatile("cli; hlt");
}

#endif
