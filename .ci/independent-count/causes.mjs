// Why the two machines do not do the same work: functions whose counts differ, and what of the machines makes them differ.
// The first cause whose pattern fits a function takes it.

/** `work`: it is done for whoever calls it, so its difference follows from the others'. */
export const causes = [
  {
    name: 'waiting for a clock',
    functions:
      /^(setup_boot_APIC_clock|lapic_cal_handler|calibrate_|native_calibrate_|pit_|timer_irq_works|delay_tsc|__const_udelay|__delay|udelay)/,
    why: 'loops that end when a clock says so. Without a leaf for the frequency the kernel tries the PIT (a PIT that is not there, through PVH, is polled 50,000 times); `delay_tsc` waits for devices that only QEMU has (the PIT, the 8259, PCI)',
  },
  {
    name: 'the memory map',
    functions:
      /^(e820|__e820|sort_r|do_swap|cpcompare|clean_sort|memblock|__next_mem|early_pfn|pfn_|reserve_bootmem|init_unavailable|should_skip|early_page|__init_single|_einittext|memmap_init|free_reserved|deferred_init|adjust_managed|node_state|phys_p|set_p[gmu]d|p[gmu]d_present|_paravirt_ident|init_range|add_highpages|numa_|__free_pages|__free_one|free_unref|free_pcp|__mod_zone|__list_(add|del)_valid|__list_(add|del)_entry_valid|__list_add|__list_del)/,
    why: "OVMF's memory map is in some hundred pieces and holds regions of its own, ours in few; pages of boot services are freed one by one when the runtime services are mapped (44 MiB with OVMF)",
  },
  {
    name: "the runtime services' mapping",
    functions:
      /^(efi|__efi|lookup_address|__change_page_attr|change_page|populate_p|static_protections|__cpa|cpa_|kernel_(un)?map_pages|native_set_p|p4d_|__map_region|native_flush|native_write_cr4|walk_p|note_page|ptdump|effective_prot|match_config_table|dmi_|print_filtered)/,
    why: 'each region of the runtime services and of boot services is mapped twice for SetVirtualAddressMap; OVMF has more of both, and more configuration tables (SMBIOS among them)',
  },
  {
    name: 'ACPI',
    functions: /^(acpi|__acpi|pnp|__pnp|up$|down_timeout|down$)/,
    why: "QEMU's DSDT describes devices that ours has not: PCI interrupt links through EFI, virtio and an event device through PVH",
  },
  {
    name: 'PCI',
    functions: /^(pci|__pci|raw_pci|mmcfg|pcie)/,
    why: 'the PCs that OVMF runs on have a PCI bus; ours has none',
  },
  {
    name: 'interrupt controllers',
    functions:
      /^(irq_|__irq|init_IRQ|init_ISA|init_8259|alloc_desc|mp_|ioapic|io_apic|find_irq_entry|handle_edge|__radix_tree_lookup|radix_tree)/,
    why: 'a PC with an 8259 has sixteen legacy interrupts, a machine of hardware-reduced ACPI none',
  },
  {
    name: "the kernel's log",
    functions:
      /^(wait_for_|serial8250|io_serial|uart_|vsnprintf|format_decode|number|string$|string_|strnlen|prb_|_prb|vprintk|printk|console_|put_dec|desc_read|data_|get_data|record_print|info_print|sprintf|scnprintf|skip_atoi|memchr|touch_|arch_touch|space_used)/,
    why: 'each machine is described by other lines; a character of the log costs some 150 instructions',
  },
  {
    name: 'devices and their names in sysfs',
    functions:
      /^(kernfs|__kernfs|idr_|kobject|kobj|device_|__device|driver_|bus_|platform_|sysfs|rtc_|cmos_|virtio|strlen|strcmp|__kmalloc_track|kstrdup|kset)/,
    why: 'a device that only one of them has is registered: the clock, virtio, PCI functions',
  },
  {
    name: 'the processor',
    functions:
      /^(x86_match_cpu|intel_|early_init_intel|init_intel|do_clear_cpu_cap|get_cpu_|clocks_calc|clockevent|cev_|lapic_|native_apic|ktime_get|exc_general|error_entry|fixup_)/,
    why: 'CPUID leaf 2 and features that QEMU lacks; other timer modes of the local APIC',
  },
];
