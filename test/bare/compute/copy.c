/*
 * Block copies, as many iterations each of REP MOVSB, REP MOVSQ and a loop of eight-byte moves, from and to addresses of
 * every alignment. A loop then reads what was copied.
 */
#include "compute.h"

enum { WORDS = 1 << 15, MARGIN = 64 };
static u64 from[WORDS + MARGIN], to[WORDS + MARGIN];

/* The compiler makes a call of memcpy of a plain loop; volatile keeps it a loop. */
static void copy_words(u64 *target, const u64 *source, u64 words) {
  for (u64 i = 0; i < words; i++) ((volatile u64 *)target)[i] = source[i];
}

u64 copy(u64 repeats) {
  u64 checksum = 0;
  u32 random = 1;
  for (u32 i = 0; i < WORDS + MARGIN; i++) from[i] = (u64)next_random(&random) << 32 | i;
  for (u64 round = 0; round < repeats; round++) {
    u8 *target = (u8 *)to + round % 16;
    const u8 *source = (u8 *)from + (round / 2) % 32;
    copy_words((u64 *)target, (const u64 *)source, WORDS);
    void *rdi = target + 8;
    const void *rsi = source;
    u64 rcx = WORDS - 8;
    __asm__ volatile("rep movsq" : "+D"(rdi), "+S"(rsi), "+c"(rcx) : : "memory");
    rdi = target + 4 * WORDS;
    rsi = source + 3;
    rcx = WORDS;
    __asm__ volatile("rep movsb" : "+D"(rdi), "+S"(rsi), "+c"(rcx) : : "memory");
    u64 sum = 0;
    for (u32 i = 0; i < WORDS; i += 16) sum += to[i] ^ to[i + 9];
    checksum = mix(checksum, sum);
    from[round % WORDS] += sum; // the next round differs
  }
  return checksum;
}
