import type { MapChange } from '../memory-maps/changes.js';
import type { MemoryRange } from '../memory-maps/range.js';

/** A firmware call, as docs/service-log.md describes it, and when it came. */
export interface CallRecord {
  readonly name: string;
  /** Of UEFI 2.10. */
  readonly section: string;
  /** Instructions retired before it. */
  readonly instructions: number;
  readonly tick: number;
  /** The phase in which it came. */
  readonly phase: string;
  readonly args: Readonly<Record<string, string>>;
  readonly results: Readonly<Record<string, string | readonly string[]>>;
  readonly status: string;
  readonly caller: string;
  readonly from?: string;
  readonly unserved?: string;
  /** What it changed in the memory map; absent when nothing. */
  readonly map?: MapChange;
}

/** A hypercall; of many, the later ones are only counted. */
export interface HypercallEntry {
  readonly name: string;
  readonly number: number;
  readonly instructions: number;
  readonly tick: number;
  readonly phase: string;
  readonly args: Readonly<Record<string, string>>;
  readonly results: Readonly<Record<string, string>>;
  readonly status: string;
  readonly caller: string;
  readonly from?: string;
}

/** What else happened between firmware and guest. */
export interface EventEntry {
  readonly event: string;
  readonly instructions: number;
  readonly details: Readonly<Record<string, string>>;
}

/** What the probe `calls` writes for a door. */
export interface CallsRecord {
  /** The EFI memory map at the entry, from which the changes go on; absent for doors without firmware. */
  readonly memoryMap?: readonly MemoryRange[];
  readonly calls: readonly CallRecord[];
  /** Firmware calls behind the last of `calls`, which are only counted. */
  readonly moreCalls: number;
  readonly hypercalls: readonly HypercallEntry[];
  /** Hypercalls behind the last of `hypercalls`. */
  readonly moreHypercalls: number;
  readonly events: readonly EventEntry[];
}
