#include "xen.h"

#include "cpu.h"

/* Xen public/xen.h, version.h, sched.h, event_channel.h, hvm/hvm_op.h, hvm/params.h. */
enum { XenVersion = 17, SchedOp = 29, EventChannelOp = 32, HvmOp = 34 };
enum { VersionNumber = 0, VersionExtra = 1 };
enum { SchedYield = 0, SchedShutdown = 2, EventChannelSend = 4, HvmGetParam = 1 };
enum { ParamConsolePfn = 17, ParamConsoleEventChannel = 18 };
#define DOMID_SELF 0x7ff0

int xen_leaves(struct xen_leaves *leaves) {
  for (u32 base = 0x40000000; base < 0x40010000; base += 0x100) {
    struct cpuid leaf = cpuid(base);
    /* "XenVMMXenVMM" */
    if (leaf.ebx == 0x566e6558 && leaf.ecx == 0x65584d4d && leaf.edx == 0x4d4d566e && leaf.eax >= base + 2) {
      memset(leaves, 0, sizeof *leaves);
      leaves->first = base;
      leaves->last = leaf.eax;
      leaves->version = cpuid(base + 1).eax;
      struct cpuid page = cpuid(base + 2);
      leaves->pages = page.eax;
      leaves->msr = page.ebx;
      if (leaf.eax < base + 4) return 1;
      struct cpuid hvm = cpuid(base + 4);
      leaves->features = hvm.eax;
      leaves->vcpu = hvm.ebx;
      leaves->domain = hvm.ecx;
      return 1;
    }
    if (base == 0x40000000 && leaf.eax < base) return 0; /* no hypervisor leaves at all: leaf.eax is not a maximum */
  }
  return 0;
}

int xen_present(void) {
  struct xen_leaves leaves;
  return xen_leaves(&leaves);
}

/* AMD and Hygon processors take VMMCALL, all others VMCALL: the other opcode is #UD there. */
static int uses_vmmcall(void) {
  u32 vendor = cpuid(0).ebx;
  return vendor == 0x68747541 || vendor == 0x6f677948; /* "Auth", "Hygo" */
}

const char *xen_instruction(void) {
  return uses_vmmcall() ? "vmmcall" : "vmcall";
}

static long hypercall(u64 number, u64 first, void *second) {
  long result;
  if (uses_vmmcall())
    __asm__ volatile("vmmcall" : "=a"(result) : "a"(number), "D"(first), "S"(second) : "memory");
  else
    __asm__ volatile("vmcall" : "=a"(result) : "a"(number), "D"(first), "S"(second) : "memory");
  return result;
}

long xen_version(void) {
  return hypercall(XenVersion, VersionNumber, 0);
}

long xen_extra_version(char text[16]) {
  return hypercall(XenVersion, VersionExtra, text);
}

u64 xen_parameter(u32 index) {
  struct {
    u16 domain;
    u32 index;
    u64 value;
  } request = {DOMID_SELF, index, 0};
  return hypercall(HvmOp, HvmGetParam, &request) == 0 ? request.value : 0;
}

void xen_power_off(void) {
  u32 reason = 0;
  if (xen_present()) hypercall(SchedOp, SchedShutdown, &reason);
}

struct console_ring {
  char in[1024], out[2048];
  volatile u32 in_consumed, in_produced, out_consumed, out_produced;
};

int xen_console_write(const char *text, size_t bytes) {
  if (!xen_present()) return 0;
  struct console_ring *ring = (struct console_ring *)(xen_parameter(ParamConsolePfn) << 12);
  u32 port = (u32)xen_parameter(ParamConsoleEventChannel);
  if (ring == 0 || port == 0) return 0;
  for (size_t i = 0; i < bytes; i++) {
    while (ring->out_produced - ring->out_consumed == sizeof ring->out) {
      hypercall(EventChannelOp, EventChannelSend, &port);
      hypercall(SchedOp, SchedYield, 0);
    }
    ring->out[ring->out_produced % sizeof ring->out] = text[i];
    __asm__ volatile("" : : : "memory"); /* x86 keeps stores in order; the compiler must too */
    ring->out_produced++;
  }
  hypercall(EventChannelOp, EventChannelSend, &port);
  return 1;
}
