import { byHelper, type Definition, type Family } from './family.js';

/** One helper for several codes. */
const all = (helper: string, ...codes: readonly string[]): [string, Definition][] =>
  codes.map((code) => [code, byHelper(helper)]);

/** Codes of a r/m16 operand that names a selector: every operand size reads 16 bits. */
const selectorOperand = (helper: string, name: string): [string, Definition][] =>
  all(helper, `${name}_rm16`, `${name}_r32m16`, `${name}_r64m16`);

/** One helper a width. */
const widths = (helper: string, codes: readonly [number, string][]): [string, Definition][] =>
  codes.map(([bits, code]) => [code, byHelper(`${helper}${String(bits)}`)]);

const segmentLoads: readonly [string, Definition][] = [
  ...all('movToSegment', 'Mov_Sreg_rm16', 'Mov_Sreg_r32m16', 'Mov_Sreg_r64m16'),
  ...widths('movFromSegment', [
    [16, 'Mov_rm16_Sreg'],
    [32, 'Mov_r32m16_Sreg'],
    [64, 'Mov_r64m16_Sreg'],
  ]),
  ...['ES', 'SS', 'DS', 'FS', 'GS'].flatMap((segment) => [
    ...widths('pushSegment', [
      [16, `Pushw_${segment}`],
      [32, `Pushd_${segment}`],
    ]),
    ...widths('popSegment', [
      [16, `Popw_${segment}`],
      [32, `Popd_${segment}`],
    ]),
  ]),
  ...widths('pushSegment', [
    [16, 'Pushw_CS'],
    [32, 'Pushd_CS'],
    [64, 'Pushq_FS'],
    [64, 'Pushq_GS'],
  ]),
  ...widths('popSegment', [
    [64, 'Popq_FS'],
    [64, 'Popq_GS'],
  ]),
  ...['Lds', 'Les', 'Lss', 'Lfs', 'Lgs'].flatMap((name) =>
    widths(name.toLowerCase(), [
      [16, `${name}_r16_m1616`],
      [32, `${name}_r32_m1632`],
    ]),
  ),
  ...['Lss', 'Lfs', 'Lgs'].flatMap((name) => widths(name.toLowerCase(), [[64, `${name}_r64_m1664`]])),
];

const descriptorTables: readonly [string, Definition][] = [
  ...['Lgdt', 'Lidt', 'Sgdt', 'Sidt'].flatMap((name) =>
    all(name.toLowerCase(), `${name}_m1632_16`, `${name}_m1632`, `${name}_m1664`),
  ),
  ...selectorOperand('lldt', 'Lldt'),
  ...selectorOperand('ltr', 'Ltr'),
  ...selectorOperand('verr', 'Verr'),
  ...selectorOperand('verw', 'Verw'),
  ...['Sldt', 'Str'].flatMap((name) =>
    widths(name.toLowerCase(), [
      [16, `${name}_rm16`],
      [32, `${name}_r32m16`],
      [64, `${name}_r64m16`],
    ]),
  ),
  ...['Lar', 'Lsl'].flatMap((name) =>
    widths(name.toLowerCase(), [
      [16, `${name}_r16_rm16`],
      [32, `${name}_r32_r32m16`],
      [64, `${name}_r64_r64m16`],
    ]),
  ),
];

const controlRegisters: readonly [string, Definition][] = [
  ...all('movToControl', 'Mov_cr_r32', 'Mov_cr_r64'),
  ...all('movFromControl', 'Mov_r32_cr', 'Mov_r64_cr'),
  ...all('movToDebug', 'Mov_dr_r32', 'Mov_dr_r64'),
  ...all('movFromDebug', 'Mov_r32_dr', 'Mov_r64_dr'),
  ...selectorOperand('lmsw', 'Lmsw'),
  ...widths('smsw', [
    [16, 'Smsw_rm16'],
    [32, 'Smsw_r32m16'],
    [64, 'Smsw_r64m16'],
  ]),
  ...all('clts', 'Clts'),
  ...all('invlpg', 'Invlpg_m'),
  ...all('wbinvd', 'Wbinvd', 'Invd'),
];

