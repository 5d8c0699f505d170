import { concatenate } from '../bytes/concatenate.js';

/** The line with which Linux closes a panic; before it comes "Kernel panic - not syncing: REASON". Linux kernel/panic.c. */
const panicStart = /Kernel panic - not syncing(?:: ([^\r\n]*))?/;
const panicEnd = /^(?:\[ *\d+\.\d+\] )?---\[ end Kernel panic - not syncing/;
const longestLine = 4096;

/** What a watch has seen: plain data. */
export interface ConsoleState {
  /** Everything that was written, a character a byte. */
  readonly written: string;
  /** The line that is not at its end yet. */
  readonly line: string;
  readonly panic: string | null;
}

/** A text that somebody waits for, as UTF-8 bytes, and the last bytes that were written. */
interface Wanted {
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly recent: number[];
}

/** Keeps what the guest writes to its console and looks for texts in it. */
export class ConsoleWatch {
  /** The reason of a kernel panic, once one was announced. */
  panic: string | undefined;
  /** The guest's kernel has said all that it will say after a panic. */
  onPanicEnd: (reason: string) => void = () => undefined;
  /** A text that `waitFor` was given has appeared. */
  onText: (text: string) => void = () => undefined;
  private readonly chunks: Uint8Array[] = [];
  private chunk = new Uint8Array(1024);
  private used = 0;
  private line = '';
  private wanted: readonly Wanted[] = [];

  /** Calls onText when the console has written these UTF-8 bytes, one after the other. */
  waitFor(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.wanted = [...this.wanted, { text, bytes, recent: [] }];
  }

  save(): ConsoleState {
    let written = '';
    for (const byte of this.bytes()) written += String.fromCharCode(byte);
    return { written, line: this.line, panic: this.panic ?? null };
  }

  /** Goes on from a saved state. */
  restore({ written, line, panic }: ConsoleState): void {
    this.chunks.splice(0);
    this.chunk = Uint8Array.from(written, (character) => character.charCodeAt(0));
    this.used = this.chunk.length;
    this.line = line;
    this.panic = panic ?? undefined;
  }

  write(byte: number): void {
    if (this.used === this.chunk.length) {
      this.chunks.push(this.chunk);
      this.chunk = new Uint8Array(Math.max(1024, Math.min(this.chunk.length * 2, 65536)));
      this.used = 0;
    }
    this.chunk[this.used++] = byte;
    for (const wanted of this.wanted) this.compare(byte, wanted);
    if (byte === 10) this.endLine();
    else if (this.line.length < longestLine) this.line += String.fromCharCode(byte);
  }

  /** Everything that was written. */
  bytes(): Uint8Array {
    return concatenate([...this.chunks, this.chunk.subarray(0, this.used)]);
  }

  private compare(byte: number, wanted: Wanted): void {
    const { text, bytes, recent } = wanted;
    recent.push(byte);
    if (recent.length > bytes.length) recent.shift();
    if (recent.length < bytes.length || recent.some((value, i) => value !== bytes[i])) return;
    this.wanted = this.wanted.filter((other) => other !== wanted);
    this.onText(text);
  }

  private endLine(): void {
    const { line } = this;
    this.line = '';
    if (this.panic === undefined) {
      const found = panicStart.exec(line);
      if (found !== null && !panicEnd.test(line)) this.panic = found[1]?.trim() ?? 'no reason given';
    } else if (panicEnd.test(line)) {
      this.onPanicEnd(this.panic);
    }
  }
}
