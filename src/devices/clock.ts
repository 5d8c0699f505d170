/**
 * The machine's frequencies. One tick is one nanosecond of virtual time; the TSC counts ticks (plus the offset that the
 * processor owns); the local APIC timer counts the core crystal clock. CPUID leaf 0x15 tells the guest both: TSC =
 * crystal * numerator / denominator. Intel SDM volume 3, 11.5.4 and 19.7.3.
 */
export const ticksPerSecond = 1_000_000_000;
export const tscHz = ticksPerSecond;
export const crystalHz = 25_000_000;
/** Ticks in one period of the core crystal. */
export const ticksPerCrystalPeriod = ticksPerSecond / crystalHz;
/** CPUID.15H: EBX / EAX. */
export const tscCrystalRatio = { numerator: tscHz / crystalHz, denominator: 1 } as const;
