/**
 * The processor as the machine sees it, and what the processor wants from the machine. Ticks are the unit of virtual
 * time: one per retired instruction (and per REP iteration), 1 ns each; numbers, exact up to 2^53.
 */

import type { GuestFault } from '../memory/guest-memory.js';

/** Why `run` came back. */
export type Stop =
  | 'budget' // the tick that was asked for is reached
  | 'halted' // HLT with nothing to deliver: advance time to the next event, then run again
  | 'shutdown' // triple fault
  | 'requested'; // requestStop() was called by a bus callback

/** A segment as the hidden part of a segment register holds it. Intel SDM volume 3, 3.4.3. */
export interface SegmentState {
  readonly selector: number;
  readonly base: bigint;
  readonly limit: number; // bytes - 1, expanded
  readonly attributes: number; // access byte in bits 0-7, AVL L D/B G in bits 12-15 (as bits 40-55 of a descriptor)
}

export interface TableRegister {
  readonly base: bigint;
  readonly limit: number;
}

export const generalRegisters = [
  'rax',
  'rcx',
  'rdx',
  'rbx',
  'rsp',
  'rbp',
  'rsi',
  'rdi',
  'r8',
  'r9',
  'r10',
  'r11',
  'r12',
  'r13',
  'r14',
  'r15',
] as const;
export type GeneralRegister = (typeof generalRegisters)[number];
export const segmentNames = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'] as const;
export type SegmentName = (typeof segmentNames)[number];

/** Live view of the architectural state; every access reads or writes the processor itself. */
export interface Registers {
  get(name: GeneralRegister): bigint;
  set(name: GeneralRegister, value: bigint): void;
  rip: bigint;
  rflags: bigint;
  cr0: bigint;
  cr2: bigint;
  cr3: bigint;
  cr4: bigint;
  efer: bigint;
  readonly cpl: number;
  segment(name: SegmentName): SegmentState;
  setSegment(name: SegmentName, state: SegmentState): void;
  gdtr: TableRegister;
  idtr: TableRegister;
  ldtr: SegmentState;
  tr: SegmentState;
}

/** What the processor asks of the machine while it runs. All callbacks see exact state and an exact `ticks`. */
export interface ProcessorBus {
  readPort(port: number, bytes: 1 | 2 | 4): number;
  writePort(port: number, bytes: 1 | 2 | 4, value: number): void;
  /** A guest-physical access outside RAM. Unaligned and 8-byte accesses arrive split into 1, 2 or 4 bytes. */
  readMmio(address: number, bytes: 1 | 2 | 4): number;
  writeMmio(address: number, bytes: 1 | 2 | 4, value: number): void;
  /** The highest-priority interrupt vector to deliver now, acknowledged; undefined when none (it was withdrawn). */
  acknowledgeInterrupt(): number | undefined;
  /** MSRs that belong to devices (local APIC base, TSC deadline ...). undefined means #GP. */
  readMsr(index: number): bigint | undefined;
  /** false means #GP. */
  writeMsr(index: number, value: bigint): boolean;
  /** MOV CR8: task priority, 0 to 15. */
  readTaskPriority(): number;
  writeTaskPriority(value: number): void;
  cpuid(leaf: number, subleaf: number): readonly [number, number, number, number];
  /** Seeded random 64 bits for RDRAND and RDSEED. */
  random(): bigint;
  /** A firmware gate was executed in 64-bit mode at CPL 0; RIP is behind it, at its RET. */
  gate(service: number): void;
  /** VMCALL or VMMCALL was executed, at any CPL; RIP is behind it. Called only where ProcessorOptions.hypercall says so. */
  hypercall(): void;
  /** First time something unimplemented was met (an instruction, an MSR): one line for the log. */
  unimplemented(what: string): void;
}

export interface Processor {
  readonly registers: Registers;
  /** Virtual time in ticks, exact also inside bus callbacks. */
  readonly ticks: number;
  /** Ticks that were no instruction (HLT skips): instructions = ticks - extraTicks. */
  readonly extraTicks: number;
  /** Runs until `ticks` is reached or one of the reasons in Stop. */
  run(untilTick: number): Stop;
  /**
   * Only from ProcessorBus.gate: the gate faults as an instruction does that touched the address. Its handler is
   * entered with the gate's own address as RIP, so that the call is made again when the handler returns.
   */
  faultAtGate(fault: GuestFault): void;
  /** Shortens the current run so that it ends no later than `tick` (a device armed an earlier timer). */
  runNoLaterThan(tick: number): void;
  /** Ends the current run at the next instruction boundary with 'requested'. */
  requestStop(): void;
  /** While halted: moves time forward. */
  skipTo(tick: number): void;
  /** The interrupt line from the local APIC: true while a vector of sufficient priority waits. */
  setInterruptLine(asserted: boolean): void;
  /** Calls back, exactly once per execution and before it, when the instruction at this guest-physical address runs. */
  setBreakpoint(physical: number, callback: (() => void) | undefined): void;
  /** Called when code at a new (linear, physical) address is first decoded; cheap, used by probes to find kernels. */
  onDecode: ((linear: bigint, physical: number, cpl: number) => void) | undefined;
}

/** The state in which a boot protocol enters the guest. Fields left out are 0. */
export interface EntryState {
  readonly mode: 'protected32' | 'long64';
  readonly rip: bigint;
  readonly registers?: Partial<Record<GeneralRegister, bigint>>;
  readonly rflags?: bigint; // bit 1 is always set
  readonly cr0?: bigint;
  readonly cr3?: bigint;
  readonly cr4?: bigint;
  readonly efer?: bigint;
  readonly gdtr?: TableRegister;
  readonly idtr?: TableRegister;
  readonly segments?: Partial<Record<SegmentName, SegmentState>>;
  readonly tr?: SegmentState;
}

/**
 * A firmware gate, six bytes: 0F 3F 'E' 'K' and the service number (little endian), which trap out of the processor,
 * followed by RET in the seventh. 0F 3F is an undefined opcode elsewhere.
 */
export function gateCode(service: number): Uint8Array {
  return Uint8Array.of(0x0f, 0x3f, 0x45, 0x4b, service & 0xff, (service >> 8) & 0xff, 0xc3);
}
