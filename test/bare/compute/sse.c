/*
 * SSE2 arithmetic in four parts of equal length: packed 32-bit and 16-bit integers, packed floats, packed doubles and
 * scalar doubles with division and square root. Every operation rounds as IEEE 754 says, so that the sum is one number.
 */
#include "compute.h"

enum { ITEMS = 4096 };
typedef u32 u32x4 __attribute__((vector_size(16)));
typedef short i16x8 __attribute__((vector_size(16)));
typedef int i32x4 __attribute__((vector_size(16)));
typedef float f32x4 __attribute__((vector_size(16)));
typedef double f64x2 __attribute__((vector_size(16)));

static u32x4 integers[ITEMS / 4];
static f32x4 floats[ITEMS / 4];
static f64x2 doubles[ITEMS / 2];

/* A xorshift in each lane; the stored words then feed PMADDWD and shuffles. */
static u32 packed_integers(void) {
  u32x4 state = integers[0] | 1;
  i32x4 sum = { 0 };
  for (int i = 0; i < ITEMS / 4; i++) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    integers[i] += state;
    sum += __builtin_ia32_pmaddwd128((i16x8)state, (i16x8)integers[i]);
    sum ^= __builtin_shuffle(sum, (i32x4){ 1, 2, 3, 0 });
  }
  return sum[0] + sum[1] + sum[2] + sum[3];
}

/* x = x * 0.75 + y, kept between 0 and 8, with a running mean. */
static float packed_floats(void) {
  f32x4 sum = { 0 }, decay = { 0.75f, 0.7f, 0.65f, 0.6f };
  for (int i = 0; i < ITEMS / 4; i++) {
    floats[i] = floats[i] * decay + (f32x4){ 1.1f, 1.2f, 1.3f, 1.4f };
    sum = sum * (f32x4){ 0.5f, 0.5f, 0.5f, 0.5f } + floats[i];
  }
  return sum[0] + sum[1] + sum[2] + sum[3];
}

static double packed_doubles(void) {
  f64x2 sum = { 1, 1 };
  for (int i = 0; i < ITEMS / 2; i++) {
    doubles[i] = doubles[i] * (f64x2){ 0.875, 0.8125 } + (f64x2){ 0.1, 0.3 };
    sum = sum * (f64x2){ 0.9, 0.7 } - doubles[i];
  }
  return sum[0] + sum[1];
}

static inline double square_root(double value) {
  double root;
  __asm__("sqrtsd %1, %0" : "=x"(root) : "x"(value));
  return root;
}

/* A body that circles another: the usual inverse square law in steps of 1/128. */
static double scalar_doubles(void) {
  double x = 1, y = 0, vx = 0, vy = 1;
  for (int i = 0; i < ITEMS / 4; i++) {
    double square = x * x + y * y;
    double pull = 0.0078125 / (square * square_root(square));
    vx -= x * pull;
    vy -= y * pull;
    x += vx * 0.0078125;
    y += vy * 0.0078125;
  }
  return x + y;
}

static u64 bits(double value) {
  union {
    double value;
    u64 bits;
  } both = { value };
  return both.bits;
}

u64 sse(u64 repeats) {
  u64 checksum = 0;
  u32 random = 1;
  for (int i = 0; i < ITEMS; i++) {
    integers[i / 4][i % 4] = next_random(&random);
    floats[i / 4][i % 4] = next_random(&random) >> 20;
    doubles[i / 2][i % 2] = next_random(&random) >> 8;
  }
  while (repeats--) {
    checksum = mix(checksum, packed_integers());
    checksum = mix(checksum, bits(packed_floats()));
    checksum = mix(checksum, bits(packed_doubles()));
    checksum = mix(checksum, bits(scalar_doubles()));
  }
  return checksum;
}
