#!/bin/busybox sh
# The first process of both kernels of the row `kexec`: visit=first and visit=second come with the command line.
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
dmesg -n 1 # the kernel's lines stay out of ours

echo "== $visit"
echo "row: $visit release=$(uname -r)"
echo "row: $visit efi=$([ -d /sys/firmware/efi ] && echo yes || echo no)"
echo "row: $visit runtime-map=$(ls /sys/firmware/efi/runtime-map 2>/dev/null | wc -l)"
echo "row: $visit efi_info=$(dd if=/sys/kernel/boot_params/data bs=1 skip=448 count=32 2>/dev/null | xxd -p | tr -d '\n')"
echo "row: $visit rsdp=$(dd if=/sys/kernel/boot_params/data bs=1 skip=112 count=8 2>/dev/null | xxd -p | tr -d '\n')"
for record in /sys/kernel/boot_params/setup_data/*; do
  [ -d "$record" ] && echo "row: $visit setup_data=$(cat "$record/type") $(wc -c <"$record/data")"
done
echo "row: $visit xen=$(cat /sys/hypervisor/type 2>/dev/null) $(cat /sys/hypervisor/guest_type 2>/dev/null)"
dmesg | grep -E '(efi|ACPI: RSDP|Booting|Hypervisor detected)' | sed "s/^\[[^]]*\] */kernel: $visit /" | head -n 30
case $visit in
  first)
    echo '== kexec'
    /guest-tool kexec /second.kernel /second.initrd 'console=ttyS0 ignore_loglevel visit=second'
    echo "row: first kexec=failed"
    ;;
esac
poweroff -f
