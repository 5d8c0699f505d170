/* What every bare guest uses: console, checks, traps, page tables. Intel SDM volume 3 unless said otherwise. */
#ifndef BARE_H
#define BARE_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

/* Selectors of the GDT (bare.c), without RPL. SYSRET's order: 32-bit code, data, 64-bit code. */
enum {
  KERNEL_CODE = 0x08, KERNEL_DATA = 0x10, USER_CODE32 = 0x18, USER_DATA = 0x20, USER_CODE = 0x28, TASK = 0x30,
  KERNEL_CODE32 = 0x40, ABSENT_DATA = 0x48, ABSENT_CODE = 0x50, READ_ONLY = 0x58, CONFORMING = 0x60, BAD_CODE = 0x68,
  SPARE_TASK = 0x70, LOCAL_TABLE = 0x80, ABSENT_TASK = 0x90, SMALL_DATA = 0xa0, SMALL_TASK = 0xb0, GDT_END = 0xc0
};

/* Vectors, 6.3.1. */
enum { DE = 0, DB = 1, BP = 3, OF = 4, UD = 6, NM = 7, DF = 8, TS = 10, NP = 11, SS = 12, GP = 13, PF = 14, MF = 16, AC = 17, XM = 19 };
enum { NO_TRAP = 255, TIMER = 0x20, OTHER_TIMER = 0x21, USER_DONE = 0x80 };

/* Page-table entries, 4.5; page-fault error code, 4.7. */
#define P 1ul
#define RW 2ul
#define US 4ul
#define A 0x20ul
#define D 0x40ul
#define PS 0x80ul
#define G 0x100ul
#define NX (1ul << 63)
enum { PF_P = 1, PF_W = 2, PF_U = 4, PF_R = 8, PF_I = 16 };

#define FLAG_CF 1ul
#define FLAG_TF 0x100ul
#define FLAG_IF 0x200ul
#define FLAG_DF 0x400ul
#define FLAG_NT 0x4000ul
#define FLAG_RF 0x10000ul
#define FLAG_AC 0x40000ul
#define ARITHMETIC 0x8d5ul

struct trap {
  u64 r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
  u64 vector, error, rip, cs, rflags, rsp, ss;
};
struct iret_frame {
  u64 rip, cs, rflags, rsp, ss;
};

/* The trap that ended the last attempt (vector NO_TRAP: none did), CR2 then, the top of the handler's
   frame, its SS and its flags (only those that trap_entry leaves alone). */
extern struct trap trapped;
extern u64 trapped_cr2, trapped_top, trapped_ss, trapped_flags;
/* Called for a vector instead of ending the attempt; non-zero resumes by IRETQ. */
extern int (*handlers[129])(struct trap *);
extern u64 gdt[GDT_END / 8], idt[258];
struct __attribute__((packed)) table_pointer {
  u16 limit;
  u64 base;
};
extern const struct table_pointer gdt_pointer;
extern struct table_pointer idt_pointer;
extern u32 task[26 + 2048 + 1];

extern u8 trap_stubs[], stack_end[], trap_stack_end[], ist_stack_end[], iret_at[], user_start[], user_end[];
extern u64 pml4[512], pdpt[512], low_directory[512], window_directory[512], window_table[512];

void guest_main(const u64 *start_info);
void power_off(void) __attribute__((noreturn));
void attempt_code(void (*code)(void), u64 rdi, u64 rsi);
void enter(u64 rip, u64 cs, u64 rflags, u64 rsp, u64 ss);

void print(const char *text);
void print_hex(u64 value);
/* One line a case: begin, any number of wants, done. Only the first difference is printed. */
void begin(const char *title);
void want(const char *what, u64 got, u64 expected);
void done(void);
/* A case whose attempt ended in this trap at this address. */
void expect_trap(const char *title, u64 vector, u64 error, const void *rip);
void want_trap(u64 vector, u64 error, const void *rip);

void set_gate(int vector, u32 type_and_dpl, int ist);
void set_gate_target(int vector, u32 selector, u64 offset);
void set_up_traps(void);

