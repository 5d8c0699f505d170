// Why the two machines do not do the same work: functions whose counts differ, and what of the machines makes them differ.
// The first cause whose pattern fits a function takes it.

export const causes = [
  {
    name: 'the EFI stub',
    functions: /^EFI stub$/,
    why: "it walks the memory map and the configuration tables, and OVMF's are longer",
  },
  {
    name: 'waiting for a clock',
    functions:
      /^(setup_boot_APIC_clock|lapic_cal_handler|calibrate_|native_calibrate_|pit_|timer_irq_works|delay_tsc|__const_udelay|__delay|udelay)/,
    why: 'loops that end when a clock says so. Without a leaf for the frequency the kernel tries the PIT (a PIT that is not there, through PVH, is polled 50,000 times); `delay_tsc` waits for devices that only QEMU has (the PIT, the 8259, PCI)',
  },
  {
    name: 'the memory map',
    functions:
      /^(e820|__e820|sort_r|do_swap|cpcompare|clean_sort|memblock|__next_mem|early_pfn|pfn_|reserve_bootmem|init_unavailable|should_skip|early_page|__init_single|_einittext|memmap_init|free_reserved|deferred_init|adjust_managed|node_state|phys_p|set_p[gmu]d|p[gmu]d_present|_paravirt_ident|init_range|add_highpages|numa_|__free_pages|__free_one|free_unref|free_pcp|__mod_zone|__list_(add|del)_valid|__list_(add|del)_entry_valid|__list_add|__list_del|setup_per_zone|calculate_totalreserve|__free_frozen|__nr_to_section|__init_page_from|next_online|init_deferred|__rmqueue_pcplist|nr_free_)/,
    why: "OVMF's memory map is in some hundred pieces and holds regions of its own, ours in few; pages of boot services are freed one by one when the runtime services are mapped (44 MiB with OVMF and 6.1)",
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
    functions: /^(pci|__pci|raw_pci|mmcfg|pcie|vmap_range|ioremap|__ioremap|iomem_map)/,
    why: 'the PC that OVMF runs on has a PCI bus, and 256 MiB of its address space to be mapped for it; ours has none',
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
    why: 'each machine is described by other lines, and each character is formatted, kept and written to a serial port that is polled',
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
    why: 'CPUID leaf 2, and features that QEMU lacks; reading an MSR that does not exist is 0 under QEMU, #GP and its handler here',
  },
  {
    name: 'timers and the scheduler',
    functions:
      /^(__?schedule|schedule|psi_|update_|__update_|task_|scheduler_|native_sched|sched_clock|timekeeping|hrtimer|__hrtimer|tick_|ktime|rcu|__rcu|call_rcu|note_gp|run_|enqueue|dequeue|pick_|put_prev|set_next|asm_sysvec|sysvec|irqentry|irq_enter|irq_exit|sync_regs|fast_mix|cpuacct|clockevents)/,
    why: 'other moments of the same timer: a boot that takes longer is interrupted more often',
  },
  {
    name: 'random numbers',
    functions: /^(chacha|blake2s|get_random|__get_random|crng|extract_|_get_random|random_|prandom)/,
    why: 'other bytes of RDRAND, read at other moments; they also order the objects of each slab',
  },
  {
    name: 'allocators, locks, copying',
    functions:
      /^(kmem_|__kmem_|kmalloc|__kmalloc|kfree|slab|___slab|__slab|allocate_slab|memcg|setup_object|cache_|cmpxchg_double|get_page_from|rmqueue|clear_page|alloc_page|__alloc_pages|mempolicy|interleave|__zone|put_cpu_partial|memset|__memset|memcpy|__memcpy|memmove|__memmove|memcmp|clear_high|alloc_from_new|down_write|up_write|down_read|up_read|node_tag|xas_|mtree|mas_|_raw_|__raw_|native_queued|__native_queued|mutex|__mutex|__x86_|__fentry__|_find_|__cond_resched|check_|inode_|d_|__d_|current_|discard_slab|__free_slab|free_)/,
    why: 'done on behalf of all the others, ACPI above all: its interpreter allocates for every operator that it reads',
  },
];
