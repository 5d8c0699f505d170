import { setImmediate as turn } from 'node:timers/promises';
import type { Outcome } from '../machine.js';

/** What the loop drives; Machine has it all. */
export interface RunnableMachine {
  readonly outcome: Outcome | undefined;
  readonly idle: boolean;
  readonly ticks: number;
  readonly instructions: number;
  run(ticks: number): void;
  idleUntil(): number | undefined;
  skipTo(tick: number): void;
  end(outcome: Outcome): void;
}

/** Where the guest's console input comes from. */
export interface InputSource {
  /** More may come: an idle guest then waits by the wall clock instead of jumping to its next timer. */
  readonly open: boolean;
  /** Bytes wait that the guest has not taken. */
  readonly waiting: boolean;
  /** Hands what has arrived to the guest. True when there was something. */
  deliver(): boolean;
  /** Resolves when something arrives or the input ends. */
  changed(): Promise<void>;
}

export interface RunLimits {
  readonly maxInstructions?: number;
  readonly timeoutSeconds?: number;
}

export interface RunOptions extends RunLimits {
  readonly input: InputSource;
  /** Called between slices; a promise is awaited (output that backs up). */
  readonly between?: () => Promise<void> | undefined;
  /** Ends the run as soon as it is aborted; the reason is a text. */
  readonly signal?: AbortSignal;
}

const sliceMilliseconds = 5;
const smallestSlice = 1_000; // ticks
const firstSlice = 100_000;
const largestSlice = 50_000_000;
const nanosecondsPerMillisecond = 1e6;
const longestWait = 1_000; // milliseconds; --timeout and signals are looked at in between
/** Virtual time after which a guest that does nothing but wait for input that cannot come counts as halted. */
const hopeless = 24 * 3600 * 1e9;
const busyShare = 1 / 1000;

/**
 * Runs a machine to its end in slices of about 5 ms and turns the event loop between them. How it is sliced never
 * shows in the guest. With open input an idle guest waits by the wall clock; otherwise time jumps to its next timer.
 */
export async function runMachine(machine: RunnableMachine, options: RunOptions): Promise<Outcome> {
  const { input, maxInstructions = Infinity, timeoutSeconds = Infinity, signal } = options;
  const started = performance.now();
  const deadline = started + timeoutSeconds * 1000;
  let slice = firstSlice;
  let sliceStart = started;
  let sleeping = { tick: machine.ticks, instructions: machine.instructions };
  for (;;) {
    if (signal?.aborted === true) machine.end({ outcome: 'limit', reason: String(signal.reason) });
    if (machine.outcome === undefined && performance.now() >= deadline) {
      machine.end({ outcome: 'limit', reason: `--timeout ${String(timeoutSeconds)} seconds have passed` });
    }
    const left = maxInstructions - machine.instructions;
    if (machine.outcome === undefined && left <= 0) {
      machine.end({ outcome: 'limit', reason: `--max-instructions ${String(maxInstructions)} is reached` });
    }
    if (machine.outcome !== undefined) return machine.outcome;
    input.deliver();
    const before = machine.ticks;
    machine.run(Math.min(slice, left));
    if (isEnded(machine)) return machine.outcome;
    if (machine.idle && machine.instructions < maxInstructions) {
      const ended = idleForGood(machine, input, sleeping);
      if (ended !== undefined) {
        machine.end(ended);
        continue;
      }
      if (!input.open) {
        machine.skipTo(machine.idleUntil() ?? machine.ticks);
      } else {
        await options.between?.();
        await wait(machine, input, Math.min(deadline - performance.now(), longestWait), signal);
        sliceStart = performance.now();
        continue;
      }
    }
    const now = performance.now();
    const spent = now - sliceStart;
    if (spent >= sliceMilliseconds / 2 || machine.ticks - before >= slice) {
      if (!machine.idle) slice = nextSlice(slice, spent);
      if (spent >= sliceMilliseconds) {
        await options.between?.();
        await turn();
        sliceStart = performance.now();
      }
    }
    if (machine.instructions - sleeping.instructions > (machine.ticks - sleeping.tick) * busyShare) {
      sleeping = { tick: machine.ticks, instructions: machine.instructions };
    }
  }
}

/** A function of its own so that the type checker does not assume that `outcome` stays what it was. */
const isEnded = (machine: RunnableMachine): machine is RunnableMachine & { readonly outcome: Outcome } =>
  machine.outcome !== undefined;

function nextSlice(slice: number, spentMilliseconds: number): number {
  const factor = Math.min(2, Math.max(0.25, sliceMilliseconds / Math.max(spentMilliseconds, 0.1)));
  return Math.min(largestSlice, Math.max(smallestSlice, Math.round(slice * factor)));
}

/** The guest waits for something that cannot happen any more. */
function idleForGood(
  machine: RunnableMachine,
  input: InputSource,
  sleeping: { readonly tick: number },
): Outcome | undefined {
  if (input.open || input.waiting) return undefined;
  if (machine.idleUntil() === undefined) {
    return { outcome: 'halted', reason: 'HLT with interrupts enabled, no timer armed and no input to come' };
  }
  if (machine.ticks - sleeping.tick < hopeless) return undefined;
  return { outcome: 'halted', reason: 'idle for a virtual day: it waits for input, but standard input has ended' };
}

/** Waits until the guest's next timer is due or input has arrived, and moves the guest's time as far. */
async function wait(
  machine: RunnableMachine,
  input: InputSource,
  longest: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const next = machine.idleUntil();
  const begin = performance.now();
  const untilTimer = next === undefined ? Infinity : (next - machine.ticks) / nanosecondsPerMillisecond;
  const timer = new AbortController();
  const abort = (): void => {
    timer.abort();
  };
  signal?.addEventListener('abort', abort, { once: true });
  const inTime = await Promise.race([
    sleep(Math.max(0, Math.min(untilTimer, longest)), timer.signal).then(() => true),
    input.changed().then(() => false),
  ]);
  timer.abort();
  signal?.removeEventListener('abort', abort);
  const elapsed = Math.floor((performance.now() - begin) * nanosecondsPerMillisecond);
  const target = inTime && untilTimer <= longest && next !== undefined ? next : machine.ticks + elapsed;
  machine.skipTo(next === undefined ? target : Math.min(target, next));
}

function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done);
  });
}
