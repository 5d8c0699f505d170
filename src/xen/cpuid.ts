import { xenVersion } from './version.js';

const firstLeaf = 0x4000_0000;
const lastLeaf = 0x4000_0005;

/** XEN_HVM_CPUID_* of leaf +4 that Xen 4.17 sets for an HVM domain on a processor without a virtual APIC. */
const features = {
  iommuMappings: 1 << 2,
  vcpuIdPresent: 1 << 3,
  domainIdPresent: 1 << 4,
  upcallVector: 1 << 6,
} as const;

/** Frequency of the guest's TSC and what its leaves say of it. */
export interface TimeStampFacts {
  readonly kilohertz: number;
  /** nanoseconds = ((ticks << shift) * multiplier) >> 32 */
  readonly multiplier: number;
  readonly shift: number;
}

/** EAX, EBX, ECX, EDX of Xen's leaves, unsigned; undefined for a leaf that is not Xen's. xen/include/public/arch-x86/cpuid.h. */
export function xenCpuid(
  leaf: number,
  subleaf: number,
  { domain, tsc }: { readonly domain: number; readonly tsc: TimeStampFacts },
): readonly [number, number, number, number] | undefined {
  if (leaf < firstLeaf || leaf >= firstLeaf + 0x1000_0000) return undefined;
  switch (leaf - firstLeaf) {
    case 0: // "XenVMMXenVMM"
      return [lastLeaf, 0x566e_6558, 0x6558_4d4d, 0x4d4d_566e];
    case 1:
      return [(xenVersion.major << 16) | xenVersion.minor, 0, 0, 0];
    case 2: // one hypercall page, and the MSR that asks for it
      return [1, 0x4000_0000, 0, 0];
    case 3:
      return timeLeaf(subleaf, tsc);
    case 4: {
      if (subleaf !== 0) return [0, 0, 0, 0];
      const eax = Object.values(features).reduce((sum, bit) => sum | bit, 0);
      return [eax, 0, domain, 0];
    }
    default: // +5 speaks of PV domains; leaves behind it are none
      return [0, 0, 0, 0];
  }
}

/** The TSC is the processor's own, neither emulated nor scaled: offset 0. */
function timeLeaf(
  subleaf: number,
  { kilohertz, multiplier, shift }: TimeStampFacts,
): readonly [number, number, number, number] {
  if (subleaf === 0) {
    const [reliable, rdtscp] = [1 << 1, 1 << 2];
    return [reliable | rdtscp, 0, kilohertz, 0];
  }
  if (subleaf === 1) return [0, 0, multiplier >>> 0, shift >>> 0];
  return subleaf === 2 ? [kilohertz, 0, 0, 0] : [0, 0, 0, 0];
}
