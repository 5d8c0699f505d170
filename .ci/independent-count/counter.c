/*
 * A plugin for QEMU's emulator (TCG, plugin API version 1): how often each guest instruction was executed, between marks.
 *
 *   gcc -std=gnu11 -O2 -Wall -Wextra -shared -fPIC -o counter.so counter.c
 *   qemu-system-x86_64 -accel tcg -icount shift=0 ... -plugin ./counter.so,out=FILE,marks=FILE,last=NAME
 *
 * marks=FILE      lines "ADDRESS NAME": the point before the first execution of that guest-virtual address (hexadecimal).
 *                 "IMAGE+OFFSET NAME" is relative to an image, see below. "user NAME" is the first address that is executed in
 *                 the lower half of the address space when all marks above this line have been passed.
 * image=NAME:FILE:OFFSET    an image whose place is not known: the block that has the bytes of FILE at OFFSET (hexadecimal) is
 *                 its entry, and where the file would begin is its address 0. May be repeated.
 * from=NAME       what is translated before the entry of this image is never counted: a firmware, which then runs faster.
 * last=NAME       QEMU ends at this mark.
 *
 * The output has, for each mark that was passed, what was executed since the one before:
 *
 *   mark NAME ADDRESS
 *   i ADDRESS COUNT BYTES                       an instruction; COUNT times, as often as it was begun
 *   r ADDRESS PASSES ITERATIONS ENTRIES EMPTY   of these a string instruction with REP: passes through the emulator, iterations,
 *                                               executions, executions without an iteration
 *   image NAME ADDRESS                          where an image lies, once
 *
 * QEMU executes a repeated instruction as one pass an iteration, and one more to find RCX zero. An instruction that faults is
 * begun, so it has a count; whoever wants those that were retired takes the faults away (they are the first instructions of
 * the handlers). Declared by hand: Debian has no package with qemu-plugin.h for 7.2.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* QEMU 7.2, include/qemu/qemu-plugin.h. */
typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { CB_NO_REGS = 0, MEM_RW = 3, INLINE_ADD_U64 = 0 };
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, void (*)(plugin_id, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *, int, void *, uint64_t);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *, int, void *, uint64_t);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *, void (*)(unsigned, void *), int, void *);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *, void (*)(unsigned, uint32_t, uint64_t, void *), int, int,
                                      void *);
void qemu_plugin_register_atexit_cb(plugin_id, void (*)(plugin_id, void *), void *);
bool qemu_plugin_mem_is_store(uint32_t);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *);

#define EXPORTED __attribute__((visibility("default")))
EXPORTED int qemu_plugin_version = 1;

/** A string instruction with REP: what it did since the last mark, and the execution that is under way. */
struct repeat {
  uint8_t opcode;
  uint64_t passes, iterations, entries, empty;
  uint64_t last_block; /* the number of the block that held its last pass */
  bool is_open, iterated; /* an execution is under way; it has had an iteration */
  uint8_t accesses;       /* of the current pass */
};

struct instruction {
  uint64_t address, count;
  struct repeat *repeat;
  struct instruction *next; /* of the same bucket */
  uint8_t size;
};

enum { BUCKETS = 1 << 18, MOST_MARKS = 256, MOST_IMAGES = 4, ENTRY_BYTES = 16 };
static struct instruction *buckets[BUCKETS];
static struct instruction *every[1 << 22];
static size_t instructions;
static uint64_t blocks; /* entered so far */
static struct image {
  char name[64];
  uint8_t entry[ENTRY_BYTES];
  uint64_t offset, address; /* of the entry in the file; of the file's beginning in memory */
  bool is_found;
} images[MOST_IMAGES];
static size_t image_count;
static const struct image *from;
static struct mark {
  uint64_t address; /* or the offset in the image */
  const struct image *image;
  bool is_user, is_passed;
  char name[64];
} marks[MOST_MARKS];
static size_t mark_count, passed;
static FILE *out;
static char last[64];

static void die(const char *what, const char *which) {
  fprintf(stderr, "counter: %s: %s\n", what, which);
  exit(1);
}

/** An execution has ended, for another instruction followed it. */
static void close_execution(struct repeat *r) {
  if (r->is_open && !r->iterated) r->empty++;
  r->is_open = false;
}

