/** The names of the local APIC's registers, MSRs and bits. Intel SDM volume 3, chapter 11. */
/** Register offsets. Intel SDM volume 3, table 11-1. */
export const LocalApicRegister = {
  ID: 0x20,
  VERSION: 0x30,
  TPR: 0x80,
  APR: 0x90,
  PPR: 0xa0,
  EOI: 0xb0,
  LDR: 0xd0,
  DFR: 0xe0,
  SVR: 0xf0,
  ISR: 0x100,
  TMR: 0x180,
  IRR: 0x200,
  ESR: 0x280,
  ICR_LOW: 0x300,
  ICR_HIGH: 0x310,
  LVT_TIMER: 0x320,
  LVT_THERMAL: 0x330,
  LVT_PERFORMANCE: 0x340,
  LVT_LINT0: 0x350,
  LVT_LINT1: 0x360,
  LVT_ERROR: 0x370,
  INITIAL_COUNT: 0x380,
  CURRENT_COUNT: 0x390,
  DIVIDE: 0x3e0,
  SELF_IPI: 0x3f0, // x2APIC mode only
} as const;

/** MSRs of the local APIC. Intel SDM volume 4, table 2-2. */
export const LocalApicMsr = { APIC_BASE: 0x1b, TSC_DEADLINE: 0x6e0 } as const;

/** Delivery modes of ICR and redirection entries. Intel SDM volume 3, 11.6.1. */
export const DeliveryMode = { fixed: 0, lowestPriority: 1, smi: 2, nmi: 4, init: 5, startup: 6, extInt: 7 } as const;

/** 11.6.1: INIT level de-assert in ICR only synchronised arbitration IDs; ignored since the Pentium 4. */
export const isInitDeassert = (command: number): boolean =>
  ((command >> 8) & 7) === DeliveryMode.init && (command & 0x4000) === 0;

/** ESR bits. Intel SDM volume 3, figure 11-9. */
export const EsrBit = { sendIllegalVector: 1 << 5, receiveIllegalVector: 1 << 6, illegalRegister: 1 << 7 } as const;

/** Which bits of each LVT register a guest can set. Intel SDM volume 3, figure 11-8. */
export const lvtWritable: Readonly<Record<number, number>> = {
  [LocalApicRegister.LVT_TIMER]: 0x7_00ff,
  [LocalApicRegister.LVT_THERMAL]: 0x1_07ff,
  [LocalApicRegister.LVT_PERFORMANCE]: 0x1_07ff,
  [LocalApicRegister.LVT_LINT0]: 0x1_a7ff,
  [LocalApicRegister.LVT_LINT1]: 0x1_a7ff,
  [LocalApicRegister.LVT_ERROR]: 0x1_00ff,
};
export const lvtMask = 1 << 16;

/** An interrupt on its way to the processors: from an I/O APIC pin, or later an MSI. Intel SDM volume 3, 11.11. */
export interface InterruptMessage {
  readonly vector: number;
  readonly deliveryMode: number;
  readonly destination: number; // 8 bits
  readonly logical: boolean;
  readonly level: boolean;
}
