import { describeEnd, type ServiceCall } from '../firmware/describe.js';

/** How often a service was called and what it answered, by status name. */
export interface ServiceCount {
  readonly name: string;
  readonly calls: number;
  readonly statuses: Readonly<Record<string, number>>;
}

/** Counts the firmware services that a guest calls. */
export class ServiceLog {
  private readonly counts = new Map<string, { calls: number; statuses: Record<string, number> }>();

  record(call: ServiceCall): void {
    const count = this.counts.get(call.name) ?? { calls: 0, statuses: {} };
    const status = call.fault ? 'fault' : describeEnd(call);
    count.calls++;
    count.statuses[status] = (count.statuses[status] ?? 0) + 1;
    this.counts.set(call.name, count);
  }

  /** In the order of the first calls. */
  summary(): ServiceCount[] {
    return [...this.counts].map(([name, { calls, statuses }]) => ({ name, calls, statuses: { ...statuses } }));
  }
}

/** A call as --trace writes it: plain JSON data, addresses and statuses as texts. */
export function traceRecord(call: ServiceCall): object {
  const { name, section, args, results, caller, tick, unserved } = call;
  return {
    tick,
    name,
    section,
    args,
    results,
    status: describeEnd(call),
    caller: `0x${caller.toString(16)}`,
    ...(unserved === undefined ? {} : { unserved }),
  };
}
