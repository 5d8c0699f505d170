/* The sieve of Eratosthenes over the odd numbers below 2^20, one byte each: strided byte stores and short loops. */
#include "compute.h"

enum { LIMIT = 1 << 20 };
static u8 composite[LIMIT / 2] __attribute__((aligned(8)));

u64 sieve(u64 repeats) {
  u64 checksum = 0;
  while (repeats--) {
    for (u32 i = 0; i < LIMIT / 16; i++) ((u64 *)composite)[i] = 0;
    u32 primes = 1; // 2
    for (u32 i = 3; i < LIMIT; i += 2) {
      if (composite[i / 2]) continue;
      primes++;
      for (u64 multiple = (u64)i * i; multiple < LIMIT; multiple += 2 * i) composite[multiple / 2] = 1;
    }
    checksum = mix(checksum, primes);
  }
  return checksum;
}
