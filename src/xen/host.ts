import type { GuestMemory } from '../memory/guest-memory.js';
import type { ProvidedMemory } from '../memory/provided.js';

export type XenRegister = 'rax' | 'rbx' | 'rcx' | 'rdx' | 'rsi' | 'rdi' | 'rsp' | 'r8' | 'r9' | 'r10';

/** In which mode the virtual processor makes a hypercall. */
export type CallMode = 'real' | 'vm86' | 'narrow' | 'wide';

/** How a domain ends, as Machine.end() takes it. */
export interface DomainEnd {
  readonly outcome: 'powered-off' | 'reset' | 'halted' | 'panicked';
  readonly reason: string;
}

/** What the hypervisor needs of the machine. Ticks are nanoseconds since the machine's start. */
export interface XenHost {
  readonly memory: GuestMemory;
  /** Is told what of Xen's lies in the guest's memory. */
  readonly provided?: ProvidedMemory;
  getRegister(name: XenRegister): bigint;
  setRegister(name: XenRegister, value: bigint): void;
  /** Guest-linear address behind the instruction that called. */
  readonly rip: bigint;
  readonly cpl: number;
  readonly mode: CallMode;
  now(): number;
  /** The guest's time-stamp counter now. */
  timeStamp(): bigint;
  schedule(name: string, tick: number): void;
  cancel(name: string): void;
  /** An edge at the local APIC, accepted also while software has it disabled. */
  interrupt(vector: number): void;
  /** The callback vector that goes around the local APIC: look at Domain.callbackVector() when interrupts are open. */
  setCallbackLine(asserted: boolean): void;
  /** Whether an interrupt waits that the processor takes before its next instruction. */
  interruptDue(): boolean;
  /** The virtual processor stops until an interrupt or wake(). */
  block(): void;
  wake(): void;
  /** The instruction that called is executed again: RIP goes back to it. */
  repeat(): void;
  end(end: DomainEnd): void;
  log(line: string): void;
}
