import { argumentTexts, describeResult } from '../xen/describe.js';
import type { HypercallRecord } from '../xen/hypercall.js';
import type { ServiceCount } from './service-log.js';

/** Counts the hypercalls that a guest makes. */
export class HypercallLog {
  private readonly counts = new Map<string, { calls: number; statuses: Record<string, number> }>();

  record({ name, result }: HypercallRecord): void {
    const count = this.counts.get(name) ?? { calls: 0, statuses: {} };
    const status = describeResult(result);
    count.calls++;
    count.statuses[status] = (count.statuses[status] ?? 0) + 1;
    this.counts.set(name, count);
  }

  /** Goes on from the counts of a run that was saved. */
  restore(counts: readonly ServiceCount[]): void {
    this.counts.clear();
    for (const { name, calls, statuses } of counts) this.counts.set(name, { calls, statuses: { ...statuses } });
  }

  /** In the order of the first calls. */
  summary(): ServiceCount[] {
    return [...this.counts].map(([name, { calls, statuses }]) => ({ name, calls, statuses: { ...statuses } }));
  }
}

/** A hypercall as --trace writes it: plain JSON data. `from` names the caller. docs/service-log.md describes the form. */
export function hypercallTrace(record: HypercallRecord, from?: string): object {
  const { tick, name, number, operation, results, result, caller, unknown } = record;
  return {
    tick,
    hypercall: name,
    number,
    ...(operation === undefined ? {} : { operation }),
    args: argumentTexts(record),
    results,
    status: describeResult(result),
    caller: `0x${caller.toString(16)}`,
    ...(from === undefined ? {} : { from }),
    ...(unknown ? { unserved: 'unknown' } : {}),
  };
}
