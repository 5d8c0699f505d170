import type { Run } from './comparison-data.js';

/** A line of a kernel's console that tells how far it is. */
export interface Milestone {
  readonly title: string;
  readonly pattern: RegExp;
}

const milestones: readonly Milestone[] = [
  { title: 'Linux version', pattern: /^(?:\[.*?\] )?Linux version / },
  { title: 'Hypervisor detected', pattern: /Hypervisor detected: / },
  { title: 'Booting kernel on ...', pattern: /Booting (?:paravirtualized )?kernel on / },
  { title: 'Memory: ... available', pattern: /\] Memory: .* available/ },
  { title: 'Unpacking initramfs', pattern: /Unpacking initramfs|Trying to unpack rootfs/ },
  { title: 'Console enabled', pattern: /printk: .*console \[.*\] enabled/ },
  { title: 'Freeing unused kernel image', pattern: /Freeing unused kernel image/ },
  { title: 'Run init', pattern: /Run \S+ as init process/ },
  { title: 'USERSPACE-UP', pattern: /^USERSPACE-UP/ },
  { title: 'Kernel panic', pattern: /Kernel panic - not syncing/ },
  { title: 'Power down', pattern: /reboot: (?:Power down|Restarting system|System halted)/ },
];

/** When a run printed it, and the line. */
export interface Passed {
  readonly instructions: number;
  readonly text: string;
}

const earliest = (passed: readonly (Passed | undefined)[]): number =>
  Math.min(...passed.map((one) => one?.instructions ?? Infinity));

/** The milestones that some run passed, in the order in which the first did, each with the first such line of each run. */
export function milestonesOf(
  runs: readonly Run[],
): readonly { readonly title: string; readonly passed: readonly (Passed | undefined)[] }[] {
  return milestones
    .map(({ title, pattern }) => ({
      title,
      passed: runs.map((run) => run.probes['console-lines']?.lines.find(({ text }) => pattern.test(text))),
    }))
    .filter(({ passed }) => passed.some((one) => one !== undefined))
    .sort((a, b) => earliest(a.passed) - earliest(b.passed));
}
