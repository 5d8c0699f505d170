/* The compute kernels: each repeats a fixed piece of work and gives a checksum of what it made. */
#ifndef COMPUTE_H
#define COMPUTE_H

#include "bare.h"

typedef u64 kernel(u64 repeats);
kernel sieve, crc, sha256, tree, calls, copy, sse;

/* Marsaglia's xorshift (2003), 13-17-5: the same numbers everywhere. */
static inline u32 next_random(u32 *state) {
  *state ^= *state << 13;
  *state ^= *state >> 17;
  return *state ^= *state << 5;
}
/* Takes one result into a checksum, in order: an odd multiplier (2^64 / the golden ratio) loses nothing. */
static inline u64 mix(u64 checksum, u64 value) { return (checksum ^ value) * 0x9e3779b97f4a7c15; }

#endif
