import { crystalHz, tscCrystalRatio, tscHz } from '../devices/clock.js';

/** EAX, EBX, ECX, EDX, unsigned. */
export type CpuidResult = readonly [eax: number, ebx: number, ecx: number, edx: number];

/**
 * The identity is a decision: Linux takes GenuineIntel family 6 model 0x1c (Bonnell, in-order) as free of speculation
 * bugs, so it builds no page-table isolation and no retpolines; from stepping 3 on it trusts PSE.
 */
const vendor = 'GenuineIntel';
const signature = { family: 6, model: 0x1c, stepping: 10 } as const;
const brand = 'efikit virtual processor at 1.00 GHz';
const address = { physicalBits: 40, linearBits: 48 } as const;
const maxBasicLeaf = 0x16;
const maxExtendedLeaf = 0x8000_0008;

interface Feature {
  readonly name: string;
  readonly leaf: number;
  readonly register: 'eax' | 'ebx' | 'ecx' | 'edx';
  readonly bit: number;
  readonly why: string;
}

/**
 * Every feature that is announced, and nothing else is: a bit here means that the processor implements it. Deliberately
 * absent: SMEP, SMAP, PCID, LA57, XSAVE and AVX, UMIP, FSGSBASE, MCA, MWAIT; MTRR, x2APIC and the hypervisor bit are
 * the machine's to add.
 * Intel SDM volume 2, CPUID.
 */
export const announcedFeatures: readonly Feature[] = [
  { name: 'FPU', leaf: 1, register: 'edx', bit: 0, why: 'x87 on the chip; required by every 64-bit kernel' },
  { name: 'PSE', leaf: 1, register: 'edx', bit: 3, why: '4 MiB pages before PAE; kernels take 2 MiB pages from it' },
  { name: 'TSC', leaf: 1, register: 'edx', bit: 4, why: 'RDTSC; the clock of the guest' },
  { name: 'MSR', leaf: 1, register: 'edx', bit: 5, why: 'RDMSR and WRMSR; required' },
  { name: 'PAE', leaf: 1, register: 'edx', bit: 6, why: 'the page tables of long mode; required' },
  { name: 'CX8', leaf: 1, register: 'edx', bit: 8, why: 'CMPXCHG8B; required' },
  { name: 'APIC', leaf: 1, register: 'edx', bit: 9, why: 'local APIC: the only interrupt controller of the processor' },
  { name: 'SEP', leaf: 1, register: 'edx', bit: 11, why: 'SYSENTER for 32-bit programs' },
  { name: 'PGE', leaf: 1, register: 'edx', bit: 13, why: 'global pages: a change of CR3 keeps the kernel half' },
  { name: 'CMOV', leaf: 1, register: 'edx', bit: 15, why: 'CMOVcc; required' },
  { name: 'PAT', leaf: 1, register: 'edx', bit: 16, why: 'MSR 0x277 is kept; every memory type behaves as write-back' },
  { name: 'MMX', leaf: 1, register: 'edx', bit: 23, why: 'part of the 64-bit baseline' },
  { name: 'FXSR', leaf: 1, register: 'edx', bit: 24, why: 'FXSAVE and FXRSTOR; required' },
  { name: 'SSE', leaf: 1, register: 'edx', bit: 25, why: 'required' },
  { name: 'SSE2', leaf: 1, register: 'edx', bit: 26, why: 'required' },
  { name: 'CX16', leaf: 1, register: 'ecx', bit: 13, why: "CMPXCHG16B: the allocator's fast path needs no lock" },
  { name: 'TSC-DEADLINE', leaf: 1, register: 'ecx', bit: 24, why: 'the timer needs no calibration' },
  { name: 'RDRAND', leaf: 1, register: 'ecx', bit: 30, why: 'without it the kernel spins for entropy' },
  {
    name: 'ARAT',
    leaf: 6,
    register: 'eax',
    bit: 2,
    why: 'the APIC timer never stops: no broadcast timer is looked for',
  },
  { name: 'SYSCALL', leaf: 0x8000_0001, register: 'edx', bit: 11, why: 'required' },
  { name: 'NX', leaf: 0x8000_0001, register: 'edx', bit: 20, why: 'no-execute pages' },
  { name: 'LM', leaf: 0x8000_0001, register: 'edx', bit: 29, why: 'long mode; required' },
  { name: 'INVARIANT-TSC', leaf: 0x8000_0007, register: 'edx', bit: 8, why: 'the TSC is trusted as the clock' },
];

/** CPUID leaf 4: the sizes from which a C library chooses its copy loops. Type 1 data, 2 instructions, 3 unified. */
const caches = [
  { type: 1, level: 1, ways: 8, sets: 64 }, // 32 KiB
  { type: 2, level: 1, ways: 8, sets: 64 },
  { type: 3, level: 2, ways: 16, sets: 2048 }, // 2 MiB
] as const;
const cacheLineBytes = 64;

