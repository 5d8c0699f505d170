/*
 * The first experiment: the situations in which a translator of hot code goes wrong, each checked against what the
 * architecture says. Lines that begin with "# " hold values that depend on virtual time; they too are the same for every
 * threshold of compilation and every TLB size. Intel SDM volume 3 unless said otherwise.
 */
#include "experiment.h"

extern u64 multiply_add(u64 *result, const u64 *number, u64 words, u64 factor);
extern u64 calls(u64 count), returns(u64 count), store_beside(u64 count), dead_flags(u64 count), clock_loop(u64 count);
extern u64 count_until(volatile u32 *at, u32 limit), stepped(u64 count);
extern void fill_until(u8 *buffer, u64 bytes, volatile u32 *at, u32 limit);
extern void copy_until(u8 *buffer, u64 words, volatile u32 *at, u32 limit);
extern u64 patch_once(u64 count, u8 *alias), patch_always(u64 count, u8 *alias);
extern u64 call_often(u64 function, u64 count), sum_loads(u64 address, u64 count);
extern u64 port_loop(u64 port, u64 count), mmio_loop(volatile u32 *address, u64 count);
extern void add_along(void), divide_down(void), load_down(void), fill_into(void);
extern void sti_halt(void), sti_nop(void), sti_cli(void), popf_nop(void);
extern u8 add_along_at[], count_0[], count_1[], count_2[], count_3[], fill_at[], copy_at[], patch_once_byte[];
extern u8 patch_always_byte[], divide_down_at[], load_down_at[], fill_into_at[], stepped_first[], stepped_last[];
extern u8 after_halt[], after_sti_nop[], after_popf[], answer_1[], answer_2[], answer_end[];

void note(const char *what, u64 value) {
  print("# ");
  print(what);
  print(" ");
  print_hex(value);
  print("\n");
}

/* ---- arithmetic and calls ---- */

/* The same with 32-bit multiplications, so that another instruction checks the first. */
static u64 slow_multiply_add(u32 *result, const u32 *number, u64 words, u64 factor) {
  u64 carry = 0;
  for (int half = 0; half < 2; half++) {
    u64 f = half ? factor >> 32 : (u32)factor;
    carry = 0;
    for (u64 i = 0; i < 2 * words || carry; i++) {
      u64 sum = (i < 2 * words ? number[i] * f : 0) + result[i + half] + carry;
      result[i + half] = (u32)sum;
      carry = sum >> 32;
    }
  }
  return 0;
}

static void multiply(void) {
  static u64 number[32], result[64];
  static u32 slow[140];
  u64 seed = 1;
  for (int i = 0; i < 32; i++) number[i] = seed = seed * 6364136223846793005 + 1442695040888963407;
  for (int round = 0; round < 60; round++) {
    for (int i = 0; i < 32; i++) {
      seed = seed * 6364136223846793005 + 1442695040888963407;
      u64 carry = multiply_add(result + (round & 15), number, 32, seed);
      for (int at = 32 + (round & 15); carry && at < 64; at++) {
        result[at] += carry;
        carry = result[at] < carry;
      }
      if (round < 20) slow_multiply_add(slow + 2 * (round & 15), (u32 *)number, 32, seed);
    }
    if (round != 19) continue;
    begin("MUL, ADC: the inner loop of RSA equals the one with 32-bit multiplications");
    for (int i = 0; i < 64; i++) want("word", result[i], (u64)slow[2 * i + 1] << 32 | slow[2 * i]);
    done();
  }
  u64 sum = 0;
  for (int i = 0; i < 64; i++) sum = (sum << 7 | sum >> 57) ^ result[i];
  begin("MUL, ADC: 60 rounds of it");
  want("sum", sum, 0xde897935b7b04f8); // as QEMU has it
  done();
}

