import type { ValueType } from '../wasm/encoder.js';

/** Where the code stands: a handler function of its own, or a case of the dispatch loop. */
export interface ColdContext {
  /** i32 local that holds the record's address. */
  readonly record: number;
  /** Index of a function by name: core exports. */
  functionIndex(name: string): number;
  /** Emits: FAULT_* is set, leave the instruction. */
  fault(): void;
  /** Emits: RIP is stored, go on there. */
  jump(): void;
  /** Emits: RIP is the record's branch target, go on there (the dispatch loop may link records). */
  jumpDirect(): void;
  /** Emits: the status on the stack decides. */
  status(): void;
  /** Emits what makes BUDGET in memory current, before a call that may look at the time. */
  beforeCall(): void;
  /** Emits what takes a changed BUDGET back. */
  afterCall(): void;
  /** A local of the handler; may be shared between handlers. */
  local(type: ValueType): number;
}
