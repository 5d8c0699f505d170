import { LocalApicRegister } from '../../devices/local-apic-registers.js';
import { layout } from '../../memory/layout.js';

/** CPUID leaves. Intel SDM volume 2, CPUID; Xen public/arch-x86/cpuid.h. */
const cpuidLeaves: Readonly<Record<number, string>> = {
  0x0: 'vendor, highest leaf',
  0x1: 'family, model, features',
  0x2: 'caches and TLBs',
  0x4: 'cache parameters',
  0x5: 'MONITOR',
  0x6: 'thermal and power',
  0x7: 'extended features',
  0x9: 'direct cache access',
  0xa: 'performance monitoring',
  0xb: 'topology',
  0xd: 'extended state',
  0xf: 'resource monitoring',
  0x10: 'resource allocation',
  0x12: 'SGX',
  0x14: 'processor trace',
  0x15: 'TSC and crystal clock',
  0x16: 'frequencies',
  0x19: 'key locker',
  0x1a: 'hybrid processors',
  0x1f: 'topology, version 2',
  0x4000_0000: 'hypervisor vendor',
  0x4000_0001: 'hypervisor interface (Xen: version)',
  0x4000_0002: 'Xen: hypercall pages and MSR',
  0x4000_0003: 'Xen: time',
  0x4000_0004: 'Xen: features of a guest with hardware virtualisation',
  0x8000_0000: 'highest extended leaf',
  0x8000_0001: 'extended features of AMD',
  0x8000_0002: 'brand string',
  0x8000_0003: 'brand string',
  0x8000_0004: 'brand string',
  0x8000_0005: 'L1 caches and TLBs',
  0x8000_0006: 'L2 and L3 caches',
  0x8000_0007: 'power management, RAS',
  0x8000_0008: 'address sizes',
  0x8000_000a: 'SVM',
  0x8000_001d: 'cache topology of AMD',
  0x8000_001e: 'topology of AMD',
  0x8000_001f: 'encrypted memory',
  0x8000_0021: 'extended features 2 of AMD',
};

/** MSRs. Intel SDM volume 4; AMD64 Architecture Programmer's Manual volume 2, appendix A. */
const msrs: Readonly<Record<number, string>> = {
  0x10: 'IA32_TIME_STAMP_COUNTER',
  0x17: 'IA32_PLATFORM_ID',
  0x1b: 'IA32_APIC_BASE',
  0x34: 'MSR_SMI_COUNT',
  0x3a: 'IA32_FEATURE_CONTROL',
  0x3b: 'IA32_TSC_ADJUST',
  0x48: 'IA32_SPEC_CTRL',
  0x49: 'IA32_PRED_CMD',
  0x8b: 'IA32_BIOS_SIGN_ID',
  0xce: 'MSR_PLATFORM_INFO',
  0xe7: 'IA32_MPERF',
  0xe8: 'IA32_APERF',
  0xfe: 'IA32_MTRRCAP',
  0x10a: 'IA32_ARCH_CAPABILITIES',
  0x10b: 'IA32_FLUSH_CMD',
  0x122: 'IA32_TSX_CTRL',
  0x123: 'IA32_MCU_OPT_CTRL',
  0x140: 'MSR_MISC_FEATURE_ENABLES',
  0x174: 'IA32_SYSENTER_CS',
  0x175: 'IA32_SYSENTER_ESP',
  0x176: 'IA32_SYSENTER_EIP',
  0x179: 'IA32_MCG_CAP',
  0x17a: 'IA32_MCG_STATUS',
  0x19c: 'IA32_THERM_STATUS',
  0x1a0: 'IA32_MISC_ENABLE',
  0x1ad: 'MSR_TURBO_RATIO_LIMIT',
  0x1b0: 'IA32_ENERGY_PERF_BIAS',
  0x1d9: 'IA32_DEBUGCTL',
  0x250: 'IA32_MTRR_FIX64K_00000',
  0x258: 'IA32_MTRR_FIX16K_80000',
  0x259: 'IA32_MTRR_FIX16K_A0000',
  0x277: 'IA32_PAT',
  0x2ff: 'IA32_MTRR_DEF_TYPE',
  0x345: 'IA32_PERF_CAPABILITIES',
  0x480: 'IA32_VMX_BASIC',
  0x606: 'MSR_RAPL_POWER_UNIT',
  0x6e0: 'IA32_TSC_DEADLINE',
  0x6a0: 'IA32_U_CET',
  0x6a2: 'IA32_S_CET',
  0xda0: 'IA32_XSS',
  0x4000_0000: 'Xen: hypercall page',
  0xc000_0080: 'IA32_EFER',
  0xc000_0081: 'IA32_STAR',
  0xc000_0082: 'IA32_LSTAR',
  0xc000_0083: 'IA32_CSTAR',
  0xc000_0084: 'IA32_FMASK',
  0xc000_0100: 'IA32_FS_BASE',
  0xc000_0101: 'IA32_GS_BASE',
  0xc000_0102: 'IA32_KERNEL_GS_BASE',
  0xc000_0103: 'IA32_TSC_AUX',
  0xc001_0015: 'AMD HWCR',
  0xc001_001f: 'AMD NB_CFG',
  0xc001_0055: 'AMD INT_PENDING',
  0xc001_1029: 'AMD DE_CFG',
  0xc001_0131: 'AMD SEV status',
};