static void write_counts(const char *name, uint64_t address) {
  fprintf(out, "mark %s %" PRIx64 "\n", name, address);
  for (size_t i = 0; i < instructions; i++) {
    struct instruction *one = every[i];
    if (one->count == 0) continue;
    fprintf(out, "i %" PRIx64 " %" PRIu64 " %u\n", one->address, one->count, one->size);
    struct repeat *r = one->repeat;
    if (r != NULL) {
      close_execution(r);
      fprintf(out, "r %" PRIx64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", one->address, r->passes, r->iterations,
              r->entries, r->empty);
      r->passes = r->iterations = r->entries = r->empty = 0;
    }
    one->count = 0;
  }
  fflush(out);
}

/** Whether this address is, or may be, a mark that is still to come. */
static bool is_mark(const struct mark *m, uint64_t address) {
  if (m->is_passed) return false;
  if (m->is_user) return address < UINT64_C(1) << 47;
  if (m->image != NULL) return m->image->is_found && address == m->image->address + m->address;
  return address == m->address;
}

/** Before an instruction that may be the next mark. */
static void at_mark(unsigned cpu, void *data) {
  const struct instruction *one = data;
  (void)cpu;
  for (struct mark *m = marks; m < marks + mark_count; m++) {
    if (!is_mark(m, one->address) || (m->is_user && passed < (size_t)(m - marks))) continue;
    m->is_passed = true;
    passed++;
    write_counts(m->name, one->address);
    if (!strcmp(m->name, last)) {
      fclose(out);
      _exit(0);
    }
  }
}

static void at_repeat(unsigned cpu, void *data) {
  struct repeat *r = data;
  (void)cpu;
  bool goes_on = r->is_open && blocks == r->last_block + 1;
  if (!goes_on) {
    close_execution(r);
    r->is_open = true;
    r->iterated = false;
    r->entries++;
  }
  r->last_block = blocks;
  r->accesses = 0;
  r->passes++;
}

/** An iteration has happened when its last access has: MOVS and INS store, CMPS loads twice. */
static void at_access(unsigned cpu, uint32_t info, uint64_t address, void *data) {
  struct repeat *r = data;
  (void)cpu;
  (void)address;
  uint8_t kind = r->opcode & 0xfe;
  if ((kind == 0xa4 || kind == 0x6c) && !qemu_plugin_mem_is_store(info)) return;
  if (++r->accesses != (kind == 0xa6 ? 2 : 1)) return;
  r->iterations++;
  r->iterated = true;
}

/** The opcode of a string instruction with REP, or 0. Intel SDM volume 2, REP. */
static uint8_t repeated_opcode(const uint8_t *bytes, size_t size) {
  bool repeats = false;
  for (size_t i = 0; i < size; i++) {
    uint8_t b = bytes[i];
    if (b == 0xf2 || b == 0xf3) repeats = true;
    else if (b == 0x66 || b == 0x67 || b == 0x2e || b == 0x36 || b == 0x3e || b == 0x26 || b == 0x64 || b == 0x65) continue;
    else if ((b & 0xf0) == 0x40) continue; /* REX */
    else return repeats && ((b >= 0xa4 && b <= 0xa7) || (b >= 0xaa && b <= 0xaf) || (b >= 0x6c && b <= 0x6f)) ? b : 0;
  }
  return 0;
}

static struct instruction *instruction_at(uint64_t address, uint8_t size) {
  struct instruction **bucket = &buckets[(address * UINT64_C(0x9e3779b97f4a7c15)) >> 46];
  for (struct instruction *one = *bucket; one != NULL; one = one->next)
    if (one->address == address) return one;
  if (instructions == sizeof every / sizeof *every) die("too many instructions", "enlarge `every`");
  struct instruction *one = calloc(1, sizeof *one);
  one->address = address;
  one->size = size;
  one->next = *bucket;
  *bucket = one;
  every[instructions++] = one;
  return one;
}

/** Whether the block begins with the bytes of an image's entry. */
static bool is_entry(const struct qemu_plugin_tb *tb, const uint8_t *entry) {
  size_t at = 0;
  for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb) && at < ENTRY_BYTES; i++) {
    const struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
    size_t size = qemu_plugin_insn_size(insn);
    if (at + size > ENTRY_BYTES) size = ENTRY_BYTES - at;
    if (memcmp(qemu_plugin_insn_data(insn), entry + at, size) != 0) return false;
    at += size;
  }
  return at >= 8;
}

