/**
 * MSRs of the identity that CPUID announces which kernels read or write without expecting a fault. Intel SDM volume 4,
 * table 2-1. Everything else is the processor's, the local APIC's, or #GP.
 */
export const PlatformMsr = {
  /** Platform bits for the choice of a microcode update: 0, socket type 0. */
  PLATFORM_ID: 0x17,
  /** A write of 0 followed by CPUID leaf 1 loads the update's revision into bits 32-63. */
  BIOS_SIGN_ID: 0x8b,
} as const;

const microcodeRevision = 1n;

/** The value, or undefined when the MSR is none of these. */
export function readPlatformMsr(index: number): bigint | undefined {
  if (index === PlatformMsr.PLATFORM_ID) return 0n;
  return index === PlatformMsr.BIOS_SIGN_ID ? microcodeRevision << 32n : undefined;
}

/** Whether the write was taken: the signature register swallows it, the platform ID is read only. */
export function writePlatformMsr(index: number): boolean {
  return index === PlatformMsr.BIOS_SIGN_ID;
}
