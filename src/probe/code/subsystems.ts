/**
 * Which part of Linux a function belongs to, told by its name alone: kallsyms says no file. The first rule that fits
 * counts; what none fits is `other`. A rule earns its line by functions that a boot spends its time in.
 */
export const subsystemRules: readonly (readonly [string, RegExp])[] = [
  [
    'unpacking',
    /zstd|^ZSTD|huf_|^HUF|^FSE|inflate|gunzip|lzma|xz_dec|^LZ4|^lz4|unlz4|^unxz|bunzip|unpack_to_rootfs|^do_(header|name|copy|start|skip|collect|symlink|reset)$|^(write_buffer|flush_buffer|parse_header|populate_rootfs|do_populate_rootfs)/,
  ],
  ['xen', /xen|hypercall|^gnttab|^xs_|evtchn|^HYPERVISOR/i],
  ['efi', /(^|_)efi(_|$|var)|^efi|virt_efi|_efi_/],
  ['acpi', /acpi|^(Acpi|ACPI)|^tb_|madt|^fadt|rsdp/],
  [
    'boot code',
    /^(startup_(32|64)|secondary_startup|x86_64_start|start_kernel|early_idt|early_make_pgtable|__startup|pvh_|copy_bootdata|setup_arch|start_secondary|__early_|early_setup_idt|reset_early_page|clear_bss|sme_|load_ucode|x86_(early|configure_nx|report)|e820|memblock|__next_mem|parse_early|parse_args|setup_(nr|boot|per_cpu)|trim_|reserve_|init_mem|init_range|split_mem|kernel_(physical|ident)|verify_cpu|sanitize_boot)/,
  ],
  [
    'apic, interrupts',
    /apic|(^|_)irq|^(do_IRQ|handle_(edge|level|fasteoi|percpu|simple)|common_interrupt|asm_(common|sysvec|exc)|sysvec|exc_|idt_|ioapic|msi_|pic_|i8259|mask_|unmask_|error_entry|error_return|paranoid_|common_interrupt_return|native_iret|vector_)|softirq|tasklet|_irq_/,
  ],
  [
    'time',
    /tsc|clock|ktime|hrtimer|timer|tick|time(keeping|val|spec)|jiffies|delay|^(pit_|hpet|rtc|mktime|cmos|update_(wall|vsyscall|fast))|sched_clock|calibrate|udelay|_wait_tick/,
  ],
  [
    'console, serial, printk',
    /serial|uart|(^|_)tty|^(n_tty|pty|vt_|con_|do_con|univ8250|console|hvc|fbcon|vc_)|printk|^(prb_|desc_|data_(alloc|push|make)|vprintk|printk|console_|devkmsg|log_|msg_|record_print|info_print|print_(prefix|time))|^_prb|^(number|vsnprintf|snprintf|format_decode|string(_nocheck)?|pointer|put_dec|put_dec_full8|put_dec_trunc8|symbol_string|resource_string|widen_string|hex_string|bitmap_string|scnprintf|sprintf|vscnprintf|skip_atoi|move_right|enable_ptr_key)$/,
  ],
  [
    'crypto, random',
    /crypt|sha(1|256|512|3)|test_[as]hash_|test_sglist|_mix_columns|^(aes|blake2|chacha|poly1305|gf128|ghash|curve25519|ecc_|rsa_|mpi|mpih|md5|crc|des_|keccak|hmac|drbg|jent|extract_|random|_get_random|get_random|add_(device|input|interrupt|hwgen|bootloader)|mix_pool|crng|x509|asn1|pkcs|public_key|alg_test)|^(crc32|crc_t10|libcrc)/,
  ],
  [
    'modules, kallsyms, tracing',
    /module|kallsyms|get_symbol_|symbol_name|syscall_m(eta|atch)|syscall_match|event_fields|enter_print_fmt|valid_rec|^(trace|ftrace|event_|perf|bpf|btf|__bpf|tracing|kprobe|jump_label|static_key|static_call|__static_call|__jump|arch_jump|apply_(alternatives|retpolines|returns|ibt|paravirt|relocat)|text_poke|poke_|__text_poke|add_nops|optimize_nops|alternatives|insn_|rethunk|unwind|orc_|stack_trace|sort_extable|cmp_ex|kunit|ring_buffer|rb_)|_trace_|insn_(get|init|decode)|^inat_/,
  ],
  [
    'memory',
    /page|slab|pfn|ptdump|_cpa_|_protections|effective_prot|(^|_)kmem|^(k[mz]?alloc|kfree|kvfree|kvmalloc|kmalloc|krealloc|kcalloc|vmalloc|vfree|vmap|vunmap|vm_|vma|mm_|mm(ap|put|drop|get)|mas_|mt_|mtree|ma_|mab_|pcpu|percpu|__alloc|__free|free_|alloc_|get_free|zone|buddy|shrink|swap|lru|folio|memcg|mem_cgroup|pte|pmd|pud|p4d|pgd|set_p[tum4g]|__set_p|native_(set|make|flush|write_cr3)|tlb|flush_tlb|ioremap|early_iorem|memremap|__ioremap|fault|handle_mm|do_(anonymous|fault|wp|user_addr|mmap|munmap|brk|numa)|unmap|zap|rmap|anon_vma|copy_(pte|p4d|page)|dup_mm|insert_v|find_vma|init_(cpu_to|unavailable|memory)|__init_single|sparse|section|vmemmap|hugetlb|khugepaged|numa|mempol|mpol|phys_|numa|kernel_(physical|map)|clear_(page|user|huge)|slub|deactivate|get_partial|allocate_slab|new_slab|calculate_|get_any|dma_|swiotlb|iommu|gup|pin_|mempool|kasan|kfence|kmemleak|__kfence|cma_|compact|rmqueue|expand|clear_pages)|___slab|^__(k|v)?malloc|^__?set_pte|memmap/,
  ],
  [
    'scheduler, processes',
    /sched|^(__switch|switch_|context_switch|schedule|try_to_wake|ttwu|wake_|wait_|__wake|task_|kthread|do_(fork|exit|wait|task_dead|group_exit)|copy_(process|creds|signal|fs|files|thread|namespaces|sighand|mm)|kernel_(clone|thread|wait|init)|pick_|put_prev|set_next|update_(curr|load|rq|cfs|min_v|entity)|enqueue|dequeue|place_entity|select_|rq_|cpu_(startup|idle|up|down|hot)|cpuhp|idle_|default_idle|do_idle|rcu|__rcu|call_rcu|srcu|note_gp|mutex|__mutex|rwsem|down_|up_|__?raw_spin|_raw_|queued_|osq_|lock_|__lock|complet|__complete|swake|prepare_to|finish_|worker|process_one|queue_work|__queue|insert_work|flush_work|workqueue|wq_|pool_|pwq|signal|send_sig|get_signal|cred|prepare_creds|commit_creds|pid_|alloc_pid|find_task|cgroup|css_|futex|exec|bprm|begin_new|load_elf|elf_|search_binary|ret_from_fork|rest_init|run_init|free_task|release_task|exit_|mm_release|native_load|update_blocked|pelt|__update|dl_|rt_|stop_|migration|cpu_stop|async_|preempt|cond_resched|__cond|might_)|_lock$|spin_lock|spin_unlock|cpumask|^smp_/,
  ],
  [
    'files',
    /^(vfs|__vfs|do_(sys_open|filp|mount|umount|dentry|last|init|unlink|mkdir|mknod|link|rename|readlink)|path_|link_path|walk_|lookup|__lookup|d_|__d_|dput|dget|dentry|inode|__inode|iget|iput|i_|new_inode|evict|namei|filename|getname|putname|open_|may_|file_|__file|fput|__fput|fget|__fget|filp|fs_|sget|super|mnt_|mount|umount|attach_|propagate|legacy_|ramfs|shmem|tmpfs|simple_|libfs|generic_(file|write|read|perform|fillattr|permission)|kern_|kernfs|__kernfs|sysfs|internal_create|create_(dir|files)|proc_|pde|seq_|devtmpfs|debugfs|securityfs|ext[234]|jbd|block|blk|bio|bdev|__blk|disk|buffer|__getblk|submit_|mpage|iov_|copy_(page_to|page_from|from_iter|to_iter)|pipe|poll|select|ep_|eventfd|epoll|fcntl|fd_|close_|alloc_(fd|file|inode|super)|init_(mkdir|mknod|chown|utimes|stat|dup|link|unlink|symlink|chmod)|ksys_(read|write)|notify|fsnotify|inotify|dnotify|xattr|locks_|posix_lock|quota|fscrypt|sync_|writeback|wb_|balance_dirty|readahead|splice|terminate_walk|step_into|complete_walk|nd_|set_root|unlazy|legitimize|mntput|mntget|rw_verify|new_sync|inc_nlink|drop_nlink|user_path|hash_name|full_name|autofs|iomap|squashfs|overlay|ovl|isofs|fat_|nfs)|_fs_|_filesystem/,
  ],
  [
    'network',
    /^(net|__net|netlink|nl_|nla|genl|sock|sk_|__sk|skb|inet|ip_|ip6|ipv6|tcp|udp|icmp|arp|neigh|fib|rt[nm]|route|dev_(add|get|open|change|set_)|register_(net|pernet)|ops_init|setup_net|unix_|packet_|xfrm|nf_|nft|ipt_|dst_|eth_|ether|loopback|bridge|addrconf|ndisc|mld|igmp|raw_|bpf_prog|qdisc|tc_|rtnl|flow_|vlan|llc|cipso|netpoll|xdp|gro_|napi)/,
  ],
  [
    'devices, drivers',
    /^(dev|device|driver|bus_|class_|kobj|kset|kref|kobject|uevent|add_uevent|pci|pcie|__pci|pnp|usb|ata_|scsi|sd_|virtio|vring|input|evdev|i8042|atkbd|psmouse|hid|i2c|spi_|gpio|pinctrl|clk_|regulator|reset_|phy_|dma|of_|fwnode|platform|__platform|property|software_node|bind|really_probe|__driver|__device|klist|devres|devm|resource|__request_(region|res)|request_(region|res)|insert_res|__insert_res|allocate_res|find_res|next_res|misc_|cdev|chrdev|register_(chrdev|blkdev|bus)|power|pm_|cpufreq|cpuidle|thermal|hwmon|watchdog|dmi|rfkill|nvme|md_|dm_|drm|fb_|sysfb|backlight|intel_|amd_|led|mfd|subsys|component|firmware|fw_|bios|edd|agp|vga)/,
  ],
  [
    'processor set-up',
    /cpuid|msr|^(cpu_|init_(intel|amd|scattered|cpu|hypervisor)|identify_|get_cpu|detect_|early_(cpu|init|identify)|fpu|xfeature|xstate|__fpu|fx|spectre|mds_|taa_|srbds|retbleed|l1tf|ssb_|bugs|check_bugs|mtrr|pat_|cache_|mce|mcheck|microcode|cr4|native_(cpuid|read_cr|write_cr|read_msr|write_msr|save_fl)|setup_(smep|smap|umip|pku|force|clear)|x86_|load_(gs|percpu|direct|fixmap|current|idt|tr)|syscall_init|cpu_init|filter_cpuid|apply_forced|topology|tsx|hypervisor|kvm_|vmware|ms_hyperv|jailhouse|generic_identify|sgx|resctrl|rdt|pti_|__kernel_fpu|kernel_fpu|restore_fpregs|switch_fpu|save_fpregs|mitigat)/,
  ],
  [
    'system calls, entry',
    /^(__x64_sys|__se_sys|__do_sys|__ia32|do_syscall|entry_SYSCALL|syscall_|sys_|ksys_|exit_to_user|swapgs|irqentry|__get_user|__put_user|copy_(from|to)_user|_copy_(from|to)|strncpy_from|strnlen_user|__clear_user|do_int80|asm_|entry_|restore_|ret_)|_copy_user/,
  ],
  [
    'security',
    /^(security|selinux|apparmor|aa_|smack|tomoyo|lsm|cap_|landlock|yama|lockdown|ima_|integrity|evm|key_|keyring|audit|avc|sel_|seccomp|__secure)/,
  ],
  [
    'library',
    /^(mem(cpy|set|move|cmp|chr|scan|chr_inv|zero)|__mem|str|__str|sort|bsearch|rb_|__rb|radix|xa_|xas_|__xa|xarray|idr|ida|ida_|bitmap|__bitmap|find_(next|first|last)|_find|hash|rhash|rht|list_|llist|hweight|__sw_hweight|div|mul_|gcd|lcm|int_sqrt|kstrto|_kstrto|_parse_integer|simple_strto|get_option|next_arg|match_|parse_|parameq|param_|glob|uuid|guid|base64|dump_|lib_|assoc_|interval|refcount|lockref|percpu_counter|percpu_ref|sg_|__sg|generic_|argv|kasprintf|kvasprintf|vsscanf|sscanf|__const|ratelimit|___ratelimit|cpumask|nodemask|sbitmap|siphash|xxh|__do_once|copy_mc|crc|textsearch|ts_|prandom|__x86_(indirect|return)|__fentry|srso|zen_|rep_movs|rep_stos|copy_page|clear_page|csum|errseq|bcmp|iomem|bin2|hex2|hex_|lz_|string_)/,
  ],
  ['init calls', /initcall|^(do_basic|do_pre|kernel_init|init_|.*_init$|.*_init_.*|.*_setup$|.*_early_init|start_)/],
];

const known = new Map<string, RegExp>(subsystemRules);

/** Compiler's copies and pieces belong to the function: `name.isra.0`, `name.cold`, `__pfx_name`. */
const plainName = (name: string): string => name.replace(/\..*$/, '').replace(/^__pfx_/, '');

/** The subsystem of a kernel function. */
export function subsystemOf(name: string): string {
  const plain = plainName(name);
  const bare = plain.replace(/^_+(?!x64_sys|se_sys|do_sys|x86_|next_mem)/, '');
  for (const [subsystem, rule] of known) if (rule.test(plain) || rule.test(bare)) return subsystem;
  return 'other';
}
