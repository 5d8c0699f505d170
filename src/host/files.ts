import { closeSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { codeOf, OutputError } from './console-output.js';

/** A file that was named on the command line cannot be read; the message says what to do. */
export class InputError extends Error {
  override readonly name = 'InputError';
  readonly code = 'INPUT';
}

const largestFile = 2 ** 31 - 1; // what one Node buffer read takes

/** Reads a file whole. `what` says what it is to be: `the image`, `the initrd`. Throws InputError. */
export function readInput(path: string, what: string): Uint8Array {
  try {
    const status = statSync(path);
    if (status.isDirectory()) throw new InputError(`${what} ${path} is a folder: give a file`);
    if (status.size > largestFile)
      throw new InputError(`${what} ${path} has ${String(status.size)} bytes, more than the guest can hold`);
    const { buffer, byteOffset, length } = readFileSync(path);
    const bytes = new Uint8Array(buffer, byteOffset, length);
    return length === buffer.byteLength ? bytes : bytes.slice(); // a small file lies in a buffer with others
  } catch (error) {
    if (error instanceof InputError) throw error;
    const code = codeOf(error);
    if (code === 'ENOENT') throw new InputError(`${what} ${path} does not exist`);
    if (code === 'EACCES' || code === 'EPERM') {
      throw new InputError(
        `${what} ${path} may not be read by you; copy it: sudo install -m 644 -o "$USER" ${quoted(path)} /tmp/ (a kernel is often readable as /usr/lib/modules/VERSION/vmlinuz)`,
      );
    }
    throw new InputError(`${what} ${path} cannot be read: ${code}`);
  }
}

const quoted = (path: string): string => (/^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`);

/** A file that is opened at once, so that a bad name shows before the guest runs, and written to piece by piece. */
export class OutputFile {
  private readonly descriptor: number;
  private failure: OutputError | undefined;

  /** Throws OutputError. */
  constructor(private readonly path: string) {
    try {
      this.descriptor = openSync(path, 'w');
    } catch (error) {
      throw new OutputError(path, codeOf(error));
    }
  }

  /** Never throws: a failure is kept for check(), and what follows is dropped. */
  write(text: string): void {
    if (this.failure !== undefined) return;
    try {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length;) at += writeSync(this.descriptor, bytes, at);
    } catch (error) {
      this.failure = new OutputError(this.path, codeOf(error));
    }
  }

  /** Throws OutputError when something could not be written. */
  check(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  /** Throws OutputError as well. */
  close(): void {
    try {
      closeSync(this.descriptor);
    } catch (error) {
      this.failure ??= new OutputError(this.path, codeOf(error));
    }
    this.check();
  }
}
