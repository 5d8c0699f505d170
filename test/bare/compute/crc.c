/* CRC-32 as in IEEE 802.3 (reflected, polynomial 0xEDB88320), a byte at a time through a table of 256 words. */
#include "compute.h"

enum { BYTES = 1 << 18 };
static u8 data[BYTES];
static u32 table[256];

u64 crc(u64 repeats) {
  u64 checksum = 0;
  u32 random = 1;
  for (u32 i = 0; i < 256; i++) {
    u32 value = i;
    for (int bit = 0; bit < 8; bit++) value = value & 1 ? value >> 1 ^ 0xedb88320 : value >> 1;
    table[i] = value;
  }
  for (u32 i = 0; i < BYTES; i++) data[i] = next_random(&random);
  while (repeats--) {
    u32 value = ~0u;
    for (u32 i = 0; i < BYTES; i++) value = value >> 8 ^ table[(u8)(value ^ data[i])];
    checksum = mix(checksum, ~value);
    data[(u32)value % BYTES]++; // the next round differs
  }
  return checksum;
}
