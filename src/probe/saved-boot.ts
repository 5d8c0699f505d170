import { isDoorName, type DoorName } from '../boot/door-choice.js';
import type { ProcessorArtifacts } from '../cpu/artifacts.js';
import type { Overrides, Profile } from '../firmware/index.js';
import { SnapshotError, type Snapshot } from '../snapshot.js';
import type { KnownImage } from '../symbols/caller-names.js';
import type { ConsoleState } from './console-watch.js';
import type { BootSetup } from './boot-setup.js';
import type { PhaseState } from './phases.js';
import type { ServiceCount } from './service-log.js';

/** What an observed boot keeps in a snapshot beside the machine. */
export interface BootNotes {
  readonly of: 'observed boot';
  readonly door: DoorName;
  readonly commandLine: string;
  readonly phases: PhaseState;
  readonly console: ConsoleState;
  readonly services: readonly ServiceCount[];
  readonly hypercalls: readonly ServiceCount[];
  readonly images: readonly KnownImage[];
  /** The caller's own: plain data. */
  readonly about: unknown;
}

/** What a boot that goes on still needs of its caller. */
export interface ResumeSetup extends Pick<BootSetup, 'tier' | 'observing' | 'until' | 'landmarks' | 'observer'> {
  readonly artifacts: ProcessorArtifacts;
  /** Needed when the profile is none of efikit's own. */
  readonly profile?: Profile;
  /** Other overrides than the saved ones: a fork (Machine.restore). */
  readonly overrides?: Overrides;
}

/** The notes of a snapshot. Throws SnapshotError when no observed boot wrote it. */
export function bootNotes({ notes }: Snapshot): BootNotes {
  const found = notes as Partial<BootNotes> | null;
  if (found?.of === 'observed boot' && typeof found.door === 'string' && isDoorName(found.door))
    return found as BootNotes;
  throw new SnapshotError('the snapshot is of a bare machine and knows nothing of its boot: save one with boot --save');
}

/** The snapshot of a run that was stopped to be saved: it has not ended. */
export function withoutStop(snapshot: Snapshot): Snapshot {
  const { outcome } = snapshot.state;
  const isStopped = outcome?.outcome === 'reached' || outcome?.outcome === 'limit';
  return isStopped ? { ...snapshot, state: { ...snapshot.state, outcome: null } } : snapshot;
}