static void nested_calls(void) {
  u64 expected = 0;
  for (int i = 0; i < 4000; i++) {
    expected = (expected + 1) ^ 0x55;
    expected += 7;
    expected = expected << 3 | expected >> 61;
    if (expected & 1) {
      expected += 7;
      expected = expected << 3 | expected >> 61;
    }
    expected = expected * 3 + 2;
  }
  begin("CALL, RET: nested calls across three pages");
  want("rax", calls(4000), expected);
  done();
  begin("RET: a return address that the callee has changed");
  want("rax", returns(4000), 4000 + 16 * 2000);
  done();
}

/* ---- faults in hot code ---- */

static void run_along(const char *title, u64 flags_of_second, u64 error) {
  u64 end = window(FREE_PAGE + 8);
  for (int page = 0; page < 8; page++) map(FREE_PAGE + page, frame(8 + page), P | RW);
  map(FREE_PAGE + 8, frame(16), flags_of_second);
  memset(frame(8), 0xff, 9 * 4096);
  attempt_code(add_along, end - 4 - 3000 * 8, 1);
  begin(title);
  want_trap(PF, error, add_along_at);
  want("cr2", trapped_cr2, end);
  want("rdi", trapped.rdi, end - 4);
  want("carries", trapped.rbx, 3000);
  want("flags", trapped.rflags & ARITHMETIC, 0x44);
  want("first half", *(u32 *)(frame(16) - 4), 0xffffffff);
  want("second half", *(u32 *)frame(16), 0xffffffff);
  want("before it", *(u64 *)(frame(16) - 12), 0);
  done();
}

static void faults(void) {
  run_along("4.7: ADD to memory whose second page is absent changes nothing", 0, PF_W);
  run_along("4.7: ADD to memory whose second page is read-only changes nothing", P, PF_P | PF_W);
  begin("4.8: an access that faults sets no dirty bit");
  want("entry", window_table[FREE_PAGE + 8] & (P | RW | D), P);
  done();

  attempt_code(divide_down, 1500, 0);
  begin("volume 1, 6.5: #DE in the middle of a block: registers and flags are those before DIV");
  want_trap(DE, 0, divide_down_at);
  want("rax", trapped.rax, 1000);
  want("rdx", trapped.rdx, 0);
  want("rdi", trapped.rdi, 0);
  want("r11", trapped.r11, 1ul << 63);
  u64 sum = 0;
  for (u64 i = 1; i <= 1500; i++) sum += 1000 / i;
  want("r8", trapped.r8, sum);
  want("flags", trapped.rflags & ARITHMETIC, 0x894);
  done();

  map(FREE_PAGE, frame(8), 0);
  for (int i = 0; i < 512 * 4; i++) ((u64 *)frame(9))[i] = i;
  for (int page = 1; page < 5; page++) map(FREE_PAGE + page, frame(8 + page), P);
  attempt_code(load_down, window(FREE_PAGE + 5) - 8, 5000);
  begin("4.7: a load in a hot loop that runs into an absent page");
  want_trap(PF, 0, load_down_at);
  want("cr2", trapped_cr2, window(FREE_PAGE + 1) - 8);
  want("rsi", trapped.rsi, 5000 - 2048);
  want("rax", trapped.rax, 2048 * 2047 / 2 + 2048);
  want("flags", trapped.rflags & FLAG_CF, FLAG_CF);
  done();

  memset(frame(8), 0, 4096 * 3);
  map(FREE_PAGE, frame(8), P | RW);
  map(FREE_PAGE + 1, frame(9), P | RW);
  map(FREE_PAGE + 2, frame(10), P);
  attempt_code(fill_into, window(FREE_PAGE) + 100, 3 * 4096);
  begin("volume 2, REP: a fault leaves RIP at the instruction and RCX, RDI at the element");
  want_trap(PF, PF_P | PF_W, fill_into_at);
  want("rcx", trapped.rcx, 4096 + 100);
  want("rdi", trapped.rdi, window(FREE_PAGE + 2));
  want("last byte", frame(10)[-1], 0x5a);
  want("next byte", frame(10)[0], 0);
  want("dirty", window_table[FREE_PAGE + 2] & (A | D), window_table[FREE_PAGE + 2] & A);
  done();
}