/** What a machine may have besides: bits of leaf 1. The hypervisor answers the leaves from 0x40000000 on. */
const surroundings = {
  x2apic: { ecx: 1 << 21, edx: 0 },
  hypervisor: { ecx: 1 << 31, edx: 0 },
  mtrr: { ecx: 0, edx: 1 << 12 },
} as const;
type Surrounding = keyof typeof surroundings;
export type Surroundings = Readonly<Partial<Record<Surrounding, boolean>>>;

/** CPUID as this processor answers it. Intel SDM volume 2; leaves beyond the last basic one repeat that one. */
export function cpuid(leaf: number, subleaf: number, around: Surroundings = {}): CpuidResult {
  const [eax, ebx, ecx, edx] = processorCpuid(leaf, subleaf);
  if (leaf !== 1) return [eax, ebx, ecx, edx];
  const present = (Object.keys(surroundings) as Surrounding[]).filter((name) => around[name]);
  const bits = (register: 'ecx' | 'edx'): number =>
    present.reduce((sum, name) => sum | surroundings[name][register], 0);
  return [eax, ebx, (ecx | bits('ecx')) >>> 0, (edx | bits('edx')) >>> 0];
}

function processorCpuid(leaf: number, subleaf: number): CpuidResult {
  const wanted = leaf >>> 0;
  if (wanted >= 0x8000_0000) return wanted <= maxExtendedLeaf ? extendedLeaf(wanted) : basicLeaf(maxBasicLeaf, 0);
  if (wanted >= 0x4000_0000) return [0, 0, 0, 0]; // reserved for hypervisors: there is none
  return wanted <= maxBasicLeaf ? basicLeaf(wanted, subleaf >>> 0) : basicLeaf(maxBasicLeaf, 0);
}

function basicLeaf(leaf: number, subleaf: number): CpuidResult {
  switch (leaf) {
    case 0:
      return [maxBasicLeaf, text(vendor, 0), text(vendor, 8), text(vendor, 4)];
    case 1: {
      const extendedModel = signature.model >> 4;
      const eax = (extendedModel << 16) | (signature.family << 8) | ((signature.model & 0xf) << 4) | signature.stepping;
      const logicalProcessors = 1 << 16; // APIC ID 0 in bits 24-31
      return [eax, logicalProcessors, features(1, 'ecx'), features(1, 'edx')];
    }
    case 2: // AL is always 1; descriptor 0xff: see leaf 4
      return [0xff01, 0, 0, 0];
    case 4:
      return cacheLeaf(subleaf);
    case 6:
      return [features(6, 'eax'), 0, 0, 0];
    case 0xb: // level type 1 (thread), 2 (core): one processor, no bits of the APIC ID to shift away, APIC ID 0
      return subleaf < 2 ? [0, 1, ((subleaf + 1) << 8) | subleaf, 0] : [0, 0, subleaf & 0xff, 0];
    case 0x15:
      return [tscCrystalRatio.denominator, tscCrystalRatio.numerator, crystalHz, 0];
    case 0x16: // base, maximum and bus frequency in MHz
      return [tscHz / 1e6, tscHz / 1e6, crystalHz / 1e6, 0];
    default:
      return [0, 0, 0, 0];
  }
}

function extendedLeaf(leaf: number): CpuidResult {
  switch (leaf) {
    case 0x8000_0000:
      return [maxExtendedLeaf, 0, 0, 0];
    case 0x8000_0001:
      return [0, 0, features(leaf, 'ecx'), features(leaf, 'edx')];
    case 0x8000_0002:
    case 0x8000_0003:
    case 0x8000_0004: {
      const start = (leaf - 0x8000_0002) * 16;
      return [text(brand, start), text(brand, start + 4), text(brand, start + 8), text(brand, start + 12)];
    }
    case 0x8000_0006: // L2 in KiB, associativity 8 (16 ways), line size
      return [0, 0, (2048 << 16) | (8 << 12) | cacheLineBytes, 0];
    case 0x8000_0007:
      return [0, 0, 0, features(leaf, 'edx')];
    case 0x8000_0008:
      return [(address.linearBits << 8) | address.physicalBits, 0, 0, 0];
    default:
      return [0, 0, 0, 0];
  }
}

function cacheLeaf(subleaf: number): CpuidResult {
  const cache = caches[subleaf];
  if (cache === undefined) return [0, 0, 0, 0];
  const selfInitialising = 1 << 8;
  return [
    cache.type | (cache.level << 5) | selfInitialising,
    ((cache.ways - 1) << 22) | (cacheLineBytes - 1),
    cache.sets - 1,
    0,
  ];
}

function features(leaf: number, register: Feature['register']): number {
  let bits = 0;
  for (const feature of announcedFeatures) {
    if (feature.leaf === leaf && feature.register === register) bits |= 1 << feature.bit;
  }
  return bits >>> 0;
}

/** Four characters, little endian; NULs behind the end. */
function text(source: string, at: number): number {
  let value = 0;
  for (let index = 3; index >= 0; index--) {
    const code = at + index < source.length ? source.charCodeAt(at + index) : 0;
    value = (value << 8) | code;
  }
  return value >>> 0;
}
