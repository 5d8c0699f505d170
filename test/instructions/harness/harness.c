/*
 * Runs single instructions on the processor of this machine and writes down what they did.
 *
 *   harness INPUT OUTPUT
 *
 * A test starts by returning from a signal handler into a prepared register state and ends with the next signal: every
 * byte of the code pages that does not belong to the tested instruction is INT3. So no register is needed for the
 * harness itself, and a fault is seen with its vector, error code and CR2 as Linux reports them in the ucontext.
 *
 * INPUT (little endian): u32 number of tests, 12288 bytes base pattern of the data pages, then a test:
 *   u64 gpr[16] (encoding order), u64 rip, u64 rflags, u64 bits of the code (32 or 64), 416 bytes FXSAVE image, u32 code length, code bytes,
 *   u32 windows, each: u32 offset in the data pages, u32 length, bytes.
 * OUTPUT: a test: u64 gpr[16], rip, rflags, vector, error code, cr2, 416 bytes FXSAVE image, u32 runs of changed
 *   memory, each: u32 offset, u32 length, bytes.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <ucontext.h>
#include <unistd.h>

#define CODE 0x10000000ul
#define CODE_BYTES 0x2000ul
#define DATA 0x20000000ul
#define DATA_BYTES 0x3000ul
#define READ_ONLY_BYTES 0x1000ul /* the last page */
#define FX_BYTES 416

static uint8_t *code, *data; /* writable aliases */
static uint8_t base[DATA_BYTES], before[DATA_BYTES];
static const uint8_t *in;
static uint8_t *out;
static uint32_t left;
static int running;
static const char *output_path;
static uint8_t *output_start;

static const int order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                              REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

static uint64_t take64(void) { uint64_t v; memcpy(&v, in, 8); in += 8; return v; }
static uint32_t take32(void) { uint32_t v; memcpy(&v, in, 4); in += 4; return v; }
static void put64(uint64_t v) { memcpy(out, &v, 8); out += 8; }
static void put32(uint32_t v) { memcpy(out, &v, 4); out += 4; }

static void die(const char *what) {
  perror(what);
  _exit(1);
}

static void record(const ucontext_t *context) {
  const greg_t *regs = context->uc_mcontext.gregs;
  for (int i = 0; i < 16; i++) put64((uint64_t)regs[order[i]]);
  put64((uint64_t)regs[REG_RIP]);
  put64((uint64_t)regs[REG_EFL]);
  put64((uint64_t)regs[REG_TRAPNO]);
  put64((uint64_t)regs[REG_ERR]);
  put64((uint64_t)regs[REG_CR2]);
  memcpy(out, context->uc_mcontext.fpregs, FX_BYTES);
  out += FX_BYTES;
  uint8_t *count_at = out;
  uint32_t count = 0;
  out += 4;
  if (memcmp(before, data, DATA_BYTES) != 0) {
    for (uint32_t i = 0; i < DATA_BYTES;) {
      if (before[i] == data[i]) { i++; continue; }
      uint32_t start = i;
      while (i < DATA_BYTES && before[i] != data[i]) i++;
      put32(start);
      put32(i - start);
      memcpy(out, data + start, i - start);
      out += i - start;
      count++;
    }
  }
  memcpy(count_at, &count, 4);
}

static void finish(void) {
  int fd = open(output_path, O_CREAT | O_TRUNC | O_WRONLY, 0644);
  if (fd < 0) die("open output");
  for (uint8_t *p = output_start; p < out;) {
    ssize_t n = write(fd, p, (size_t)(out - p));
    if (n <= 0) die("write output");
    p += n;
  }
  _exit(0);
}

