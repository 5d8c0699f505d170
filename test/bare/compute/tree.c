/* A binary search tree of 65,536 random keys in 2 MiB: it is built, then searched for keys that are there and that are not. */
#include "compute.h"

enum { NODES = 1 << 16, SEARCHES = 4 * NODES };

struct node {
  struct node *less, *more;
  u32 key, count;
};
static struct node nodes[NODES] __attribute__((aligned(32)));
static struct node *root;

static void insert(struct node *fresh, u32 key) {
  struct node **link = &root;
  while (*link) {
    struct node *node = *link;
    if (node->key == key) {
      node->count++;
      return;
    }
    link = key < node->key ? &node->less : &node->more;
  }
  fresh->less = fresh->more = 0;
  fresh->key = key;
  fresh->count = 1;
  *link = fresh;
}

u64 tree(u64 repeats) {
  u64 checksum = 0;
  u32 random = 1;
  while (repeats--) {
    root = 0;
    u32 start = random;
    for (u32 i = 0; i < NODES; i++) insert(&nodes[i], next_random(&random) >> 8);
    u64 found = 0, steps = 0;
    u32 key = start;
    for (u32 i = 0; i < SEARCHES; i++) { // the first quarter are the keys that were inserted
      u32 sought = next_random(&key) >> 8;
      const struct node *node = root;
      while (node && node->key != sought) node = sought < node->key ? node->less : node->more, steps++;
      if (node) found += node->count;
    }
    checksum = mix(mix(checksum, found), steps);
  }
  return checksum;
}
