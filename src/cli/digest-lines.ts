import { DigestedMachine, formatDigest, type Digest } from '../digest.js';
import { OutputFile } from '../host/files.js';
import type { RunnableMachine } from '../host/run-loop.js';
import type { Machine } from '../machine.js';
import { UsageError } from './errors.js';
import type { Arguments } from './options.js';

/** What --digest and --digest-file ask for. */
export interface DigestRequest {
  readonly every: number; // ticks
  readonly path: string | undefined;
}

/** Throws UsageError. */
export function readDigestRequest(args: Arguments): DigestRequest | undefined {
  const every = args.count('digest');
  const path = args.text('digest-file');
  if (every !== undefined) return { every, path };
  if (path === undefined) return undefined;
  throw new UsageError(`--digest-file ${path}: say with --digest N how many ticks lie between two lines`);
}

/** Writes the digests of a boot, one line each: to the file, or where messages go. */
export class DigestLines {
  private readonly file: OutputFile | undefined;
  private last = -1;

  /** Opens the file. Throws OutputError. */
  constructor(
    private readonly request: DigestRequest,
    private readonly say: (line: string) => void,
  ) {
    this.file = request.path === undefined ? undefined : new OutputFile(request.path);
  }

  /** The machine for the host's loop. */
  watch(machine: Machine): RunnableMachine {
    return new DigestedMachine(machine, this.request.every, (tick, digest) => {
      this.write(tick, digest);
    });
  }

  private write(tick: number, digest: Digest): void {
    this.last = tick;
    const line = `${String(tick)} ${formatDigest(digest)}`;
    if (this.file === undefined) this.say(`digest ${line}`);
    else this.file.write(`${line}\n`);
  }

  /** The run is over: one more line. Throws OutputError. */
  finish(machine: Machine): void {
    if (machine.ticks !== this.last) this.write(machine.ticks, machine.digest());
    this.file?.close();
  }
}