static void prepare(ucontext_t *context) {
  greg_t *regs = context->uc_mcontext.gregs;
  for (int i = 0; i < 16; i++) regs[order[i]] = (greg_t)take64();
  uint64_t rip = take64();
  regs[REG_RIP] = (greg_t)rip;
  regs[REG_EFL] = (greg_t)take64();
  int is32 = take64() == 32;
  /* Linux's selectors of user code; the low 16 bits of this field are CS. */
  regs[REG_CSGSFS] = (regs[REG_CSGSFS] & ~0xffffL) | (is32 ? 0x23 : 0x33);
  memcpy(context->uc_mcontext.fpregs, in, FX_BYTES);
  in += FX_BYTES;
  /* XSTATE_BV: without these bits XRSTOR would load the initial x87 and SSE state instead of ours. */
  ((uint8_t *)context->uc_mcontext.fpregs)[512] |= 3;
  memset(code, 0xcc, CODE_BYTES);
  uint32_t length = take32();
  uint64_t offset = rip - CODE;
  for (uint32_t i = 0; i < length; i++)
    if (offset + i < CODE_BYTES) code[offset + i] = in[i];
  in += length;
  memcpy(data, base, DATA_BYTES);
  for (uint32_t windows = take32(); windows > 0; windows--) {
    uint32_t at = take32(), bytes = take32();
    memcpy(data + at, in, bytes);
    in += bytes;
  }
  memcpy(before, data, DATA_BYTES);
  /* Sigreturn restores neither these segment registers nor NT and ID. */
  __asm__ volatile("mov %0, %%ds; mov %0, %%es" : : "r"(is32 ? 0x2b : 0));
  __asm__ volatile("lea -128(%%rsp), %%rsp; push $0x202; popfq; lea 128(%%rsp), %%rsp" : : : "cc", "memory");
}

static void on_signal(int number, siginfo_t *info, void *context) {
  (void)number;
  (void)info;
  if (running) {
    record(context);
    if (--left == 0) finish();
  }
  running = 1;
  prepare(context);
}

/* Two mappings of the same pages: what the tests see at a fixed address, and a writable alias for us. */
static uint8_t *map(uint64_t address, uint64_t bytes, int protection) {
  int fd = memfd_create("pages", 0);
  if (fd < 0 || ftruncate(fd, (off_t)bytes) != 0) die("memfd_create");
  if (mmap((void *)address, bytes, protection, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0) != (void *)address) die("mmap");
  void *alias = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (alias == MAP_FAILED) die("mmap alias");
  return alias;
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: harness INPUT OUTPUT\n");
    return 2;
  }
  int fd = open(argv[1], O_RDONLY);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) != 0) die("open input");
  in = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (in == MAP_FAILED) die("mmap input");
  output_path = argv[2];
  left = take32();
  if (left == 0) return 0;
  size_t room = (size_t)left * (21 * 8 + FX_BYTES + 4096);
  out = output_start = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (out == MAP_FAILED) die("mmap output");
  memcpy(base, in, DATA_BYTES);
  in += DATA_BYTES;
  code = map(CODE, CODE_BYTES, PROT_READ | PROT_EXEC);
  data = map(DATA, DATA_BYTES, PROT_READ | PROT_WRITE);
  /* Present page table entries, so that no test meets a page that Linux would have to bring in first. */
  for (uint64_t i = 0; i < DATA_BYTES; i += 4096) ((volatile uint8_t *)DATA)[i] = 1;
  for (uint64_t i = 0; i < CODE_BYTES; i += 4096) (void)((volatile uint8_t *)CODE)[i];
  if (mprotect((void *)(DATA + DATA_BYTES - READ_ONLY_BYTES), READ_ONLY_BYTES, PROT_READ) != 0) die("mprotect");

  stack_t stack = {.ss_sp = malloc(1 << 17), .ss_size = 1 << 17};
  if (sigaltstack(&stack, NULL) != 0) die("sigaltstack");
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigfillset(&action.sa_mask);
  const int signals[] = {SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
  for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++)
    if (sigaction(signals[i], &action, NULL) != 0) die("sigaction");
  __asm__ volatile("int3");
  return 1; /* not reached: the handler never returns here */
}
