/** What was typed at the guest's console and when, so that the run can be repeated. */

/** Bytes that reached the UART together: the tick and the bytes in hex. */
export interface TypedBytes {
  readonly tick: number;
  readonly bytes: string;
}

export const typedInputEvent = 'typed-input';

export interface TypedInputHost {
  now(): number;
  schedule(name: string, tick: number): void;
  /** Hands bytes to the UART. */
  deliver(bytes: Uint8Array): void;
}

export class TypedInput {
  /** Everything typed so far, replayed bytes included. */
  readonly log: TypedBytes[] = [];
  private pending: readonly TypedBytes[] = [];

  constructor(private readonly host: TypedInputHost) {}

  /** Hands bytes to the guest now and keeps them in the log. */
  type(bytes: Uint8Array): void {
    this.log.push({ tick: this.host.now(), bytes: Array.from(bytes, hexByte).join('') });
    this.host.deliver(bytes);
  }

  /** Types what a log says at the ticks it says. Ticks that have passed are typed at once. */
  replay(log: readonly TypedBytes[]): void {
    this.pending = [...this.pending, ...log].sort((a, b) => a.tick - b.tick);
    this.scheduleNext();
  }

  /** The event `typed-input` is due. */
  onEvent(): void {
    while (this.pending[0] !== undefined && this.pending[0].tick <= this.host.now()) {
      const [{ bytes }, ...rest] = this.pending as readonly [TypedBytes, ...TypedBytes[]];
      this.pending = rest;
      this.type(Uint8Array.from(bytes.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)));
    }
    this.scheduleNext();
  }

  private scheduleNext(): void {
    const [next] = this.pending;
    if (next !== undefined) this.host.schedule(typedInputEvent, next.tick);
  }
}

const hexByte = (byte: number): string => byte.toString(16).padStart(2, '0');
