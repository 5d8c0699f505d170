/** VIRQ_*: virtual interrupts. Xen public/xen.h. */
export const Virq = {
  TIMER: 0,
  DEBUG: 1,
  CONSOLE: 2,
  DOM_EXC: 3,
  TBUF: 4,
  DEBUGGER: 6,
  XENOPROF: 7,
  CON_RING: 8,
  PCPU_STATE: 9,
  MEM_EVENT: 10,
  ARGO: 11,
  ENOMEM: 12,
  XENPMU: 13,
  ARCH_0: 16,
} as const;

/** NR_VIRQS. */
export const virqCount = 24;

const perVcpu: readonly number[] = [Virq.TIMER, Virq.DEBUG, Virq.XENOPROF, Virq.XENPMU];

/** Whether the domain has this VIRQ once, on vCPU 0, and not once a vCPU. Xen common/event_channel.c virq_is_global(). */
export const virqIsGlobal = (virq: number): boolean => !perVcpu.includes(virq);
