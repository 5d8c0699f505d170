/* How a guest can find out that it runs on Xen: each signal, what it says, and a hypercall that changes nothing. */
#include "two-doors.h"

#include "../lib/console.h"

static void print_leaves(const struct xen_leaves *leaves) {
  print("xen cpuid: leaves %x to %x", (u64)leaves->first, (u64)leaves->last);
  print("xen cpuid version: %u.%u", (u64)(leaves->version >> 16), (u64)(leaves->version & 0xffff));
  print("xen cpuid hypercall pages: %u, MSR %x", (u64)leaves->pages, (u64)leaves->msr);
  print("xen cpuid features: %x", (u64)leaves->features);
  if (leaves->features & XenHasVcpu) print("xen cpuid vcpu: %u", (u64)leaves->vcpu);
  if (leaves->features & XenHasDomain) print("xen cpuid domid: %u", (u64)leaves->domain);
}

/* A signal that brings hvm_start_info: whether it is one, its version, and who the guest is by its flags. */
static int print_info(const char *signal, const struct hvm_start_info *info) {
  if (info == 0) {
    print("xen %s: (none)", signal);
    return 0;
  }
  if (info->magic != HVM_START_MAGIC) {
    print("xen %s: %p is no hvm_start_info", signal, (u64)info);
    return 0;
  }
  print("xen %s: hvm_start_info version %u at %p", signal, (u64)info->version, (u64)info);
  print("xen %s says: %s%s", signal, info->flags & SifInitDomain ? "the initial domain" : "not the initial domain",
        info->flags & SifPrivileged ? ", privileged" : "");
  return 1;
}

static void print_hypercall(void) {
  char extra[16] = "";
  long version = xen_version();
  if (version < 0) {
    print("xen hypercall: xen_version by %s: error %u", xen_instruction(), (u64)-version);
    return;
  }
  if (xen_extra_version(extra) != 0) extra[0] = 0;
  extra[sizeof extra - 1] = 0;
  print("xen hypercall: xen_version by %s: %u.%u%s", xen_instruction(), (u64)version >> 16, (u64)version & 0xffff, extra);
}

void signals_print(const struct signals *signals) {
  struct xen_leaves leaves;
  int cpuid = xen_leaves(&leaves);
  if (cpuid) print_leaves(&leaves);
  else print("xen cpuid: (none)");
  int table = print_info("table", signals->table);
  int start_info = print_info("start-info", signals->start_info);
  int handle = 0;
  if (signals->asked_handle) {
    const char *name = status_name(signals->handle_status);
    print("xen image-handle status: %s", name ? name : "another error");
    int tag = signals->handle_status == EFI_SUCCESS && signals->handle == 0;
    if (tag) print("xen image-handle: a tag without an interface");
    handle = tag || print_info("image-handle", signals->handle);
  }
  if (cpuid) print_hypercall();
  print("xen seen by:%s%s%s%s%s", cpuid ? " cpuid" : "", table ? " table" : "", start_info ? " start-info" : "",
        handle ? " image-handle" : "", cpuid | table | start_info | handle ? "" : " nothing");
}
