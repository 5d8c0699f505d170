/* What a PVH guest reads at start. Xen public/arch-x86/hvm/start_info.h. */
#ifndef EXAMPLES_XEN_H
#define EXAMPLES_XEN_H

#include "types.h"

#define HVM_START_MAGIC 0x336ec578u

enum { SifPrivileged = 1, SifInitDomain = 2 }; /* flags; public/xen.h */

/* Address 0 means absent everywhere; all addresses are guest-physical. */
struct hvm_start_info {
  u32 magic, version, flags, nr_modules;
  u64 modlist_paddr, cmdline_paddr, rsdp_paddr;
  u64 memmap_paddr; /* from here: version 1 */
  u32 memmap_entries, reserved;
};

struct hvm_modlist_entry {
  u64 paddr, size, cmdline_paddr, reserved;
};

enum { MemmapRam = 1, MemmapReserved, MemmapAcpi, MemmapNvs, MemmapUnusable, MemmapDisabled, MemmapPersistent };

struct hvm_memmap_entry {
  u64 addr, size;
  u32 type, reserved;
};

/* What Xen's CPUID leaves say (public/arch-x86/cpuid.h). */
struct xen_leaves {
  u32 first, last; /* leaf numbers */
  u32 version;     /* major in bits 16 to 31, minor in bits 0 to 15 */
  u32 pages, msr;  /* how many hypercall pages, and the MSR that asks for one */
  u32 features;    /* XEN_HVM_CPUID_* */
  u32 vcpu, domain;
};
enum { XenHasVcpu = 1 << 3, XenHasDomain = 1 << 4 };
/* Looks for them; 0 when there are none. */
int xen_leaves(struct xen_leaves *leaves);

/* The hypercall interface; each function answers 0 when there is no Xen. */
int xen_present(void);
/* The instruction that reaches Xen on this processor. */
const char *xen_instruction(void);
/* XENVER_version as in xen_leaves, negative errors of Xen as they come; needs xen_present. */
long xen_version(void);
/* XENVER_extraversion, such as ".7"; 0 or a negative error. */
long xen_extra_version(char text[16]);
/* A guest parameter (public/hvm/params.h), 0 when unset. */
u64 xen_parameter(u32 index);
/* SCHEDOP_shutdown with reason poweroff; returns only when there is no Xen. */
void xen_power_off(void);
/* Writes to the console ring of public/io/console.h; 0 when there is none. */
int xen_console_write(const char *text, size_t bytes);

#endif
