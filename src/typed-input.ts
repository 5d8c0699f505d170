/** What was typed at the guest's console and when, so that the run can be repeated. */

/** Bytes that reached the UART together: the tick, and two lower-case hexadecimal digits a byte. */
export interface TypedBytes {
  readonly tick: number;
  readonly bytes: string;
}

/** Plain JSON data. */
export interface TypedInputState {
  readonly log: readonly TypedBytes[];
  /** What is due at a tick to come, in order. */
  readonly pending: readonly TypedBytes[];
}

/** Sorts behind the devices' events, so that those of the same tick come first in every run. */
export const typedInputEvent = 'typed-input';

export interface TypedInputHost {
  now(): number;
  /** The guest waits in HLT, between two runs. */
  idle(): boolean;
  schedule(name: string, tick: number): void;
  /** Hands bytes to the UART. */
  deliver(bytes: Uint8Array): void;
}

/** A log of typed input cannot be replayed; the message says why and what to do. */
export class InputLogError extends Error {
  override readonly name = 'InputLogError';
  readonly code = 'INPUT_LOG';
}

export class TypedInput {
  private delivered: TypedBytes[] = [];
  private pending: TypedBytes[] = [];

  constructor(private readonly host: TypedInputHost) {}

  /** Everything typed so far, replayed bytes included. */
  get log(): readonly TypedBytes[] {
    return this.delivered;
  }

  /** Entries that the UART does not have yet. */
  get waiting(): number {
    return this.pending.length;
  }

  /**
   * Hands bytes to the guest: one that waits in HLT has them now, one that runs at its next tick. Several instruction
   * boundaries can share a tick (a fault takes none), and only the first of them can be found again by a replay.
   */
  type(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const tick = this.host.now() + (this.host.idle() ? 0 : 1);
    this.enqueue([{ tick, bytes: Array.from(bytes, hexByte).join('') }]);
  }

  /** Types what a log says at the ticks it says. Throws InputLogError. */
  replay(log: readonly TypedBytes[]): void {
    const entries = checkInputLog(log);
    const [first] = entries;
    const now = this.host.now();
    if (first !== undefined && first.tick < now) {
      throw new InputLogError(
        `the log begins at tick ${String(first.tick)} and the machine is at ${String(now)}: replay it from the start`,
      );
    }
    this.enqueue(entries);
  }

  /** The event is due. The log gets the tick of the delivery, which can lie behind the one that was asked for. */
  onEvent(): void {
    const tick = this.host.now();
    while (this.pending[0] !== undefined && this.pending[0].tick <= tick) {
      const { bytes } = this.pending[0];
      this.pending.shift();
      this.delivered.push({ tick, bytes });
      this.host.deliver(Uint8Array.from(bytes.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)));
    }
    this.scheduleNext();
  }

  save(): TypedInputState {
    return { log: [...this.delivered], pending: [...this.pending] };
  }

  /** Takes up a saved state. The pending event is the machine's to restore. */
  restore(state: TypedInputState): void {
    this.delivered = [...state.log];
    this.pending = [...state.pending];
  }

  private enqueue(entries: readonly TypedBytes[]): void {
    this.pending = [...this.pending, ...entries].sort((a, b) => a.tick - b.tick);
    this.scheduleNext();
  }

  private scheduleNext(): void {
    const [next] = this.pending;
    if (next !== undefined) this.host.schedule(typedInputEvent, next.tick);
  }
}

/** A log of typed input that came as data, a file's say. Throws InputLogError naming the entry that is wrong. */
export function checkInputLog(log: unknown): readonly TypedBytes[] {
  if (!Array.isArray(log)) throw new InputLogError('a log of typed input is a list of {"tick": N, "bytes": "hex"}');
  let last = 0;
  return log.map((entry: unknown, i) => {
    const { tick, bytes } = (entry ?? {}) as Partial<Record<keyof TypedBytes, unknown>>;
    const where = `entry ${String(i)} of the log of typed input`;
    if (typeof tick !== 'number' || !Number.isSafeInteger(tick) || tick < last) {
      throw new InputLogError(`${where}: "tick" must be a whole number and at least ${String(last)}`);
    }
    if (typeof bytes !== 'string' || !/^(?:[0-9a-f]{2})+$/i.test(bytes)) {
      throw new InputLogError(`${where}: "bytes" must be hexadecimal digits, two for each byte`);
    }
    last = tick;
    return { tick, bytes: bytes.toLowerCase() };
  });
}

const hexByte = (byte: number): string => byte.toString(16).padStart(2, '0');
