import { ConsoleInterface } from '../../firmware-tables/xen/console-ring.js';
import type { Stateful } from '../devices/device.js';
import { ByteRing } from './byte-ring.js';

const at = (field: Parameters<typeof ConsoleInterface.offsetOf>[0]) => ConsoleInterface.offsetOf(field);
const inPlace = { data: at('in'), size: 1024, cons: at('in_cons'), prod: at('in_prod') };
const outPlace = { data: at('out'), size: 2048, cons: at('out_cons'), prod: at('out_prod') };

export interface ConsoleRingState {
  readonly listening: boolean;
  readonly typed: readonly number[];
  readonly piped: readonly number[];
}

/**
 * The toolstack's side of the PV console (hvc0), as xenconsoled has it: everything in out[] is taken when the guest sends
 * an event, input enters in[] as there is room, and each of both is told by an event to the guest. A ring whose indices
 * are wrong is left alone until they are right. Xen public/io/console.h. The page is the domain's, to save as well.
 */
export class ConsoleRing implements Stateful<ConsoleRingState> {
  /** The guest wrote to its console. */
  onOutput: (bytes: Uint8Array) => void = () => undefined;

  private readonly in: ByteRing;
  private readonly out: ByteRing;
  private listening = false; // the guest has sent an event: it knows its console
  private typed: number[] = [];
  private piped: number[] = [];

  /** `page`: 4096 bytes shared with the guest; `signal` sends the guest the console's event. */
  constructor(
    page: Uint8Array,
    private readonly signal: () => void,
  ) {
    this.in = new ByteRing(page, inPlace);
    this.out = new ByteRing(page, outPlace);
  }

  /** The guest sent an event: there is output, or it read input. */
  onNotify(): void {
    this.listening = true;
    const output = this.out.take();
    if (output.length > 0) this.onOutput(output);
    const entered = this.fill();
    if (output.length > 0 || entered) this.signal();
  }

  /** Bytes as typed: they enter the ring as soon as there is room. */
  type(bytes: Uint8Array): void {
    for (const byte of bytes) this.typed.push(byte);
    if (this.fill()) this.signal();
  }

  /**
   * Bytes of a pipe or a file. They enter once the guest has sent its first event, each when the one before was read, so
   * that what the guest sees does not depend on when they came.
   */
  pipe(bytes: Uint8Array): void {
    for (const byte of bytes) this.piped.push(byte);
    if (this.fill()) this.signal();
  }

  /** Bytes of the host that the guest has not read yet. */
  get waiting(): number {
    return this.typed.length + this.piped.length + (this.in.used ?? 0);
  }

  save(): ConsoleRingState {
    return { listening: this.listening, typed: [...this.typed], piped: [...this.piped] };
  }

  restore(state: ConsoleRingState): void {
    this.listening = state.listening;
    this.typed = [...state.typed];
    this.piped = [...state.piped];
  }

  /** True when something entered. */
  private fill(): boolean {
    if (this.typed.length > 0) {
      const next = Uint8Array.from(this.typed.slice(0, this.in.free ?? 0));
      this.typed.splice(0, this.in.put(next));
      return next.length > 0;
    }
    if (this.piped.length === 0 || !this.listening || this.in.used !== 0) return false;
    this.in.put(Uint8Array.of(this.piped.shift() ?? 0));
    return true;
  }
}
