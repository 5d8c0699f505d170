import type { Writable } from 'node:stream';

/** Writing to a stream failed; `code` is the system's (EPIPE, ENOSPC ...). */
export class OutputError extends Error {
  override readonly name = 'OutputError';
  constructor(
    readonly what: string,
    readonly code: string,
  ) {
    super(`cannot write ${what}: ${describe(code)}`);
  }
}

const texts: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on the device (ENOSPC); free some or write elsewhere',
  EACCES: 'permission denied (EACCES); write elsewhere',
  ENOENT: 'its folder does not exist (ENOENT); create it first',
  EISDIR: 'it is a folder (EISDIR); give a file name',
  EROFS: 'the file system is read-only (EROFS); write elsewhere',
  EFBIG: 'the file grew beyond its limit (EFBIG)',
  EDQUOT: 'the disk quota is used up (EDQUOT)',
  EPIPE: 'nobody reads it any more (EPIPE)',
};

const describe = (code: string): string => texts[code] ?? code;

/** The system's code of an error, or its message. */
export function codeOf(error: unknown): string {
  if (error instanceof Error) return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
  return String(error);
}

/** The guest's console bytes on their way to a stream: gathered, written between slices, with back-pressure. */
export class ConsoleOutput {
  private bytes = new Uint8Array(8192);
  private used = 0;
  private backedUp = false;
  private failure: OutputError | undefined;
  private wake: (() => void) | undefined;

  constructor(
    private readonly stream: Writable,
    private readonly what: string,
  ) {
    stream.on('error', this.failed);
    stream.on('drain', this.drained);
  }

  write(byte: number): void {
    if (this.used === this.bytes.length) {
      const larger = new Uint8Array(this.used * 2);
      larger.set(this.bytes);
      this.bytes = larger;
    }
    this.bytes[this.used++] = byte;
  }

  writeText(text: string): void {
    for (const byte of new TextEncoder().encode(text)) this.write(byte);
  }

  /** Hands over what was gathered without waiting, so that what another output writes next comes behind it. */
  push(): void {
    if (this.used === 0) return;
    this.backedUp = !this.stream.write(Buffer.from(this.bytes.slice(0, this.used)));
    this.used = 0;
  }

  /** Hands over what was gathered and waits while the stream backs up. Throws OutputError once it has failed. */
  async flush(): Promise<void> {
    this.check();
    this.push();
    if (this.backedUp) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    this.check();
  }

  /** Flushes and waits until the stream took everything. Throws OutputError. */
  async finish(): Promise<void> {
    await this.flush();
    await new Promise<void>((resolve) => {
      this.stream.write('', () => {
        resolve();
      });
    });
    await new Promise((resolve) => setImmediate(resolve)); // an error event comes after the callback
    this.check();
  }

  private check(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  private readonly failed = (error: Error): void => {
    this.failure ??= new OutputError(this.what, codeOf(error));
    this.drained();
  };

  private readonly drained = (): void => {
    this.backedUp = false;
    this.wake?.();
    this.wake = undefined;
  };
}
