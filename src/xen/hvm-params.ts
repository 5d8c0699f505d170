import type { Stateful } from '../devices/device.js';
import { Errno } from './errno.js';

/** HVM_PARAM_*: what the toolstack and the guest tell each other. xen/include/public/hvm/params.h. */
const names: Readonly<Record<number, string>> = {
  0: 'CALLBACK_IRQ',
  1: 'STORE_PFN',
  2: 'STORE_EVTCHN',
  4: 'PAE_ENABLED',
  5: 'IOREQ_PFN',
  6: 'BUFIOREQ_PFN',
  9: 'VIRIDIAN',
  10: 'TIMER_MODE',
  11: 'HPET_ENABLED',
  12: 'IDENT_PT',
  13: 'DM_DOMAIN',
  14: 'ACPI_S_STATE',
  15: 'VM86_TSS',
  16: 'VPT_ALIGN',
  17: 'CONSOLE_PFN',
  18: 'CONSOLE_EVTCHN',
  19: 'ACPI_IOPORTS_LOCATION',
  20: 'MEMORY_EVENT_CR0',
  21: 'MEMORY_EVENT_CR3',
  22: 'MEMORY_EVENT_CR4',
  23: 'MEMORY_EVENT_INT3',
  24: 'NESTEDHVM',
  25: 'MEMORY_EVENT_SINGLE_STEP',
  26: 'BUFIOREQ_EVTCHN',
  27: 'PAGING_RING_PFN',
  28: 'MONITOR_RING_PFN',
  29: 'SHARING_RING_PFN',
  30: 'MEMORY_EVENT_MSR',
  31: 'TRIPLE_FAULT_REASON',
  32: 'IOREQ_SERVER_PFN',
  33: 'NR_IOREQ_SERVER_PAGES',
  34: 'VM_GENERATION_ID_ADDR',
  35: 'ALTP2M',
  36: 'X87_FIP_WIDTH',
  37: 'VM86_TSS_SIZED',
  38: 'MCA_CAP',
};

export const hvmParamCount = 39;

export const HvmParam = {
  CALLBACK_IRQ: 0,
  STORE_PFN: 1,
  STORE_EVTCHN: 2,
  IDENT_PT: 12,
  VM86_TSS: 15,
  CONSOLE_PFN: 17,
  CONSOLE_EVTCHN: 18,
  ACPI_IOPORTS_LOCATION: 19,
  VM_GENERATION_ID_ADDR: 34,
  ALTP2M: 35,
  X87_FIP_WIDTH: 36,
  VM86_TSS_SIZED: 37,
  nameOf: (index: number): string => `HVM_PARAM_${names[index] ?? String(index)}`,
} as const;

/** PAE_ENABLED, DM_DOMAIN, MEMORY_EVENT_*, NESTEDHVM, BUFIOREQ_EVTCHN: no longer there for anybody. */
const deprecated: ReadonlySet<number> = new Set([4, 13, 20, 21, 22, 23, 24, 25, 26, 30]);
const P = HvmParam;
const guestSets: ReadonlySet<number> = new Set([
  P.CALLBACK_IRQ,
  P.VM86_TSS,
  P.VM86_TSS_SIZED,
  P.ACPI_IOPORTS_LOCATION,
  P.VM_GENERATION_ID_ADDR,
  P.STORE_EVTCHN,
  P.CONSOLE_EVTCHN,
  P.X87_FIP_WIDTH,
]);
const guestReads: ReadonlySet<number> = new Set([...guestSets, P.STORE_PFN, P.CONSOLE_PFN, P.ALTP2M]);

/** A 32-bit TSS, with the interrupt redirection and I/O bitmaps at most. */
const tss = { smallest: 0x68n, largest: 0x68n + 0x20n + 0x2000n + 1n } as const;
const VM86_TSS_UPDATED = 1n << 63n;

/** The parameters of the domain, with what a guest may do to them: hvm_set_param() and hvm_get_param() of Xen's hvm.c. */
export class HvmParams implements Stateful<Readonly<Record<string, string>>> {
  private readonly values = new Map<number, bigint>();

  constructor(initial: Readonly<Record<number, number>>) {
    for (const [index, value] of Object.entries(initial)) this.values.set(Number(index), BigInt(value));
  }

  /** The value, or an errno. */
  get(index: number): bigint | number {
    if (deprecated.has(index)) return Errno.EINVAL;
    if (!guestReads.has(index)) return Errno.EPERM;
    const value = this.values.get(index) ?? 0n;
    if (index === P.VM86_TSS) return (this.values.get(P.VM86_TSS_SIZED) ?? 0n) & 0xffff_ffffn;
    return index === P.VM86_TSS_SIZED ? value & ~VM86_TSS_UPDATED : value;
  }

  /** 0, or an errno. */
  set(index: number, value: bigint): number {
    if (deprecated.has(index)) return Errno.EINVAL;
    if (!guestSets.has(index)) return Errno.EPERM;
    switch (index) {
      case P.ACPI_IOPORTS_LOCATION: // the domain has no PM timer
        return Errno.ENODEV;
      case P.X87_FIP_WIDTH:
        if (value !== 0n && value !== 4n && value !== 8n) return Errno.EINVAL;
        break;
      case P.VM86_TSS:
        if (value >> 32n !== 0n) return Errno.EINVAL;
        this.values.set(P.VM86_TSS_SIZED, value === 0n ? 0n : value | (128n << 32n) | VM86_TSS_UPDATED);
        return 0;
      case P.VM86_TSS_SIZED: {
        const size = value >> 32n;
        if (size < tss.smallest) return Errno.EINVAL;
        const bounded = size > tss.largest ? (value & 0xffff_ffffn) | (tss.largest << 32n) : value;
        this.values.set(index, bounded | VM86_TSS_UPDATED);
        return 0;
      }
    }
    this.values.set(index, value);
    return 0;
  }

  save(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.values].map(([index, value]) => [String(index), value.toString()]));
  }

  restore(state: Readonly<Record<string, string>>): void {
    this.values.clear();
    for (const [index, value] of Object.entries(state)) this.values.set(Number(index), BigInt(value));
  }
}