static void translated(plugin_id id, struct qemu_plugin_tb *tb) {
  size_t length = qemu_plugin_tb_n_insns(tb);
  (void)id;
  for (struct image *one = images; one < images + image_count; one++) {
    if (one->is_found || !is_entry(tb, one->entry)) continue;
    one->is_found = true;
    one->address = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, 0)) - one->offset;
    fprintf(out, "image %s %" PRIx64 "\n", one->name, one->address);
  }
  if (from != NULL && !from->is_found) return;
  qemu_plugin_register_vcpu_tb_exec_inline(tb, INLINE_ADD_U64, &blocks, 1);
  for (size_t i = 0; i < length; i++) {
    struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
    uint64_t address = qemu_plugin_insn_vaddr(insn);
    size_t size = qemu_plugin_insn_size(insn);
    struct instruction *one = instruction_at(address, (uint8_t)size);
    for (size_t m = 0; m < mark_count; m++) {
      if (!is_mark(&marks[m], address)) continue;
      qemu_plugin_register_vcpu_insn_exec_cb(insn, at_mark, CB_NO_REGS, one);
      break;
    }
    qemu_plugin_register_vcpu_insn_exec_inline(insn, INLINE_ADD_U64, &one->count, 1);
    uint8_t opcode = repeated_opcode(qemu_plugin_insn_data(insn), size);
    if (opcode == 0) continue;
    if (one->repeat == NULL) one->repeat = calloc(1, sizeof *one->repeat);
    one->repeat->opcode = opcode;
    qemu_plugin_register_vcpu_insn_exec_cb(insn, at_repeat, CB_NO_REGS, one->repeat);
    qemu_plugin_register_vcpu_mem_cb(insn, at_access, CB_NO_REGS, MEM_RW, one->repeat);
  }
}

static void finish(plugin_id id, void *data) {
  (void)id;
  (void)data;
  write_counts("end", 0);
  fclose(out);
}

/** "NAME:FILE:OFFSET" */
static void read_image(const char *text) {
  struct image *one = &images[image_count];
  char file[512];
  if (image_count == MOST_IMAGES || sscanf(text, "%63[^:]:%511[^:]:%" SCNx64, one->name, file, &one->offset) != 3)
    die("NAME:FILE:OFFSET is wanted, at most four times", text);
  FILE *f = fopen(file, "rb");
  if (f == NULL || fseek(f, (long)one->offset, SEEK_SET) != 0 || fread(one->entry, 1, ENTRY_BYTES, f) != ENTRY_BYTES)
    die("no image with that entry", text);
  fclose(f);
  image_count++;
}

static const struct image *image_named(const char *name, size_t length) {
  for (size_t i = 0; i < image_count; i++)
    if (strlen(images[i].name) == length && !strncmp(images[i].name, name, length)) return &images[i];
  die("an image that was not given", name);
  return NULL;
}

static void read_marks(const char *file) {
  FILE *f = fopen(file, "r");
  char where[80];
  if (f == NULL) die("cannot be read", file);
  while (mark_count < MOST_MARKS && fscanf(f, "%79s %63s", where, marks[mark_count].name) == 2) {
    struct mark *m = &marks[mark_count++];
    const char *plus = strchr(where, '+');
    m->is_user = !strcmp(where, "user");
    if (plus != NULL) m->image = image_named(where, (size_t)(plus - where));
    if (!m->is_user) m->address = strtoull(plus == NULL ? where : plus + 1, NULL, 16);
  }
  fclose(f);
}

EXPORTED int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv) {
  const char *marks_file = NULL, *from_name = NULL;
  (void)info;
  for (int i = 0; i < argc; i++) {
    const char *value = strchr(argv[i], '=');
    if (value++ == NULL) die("NAME=VALUE is wanted", argv[i]);
    if (!strncmp(argv[i], "out=", 4)) out = fopen(value, "w");
    else if (!strncmp(argv[i], "marks=", 6)) marks_file = value;
    else if (!strncmp(argv[i], "image=", 6)) read_image(value);
    else if (!strncmp(argv[i], "from=", 5)) from_name = value;
    else if (!strncmp(argv[i], "last=", 5)) snprintf(last, sizeof last, "%s", value);
    else die("unknown argument", argv[i]);
  }
  if (out == NULL) die("cannot be written", "out=FILE");
  if (from_name != NULL) from = image_named(from_name, strlen(from_name));
  if (marks_file != NULL) read_marks(marks_file);
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  qemu_plugin_register_atexit_cb(id, finish, NULL);
  return 0;
}
