#include "bare.h"
void guest_main(const u64 *s){(void)s;print("end\n");}
