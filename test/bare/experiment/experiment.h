#ifndef EXPERIMENT_H
#define EXPERIMENT_H
#include "bare.h"

/* A line with a value that depends on virtual time, the same for every threshold and TLB size. */
void note(const char *what, u64 value);
void test_keys(void);

#endif
