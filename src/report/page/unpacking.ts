import type { Run } from './comparison-data.js';

/** A stretch of a run in which the guest unpacks the kernel. */
export interface Unpacking {
  readonly from: number;
  readonly to: number;
}

/** Where on the way it lies: between the two calls or points that the probe `instructions` names. */
export function unpackingOf({ probes, phases }: Run): Unpacking | undefined {
  const unpacking = probes.instructions?.unpacking;
  if (unpacking === undefined || unpacking.instructions === 0) return undefined;
  const { instructions } = unpacking;
  const calls = probes.calls?.calls ?? [];
  const next = calls.findIndex((call, i) => call.instructions - (calls[i - 1]?.instructions ?? 0) === instructions);
  const call = calls[next];
  if (call !== undefined) return { from: call.instructions - instructions, to: call.instructions };
  const [, from, to] = /^between (\S+) and (\S+)$/.exec(unpacking.where) ?? [];
  const start = phases.find(({ name }) => name === from)?.instructions;
  const end = phases.find(({ name }) => name === to)?.instructions;
  return start === undefined || end === undefined ? undefined : { from: start, to: end };
}