/* ---- interrupts ---- */

static volatile u32 fired;
static u64 wrong, hash, interrupted_at;
static u8 big[0x10000 + 64];

static void again(u32 count) {
  fired++;
  end_of_interrupt();
  timer_start(TIMER, count);
}

static int count_handler(struct trap *trap) {
  u64 rip = trap->rip;
  u64 lag = rip == (u64)count_1 ? 3 : 0;
  int inside = rip == (u64)count_0 || rip == (u64)count_1 || rip == (u64)count_2 || rip == (u64)count_3;
  if (!inside || trap->r8 != 3 * trap->rax - lag || !(trap->rflags & FLAG_IF)) wrong++;
  hash = hash * 31 + rip - (u64)count_0 + trap->rax;
  again(100 + 7 * fired);
  return 1;
}

static int string_handler(struct trap *trap) {
  if (trap->rip == (u64)fill_at) {
    interrupted_at++;
    if (trap->rdi + trap->rcx != (u64)big + 0x10000) wrong++;
  } else if (trap->rip == (u64)copy_at) {
    interrupted_at++;
    if (trap->rdi + 8 * trap->rcx != (u64)big + 0x10008 || trap->rsi + 8 != trap->rdi) wrong++;
  }
  hash = hash * 31 + trap->rcx;
  again(700 + 7 * fired);
  return 1;
}

static int plain_handler(struct trap *trap) {
  fired++;
  interrupted_at = trap->rip;
  if (!(trap->rflags & FLAG_IF)) wrong++;
  end_of_interrupt();
  return 1;
}

static void start(int (*handler)(struct trap *), u32 count) {
  handlers[TIMER] = handler;
  fired = 0;
  wrong = hash = interrupted_at = 0;
  timer_start(TIMER, count);
}

static void until_pending(void) {
  while (!(APIC[0x210 / 4] & 1)) {
  }
}

static void one_pending(const char *title, void (*code)(void), u32 times, const u8 *at) {
  start(plain_handler, 50);
  until_pending();
  code();
  begin(title);
  want("interrupts", fired, times);
  want("returns to", interrupted_at, (u64)at);
  want("IF was clear", wrong, 0);
  done();
  if (!times) popf_nop();
}

static void interrupts(void) {
  start(count_handler, 100);
  __asm__ volatile("sti");
  u64 turns = count_until(&fired, 40);
  __asm__ volatile("cli");
  timer_stop();
  begin("6.8.1: timer interrupts in a hot loop come between two instructions");
  want("wrong states", wrong, 0);
  want("interrupts", fired, 40);
  done();
  note("turns", turns);
  note("interrupted at", hash);

  start(string_handler, 700);
  __asm__ volatile("sti");
  fill_until(big, 0x10000, &fired, 10);
  __asm__ volatile("cli");
  begin("volume 2, REP: an interrupt between two elements of STOSB");
  want("wrong states", wrong, 0);
  want("none in REP", interrupted_at == 0, 0);
  done();
  note("interrupts in REP", interrupted_at);
  note("RCX", hash);

  for (u64 i = 0; i < 8; i++) big[i] = (u8)(i + 1);
  start(string_handler, 700);
  __asm__ volatile("sti");
  copy_until(big, 0x10000 / 8, &fired, 10);
  __asm__ volatile("cli");
  begin("volume 2, REP: an interrupt between two elements of overlapping MOVSQ");
  want("wrong states", wrong, 0);
  want("none in REP", interrupted_at == 0, 0);
  for (u64 i = 0; i < 0x10008; i += 8) want("copied", *(u64 *)(big + i), 0x0807060504030201);
  done();
  note("interrupts in REP", interrupted_at);
  note("RCX", hash);
  timer_stop();
  if (APIC[0x210 / 4] & 1) popf_nop();

  one_pending("volume 2, STI: a pending interrupt comes after the instruction that follows", sti_nop, 1, after_sti_nop);
  one_pending("volume 2, STI: STI; CLI lets none through", sti_cli, 0, 0);
  one_pending("volume 2, STI: STI; HLT with one pending wakes at once and returns behind HLT", sti_halt, 1, after_halt);
  one_pending("volume 2, POPF: a pending interrupt comes right behind it", popf_nop, 1, after_popf);

  start(plain_handler, 5000);
  sti_halt();
  begin("volume 2, HLT: a timer that expires later wakes it");
  want("interrupts", fired, 1);
  want("returns to", interrupted_at, (u64)after_halt);
  want("IF was clear", wrong, 0);
  done();
  u64 laps = 0;
  for (int i = 0; i < 50; i++) {
    start(plain_handler, 20 + 3 * i);
    sti_halt();
    laps += interrupted_at == (u64)after_halt && fired == 1;
  }
  begin("volume 2, HLT: fifty timers around STI; HLT");
  want("woken", laps, 50);
  done();
}

