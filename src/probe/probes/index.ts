import type { AnyProbe } from '../probe.js';
import { calls } from './calls.js';
import { consoleLines } from './console-lines.js';
import { cost } from './cost.js';
import { coverage } from './coverage.js';
import { handOver } from './hand-over.js';
import { idleTime } from './idle-time.js';
import { instructions } from './instructions.js';
import { memoryMaps } from './memory-maps.js';
import { misuse } from './misuse.js';
import { surface } from './surface.js';
import { touches } from './touches.js';

/** What `compare` asks of every run, in the order of its report. A new probe is a file here and a line in this list. */
export const probes: readonly AnyProbe[] = [
  instructions,
  coverage,
  handOver,
  touches,
  idleTime,
  surface,
  cost,
  memoryMaps,
  calls,
  consoleLines,
  misuse,
];
