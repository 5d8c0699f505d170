/* What a translation may assume and what ends it: mapping, rights, mode, privilege, address, bytes. */
#include "experiment.h"

extern u64 spin_until(u64 address, u64 value), spin_for_ever(void), fibonacci(u64 n), dispatch(u64 count), rewrite_itself(u64 count);
extern u64 call_often(u64 function, u64 count);
extern void store_down(void);
extern u8 spin_for_ever_jump[], store_down_at[], where_am_i[], where_end[], both_modes[], both_end[], answer_1[], answer_2[], answer_end[];

static int rounds;

/* Counts the interrupts that come inside a loop of this file; the tenth is the one that changes something. */
static int is_last(const struct trap *trap) {
  end_of_interrupt();
  if (trap->rip >= (u64)spin_until && trap->rip < (u64)store_down) rounds++;
  if (rounds < 10) timer_start(TIMER, 400);
  return rounds == 10;
}

static int remap_handler(struct trap *trap) {
  if (is_last(trap)) map(FREE_PAGE, frame(9), P | RW);
  return 1;
}
static int unmap_handler(struct trap *trap) {
  if (is_last(trap)) map(FREE_PAGE, frame(8), 0);
  return 1;
}
static int patch_handler(struct trap *trap) {
  if (is_last(trap)) *(volatile u16 *)spin_for_ever_jump = 0x9090;
  return 1;
}
static int register_handler(struct trap *trap) {
  if (is_last(trap)) trap->rsi = 8;
  return 1;
}
static int store_handler(struct trap *trap) {
  if (is_last(trap)) *(volatile u64 *)frame(8) = 9;
  return 1;
}

static void start(int (*handler)(struct trap *)) {
  handlers[TIMER] = handler;
  rounds = 0;
  *(u64 *)frame(8) = 8;
  *(u64 *)frame(9) = 9;
  map(FREE_PAGE, frame(8), P | RW);
  timer_start(TIMER, 400);
  __asm__ volatile("sti");
}
static void stop(const char *title) {
  __asm__ volatile("cli");
  begin(title);
  want("rounds", rounds, 10);
}

static void changed_by_handlers(void) {
  start(store_handler);
  u64 turns = spin_until(window(FREE_PAGE), 9);
  stop("6.8.1: a hot loop sees what an interrupt handler stores");
  done();
  start(remap_handler);
  turns += spin_until(window(FREE_PAGE), 9);
  stop("4.10.4.1: an interrupt handler maps another page under a hot loop");
  done();
  start(register_handler);
  turns += spin_until(window(FREE_PAGE), 9);
  stop("6.12.1: a hot loop goes on with a register that the handler has changed in its frame");
  done();
  start(patch_handler);
  turns += spin_for_ever();
  stop("9.1.3: an interrupt handler patches the branch of a hot loop");
  done();
  *(volatile u16 *)spin_for_ever_jump = 0xfaeb; // JMP to the ADD before it
  start(unmap_handler);
  attempt_code((void (*)(void))spin_until, window(FREE_PAGE), 9);
  stop("4.10.4.1: an interrupt handler unmaps the page that a hot loop reads: #PF in the loop");
  want("vector", trapped.vector, PF);
  want("error", trapped.error, 0);
  want("cr2", trapped_cr2, window(FREE_PAGE));
  done();
  note("turns", turns + trapped.rax);
}

