import type { Run } from './comparison-data.js';

/** What a guest does between two of its phases. */
export interface Stretch {
  /** `stub`, `handover` ...: its colour. */
  readonly kind: 'stub' | 'handover' | 'startup' | 'kernel' | 'user';
  readonly title: string;
  readonly from: number;
  readonly to: number;
}

const kinds: Readonly<Record<string, readonly [Stretch['kind'], (run: Run) => string]>> = {
  entry: [
    'stub',
    ({ door }) =>
      ({ efi: 'EFI stub', pvh: 'PVH entry', linux64: 'entry', proposal: 'proposal-linux' })[door] ??
      'from the entry on',
  ],
  'exit-boot-services': ['handover', () => 'after ExitBootServices'],
  'kernel-entry': ['startup', () => 'startup code'],
  start_kernel: ['kernel', () => 'start_kernel and on'],
  'user-space': ['user', () => 'user space'],
};

/** The phases of a run as stretches without gaps, from its entry to its end. */
export function stretchesOf(run: Run): readonly Stretch[] {
  const known = run.phases.filter(({ name }) => Object.hasOwn(kinds, name));
  return known.map(({ name, instructions }, i) => {
    const [kind, title] = kinds[name] ?? ['stub', () => name];
    return { kind, title: title(run), from: instructions, to: known[i + 1]?.instructions ?? run.instructions };
  });
}

export const stretchLegend: readonly (readonly [string, string])[] = [
  ['stretch-stub', 'entry: stub or loader'],
  ['stretch-handover', 'between ExitBootServices and the kernel'],
  ['stretch-startup', "the kernel's startup code"],
  ['stretch-kernel', 'kernel, from start_kernel on'],
  ['stretch-user', 'user space and kernel'],
];