/* The window: 2 MiB of 4 KiB pages below 4 GiB, each mapped as a test wants; frame() is RAM to map there. */
#define WINDOW 0x40000000ul
#define window(page) (WINDOW + (page) * 4096ul)
u8 *frame(int index);
void map(int page, const void *physical, u64 flags);
/* Address in the window of code in section .user, which lies there from page 0 on. */
#define user(label) (WINDOW + ((u64)(label) - (u64)user_start))
enum { USER_PAGES = 8, USER_STACK_PAGE = 9, FREE_PAGE = 16 };
#define USER_STACK (window(USER_STACK_PAGE) + 0xf00)

void timer_start(u32 vector, u32 count);
void timer_stop(void);
void end_of_interrupt(void);
#define APIC ((volatile u32 *)0xfee00000ul)

void *memory_copy(void *to, const void *from, u64 bytes);
void *memset(void *to, int value, u64 bytes);

static inline void outb(u16 port, u8 value) { __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }
static inline u8 inb(u16 port) {
  u8 value;
  __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}
static inline void invlpg(u64 address) { __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory"); }
static inline u64 read_cr3(void) {
  u64 value;
  __asm__ volatile("mov %%cr3, %0" : "=r"(value));
  return value;
}
static inline void write_cr3(u64 value) { __asm__ volatile("mov %0, %%cr3" : : "r"(value) : "memory"); }
static inline u64 read_cr0(void) {
  u64 value;
  __asm__ volatile("mov %%cr0, %0" : "=r"(value));
  return value;
}
static inline void write_cr0(u64 value) { __asm__ volatile("mov %0, %%cr0" : : "r"(value) : "memory"); }
static inline u64 read_cr4(void) {
  u64 value;
  __asm__ volatile("mov %%cr4, %0" : "=r"(value));
  return value;
}
static inline void write_cr4(u64 value) { __asm__ volatile("mov %0, %%cr4" : : "r"(value) : "memory"); }
static inline u64 read_msr(u32 index) {
  u32 low, high;
  __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(index));
  return (u64)high << 32 | low;
}
static inline void write_msr(u32 index, u64 value) {
  __asm__ volatile("wrmsr" : : "a"((u32)value), "d"((u32)(value >> 32)), "c"(index) : "memory");
}

/*
 * A test's code: `before`, then the instruction under test. RUN_KERNEL calls it, RUN_USER runs it at CPL 3 from its place
 * in the window and lets it end by INT 0x80. RDI and RSI hold `argument`; register names are written %%rax. Afterwards
 * `spot` is the address of the instruction and `behind` that after the code.
 */
#define SNIPPET(section, before, at, end)                                                                            \
  __asm__ volatile(".pushsection " section ",\"ax\"\n771: " before "\n772: " at "\n " end "\n773:\n.popsection\n"  \
                   "movq $771b, code\nmovq $772b, spot\nmovq $773b, behind" : : : "memory")
#define RUN_KERNEL(before, at)                                                                                       \
  do {                                                                                                               \
    SNIPPET(".text.snippets", before, at, "ret");                                                                             \
    attempt_code((void (*)(void))code, argument[0], argument[1]);                                                    \
    if (trapped.vector == NO_TRAP) spot = 0;                                                                         \
  } while (0)
#define RUN_USER(before, at)                                                                                         \
  do {                                                                                                               \
    SNIPPET(".user", before, at, "int $0x80");                                                                       \
    run_user(USER_CODE | 3);                                                                                         \
  } while (0)
#define RUN_USER32(before, at)                                                                                       \
  do {                                                                                                               \
    SNIPPET(".user", ".code32\n" before, at, "int $0x80\n.code64");                                                  \
    run_user(USER_CODE32 | 3);                                                                                       \
  } while (0)
/* One case: where the code ends. NO_TRAP and USER_DONE: it went through. */
#define KERNEL(title, vector, error, before, at)                                                                     \
  do {                                                                                                               \
    RUN_KERNEL(before, at);                                                                                          \
    expect_trap(title, vector, error, (void *)spot);                                                                 \
  } while (0)
#define USER(title, vector, error, before, at)                                                                       \
  do {                                                                                                               \
    RUN_USER(before, at);                                                                                            \
    expect_trap(title, vector, error, (void *)spot);                                                                 \
  } while (0)
#define USER32(title, vector, error, before, at)                                                                     \
  do {                                                                                                               \
    RUN_USER32(before, at);                                                                                          \
    expect_trap(title, vector, error, (void *)spot);                                                                 \
  } while (0)
extern u64 code, spot, behind, argument[2], user_flags;
void run_user(u64 cs);

#endif
