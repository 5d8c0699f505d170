#!/bin/busybox sh
# The first process of the boots that justify the profile: uses efivarfs a little, says what came of it, powers off.
echo USERSPACE-UP
mount -t proc proc /proc # busybox finds itself there
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
[ -d /sys/firmware/efi ] && echo "init: /sys/firmware/efi is there"
[ -e /sys/firmware/efi/systab ] && echo "init: systab: $(sed 's/=.*//' /sys/firmware/efi/systab | tr '\n' ' ')"
if insmod /efivarfs.ko && mount -t efivarfs efivarfs /sys/firmware/efi/efivars; then
  cd /sys/firmware/efi/efivars
  name=Words-cfc8fc79-be2e-4ddc-97f0-9f98bfe298a0 # LINUX_EFI_CRASH_GUID: everybody may delete these
  for file in *; do [ ! -s "$file" ] || echo "init: variable ${file%%-*}"; done
  printf '\7\0\0\0words' >/data
  dd if=/data of=$name bs=64 2>&1 | sed -n 's/^dd: .*: /init: write: /p'
  [ "$(tail -c 5 $name)" = words ] && echo "init: a variable can be written and read"
  rm $name && echo "init: a variable can be deleted"
  [ "$(stat -f -c %b .)" -gt 0 ] && echo "init: the store says what is free: $(stat -f -c %f .) bytes"
else
  echo "init: no efivarfs"
fi 2>&1
cd /
poweroff -f