/** Ranges of I/O ports as PCs have them, whether this machine has the device or not. */
const portRanges: readonly (readonly [number, number, string])[] = [
  [0x20, 0x21, '8259A, first'],
  [0x40, 0x43, '8254 PIT'],
  [0x60, 0x60, '8042 data'],
  [0x61, 0x61, 'system control port B'],
  [0x64, 0x64, '8042 command and status'],
  [0x70, 0x71, 'RTC and CMOS'],
  [0x80, 0x80, 'POST code, used as a delay'],
  [0x92, 0x92, 'system control port A'],
  [0xa0, 0xa1, '8259A, second'],
  [0xed, 0xed, 'unused, taken as a delay'],
  [0xf0, 0xf1, 'coprocessor error'],
  [0x2e8, 0x2ef, 'COM4'],
  [0x2f8, 0x2ff, 'COM2'],
  [0x3b0, 0x3df, 'VGA'],
  [0x3e8, 0x3ef, 'COM3'],
  [0x3f8, 0x3ff, 'COM1'],
  [0x4d0, 0x4d1, 'ELCR'],
  [0x510, 0x51b, 'fw_cfg of QEMU'],
  [0x600, 0x600, 'ACPI sleep control'],
  [0x604, 0x604, 'ACPI sleep status'],
  [0xcf8, 0xcfb, 'PCI configuration address'],
  [0xcfc, 0xcff, 'PCI configuration data'],
  [0xe9, 0xe9, 'debug console'],
  [0x5658, 0x5659, 'VMware backdoor'],
  [0xb000, 0xb003, 'ACPI PM1 event'],
  [0xb004, 0xb005, 'ACPI PM1 control'],
  [0xb008, 0xb00b, 'ACPI PM timer'],
];

/** The APIC's registers that are many of a kind: 32 bits each, 16 bytes apart. */
const apicArrays: readonly (readonly [number, string])[] = [
  [LocalApicRegister.IRR, 'IRR'],
  [LocalApicRegister.TMR, 'TMR'],
  [LocalApicRegister.ISR, 'ISR'],
];

const ioApicRegisters: Readonly<Record<number, string>> = { 0x0: 'IOREGSEL', 0x10: 'IOWIN', 0x40: 'EOI' };
const page = 4096;
const x2apicMsrs = 0x800;

/** Leaves that look at ECX: what it holds elsewhere is chance. */
const leavesWithSubleaves: ReadonlySet<number> = new Set([
  0x4, 0x7, 0xb, 0xd, 0xf, 0x10, 0x12, 0x14, 0x17, 0x18, 0x1a, 0x1b, 0x1d, 0x1e, 0x1f, 0x20, 0x23, 0x24, 0x4000_0003,
  0x4000_0004, 0x4000_0005, 0x8000_001d, 0x8000_0020, 0x8000_0026,
]);

export const hasSubleaves = (leaf: number): boolean => leavesWithSubleaves.has(leaf);

/** Where a guest looks for the leaves of a hypervisor behind those of another one. Xen public/arch-x86/cpuid.h. */
export const hypervisorSearch = { first: 0x4000_0100, last: 0x4000_ff00, step: 0x100 } as const;

export const isHypervisorSearch = (leaf: number): boolean =>
  leaf >= hypervisorSearch.first && leaf <= hypervisorSearch.last && leaf % hypervisorSearch.step === 0;

export const cpuidName = (leaf: number): string | undefined =>
  isHypervisorSearch(leaf) ? 'search for a hypervisor, every 256 leaves' : cpuidLeaves[leaf];

export function msrName(index: number): string | undefined {
  if (index >= x2apicMsrs && index < x2apicMsrs + 0x40) return `x2APIC ${apicRegister((index - x2apicMsrs) * 16)}`;
  if (index >= 0x200 && index < 0x220)
    return `IA32_MTRR_PHYS${index % 2 === 0 ? 'BASE' : 'MASK'}${String((index - 0x200) >> 1)}`;
  if (index >= 0x268 && index <= 0x26f) return `IA32_MTRR_FIX4K_${((index - 0x250) << 15).toString(16).toUpperCase()}`;
  if (index >= 0x400 && index < 0x480)
    return `IA32_MC${String((index - 0x400) >> 2)}_${['CTL', 'STATUS', 'ADDR', 'MISC'][index & 3] ?? ''}`;
  return msrs[index];
}

export const portName = (port: number): string | undefined =>
  portRanges.find(([first, last]) => port >= first && port <= last)?.[2];

/** `apicBase`: where the local APIC's registers are, guest-physical. */
export function mmioName(address: number, apicBase: number): string | undefined {
  if (address >= apicBase && address < apicBase + page) return `local APIC ${apicRegister(address - apicBase)}`;
  const inIoApic = address - layout.ioApic;
  if (inIoApic >= 0 && inIoApic < page)
    return `I/O APIC ${ioApicRegisters[inIoApic] ?? `register 0x${inIoApic.toString(16)}`}`;
  return undefined;
}

function apicRegister(offset: number): string {
  const aligned = offset & ~0xf;
  const known = Object.entries(LocalApicRegister).find(([, at]) => at === aligned)?.[0];
  const array = apicArrays.find(([start]) => aligned >= start && aligned < start + 0x80);
  if (array !== undefined) return `${array[1]}${String((aligned - array[0]) >> 4)}`;
  return known ?? `register 0x${offset.toString(16)}`;
}
