/*
 * Privileged behaviour, one line a case. Each title begins with the section of the Intel SDM (volume 3 unless it says
 * otherwise) that the expectation comes from. The command line "triple-fault" asks for a shutdown instead.
 */
#include "tests.h"

/* hvm_start_info: cmdline_paddr at byte 24. Xen docs/misc/pvh. */
void guest_main(const u64 *start_info) {
  const char *line = (const char *)start_info[3];
  set_up_traps();
  for (const char *at = line; at && *at; at++) {
    if (at[0] == 't' && at[1] == 'r' && at[2] == 'i') triple_fault();
  }
  test_paging();
  test_delivery();
  test_double_faults();
  test_returns();
  test_segments();
  test_privilege();
  test_ports();
  test_system_calls();
  test_compatibility();
  test_control();
  test_floating_point();
  test_opcodes();
  print("end\n");
}
