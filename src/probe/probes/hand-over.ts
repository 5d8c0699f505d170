import { LocalApicRegister } from '../../devices/local-apic-registers.js';
import { segmentNames } from '../../cpu/types.js';
import { readZeroPage, type ZeroPage } from '../hand-over/boot-params.js';
import { reasonFor } from '../hand-over/reasons.js';
import { kernelBase } from '../../symbols/kernel-functions.js';
import { probe, type TakenAtDoor } from '../probe.js';
import type { ProbedRun } from '../probed-run.js';
import { msrName } from '../touches/names.js';
import { handOverSections } from '../hand-over/sections.js';

/** What the kernel has when start_kernel begins. Texts are hexadecimal; addresses in the kernel are named by symbol. */
export interface HandOver {
  /** Retired before start_kernel. */
  readonly instructions: number;
  /** Where the kernel stands: bytes from where it was linked, guest-physical and guest-virtual. */
  readonly kernel: { readonly physicalDistance: string; readonly virtualDistance: string };
  /** The kernel's own copy of what its boot loader told it. Linux Documentation/arch/x86/zero-page.rst. */
  readonly zeroPage: ZeroPage | undefined;
  /** CR0, CR3, CR4, EFER, RFLAGS, GDT, IDT. */
  readonly registers: Readonly<Record<string, string>>;
  /** Selector, base, limit and attributes. */
  readonly segments: Readonly<Record<string, string>>;
  /** Those that are not 0, by name. */
  readonly msrs: Readonly<Record<string, string>>;
  readonly apic: Readonly<Record<string, string>>;
}

/** A field that the doors hand over differently. */
export interface Difference {
  readonly field: string;
  /** In the order of the doors; absent: 0, or not there. */
  readonly values: readonly (string | null)[];
  readonly why?: string;
}

export interface JoinedHandOver {
  readonly doors: readonly string[];
  /** Fields that are the same behind every door, and not 0. */
  readonly same: number;
  readonly different: readonly Difference[];
}

const deviceMsrs: readonly number[] = [0x1b, 0xfe, 0x2ff, 0x6e0];
const hex = (value: bigint | number): string => `0x${value.toString(16)}`;

/** What the kernel was given, as it stands when start_kernel begins. */
export const handOver = probe<HandOver | undefined, JoinedHandOver | undefined>({
  name: 'hand-over',
  question: 'What does the kernel have when start_kernel begins?',
  needs: ['kernel'],
  start(run) {
    let found: HandOver | undefined;
    run.onPhase(({ name, instructions }) => {
      if (name === 'start_kernel') found = lookAt(run, instructions);
    });
    return () => found;
  },
  record: (taken) => taken ?? null,
  join,
  recordJoined: (joined) => joined,
  show: handOverSections,
});

function lookAt(run: ProbedRun, instructions: number): HandOver | undefined {
  const { kernel, machine } = run;
  if (kernel === undefined) return undefined;
  const { processor, memory, platform } = machine;
  const { registers } = processor;
  const symbol = kernel.symbols.find('boot_params');
  const at = symbol && kernel.physicalOfOffset(Number(symbol.address - kernelBase));
  const inKernel = (address: bigint): string => {
    const offset = kernel.offsetOfVirtual(address);
    return offset === undefined ? hex(address) : run.names.withOffset(offset);
  };
  const table = kernel.offsetOfPhysical(Number(registers.cr3 & ~0xfffn));
  const msrs = new Map(processor.state.msrs());
  for (const index of deviceMsrs) {
    const value = platform.readMsr(index);
    if (value !== undefined) msrs.set(index, value);
  }
  return {
    instructions,
    kernel: {
      physicalDistance: hex(kernel.physicalDistance ?? 0),
      virtualDistance: hex(kernel.virtualDistance ?? 0),
    },
    zeroPage: at === undefined ? undefined : readZeroPage(memory, at),
    registers: {
      CR0: hex(registers.cr0),
      CR3: table === undefined ? hex(registers.cr3) : run.names.withOffset(table),
      CR4: hex(registers.cr4),
      EFER: hex(registers.efer),
      RFLAGS: hex(registers.rflags),
      GDT: `${inKernel(registers.gdtr.base)}, limit ${hex(registers.gdtr.limit)}`,
      IDT: `${inKernel(registers.idtr.base)}, limit ${hex(registers.idtr.limit)}`,
    },
    segments: Object.fromEntries([
      ...segmentNames.map((name) => [name.toUpperCase(), segmentText(registers.segment(name), inKernel)] as const),
      ['LDTR', segmentText(registers.ldtr, inKernel)] as const,
      ['TR', segmentText(registers.tr, inKernel)] as const,
    ]),
    msrs: Object.fromEntries(
      [...msrs]
        .filter(([, value]) => value !== 0n)
        .map(([index, value]) => [msrName(index) ?? hex(index), inKernel(value)]),
    ),
    apic: apicOf(run),
  };
}