static void rights(void) {
  map(FREE_PAGE, frame(8), P | RW);
  attempt_code(store_down, window(FREE_PAGE), 2000);
  begin("4.8: a hot store sets the dirty bit again after it was cleared and INVLPG");
  want("dirty", window_table[FREE_PAGE] & D, D);
  map(FREE_PAGE, frame(8), P | RW);
  attempt_code(store_down, window(FREE_PAGE), 2000);
  want("dirty again", window_table[FREE_PAGE] & D, D);
  window_table[FREE_PAGE] &= ~(A | D);
  write_cr3(read_cr3());
  attempt_code(store_down, window(FREE_PAGE), 1);
  want("accessed and dirty after MOV CR3", window_table[FREE_PAGE] & (A | D), A | D);
  done();
  begin("4.6.1: a hot store to a page that has become read-only faults; with CR0.WP = 0 it does not");
  map(FREE_PAGE, frame(8), P);
  attempt_code(store_down, window(FREE_PAGE), 2000);
  want_trap(PF, PF_P | PF_W, store_down_at);
  want("rsi", trapped.rsi, 2000);
  write_cr0(read_cr0() & ~0x10000ul);
  attempt_code(store_down, window(FREE_PAGE), 2000);
  want("vector", trapped.vector, NO_TRAP);
  write_cr0(read_cr0() | 0x10000);
  attempt_code(store_down, window(FREE_PAGE), 2000);
  want("vector", trapped.vector, PF);
  done();
  begin("4.6.1: code that is hot at CPL 0 runs at CPL 3: a supervisor page faults there");
  map(FREE_PAGE, frame(8), P | RW);
  attempt_code((void (*)(void))user(store_down), window(FREE_PAGE), 2000);
  want("vector", trapped.vector, NO_TRAP);
  argument[0] = window(FREE_PAGE);
  argument[1] = 2000;
  enter(user(store_down), USER_CODE | 3, 2, USER_STACK, USER_DATA | 3);
  want_trap(PF, PF_P | PF_W | PF_U, (void *)user(store_down_at));
  map(FREE_PAGE, frame(8), P | RW | US);
  *(u64 *)frame(0) = 0;
  enter(user(store_down), USER_CODE | 3, 2, USER_STACK, USER_DATA | 3);
  want("its RET", trapped.rip, 0); // the stack holds a zero
  want("last", *(u64 *)frame(8), 1);
  done();
}

static void keys(void) {
  memory_copy(frame(20), where_am_i, where_end - where_am_i);
  map(FREE_PAGE + 1, frame(20), P);
  map(FREE_PAGE + 2, frame(20), P);
  begin("one page of code at three addresses, hot at each: RIP-relative addresses differ");
  want("first", call_often(window(FREE_PAGE + 1), 1500), window(FREE_PAGE + 1) * 1500);
  want("second", call_often(window(FREE_PAGE + 2), 1500), window(FREE_PAGE + 2) * 1500);
  want("third", call_often((u64)frame(20), 1500), (u64)frame(20) * 1500);
  want("first again", call_often(window(FREE_PAGE + 1), 1500), window(FREE_PAGE + 1) * 1500);
  done();
  memory_copy(frame(21), both_modes, both_end - both_modes);
  map(FREE_PAGE + 3, frame(21), P | US);
  begin("volume 1, 3.4.1.1: the same bytes, hot in 64-bit and in compatibility mode");
  for (int turn = 0; turn < 6; turn++) {
    argument[1] = 3000;
    enter(window(FREE_PAGE + 3), (turn & 1 ? USER_CODE32 : USER_CODE) | 3, 2, USER_STACK, USER_DATA | 3);
    want("vector", trapped.vector, USER_DONE);
    want("rax", trapped.rax, turn & 1 ? 0 : 3000);
  }
  done();
  begin("9.1.3: a hot function that is overwritten whole by REP MOVSB");
  memory_copy(frame(22), answer_1, answer_2 - answer_1);
  want("first", call_often((u64)frame(22), 1500), 1500);
  memory_copy(frame(22), answer_2, answer_end - answer_2);
  want("second", call_often((u64)frame(22), 1500), 3000);
  frame(22)[1] = 7;
  want("one byte", call_often((u64)frame(22), 1500), 7 * 1500);
  done();
  u64 sum = 0;
  for (u64 i = 1; i <= 700; i++) sum += i & 0x3f;
  begin("9.1.3: REP STOSB rewrites the instruction behind it at each turn");
  want("sum", rewrite_itself(700), sum);
  done();
  begin("CALL, RET: recursion");
  want("fibonacci(15)", fibonacci(15), 610);
  done();
  begin("JMP: an indirect jump with four targets");
  want("sum", dispatch(4000), 1000 * 1111);
  done();
}

void test_keys(void) {
  changed_by_handlers();
  rights();
  keys();
}
