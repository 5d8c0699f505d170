import type { MachineState, Outcome } from './state.js';

/** Something that executes single instructions: a processor in 64-bit mode at CPL 3, laid out as state.ts says. */
export interface Subject {
  readonly name: string;
  /** Places the code (followed by INT3 everywhere), the state and the memory, and runs until the next exception. */
  execute(state: MachineState, code: Uint8Array, memory: Uint8Array): Outcome;
}
