import { concatenate } from '../bytes/concatenate.js';

/** The line with which Linux closes a panic; before it comes "Kernel panic - not syncing: REASON". Linux kernel/panic.c. */
const panicStart = /Kernel panic - not syncing(?:: ([^\r\n]*))?/;
const panicEnd = /^(?:\[ *\d+\.\d+\] )?---\[ end Kernel panic - not syncing/;
const longestLine = 4096;

/** Keeps what the guest writes to its console and looks for texts in it. */
export class ConsoleWatch {
  /** The reason of a kernel panic, once one was announced. */
  panic: string | undefined;
  /** The guest's kernel has said all that it will say after a panic. */
  onPanicEnd: (reason: string) => void = () => undefined;
  /** The text that `waitFor` was given has appeared. */
  onText: (text: string) => void = () => undefined;
  private readonly chunks: Uint8Array[] = [];
  private chunk = new Uint8Array(1024);
  private used = 0;
  private line = '';
  private wanted: { readonly text: string; readonly bytes: Uint8Array } | undefined;
  private recent: number[] = [];

  /** Calls onText when the console has written these UTF-8 bytes, one after the other. */
  waitFor(text: string): void {
    this.wanted = { text, bytes: new TextEncoder().encode(text) };
  }

  write(byte: number): void {
    if (this.used === this.chunk.length) {
      this.chunks.push(this.chunk);
      this.chunk = new Uint8Array(Math.min(this.chunk.length * 2, 65536));
      this.used = 0;
    }
    this.chunk[this.used++] = byte;
    if (this.wanted !== undefined) this.compare(byte, this.wanted);
    if (byte === 10) this.endLine();
    else if (this.line.length < longestLine) this.line += String.fromCharCode(byte);
  }

  /** Everything that was written. */
  bytes(): Uint8Array {
    return concatenate([...this.chunks, this.chunk.subarray(0, this.used)]);
  }

  private compare(byte: number, { text, bytes }: { text: string; bytes: Uint8Array }): void {
    this.recent.push(byte);
    if (this.recent.length > bytes.length) this.recent.shift();
    if (this.recent.length < bytes.length || this.recent.some((value, i) => value !== bytes[i])) return;
    this.wanted = undefined;
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
