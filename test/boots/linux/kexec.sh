#!/bin/busybox sh
# The first process of both kernels of kexec.test.ts: visit=first in the first kernel's environment, visit=second, which
# comes with the command line that kexec takes, in the second's.

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
dmesg -n 1 # the kernel's lines stay out of ours
insmod /efivarfs.ko && mount -t efivarfs efivarfs /sys/firmware/efi/efivars && cd /sys/firmware/efi/efivars || poweroff -f

crash=cfc8fc79-be2e-4ddc-97f0-9f98bfe298a0 # LINUX_EFI_CRASH_GUID: Linux lets everybody change and delete these
show() { echo "$1 $(xxd -p "$1-$crash" | tr -d '\n')"; }

echo "== $visit"
case $visit in
  first)
    printf '\7\0\0\0from the first' >"First-$crash"
    printf '\7\0\0\0not yet' >"Changed-$crash"
    printf '\7\0\0\0gone' >"Gone-$crash"
    /guest-tool kexec /second.kernel /second.initrd 'console=ttyS0 loglevel=1 visit=second'
    ;;
  second)
    show First
    show Changed
    rm "Gone-$crash"
    printf '\7\0\0\0by the second' >"Changed-$crash"
    printf '\7\0\0\0new' >"Second-$crash"
    show Changed
    show Second
    ls
    ;;
esac
poweroff -f
