#include "bare.h"

struct trap trapped;
u64 trapped_cr2, trapped_top, trapped_ss, trapped_flags;
int (*handlers[129])(struct trap *);

u64 idt[258];
struct table_pointer idt_pointer;
u64 code, spot, behind, argument[2], user_flags = 2;
static u8 frames[64][4096] __attribute__((aligned(4096)));
/* A TSS with an I/O permission bitmap of every port and its closing byte, 8.7 and volume 1, 19.5.2. */
u32 task[26 + 2048 + 1] __attribute__((aligned(16)));

u64 gdt[GDT_END / 8] __attribute__((aligned(16))) = {
  [KERNEL_CODE / 8] = 0x00af9b000000ffff, [KERNEL_DATA / 8] = 0x00cf93000000ffff,
  [USER_CODE32 / 8] = 0x00cffb000000ffff, [USER_DATA / 8] = 0x00cff3000000ffff,
  [USER_CODE / 8] = 0x00affb000000ffff,   [KERNEL_CODE32 / 8] = 0x00cf9b000000ffff,
  [ABSENT_DATA / 8] = 0x00cf13000000ffff, [ABSENT_CODE / 8] = 0x00af1b000000ffff,
  [READ_ONLY / 8] = 0x00cf91000000ffff,   [CONFORMING / 8] = 0x00af9f000000ffff,
  [BAD_CODE / 8] = 0x00ef9b000000ffff,   [SMALL_DATA / 8] = 0x4040f30000000fff, // base WINDOW, 4 KiB
};
const struct table_pointer gdt_pointer = { sizeof gdt - 1, (u64)gdt };

/* ---- console ---- */

static void put(char c) {
  while (!(inb(0x3fd) & 0x20)) {
  }
  outb(0x3f8, c);
}
void print(const char *text) {
  while (*text) put(*text++);
}
void print_hex(u64 value) {
  print("0x");
  int shift = 60;
  while (shift > 0 && !(value >> shift)) shift -= 4;
  for (; shift >= 0; shift -= 4) put("0123456789abcdef"[value >> shift & 15]);
}

static int differs;
void begin(const char *title) {
  differs = 0;
  print(title);
  print(": ");
}
void want(const char *what, u64 got, u64 expected) {
  if (differs || got == expected) return;
  differs = 1;
  print(what);
  print(" got ");
  print_hex(got);
  print(" want ");
  print_hex(expected);
}
void done(void) { print(differs ? "\n" : "ok\n"); }

void want_trap(u64 vector, u64 error, const void *rip) {
  want("vector", trapped.vector, vector);
  want("error", trapped.error, error);
  want("rip", trapped.rip, (u64)rip);
}
void expect_trap(const char *title, u64 vector, u64 error, const void *rip) {
  begin(title);
  want_trap(vector, error, rip);
  done();
}

/* ---- traps ---- */

int trap_dispatch(struct trap *trap) {
  u64 ss, flags;
  __asm__ volatile("pushf\npop %0" : "=r"(flags));
  if (trap->vector < 129 && handlers[trap->vector] && handlers[trap->vector](trap)) return 1;
  memory_copy(&trapped, trap, sizeof trapped);
  __asm__ volatile("mov %%cr2, %0" : "=r"(trapped_cr2));
  __asm__ volatile("mov %%ss, %0" : "=r"(ss));
  trapped_top = (u64)(trap + 1);
  trapped_ss = ss & 0xffff;
  trapped_flags = flags;
  return 0;
}

/* 6.14.1. `type_and_dpl` is the byte with P, DPL and type: 0x8e an interrupt gate, 0x8f a trap gate, 0xee for CPL 3. */
void set_gate(int vector, u32 type_and_dpl, int ist) {
  u64 offset = (u64)trap_stubs + 16 * vector;
  idt[2 * vector] = (offset & 0xffff) | (u64)KERNEL_CODE << 16 | (u64)ist << 32 | (u64)type_and_dpl << 40 | (offset >> 16 & 0xffff) << 48;
  idt[2 * vector + 1] = offset >> 32;
}