/* ---- code that changes ---- */

static u64 place(int page, int index, const u8 *from, const u8 *to) {
  memory_copy(frame(index), from, to - from);
  map(page, frame(index), P | RW);
  return window(page);
}

static void changing_code(void) {
  u64 (*once)(u64, u8 *) = (void *)user(patch_once);
  begin("9.1.3: a store that patches its own hot loop through an alias mapping");
  want("rax", once(3000, patch_once_byte), 2000 + 5 * 1000);
  *patch_once_byte = 1;
  want("again", once(3000, patch_once_byte), 2000 + 5 * 1000);
  done();
  u64 (*always)(u64, u8 *) = (void *)user(patch_always);
  u64 sum = 0;
  for (int i = 1; i <= 700; i++) sum += i & 0x3f;
  begin("9.1.3: a store that patches the next instruction at each turn");
  want("rax", always(700, patch_always_byte), sum);
  want("rax without an alias", patch_always(700, patch_always_byte), sum);
  done();
  begin("9.1.3: a store beside code, in its cache line");
  want("counter", store_beside(1200), 3600);
  done();

  u64 code = place(FREE_PAGE, 20, answer_1, answer_2);
  place(FREE_PAGE + 1, 21, answer_2, answer_end);
  begin("4.10.4.1: INVLPG after a change of the mapping: hot code is fetched from the new page");
  want("sum before", call_often(code, 2000), 2000);
  map(FREE_PAGE, frame(21), P);
  want("sum after", call_often(code, 2000), 4000);
  map(FREE_PAGE, frame(20), P);
  want("sum back", call_often(code, 2000), 2000);
  done();
  begin("4.10.4.1: MOV to CR3 after a change of the mapping: hot code is fetched from the new page");
  window_table[FREE_PAGE] = (u64)frame(21) | P;
  write_cr3(read_cr3());
  want("sum after", call_often(code, 2000), 4000);
  window_table[FREE_PAGE] = (u64)frame(20) | P;
  write_cr3(read_cr3());
  want("sum back", call_often(code, 2000), 2000);
  done();

  *(u64 *)frame(22) = 3;
  *(u64 *)frame(23) = 10;
  map(FREE_PAGE + 2, frame(22), P);
  begin("4.10.4.1: INVLPG and MOV to CR3: a hot loop loads from the new page");
  want("sum before", sum_loads(window(FREE_PAGE + 2), 2000), 6000);
  map(FREE_PAGE + 2, frame(23), P);
  want("sum after INVLPG", sum_loads(window(FREE_PAGE + 2), 2000), 20000);
  window_table[FREE_PAGE + 2] = (u64)frame(22) | P;
  write_cr3(read_cr3());
  want("sum after MOV CR3", sum_loads(window(FREE_PAGE + 2), 2000), 6000);
  done();

  /* MOV imm32, EAX: opcode and low half of the immediate in one page, the rest and RET in the next. */
  u8 *first = frame(24), *second = frame(25), *other = frame(26);
  first[4093] = 0xb8, first[4094] = 0x34, first[4095] = 0x12;
  second[0] = 0x01, second[1] = 0x00, second[2] = 0xc3;
  other[0] = 0x02, other[1] = 0x00, other[2] = 0xc3;
  map(FREE_PAGE + 3, first, P);
  map(FREE_PAGE + 4, second, P);
  begin("4.10.4.1: an instruction across two pages whose second page is mapped elsewhere");
  want("sum before", call_often(window(FREE_PAGE + 3) + 4093, 1500), 0x11234 * 1500ul);
  map(FREE_PAGE + 4, other, P);
  want("sum after INVLPG", call_often(window(FREE_PAGE + 3) + 4093, 1500), 0x21234 * 1500ul);
  window_table[FREE_PAGE + 4] = (u64)second | P;
  write_cr3(read_cr3());
  want("sum after MOV CR3", call_often(window(FREE_PAGE + 3) + 4093, 1500), 0x11234 * 1500ul);
  second[0] = 3;
  want("sum after a store", call_often(window(FREE_PAGE + 3) + 4093, 1500), 0x31234 * 1500ul);
  done();
  map(FREE_PAGE + 4, second, 0);
  attempt_code((void (*)(void))(window(FREE_PAGE + 3) + 4093), 0, 0);
  begin("4.7: the second page of an instruction is absent: CR2 is that page, RIP the instruction");
  want_trap(PF, PF_I, (void *)(window(FREE_PAGE + 3) + 4093));
  want("cr2", trapped_cr2, window(FREE_PAGE + 4));
  done();
}

