/** IA32_APIC_BASE: the local APIC's modes and which follows which. Intel SDM volume 3, 11.4.3, 11.12.1 and 11.12.5. */
export const ApicBase = {
  bootstrap: 1n << 8n,
  x2apic: 1n << 10n,
  enable: 1n << 11n,
  address: 0xff_ffff_f000n,
} as const;

/**
 * Whether a write of IA32_APIC_BASE is taken; #GP otherwise. x2APIC mode, where it exists, is entered from xAPIC mode
 * alone and left by disabling.
 */
export function isModeChange(from: bigint, to: bigint, hasX2apic: boolean): boolean {
  const known = ApicBase.address | ApicBase.bootstrap | ApicBase.enable | (hasX2apic ? ApicBase.x2apic : 0n);
  if ((to & ~known) !== 0n) return false;
  const wasEnabled = (from & ApicBase.enable) !== 0n;
  const wasX2apic = (from & ApicBase.x2apic) !== 0n;
  const enabled = (to & ApicBase.enable) !== 0n;
  if ((to & ApicBase.x2apic) !== 0n) return enabled && wasEnabled;
  return !(wasX2apic && enabled);
}
