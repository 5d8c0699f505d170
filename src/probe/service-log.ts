import { describeEnd, type FirmwareEvent, type ServiceCall } from '../firmware/index.js';

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

/**
 * A call as --trace writes it: plain JSON data, addresses and statuses as texts. `from` names the caller. docs/service-log.md
 * describes the form.
 */
export function traceRecord(call: ServiceCall, from?: string): object {
  const { name, section, args, results, lists, caller, tick, unserved } = call;
  return {
    tick,
    name,
    section,
    args,
    results: { ...results, ...lists },
    status: describeEnd(call),
    caller: hex(caller),
    ...(from === undefined ? {} : { from }),
    ...(unserved === undefined ? {} : { unserved }),
  };
}

/** What else happens between firmware and guest, as --trace writes it. `from` names the address. */
export function eventRecord({ tick, event, details, address }: FirmwareEvent, from?: string): object {
  return {
    tick,
    event,
    details,
    ...(address === undefined ? {} : { address: hex(address) }),
    ...(from === undefined ? {} : { from }),
  };
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;
