/**
 * Why the doors hand over different things, by the field: the first that fits counts. Fields of boot_params are named as
 * in Linux's zero-page.rst.
 */
export const handOverReasons: readonly (readonly [RegExp, string])[] = [
  [
    /^boot_params\.hdr\.(type_of_loader|ext_loader)/,
    'the number of the boot loader: the EFI stub and boot loaders have their own, the PVH entry of Linux says Xen',
  ],
  [/^boot_params\.efi_info/, 'where the EFI System Table and the memory map of EFI are: behind EFI alone'],
  [
    /^boot_params\.acpi_rsdp_addr/,
    'the RSDP: PVH and the proposal hand it over here, behind EFI it is in a configuration table',
  ],
  [/^boot_params\.(screen_info|edid_info)/, 'what the console of the firmware is: the EFI stub fills in what it finds'],
  [/^boot_params\.alt_mem_k/, 'a fixed 32 MiB that the EFI stub writes; nothing but the e820 table is right'],
  [/^boot_params\.secure_boot/, 'the EFI stub asks the variable SecureBoot; no other door has it'],
  [/^boot_params\.(hdr\.|ext_)(ramdisk|cmd_line)/, 'who loaded it chose the place'],
  [/^boot_params\.hdr\.(setup_data)/, 'the chain of further data; each piece is listed below setup_data'],
  [/^boot_params\.(e820|e820_entries)/, 'each door tells of memory in its own map, which becomes this one'],
  [/^boot_params\.sentinel/, 'a boot loader that clears the whole page clears this mark too'],
  [
    /^boot_params\.hdr\.(code32_start|kernel_alignment|pref_address|init_size|loadflags|heap_end_ptr|vid_mode)/,
    'the header of the bzImage is copied by its boot loaders; the PVH entry leaves it empty but for what it sets itself',
  ],
  [
    /^boot_params\.hdr\./,
    'the header of the bzImage is copied by its boot loaders; the PVH entry leaves it empty but for what it sets itself',
  ],
  [/^boot_params\._pad/, 'bytes without a meaning'],
  [/^boot_params\.scratch/, 'a word that the decompressor keeps to itself'],
  [/^initrd/, 'who loaded it chose the place'],
  [/^e820/, 'each door tells of memory in its own map, which becomes this one'],
  [/^setup_data/, 'the EFI stub and proposal-linux append data of their own'],
  [/^(CR|EFER)/, 'bits that firmware or door had set and the kernel keeps'],
  [/^(CS|DS|ES|SS|FS|GS|TR|LDTR|GDT|IDT)/, 'left by whoever ran before; the kernel loads its own when it needs them'],
  [/^MSR/, 'left by whoever ran before'],
  [/^APIC/, 'left by firmware or door; the kernel sets the APIC up later'],
  [/^RFLAGS/, 'left by the code before'],
  [/^kernel/, 'where the kernel stands: linked, relocated or random'],
];

export const reasonFor = (field: string): string | undefined => handOverReasons.find(([rule]) => rule.test(field))?.[1];
