#!/bin/busybox sh
# The first process of efivarfs.test.ts: uses efivarfs as people and their tools do, and prints what came of it, a line each.
# The kernel's parameter visit=first or visit=second comes as an environment variable.

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
dmesg -n 1 # the kernel's lines stay out of ours
insmod /efivarfs.ko && mount -t efivarfs efivarfs /sys/firmware/efi/efivars && cd /sys/firmware/efi/efivars || poweroff -f

mine=7a9ab5e3-02b6-4d6f-9d1c-55c0f8a1d2e4
global=8be4df61-93ca-11d2-aa0d-00e098032b8c
crash=cfc8fc79-be2e-4ddc-97f0-9f98bfe298a0 # LINUX_EFI_CRASH_GUID: Linux lets everybody change and delete these

# Attributes and data of a variable, as efivarfs gives them, in hexadecimal.
show() { echo "$1 $(xxd -p "$1" | tr -d '\n')"; }
everything() { for file in *; do [ ! -s "$file" ] || show "$file"; done; }
# Standard input goes to a variable in one write(2), as efivarfs wants it; more operands are dd's.
write() {
  file=$1; shift
  cat >/data
  reason=$(dd if=/data of="$file" bs=1M conv=notrunc "$@" 2>&1 | sed -n 's/^dd: .*: //p')
  echo "${file%%-*}: ${reason:-written}"
}
large() { printf '\7\0\0\0'; head -c "$1" /dev/zero; }
remove() {
  reason=$(rm -f "$1" 2>&1 | sed 's/.*: //')
  echo "${1%%-*}: ${reason:-removed}"
}
title() { echo "== $*"; }

title found
everything

first() {
  title create, change, append
  printf '\7\0\0\0one' | write "Words-$crash"; show "Words-$crash"
  printf '\7\0\0\0two and more' | write "Words-$crash"; show "Words-$crash"
  printf '\7\0\0\0three' | write "Words-$crash"; show "Words-$crash"
  printf '\107\0\0\0 four' | write "Words-$crash" oflag=append; show "Words-$crash"
  printf '\107\0\0\0 five' | write "Words-$crash"; show "Words-$crash"
  printf '\7\0\0\0six' | write "Words-$crash" oflag=append; show "Words-$crash"

  title delete
  printf '\7\0\0\0gone' | write "Gone-$crash"
  remove "Gone-$crash"
  printf '\7\0\0\0empty' | write "Empty-$crash"
  printf '\7\0\0\0' | write "Empty-$crash"
  everything

  title immutable
  printf '\7\0\0\0guarded' | write "Guarded-$mine"
  printf '\7\0\0\0changed' | write "Guarded-$mine"
  remove "Guarded-$mine"
  /guest-tool mutable "Guarded-$mine"
  printf '\7\0\0\0changed' | write "Guarded-$mine"
  printf '\7\0\0\0brief' | write "Brief-$mine"
  /guest-tool mutable "Brief-$mine"
  remove "Brief-$mine"
  /guest-tool mutable "SecureBoot-$global"
  printf '\6\0\0\0\1' | write "SecureBoot-$global"

  title a boot entry
  printf '\7\0\0\0\1\0\0\0\4\0L\0i\0n\0u\0x\0\0\0\177\377\4\0' | write "Boot0001-$global"
  printf '\7\0\0\0\1\0' | write "BootOrder-$global"
  printf '\7\0\0\0\1' | write "BootNext-$global"

  title refused
  printf '\6\0\0\0volatile' | write "Volatile-$crash"
  printf '\3\0\0\0boot' | write "BootTime-$crash"
  printf '\47\0\0\0signed' | write "Signed-$crash"
  printf '\377\1\0\0unknown' | write "Unknown-$crash"
  printf '\7\0' | write "Short-$crash"
  printf '\7\0\0\0nobody' | write Nobody
  large 40000 | write "Large-$crash"

  title full
  filled=0
  while large 33000 | write "Fill$filled-$crash" | grep written; do filled=$((filled + 1)); done
  large 33000 | write "Firmware-$crash" # the firmware refuses it
  stat -f -c 'size %b free %f' .
  large 28000 | write "Reserve-$crash" # Linux refuses what leaves less than 5 KiB, once the firmware has nothing to tidy up
  rm -f Fill*
  stat -f -c 'size %b free %f' .
}
second() {
  title second
  /guest-tool mutable "Answer-$mine"
  remove "Answer-$mine"
  printf '\7\0\0\0\2\0\1\0' | write "BootOrder-$global"
}
$visit

title left
everything
poweroff -f
