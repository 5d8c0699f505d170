#ifndef TESTS_H
#define TESTS_H
#include "bare.h"

void test_paging(void);
void test_delivery(void);
void test_double_faults(void);
void test_returns(void);
void test_segments(void);
void test_privilege(void);
void test_ports(void);
void test_system_calls(void);
void test_compatibility(void);
void test_control(void);
void test_floating_point(void);
void test_opcodes(void);
void triple_fault(void);

#endif
