import { describeCall, describeMemoryMap, type MapEntry, type ServiceCall } from '../firmware/index.js';
import type { Phase } from '../probe/phases.js';
import { describeHypercall } from '../xen/describe.js';
import type { HypercallRecord } from '../xen/hypercall.js';
import { grouped } from './numbers.js';

/** A firmware call with its time, as --explain prints it. */
export const explainCall = (call: ServiceCall): string => `${grouped(call.tick).padStart(13)}  ${describeCall(call)}`;

/** A hypercall with its time, as explainCall. */
export const explainHypercall = (record: HypercallRecord): string =>
  explainMessage(record.tick, describeHypercall(record));

export const explainMessage = (tick: number, text: string): string => `${grouped(tick).padStart(13)}  ${text}`;

export const explainPhase = ({ name, instructions, address }: Phase): string =>
  `${grouped(instructions).padStart(13)}  -- ${name} at 0x${address.toString(16)}`;

/** A memory map under a heading. */
export function explainMemoryMap(when: 'entry' | 'exit-boot-services', entries: readonly MapEntry[]): string[] {
  const heading = when === 'entry' ? 'memory map at the entry' : 'memory map that ExitBootServices finds';
  return [`${heading}:`, ...describeMemoryMap(entries).map((line) => `  ${line}`)];
}
