/*
 * What busybox lacks for the tests of booted Linux guests: two commands in one static program without a C library.
 *
 *   guest-tool mutable FILE                     chattr -i FILE: efivarfs protects most variables that way
 *   guest-tool kexec KERNEL INITRD COMMAND-LINE   loads KERNEL with kexec_file_load(2) and starts it
 *
 * Exit status: 0, or the errno of the system call that failed, after a line that names it; 255 for wrong usage.
 */
#include <asm/unistd.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/reboot.h>

static long call(long number, long a, long b, long c, long d, long e) {
  register long fourth __asm__("r10") = d;
  register long fifth __asm__("r8") = e;
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth)
                   : "rcx", "r11", "memory");
  return result;
}

static long length(const char *text) {
  long bytes = 0;
  while (text[bytes]) bytes++;
  return bytes;
}

static int same(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return *a == *b;
}

static void print(const char *text) { call(__NR_write, 2, (long)text, length(text), 0, 0); }

static _Noreturn void leave(int status) {
  for (;;) call(__NR_exit, status, 0, 0, 0, 0);
}

/* The result of a system call that worked. */
static long need(const char *name, long result) {
  if (result >= 0) return result;
  print("guest-tool: ");
  print(name);
  print(" failed; its errno is the exit status\n");
  leave((int)-result);
}

static long open_file(const char *file) {
  return need(file, call(__NR_open, (long)file, O_RDONLY | O_CLOEXEC, 0, 0, 0));
}

static void make_mutable(const char *file) {
  long opened = open_file(file);
  int flags = 0;
  need("FS_IOC_GETFLAGS", call(__NR_ioctl, opened, FS_IOC_GETFLAGS, (long)&flags, 0, 0));
  flags &= ~FS_IMMUTABLE_FL;
  need("FS_IOC_SETFLAGS", call(__NR_ioctl, opened, FS_IOC_SETFLAGS, (long)&flags, 0, 0));
}

static void start_kernel(const char *kernel, const char *initrd, const char *command_line) {
  long image = open_file(kernel);
  long files = open_file(initrd);
  long bytes = length(command_line) + 1;
  need("kexec_file_load", call(__NR_kexec_file_load, image, files, bytes, (long)command_line, 0));
  need("reboot", call(__NR_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_KEXEC, 0, 0));
}

/* The stack as the kernel leaves it: argc, then argv. System V ABI for x86-64, section 3.4.1. */
__attribute__((used)) static _Noreturn void run(long *stack) {
  long count = stack[0];
  char **arguments = (char **)(stack + 1);
  if (count == 3 && same(arguments[1], "mutable")) make_mutable(arguments[2]);
  else if (count == 5 && same(arguments[1], "kexec")) start_kernel(arguments[2], arguments[3], arguments[4]);
  else {
    print("guest-tool mutable FILE | kexec KERNEL INITRD COMMAND-LINE\n");
    leave(255);
  }
  leave(0);
}

__asm__(".globl _start\n_start: xor %ebp, %ebp\n mov %rsp, %rdi\n and $-16, %rsp\n call run\n");
