import type { ReadStream } from 'node:tty';
import type { InputSource } from './run-loop.js';

/** Where input goes: the machine. */
export interface ConsoleDevice {
  type(bytes: Uint8Array): void;
  pipe(bytes: Uint8Array): void;
  readonly waiting: number;
}

const controlA = 0x01;

/**
 * Standard input as the guest's console: a terminal is put into raw mode (Ctrl-A x leaves, Ctrl-A Ctrl-A types Ctrl-A),
 * a pipe or file is handed over byte by byte as the guest asks for it.
 */
export class ConsoleInput implements InputSource {
  open = true;
  private arrived: Uint8Array[] = [];
  private wake: (() => void) | undefined;
  private escaped = false;
  private readonly typed: boolean;
  private readonly restore = (): void => {
    if (this.typed) this.stream.setRawMode(false);
  };

  constructor(
    private readonly stream: ReadStream | NodeJS.ReadStream,
    private readonly device: ConsoleDevice,
    private readonly leave: () => void,
  ) {
    this.typed = stream.isTTY;
    if (this.typed) {
      stream.setRawMode(true);
      process.once('exit', this.restore); // also when something throws
    }
    stream.on('data', this.receive);
    stream.once('end', this.end);
    stream.once('error', this.end); // a closed descriptor is an input without bytes
  }

  get waiting(): boolean {
    return this.arrived.length > 0 || this.device.waiting > 0;
  }

  deliver(): boolean {
    if (this.arrived.length === 0) return false;
    for (const bytes of this.arrived.splice(0)) {
      if (this.typed) this.device.type(bytes);
      else this.device.pipe(bytes);
    }
    return true;
  }

  changed(): Promise<void> {
    if (this.arrived.length > 0 || !this.open) return Promise.resolve();
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }

  /** Gives the terminal back and stops listening. */
  close(): void {
    this.restore();
    process.removeListener('exit', this.restore);
    this.stream.off('data', this.receive);
    this.stream.off('end', this.end);
    this.stream.pause();
    this.end();
  }

  private readonly receive = (chunk: Buffer | string): void => {
    const bytes = typeof chunk === 'string' ? new TextEncoder().encode(chunk) : new Uint8Array(chunk);
    const forGuest = this.typed ? this.withoutEscapes(bytes) : bytes;
    if (forGuest.length > 0) this.arrived.push(forGuest);
    this.wakeUp();
  };

  private readonly end = (): void => {
    this.open = false;
    this.wakeUp();
  };

  private wakeUp(): void {
    this.wake?.();
    this.wake = undefined;
  }

  private withoutEscapes(bytes: Uint8Array): Uint8Array {
    const kept: number[] = [];
    for (const byte of bytes) {
      if (this.escaped) {
        this.escaped = false;
        if (byte === 0x78 || byte === 0x58) this.leave();
        else if (byte === controlA || byte === 0x61) kept.push(controlA);
      } else if (byte === controlA) {
        this.escaped = true;
      } else {
        kept.push(byte);
      }
    }
    return Uint8Array.from(kept);
  }
}

/** No input at all. */
export const noInput: InputSource = {
  open: false,
  waiting: false,
  deliver: () => false,
  changed: () => new Promise(() => undefined),
};

/** Nothing but what the device has already: a log that it replays, say. */
export const inputOf = (device: ConsoleDevice): InputSource => ({
  ...noInput,
  get waiting() {
    return device.waiting > 0;
  },
});
