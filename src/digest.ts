/** Digests of a machine: short values that are equal when two machines are in the same state. */
import { Hash } from './cpu/state-hash.js';
import type { Machine } from './machine.js';
import { machineState, type MachineParts } from './snapshot.js';

/** 16 hexadecimal digits each. */
export interface Digest {
  /** Registers, flags, segments, control registers, MSRs, x87 and SSE state, time. */
  readonly processor: string;
  /** All of guest RAM. */
  readonly memory: string;
  /** Devices, what was typed, pending events, firmware, random numbers. */
  readonly devices: string;
  /** What the TLBs hold: the only part that depends on how many entries they have. */
  readonly tlb: string;
}

/** The digest of a machine between two runs. The guest notices nothing; time goes with the pages written since the last. */
export function digestOf(parts: MachineParts): Digest {
  const { processor } = parts;
  const { events, platform, xen, typed, firmware, random, halted, extraTicks } = machineState(parts);
  const devices = JSON.stringify([
    events,
    platform,
    ...(xen === undefined ? [] : [xen]),
    typed,
    firmware,
    random.toString(),
  ]);
  return {
    processor: processor.state
      .digest()
      .number(extraTicks)
      .word(halted ? 1 : 0)
      .toString(),
    memory: processor.ramPages.digest(),
    devices: new Hash().text(devices).toString(),
    tlb: processor.state.tlbDigest().toString(),
  };
}

/** One line: processor, memory, devices and TLBs. */
export function formatDigest({ processor, memory, devices, tlb }: Digest): string {
  return `${processor} ${memory} ${devices} ${tlb}`;
}

/** What is driven here; Machine has it all. */
type Digestible = Pick<
  Machine,
  'outcome' | 'idle' | 'ticks' | 'instructions' | 'run' | 'idleUntil' | 'skipTo' | 'end' | 'digest'
>;

/** Runs without a tick, after which a guest counts as one that faults for ever. */
const MOST_FRUITLESS = 10;

/**
 * Runs a machine and calls back with its digest at every tick that is a multiple of `every`, and at its end. An idle
 * guest's time is moved forward to its next timer; one that only input can wake ends the run, one that faults for ever
 * and `limit` (a tick) do, too.
 */
export function runWithDigests(
  machine: Digestible,
  every: number,
  onDigest: (tick: number, digest: Digest) => void,
  limit = Infinity,
): void {
  const ended = (): boolean => machine.outcome !== undefined;
  let next = (Math.floor(machine.ticks / every) + 1) * every;
  let fruitless = 0; // runs in a row
  while (!ended() && machine.ticks < limit) {
    const before = machine.ticks;
    const ticks = Math.max(0, Math.min(next, limit) - before);
    machine.run(ticks);
    fruitless = ticks > 0 && machine.ticks === before && !machine.idle ? fruitless + 1 : 0;
    if (fruitless > MOST_FRUITLESS) break;
    if (machine.idle) {
      const wake = machine.idleUntil();
      if (wake === undefined) break;
      machine.skipTo(Math.min(wake, next, limit));
    } else if (machine.ticks >= next && !ended()) {
      onDigest(machine.ticks, machine.digest());
      next += every;
    }
  }
  onDigest(machine.ticks, machine.digest());
}

/**
 * A machine for a host's loop that gives its digest at every tick that is a multiple of `every`, however it is sliced.
 * When an idle guest's time jumps over several of them, at the last of these alone: nothing but the time changes.
 */
export class DigestedMachine {
  constructor(
    private readonly machine: Digestible,
    private readonly every: number,
    private readonly onDigest: (tick: number, digest: Digest) => void,
  ) {}

  get outcome(): Machine['outcome'] {
    return this.machine.outcome;
  }

  get idle(): boolean {
    return this.machine.idle;
  }

  get ticks(): number {
    return this.machine.ticks;
  }

  get instructions(): number {
    return this.machine.instructions;
  }

  idleUntil(): number | undefined {
    return this.machine.idleUntil();
  }

  end(outcome: NonNullable<Machine['outcome']>): void {
    this.machine.end(outcome);
  }

  /** As Machine.run. */
  run(ticks: number): void {
    const { machine, every } = this;
    const end = machine.ticks + ticks;
    do {
      const next = (Math.floor(machine.ticks / every) + 1) * every;
      const goal = Math.min(next, end);
      machine.run(goal - machine.ticks);
      if (machine.ticks === next && machine.outcome === undefined) this.onDigest(next, machine.digest());
      if (machine.ticks < goal) return; // it idles, has ended or was stopped
    } while (machine.ticks < end && !machine.idle && machine.outcome === undefined);
  }

  /** As Machine.skipTo. */
  skipTo(tick: number): void {
    const { machine, every } = this;
    const last = Math.floor(Math.min(tick, machine.idleUntil() ?? Infinity) / every) * every;
    if (last > machine.ticks) {
      machine.skipTo(last);
      this.onDigest(last, machine.digest());
    }
    machine.skipTo(tick);
  }
}
