import type { Instructions } from '../../probe/probes/instructions.js';

/** A part of a run from its entry on. */
export interface Scope {
  readonly name: string;
  /** The point that ends it; absent for the run's end. */
  readonly until?: string;
}

export const scopes: readonly Scope[] = [
  { name: 'up to start_kernel', until: 'start_kernel' },
  { name: 'up to user space', until: 'user-space' },
  { name: 'in all' },
];

/** The stretches of a scope; undefined when the run does not come to its end. */
export function stretchesUpTo({ stretches }: Instructions, { until }: Scope): Instructions['stretches'] | undefined {
  if (until === undefined) return stretches;
  const last = stretches.findIndex(({ to }) => to === until);
  return last < 0 ? undefined : stretches.slice(0, last + 1);
}

/** Instructions of a key, and how many of them unpacked the kernel. */
export interface Sum {
  readonly instructions: number;
  readonly unpacking: number;
}

const sumOf = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

type Stretch = Instructions['stretches'][number];

/** By subsystem. What unpacked belongs to whom most of its stretch belongs to: the stub or the decompressor. */
export function bySubsystem(stretches: readonly Stretch[]): ReadonlyMap<string, Sum> {
  const sums = new Map<string, Sum>();
  for (const { functions, unpacking } of stretches) {
    const counts = Object.entries(functions).map(([name, own]) => ({ name, instructions: sumOf(own) }));
    const unpacker = counts.toSorted((a, b) => b.instructions - a.instructions)[0]?.name;
    for (const { name, instructions } of counts) {
      const before = sums.get(name) ?? { instructions: 0, unpacking: 0 };
      sums.set(name, {
        instructions: before.instructions + instructions,
        unpacking: before.unpacking + (name === unpacker ? unpacking : 0),
      });
    }
  }
  return sums;
}

export function byMode(stretches: readonly Stretch[]): ReadonlyMap<string, Sum> {
  const sums = new Map<string, Sum>();
  for (const { modes, unpacking } of stretches) {
    const unpacker = Object.entries(modes).toSorted((a, b) => b[1] - a[1])[0]?.[0];
    for (const [mode, instructions] of Object.entries(modes)) {
      const before = sums.get(mode) ?? { instructions: 0, unpacking: 0 };
      sums.set(mode, {
        instructions: before.instructions + instructions,
        unpacking: before.unpacking + (mode === unpacker ? unpacking : 0),
      });
    }
  }
  return sums;
}

export const wholeOf = (stretches: readonly Stretch[]): Sum => ({
  instructions: stretches.reduce((sum, { instructions }) => sum + instructions, 0),
  unpacking: stretches.reduce((sum, { unpacking }) => sum + unpacking, 0),
});

/** Subsystem and instructions of each function in the whole run. */
export function byFunction(stretches: readonly Stretch[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const { functions } of stretches) {
    for (const [subsystem, own] of Object.entries(functions)) {
      for (const [name, count] of Object.entries(own)) {
        const key = `${subsystem}\n${name}`;
        sums.set(key, (sums.get(key) ?? 0) + count);
      }
    }
  }
  return sums;
}
