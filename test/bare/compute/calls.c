/* Indirect calls: 16 small functions in a table, each call's target chosen by what the one before returned. */
#include "compute.h"

enum { CALLS = 1 << 20 };
typedef u32 step(u32 value, u32 i);

static u32 f0(u32 value, u32 i) { return value * 1664525 + i; }
static u32 f1(u32 value, u32 i) { return (value << 7 | value >> 25) + i; }
static u32 f2(u32 value, u32 i) { return value ^ (value >> 11) ^ (i << 3); }
static u32 f3(u32 value, u32 i) { return value + (i | 1) * 0x10001; }
static u32 f4(u32 value, u32 i) { return value & 0x10 ? value - i : value + 0x61c88647; }
static u32 f5(u32 value, u32 i) { return ~value + (i >> 2); }
static u32 f6(u32 value, u32 i) { return __builtin_bswap32(value) + i; }
static u32 f7(u32 value, u32 i) { return value * 9 + 0x7f4a7c15 - i; }
static u32 f8(u32 value, u32 i) { return (value ^ i) * 0x85ebca6b; }
static u32 f9(u32 value, u32 i) { return (value >> 3 | value << 29) ^ 0xc2b2ae35 ^ i; }
static u32 f10(u32 value, u32 i) { return value > i << 16 ? value - (i << 4) : value + 0x1234567; }
static u32 f11(u32 value, u32 i) { return value + (value << 5) + i; }
static u32 f12(u32 value, u32 i) { return (value ^ value >> 15) + 0x2545f491 + i; }
static u32 f13(u32 value, u32 i) { return (u32)((u64)value * 0x9e3779b1 >> 16) + i; }
static u32 f14(u32 value, u32 i) { return (value & 0xffff) * (value >> 16) + i + 0x31415927; }
static u32 f15(u32 value, u32 i) { return i - value; }

static step *table[] = { f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15 };

u64 calls(u64 repeats) {
  u64 checksum = 0;
  u32 value = 1;
  step *volatile *at = (step *volatile *)table; // so that the compiler cannot know the targets
  while (repeats--) {
    for (u32 i = 0; i < CALLS; i++) value = at[(value * 0x9e3779b1 >> 28)](value, i);
    checksum = mix(checksum, value);
  }
  return checksum;
}
