import { readFileSync } from 'node:fs';
import { pvh } from '../../src/boot/pvh.js';
import { runWithDigests, type Digest } from '../../src/digest.js';
import { loadProcessorArtifacts } from '../../src/host/processor-artifacts.js';
import { readImage } from '../../src/loaders/read-image.js';
import { Machine, type MachineOptions, type Outcome } from '../../src/machine.js';

/** What a bare guest did. Instructions and ticks are counted from the PVH entry. */
export interface GuestRun {
  readonly lines: readonly string[];
  readonly outcome: Outcome;
  readonly instructions: number;
  readonly ticks: number;
  /** The digest at each multiple of `digestEvery` ticks, and at the end. */
  readonly digests: readonly Digest[];
}

export interface GuestOptions {
  readonly commandLine?: string;
  readonly machine?: Partial<MachineOptions>;
  /** Ticks between two digests; only the last when left out. */
  readonly digestEvery?: number;
}

const longest = 200_000_000; // ticks
let artifacts: ReturnType<typeof loadProcessorArtifacts> | undefined;

/** Runs an image of this folder through its PVH entry until the run has ended, at most 200 M ticks. */
export function runGuest(name: string, { commandLine = '', machine: extra, digestEvery }: GuestOptions = {}): GuestRun {
  artifacts ??= loadProcessorArtifacts();
  const machine = new Machine({ artifacts, memoryBytes: 64 << 20, ...extra });
  let text = '';
  machine.onConsole = (byte) => {
    text += String.fromCharCode(byte);
  };
  const image = readImage(readFileSync(new URL(name, import.meta.url)));
  machine.boot(pvh, image, { commandLine, modules: [] });
  const digests: Digest[] = [];
  runWithDigests(machine, digestEvery ?? longest, (_tick, digest) => digests.push(digest), longest);
  return {
    lines: text.split('\n').slice(0, -1),
    outcome: machine.outcome ?? { outcome: 'limit', reason: `idle or still running at tick ${String(machine.ticks)}` },
    instructions: machine.instructions,
    ticks: machine.ticks,
    digests,
  };
}