/* ---- devices, steps, flags, time ---- */

static u64 steps, first_step, last_step;
static int step_handler(struct trap *trap) {
  if (!steps++) first_step = trap->rip;
  last_step = trap->rip;
  if (!(trap->rflags & FLAG_TF)) wrong++;
  return 1;
}

static void the_rest(void) {
  u64 sum = 0;
  for (u64 i = 1; i <= 1500; i++) sum += i & 0xff;
  begin("IN, OUT in a hot loop: the scratch register of COM1");
  want("sum", port_loop(0x3ff, 1500), sum);
  done();
  sum = 0;
  for (u64 i = 1; i <= 1500; i++) sum += i << 4 & 0xf0;
  begin("11.8.3.1: stores and loads of a register of the local APIC in a hot loop");
  want("sum", mmio_loop(APIC + 0x80 / 4, 1500), sum);
  APIC[0x80 / 4] = 0;
  done();

  handlers[DB] = step_handler;
  wrong = steps = 0;
  u64 turns = stepped(600);
  begin("18.3.1.4: TF: one trap behind each instruction, none behind the POPF that sets it, one behind that which clears it");
  want("turns", turns, 600);
  want("traps", steps, 1 + 5 * 600 + 3);
  want("first", first_step, (u64)stepped_first + 1);
  want("last", last_step, (u64)stepped_last + 1);
  want("TF clear in the frame", wrong, 1); // the last one: POPF has cleared it, the trap was already due
  done();
  handlers[DB] = 0;

  begin("volume 1, 3.4.3: PUSHF between operations whose flags are otherwise dead");
  want("sum", dead_flags(2000), 2000 * (0x55 + 0x01 + 0x881));
  done();
  sum = clock_loop(1000);
  begin("18.17: RDTSC grows in a hot loop");
  want("stood still", sum == 0, 0);
  done();
  note("TSC", sum);
}

void guest_main(const u64 *start_info) {
  (void)start_info;
  set_up_traps();
  multiply();
  nested_calls();
  faults();
  interrupts();
  changing_code();
  the_rest();
  test_keys();
  print("end\n");
}
