import type { MemoryCore } from './memory.js';

/** What the processor itself calls of the core (core/index.ts); handlers and hot code call more. */
export interface Core extends MemoryCore {
  raise(vector: number, errorCode: number, hasError: number): number;
  deliverException(): number;
  deliverInterrupt(vector: number): number;
  deliverDebugTrap(): number;
  updateMode(): void;
  flushAll(): void;
  dropWriteTags(physicalPage: number): void;
  dropAllWriteTags(): void;
  /** Some pages are watched now, or are no longer. */
  refreshWatched(): void;
  fetchTranslateAt(low: number, high: number): number;
  materialiseFlags(): void;
  absorbFlags(): void;
  resetProcessor(): void;
}
