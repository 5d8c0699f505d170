import type { Overrides } from '../firmware/index.js';
import type { PlatformDescription } from '../platform-description.js';
import type { BootSetup } from '../probe/boot-setup.js';
import type { ServiceCount } from '../probe/service-log.js';

/** What is booted, again and again. */
export type AblationSetup = Omit<
  BootSetup,
  'until' | 'landmarks' | 'observer' | 'probes' | 'beforeEntry' | 'commitVariable'
>;

/** One run of the guest that somebody wants. Plain data, but for the bigints in the overrides. */
export interface Job {
  /** Unique within an ablation. */
  readonly id: string;
  /** Besides those of the setup. */
  readonly overrides: Overrides;
  /** What is another machine than that of the setup. */
  readonly platform?: Partial<PlatformDescription>;
  /** The tick up to which the run is the whole one, so that it need not be run again; 0: from the start. */
  readonly fork: number;
  /** A phase at which the run may stop. */
  readonly until?: string;
  /** A run that is longer is taken to last for ever. */
  readonly maxInstructions: number;
}

/** How a run went: plain JSON data. */
export interface RunRecord {
  readonly outcome: string;
  readonly reason: string;
  /** As the command `boot` would end: ExitStatus. */
  readonly exitStatus: number;
  readonly instructions: number;
  readonly phases: readonly { readonly name: string; readonly instructions: number }[];
  readonly services: readonly ServiceCount[];
  /** The last service that was called. */
  readonly lastCall: string | null;
  /** Everything on the console, a character a byte. */
  readonly console: string;
  /** Instructions that were not executed again, because the run began as a fork of the whole one. */
  readonly shared: number;
}

/** The run with everything. */
export interface WholeRecord extends RunRecord {
  /** When each service was called first. */
  readonly firstCalls: Readonly<Record<string, { readonly tick: number; readonly instructions: number }>>;
}

/** Who runs jobs: in this thread, or in many processes. */
export interface Executor {
  whole(maxInstructions: number): Promise<WholeRecord>;
  /** Runs jobs, several at a time where it can; calls back as each ends, in any order. They come with rising `fork`. */
  run(jobs: readonly Job[], onEnd: (job: Job, record: RunRecord) => void): Promise<void>;
}
