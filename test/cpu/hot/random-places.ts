/** Where random programs find code, data, devices and their own page tables. */

/**
 * Offsets from a program's base (0 or -2 GiB): linear addresses, and guest-physical ones but for what `frames` and `mmio`
 * say. With 16 entries in a TLB most of these share entries.
 */
export const places = {
  code: 0x1_0000, // 4 pages, writable too
  windows: 0x1_4000, // 2 pages of code, mapped to the first two of `frames`; programs map them anew
  data: 0x2_0000, // 2 pages
  readOnly: 0x2_2000,
  absent: 0x2_3000,
  mmio: 0x2_4000, // no RAM behind it
  dataWindows: 0x2_5000, // 2 pages, mapped to the last two of `frames`
  own: 0x2_7000, // what the pieces of the program keep: counters and tables of addresses
  alias: 0x3_0000, // `code` and all of `frames` once more, not executable
  frames: 0x4_0000, // guest-physical only: 2 of code, 2 of data
  tables: 0x5_0000, // PML4, PDPT, directory, table; the table alone is mapped, for CPL 0
  otherTables: 0x5_4000, // the same with the windows exchanged
  gdt: 0x5_8000,
  tss: 0x5_8100,
  idt: 0x5_9000,
  handlers: 0x5_a000,
  exceptionStackTop: 0x5_c000,
  timerStackTop: 0x5_d000,
  supervisorTables: 0x5_d000, // PDPT, directory
  counts: 0x2_7ff0, // incremented by the timer's handler, and 8 bytes behind by SYSCALL's
  syscall: 0x5_a800, // SYSCALL's handler
} as const;

/**
 * Linear address of guest-physical 0 for CPL 0, in a large page: what exceptions need lies where no program points. A
 * program that made its handlers unreachable would fault for ever.
 */
export const supervisor = 0xffff_9600_0000_0000n;
export const ramBytes = 0x6_0000;
/** Guest-physical address behind `mmio`. */
export const mmioPhysical = 0x100_0000;
export const codePages = 4;

/** Selectors of the GDT. */
export const selectors = { code32: 0x08, code64: 0x10, data: 0x18, userCode32: 0x23, userData: 0x2b, userCode64: 0x33 };
export const vectors = { debug: 1, breakpoint: 3, overflow: 4, timer: 33, toKernel: 35 } as const;

/** Bits of a page table entry. Intel SDM volume 3, table 4-20. */
export const rights = {
  present: 1,
  writable: 2,
  user: 4,
  accessed: 0x20,
  dirty: 0x40,
  large: 0x80,
  global: 0x100,
} as const;

/** What a write to a port does besides being noted. */
export const ports = {
  timer: 0x40, // n: raises the timer's interrupt n + 1 ticks later
  nothing: 0x60,
  stop: 0x61, // the host wants control
  dma: 0x62, // a guest-physical address: a device flips the lowest bit of the byte there
} as const;
