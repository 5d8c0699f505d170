import type { CallsRecord } from '../../probe/calls/result.js';
import type { ConsoleLinesRecord } from '../../probe/calls/console-result.js';
import type { MemoryRange } from '../../probe/memory-maps/range.js';
import type { CostJoined } from '../../probe/cost/result.js';
import type { JoinedCoverage } from '../../probe/probes/coverage.js';
import type { ComparedRange } from '../../probe/memory-maps/comparison.js';
import type { Instructions } from '../../probe/probes/instructions.js';
import type { SurfaceRecord } from '../../probe/surface/result.js';
import type { ClosedDoor, ComparisonResult, DoorResult } from '../comparison.js';

/** What the probe `memory-maps` writes for a door. */
export interface MemoryMapsRecord {
  readonly entry: readonly MemoryRange[];
  readonly exitBootServices?: readonly MemoryRange[];
}

/** Records of a door by the probe that wrote them. A result may lack any: it was made with fewer probes. */
export interface DoorRecords {
  readonly calls?: CallsRecord;
  readonly 'console-lines'?: ConsoleLinesRecord;
  readonly 'memory-maps'?: MemoryMapsRecord;
  readonly instructions?: Instructions;
  readonly surface?: SurfaceRecord;
}

/** A door that was run. */
export interface Run extends Omit<DoorResult, 'probes'> {
  readonly probes: DoorRecords & Readonly<Record<string, unknown>>;
}

export const runsOf = ({ doors }: ComparisonResult): readonly Run[] => doors.filter((door) => 'outcome' in door);

export const closedOf = ({ doors }: ComparisonResult): readonly ClosedDoor[] =>
  doors.filter((door) => 'closed' in door);

/** Instructions retired before a phase; undefined when the run did not come to it. */
export const instructionsBefore = (run: Run, phase: string): number | undefined =>
  run.phases.find(({ name }) => name === phase)?.instructions;

/** What the probes say of all doors together. */
export interface JoinedRecords {
  readonly coverage?: JoinedCoverage;
  readonly 'memory-maps'?: readonly ComparedRange[];
  readonly cost?: CostJoined;
}

export const joinedOf = ({ joined }: ComparisonResult): JoinedRecords => joined;
