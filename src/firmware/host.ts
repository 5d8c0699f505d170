import type { GuestFault, GuestMemory } from '../memory/guest-memory.js';
import type { ProvidedMemory } from '../memory/provided.js';
import type { PeLayout } from './images/image-loader.js';

/** Registers that the firmware reads or writes: the general ones, and CR2 (read only) for its exception reports. */
export type FirmwareRegister =
  | 'rax'
  | 'rcx'
  | 'rdx'
  | 'rbx'
  | 'rsp'
  | 'rbp'
  | 'rsi'
  | 'rdi'
  | 'r8'
  | 'r9'
  | 'r10'
  | 'r11'
  | 'r12'
  | 'r13'
  | 'r14'
  | 'r15'
  | 'cr2';

/** Kinds of reset that a guest can ask of ResetSystem. UEFI 2.10 section 8.5.1. */
export type ResetKind = 'cold' | 'warm' | 'platform-specific';

/** What the firmware needs of the machine. The machine implements it; the firmware imports neither it nor the processor. */
export interface FirmwareHost {
  readonly memory: GuestMemory;
  /** Is told what the firmware lays out for the guest; a host that does not care leaves it out. */
  readonly provided?: ProvidedMemory;
  getRegister(name: FirmwareRegister): bigint;
  setRegister(name: FirmwareRegister, value: bigint): void;
  /** Virtual time in ticks of 1 ns. */
  now(): number;
  /** 64 seeded random bits. */
  random(): bigint;
  /** Lets so many ticks pass for the guest; a host without time leaves it out. */
  stall?(ticks: number): void;
  /**
   * The gate that is being served is executed once more: now, or when `until` (a tick; Infinity for never) has come or
   * what Firmware.waiting names is there. A host without time leaves it out, and the guest cannot wait then.
   */
  repeat?(until?: number): void;
  /** The machine is reset at this tick; never, when it is undefined. */
  watchdog?(tick: number | undefined): void;
  /** The next byte that was typed at the console; undefined when there is none. */
  readInput?(): number | undefined;
  /** The firmware changed the page tables that CR3 names. */
  flushTlb?(): void;
  /** Clears IF. */
  disableInterrupts(): void;
  /** Text for the guest's console, line ends as the guest wrote them. */
  print(text: string): void;
  /** The guest switched itself off. */
  poweroff(reason: string): void;
  /** The guest asked for a reset. */
  reset(kind: ResetKind, reason: string): void;
  /** The image ended: it called Exit or returned from its entry point. */
  exit(status: bigint, exitData?: string): void;
  /** Reads an EFI image for LoadImage; undefined when it is none for x86-64, or damaged. */
  readPe?(file: Uint8Array): (PeLayout & { readonly subsystem: number }) | undefined;
  /** The gate that is being served faults, as an instruction would that made this access; it is executed again after. */
  fault(fault: GuestFault): void;
  /** The guest took an exception while the firmware's IDT was loaded; the run cannot go on. */
  crash(reason: string): void;
}
