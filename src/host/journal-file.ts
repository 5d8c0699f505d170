/** The journal of an ablation as a file of JSON lines, so that it can be interrupted at any time and gone on with. */
import { appendFileSync, existsSync, readFileSync, truncateSync } from 'node:fs';
import type { Journal } from '../ablate/journal.js';
import type { RunRecord } from '../ablate/job.js';
import { codeOf, OutputError } from './console-output.js';
import { InputError } from './files.js';

interface Line {
  /** Of which ablation: everything that its runs depend on, as a hash. */
  readonly of: string;
  readonly id: string;
  readonly record: RunRecord;
}

/** A file may hold several ablations. A last line that is not complete, because its writer was killed, is cut off. */
export class JournalFile {
  private readonly lines = new Map<string, RunRecord>();

  /** Throws InputError for what is no such file, OutputError where it cannot be written. */
  constructor(private readonly path: string) {
    if (existsSync(path)) this.read();
    this.append(''); // a bad name shows before anything runs
  }

  /** The part of one ablation. */
  of(fingerprint: string): Journal {
    return {
      get: (id) => this.lines.get(`${fingerprint} ${id}`),
      put: (id, record) => {
        this.lines.set(`${fingerprint} ${id}`, record);
        this.append(`${JSON.stringify({ of: fingerprint, id, record } satisfies Line)}\n`);
      },
    };
  }

  private read(): void {
    let bytes: Buffer;
    try {
      bytes = readFileSync(this.path);
    } catch (error) {
      throw new InputError(`the journal ${this.path} cannot be read: ${codeOf(error)}`);
    }
    const end = bytes.lastIndexOf(10) + 1;
    bytes
      .subarray(0, end)
      .toString('utf8')
      .split('\n')
      .filter((text) => text !== '')
      .forEach((text, index) => {
        const line = parse(text);
        if (line === undefined) {
          throw new InputError(
            `${this.path}: line ${String(index + 1)} is none of an ablation: give another name with --journal, or remove the file`,
          );
        }
        this.lines.set(`${line.of} ${line.id}`, line.record);
      });
    if (end < bytes.length) {
      const isOurs = this.lines.size > 0 || bytes.subarray(end).toString('latin1').startsWith('{"of":');
      if (!isOurs) throw new InputError(`${this.path} is no journal of an ablation: give another name with --journal`);
      truncateSync(this.path, end);
    }
  }

  private append(text: string): void {
    try {
      appendFileSync(this.path, text);
    } catch (error) {
      throw new OutputError(this.path, codeOf(error));
    }
  }
}

function parse(text: string): Line | undefined {
  try {
    const line = JSON.parse(text) as Partial<Line> | null;
    const isLine = typeof line?.of === 'string' && typeof line.id === 'string' && typeof line.record === 'object';
    return isLine ? (line as Line) : undefined;
  } catch {
    return undefined;
  }
}
