import type { CallRecord, CallsRecord, HypercallEntry } from '../../probe/calls/result.js';

/** Hypercalls one after the other that a strip shows as one. */
export interface FoldedHypercalls {
  readonly kind: 'folded';
  readonly name: string;
  readonly phase: string;
  /** Of the first, and of the last. */
  readonly instructions: number;
  readonly last: number;
  readonly tick: number;
  readonly count: number;
  /** By operation, how often; by function, how often it called. */
  readonly operations: Readonly<Record<string, number>>;
  readonly callers: Readonly<Record<string, number>>;
}

/** What a strip has a cell for: a call of the firmware, of the hypervisor, or many of these. */
export type StripCall =
  (CallRecord & { readonly kind: 'call' }) | (HypercallEntry & { readonly kind: 'hypercall' }) | FoldedHypercalls;

/** Of more hypercalls than these, those that repeat an earlier operation are folded. */
const fewHypercalls = 60;

/** All calls in the order in which they came. */
export function callsInOrder({ calls = [], hypercalls = [] }: Partial<CallsRecord> = {}): readonly StripCall[] {
  const all = [
    ...calls.map((call) => ({ ...call, kind: 'call' as const })),
    ...hypercalls.map((call) => ({ ...call, kind: 'hypercall' as const })),
  ].sort((a, b) => a.tick - b.tick);
  if (hypercalls.length <= fewHypercalls) return all;
  const result: StripCall[] = [];
  const known = new Set<string>();
  let group: HypercallEntry[] = [];
  const close = (): void => {
    const [first] = group;
    if (first !== undefined) result.push(group.length === 1 ? { ...first, kind: 'hypercall' } : folded(first, group));
    group = [];
  };
  for (const call of all) {
    if (call.kind === 'hypercall' && known.has(call.name)) {
      if (group[0] !== undefined && group[0].phase !== call.phase) close();
      group.push(call);
      continue;
    }
    close();
    if (call.kind === 'hypercall') known.add(call.name);
    result.push(call);
  }
  close();
  return result;
}

function folded({ instructions, tick, phase }: HypercallEntry, group: readonly HypercallEntry[]): FoldedHypercalls {
  const operations: Record<string, number> = {};
  const callers: Record<string, number> = {};
  for (const { name, from = 'unknown' } of group) {
    const caller = from.replace(/\+0x[0-9a-f]+$/, '');
    operations[name] = (operations[name] ?? 0) + 1;
    callers[caller] = (callers[caller] ?? 0) + 1;
  }
  return {
    ...{ kind: 'folded', name: `${String(group.length)} hypercalls`, phase, instructions, tick },
    ...{ last: group.at(-1)?.instructions ?? instructions, count: group.length, operations, callers },
  };
}

export const succeeded = (call: StripCall): boolean =>
  call.kind === 'folded' || (call.kind === 'call' ? call.status === 'EFI_SUCCESS' : !call.status.startsWith('-'));