const transfers: readonly [string, Definition][] = [
  ...all('iretd', 'Iretd'),
  ...all('iretq', 'Iretq'),
  ...all('retfd', 'Retfd'),
  ...all('retfq', 'Retfq'),
  ...all('retfdImmediate', 'Retfd_imm16'),
  ...all('retfqImmediate', 'Retfq_imm16'),
  ...all('intN', 'Int_imm8'),
  ...all('int3', 'Int3'),
  ...all('int1', 'Int1'),
  ...all('into', 'Into'),
  ...all('syscall', 'Syscall'),
  ...all('sysretd', 'Sysretd'),
  ...all('sysretq', 'Sysretq'),
  ...all('sysenter', 'Sysenter'),
  ...all('sysexitd', 'Sysexitd'),
  ...all('sysexitq', 'Sysexitq'),
];

const flagsAndPorts: readonly [string, Definition][] = [
  ...widths('pushf', [
    [16, 'Pushfw'],
    [32, 'Pushfd'],
    [64, 'Pushfq'],
  ]),
  ...widths('popf', [
    [16, 'Popfw'],
    [32, 'Popfd'],
    [64, 'Popfq'],
  ]),
  ...all('cli', 'Cli'),
  ...all('sti', 'Sti'),
  ...all('hlt', 'Hlt'),
  ...all('vmcall', 'Vmcall'),
  ...all('vmmcall', 'Vmmcall'),
  ...widths('inImmediate', [
    [8, 'In_AL_imm8'],
    [16, 'In_AX_imm8'],
    [32, 'In_EAX_imm8'],
  ]),
  ...widths('inDx', [
    [8, 'In_AL_DX'],
    [16, 'In_AX_DX'],
    [32, 'In_EAX_DX'],
  ]),
  ...widths('outImmediate', [
    [8, 'Out_imm8_AL'],
    [16, 'Out_imm8_AX'],
    [32, 'Out_imm8_EAX'],
  ]),
  ...widths('outDx', [
    [8, 'Out_DX_AL'],
    [16, 'Out_DX_AX'],
    [32, 'Out_DX_EAX'],
  ]),
  ...widths('ins', [
    [8, 'Insb_m8_DX'],
    [16, 'Insw_m16_DX'],
    [32, 'Insd_m32_DX'],
  ]),
  ...widths('outs', [
    [8, 'Outsb_DX_m8'],
    [16, 'Outsw_DX_m16'],
    [32, 'Outsd_DX_m32'],
  ]),
];

const processorState: readonly [string, Definition][] = [
  ...all('rdmsr', 'Rdmsr'),
  ...all('wrmsr', 'Wrmsr'),
  ...all('rdtsc', 'Rdtsc'),
  ...all('rdtscp', 'Rdtscp'),
  ...all('rdpmc', 'Rdpmc'),
  ...all('cpuid', 'Cpuid'),
  ...widths('rdrand', [
    [16, 'Rdrand_r16'],
    [32, 'Rdrand_r32'],
    [64, 'Rdrand_r64'],
  ]),
  ...all('swapgs', 'Swapgs'),
  ...all('fxsave', 'Fxsave_m512byte'),
  ...all('fxsave64', 'Fxsave64_m512byte'),
  ...all('fxrstor', 'Fxrstor_m512byte'),
  ...all('fxrstor64', 'Fxrstor64_m512byte'),
  ...all('fninit', 'Fninit'),
  ...all('fnclex', 'Fnclex'),
  ...all('fnstcw', 'Fnstcw_m2byte'),
  ...all('fldcw', 'Fldcw_m2byte'),
  ...all('fnstsw', 'Fnstsw_m2byte'),
  ...all('fnstswAx', 'Fnstsw_AX'),
  ...all('fwait', 'Wait'),
  ...all('ldmxcsr', 'Ldmxcsr_m32'),
  ...all('stmxcsr', 'Stmxcsr_m32'),
  ...all('emms', 'Emms'),
];

/** System instructions, flags register, port I/O and processor state: the core does them. Intel SDM volumes 2 and 3. */
export const system: Family = Object.fromEntries([
  ...segmentLoads,
  ...descriptorTables,
  ...controlRegisters,
  ...transfers,
  ...flagsAndPorts,
  ...processorState,
]);
