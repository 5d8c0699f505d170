#!/bin/busybox sh
# The first process of the boots of the detection matrix: says what the kernel shows of a hypervisor, powers off. It
# writes by way of the kernel's log, whose console needs no interrupt.
mount -t proc proc /proc # busybox finds itself there
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
say() { echo "matrix: $1=$2" >/dev/kmsg; }
hypervisor=/sys/hypervisor
for name in type guest_type; do [ ! -e $hypervisor/$name ] || say $name "$(cat $hypervisor/$name)"; done
version=$hypervisor/version
[ ! -e $version/major ] || say version "$(cat $version/major).$(cat $version/minor)$(cat $version/extra)"
say clocksource "$(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)"
[ ! -d /sys/firmware/efi ] || say efi yes
[ ! -e /dev/hvc0 ] || say hvc0 yes
say end yes
poweroff -f