void set_gate_target(int vector, u32 selector, u64 offset) {
  idt[2 * vector] = (idt[2 * vector] & 0x0000ffff00000000) | (offset & 0xffff) | (u64)selector << 16 | (offset >> 16 & 0xffff) << 48;
  idt[2 * vector + 1] = offset >> 32;
}

static void system_descriptor(int selector, const void *base, u32 limit, u64 type) {
  u64 address = (u64)base;
  gdt[selector / 8] = (limit & 0xffff) | (address & 0xffffff) << 16 | type << 40 | (u64)(limit >> 16 & 15) << 48 | (address >> 24 & 0xff) << 56;
  gdt[selector / 8 + 1] = address >> 32;
}

static void put64(u32 *at, u64 value) {
  at[0] = (u32)value;
  at[1] = (u32)(value >> 32);
}

void set_up_traps(void) {
  for (int vector = 0; vector < 129; vector++) set_gate(vector, vector == USER_DONE ? 0xee : 0x8e, 0);
  set_gate(DF, 0x8e, 1);
  idt_pointer.limit = sizeof idt - 1;
  idt_pointer.base = (u64)idt;
  __asm__ volatile("lidt %0" : : "m"(idt_pointer));
  put64(task + 1, (u64)trap_stack_end); // RSP0
  put64(task + 9, (u64)ist_stack_end);  // IST1
  task[25] = 104u << 16;                // I/O map base
  for (u32 i = 26; i < sizeof task / 4; i++) task[i] = 0xffffffff;
  system_descriptor(TASK, task, sizeof task - 4, 0x89);
  system_descriptor(SPARE_TASK, task, 103, 0x89);
  system_descriptor(SMALL_TASK, task, 0x23, 0x89);
  system_descriptor(ABSENT_TASK, task, 103, 0x09);
  system_descriptor(LOCAL_TABLE, gdt, sizeof gdt - 1, 0x82);
  __asm__ volatile("ltr %w0" : : "r"(TASK));
  for (int page = 0; page < USER_PAGES && user_start + page * 4096 < user_end; page++) {
    map(page, user_start + page * 4096, P | US);
  }
  map(USER_STACK_PAGE, frame(0), P | RW | US | NX);
}

void attempt(void (*code)(void), u64 rdi, u64 rsi);
void attempt_iret(const struct iret_frame *frame, u64 rdi, u64 rsi);

void attempt_code(void (*code)(void), u64 rdi, u64 rsi) {
  trapped.vector = NO_TRAP;
  trapped.error = trapped.rip = 0;
  attempt(code, rdi, rsi);
}
void enter(u64 rip, u64 cs, u64 rflags, u64 rsp, u64 ss) {
  struct iret_frame frame = { rip, cs, rflags, rsp, ss };
  trapped.vector = NO_TRAP;
  attempt_iret(&frame, argument[0], argument[1]);
}
void run_user(u64 cs) {
  enter(user(code), cs, user_flags, USER_STACK, USER_DATA | 3);
  spot = trapped.vector == USER_DONE ? user(behind) : user(spot);
}

/* ---- memory ---- */

u8 *frame(int index) { return frames[index]; }

void map(int page, const void *physical, u64 flags) {
  window_table[page] = (u64)physical | flags;
  invlpg(window(page));
}

/* Also called by the compiler under these names. */
void *memory_copy(void *to, const void *from, u64 bytes) {
  void *start = to;
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
  return start;
}
void *memcpy(void *to, const void *from, u64 bytes) { return memory_copy(to, from, bytes); }
void *memset(void *to, int value, u64 bytes) {
  void *start = to;
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(bytes) : "a"(value) : "memory");
  return start;
}

/* ---- local APIC timer, 11.5.4: one-shot, `count` periods of the crystal clock ---- */

void timer_start(u32 vector, u32 count) {
  APIC[0xf0 / 4] = 0x1ff;
  APIC[0x3e0 / 4] = 0xb;
  APIC[0x320 / 4] = vector;
  APIC[0x380 / 4] = count;
}
void timer_stop(void) { APIC[0x380 / 4] = 0; }
void end_of_interrupt(void) { APIC[0xb0 / 4] = 0; }