function segmentText(
  { selector, base, limit, attributes }: ReturnType<ProbedRun['machine']['processor']['registers']['segment']>,
  inKernel: (address: bigint) => string,
): string {
  return `${hex(selector)}, base ${inKernel(base)}, limit ${hex(limit)}, attributes ${hex(attributes)}`;
}

/** The local APIC as its registers say, without a read that it could notice. */
function apicOf({ machine }: ProbedRun): Record<string, string> {
  const { registers, isr, irr } = machine.platform.localApic.save();
  const nameOf = (offset: number): string =>
    Object.entries(LocalApicRegister).find(([, at]) => at === offset)?.[0] ?? hex(offset);
  return {
    ...Object.fromEntries(
      Object.entries(registers).map(([offset, value]) => [nameOf(Number(offset)), hex(value >>> 0)]),
    ),
    'in service': isr.join(' ') || 'none',
    requested: irr.join(' ') || 'none',
  };
}

/** Every field of a hand-over by a name of its own. */
function flat({ kernel, zeroPage, registers, segments, msrs, apic }: HandOver): Map<string, string> {
  const under = (prefix: string, fields: Readonly<Record<string, string>>): [string, string][] =>
    Object.entries(fields).map(([name, value]) => [`${prefix}${name}`, value]);
  return new Map([
    ...under('kernel ', kernel),
    ...under('boot_params.', zeroPage?.fields ?? {}),
    ...(zeroPage?.e820 ?? []).map(({ start, end, type }): [string, string] => [
      `e820 ${hex(start)}-${hex(end - 1)}`,
      type,
    ]),
    ...(zeroPage?.setupData ?? []).map(({ type, bytes }): [string, string] => [
      `setup_data ${type}`,
      `${String(bytes)} bytes`,
    ]),
    ...under('', zeroPage?.commandLine === undefined ? {} : { 'command line': zeroPage.commandLine }),
    ...under('initrd ', initrdFields(zeroPage)),
    ...under('', registers),
    ...under('', segments),
    ...under('MSR ', msrs),
    ...under('APIC ', apic),
  ]);
}

function initrdFields(zeroPage: ZeroPage | undefined): Record<string, string> {
  if (zeroPage?.initrd === undefined) return {};
  return { address: hex(zeroPage.initrd.address), bytes: String(zeroPage.initrd.bytes) };
}

function join(doors: readonly TakenAtDoor<HandOver | undefined>[]): JoinedHandOver | undefined {
  const there = doors.flatMap(({ door, taken }) => (taken === undefined ? [] : [{ door, fields: flat(taken) }]));
  if (there.length < 2) return undefined;
  const names = [...new Set(there.flatMap(({ fields }) => [...fields.keys()]))];
  const rows = names.map((field) => ({ field, values: there.map(({ fields }) => fields.get(field) ?? null) }));
  const isSame = ({ values }: { readonly values: readonly (string | null)[] }): boolean => new Set(values).size === 1;
  return {
    doors: there.map(({ door }) => door),
    same: rows.filter(isSame).length,
    different: rows
      .filter((row) => !isSame(row))
      .map((row) => {
        const why = reasonFor(row.field);
        return { ...row, ...(why === undefined ? {} : { why }) };
      }),
  };
}
