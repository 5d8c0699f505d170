import type { StoreFiles, StoreHandle } from '../../src/host/store-files.js';

/** The process is gone: nothing that it does any more has an effect. */
export class Killed extends Error {}

interface SimulatedFile {
  live: Uint8Array;
  synced: Uint8Array;
}

export type PowerLoss = 'nothing-unsynced' | 'half-of-it' | 'zeros' | 'everything';

/**
 * A file system in memory where each byte written and each other operation is one step. The process dies at a chosen step,
 * the medium is full at a chosen size, or chosen operations fail.
 */
export class SimulatedFiles implements StoreFiles {
  private names = new Map<string, SimulatedFile>();
  private syncedNames = new Map<string, SimulatedFile>();
  steps = 0;
  dieAt = Infinity;
  room = Infinity; // bytes of all files
  /** Operations that fail, with the system's code. */
  readonly failing = new Map<'write' | 'sync' | 'truncate' | 'rename' | 'syncFolder' | 'create', string>();

  /** What a later process finds: after a kill all that was written, after a power failure what this says. */
  restart(powerLoss: PowerLoss = 'everything'): void {
    this.dieAt = Infinity;
    this.failing.clear();
    if (powerLoss === 'everything') return;
    this.names = new Map(powerLoss === 'nothing-unsynced' ? this.syncedNames : this.names);
    for (const file of this.names.values()) {
      const { synced, live } = file;
      const reached = powerLoss === 'nothing-unsynced' ? 0 : Math.floor((live.length - synced.length) / 2);
      // Bytes that were never synced: some of them, none, or fewer than the file's length says.
      const after = live.slice(0, powerLoss === 'zeros' ? live.length : Math.max(synced.length + reached, 0));
      after.set(synced.subarray(0, after.length));
      if (powerLoss === 'zeros') after.fill(0, synced.length); // the length reached the medium, the content did not
      file.live = powerLoss === 'nothing-unsynced' ? synced.slice() : after;
      file.synced = file.live.slice();
    }
    this.syncedNames = new Map(this.names);
  }

  content(path: string): Uint8Array | undefined {
    return this.names.get(path)?.live;
  }

  /** What another program does to a file: in place, by a new one, or by removing it. */
  meddle(path: string, how: 'in place' | 'new file' | 'removed', content = new Uint8Array()): void {
    const file = this.names.get(path);
    if (how === 'removed') this.names.delete(path);
    else if (how === 'in place' && file !== undefined) file.live = content;
    else this.names.set(path, { live: content, synced: content });
  }

  list(): string[] {
    return [...this.names.keys()];
  }

  read(path: string): Uint8Array | undefined {
    this.step();
    return this.names.get(path)?.live.slice();
  }

  open(path: string): StoreHandle {
    this.step();
    const file = this.names.get(path);
    if (file === undefined) throw failure('ENOENT');
    return this.handle(file);
  }

  create(path: string): StoreHandle {
    this.step('create');
    if (this.names.has(path)) throw failure('EEXIST');
    const file = { live: new Uint8Array(), synced: new Uint8Array() };
    this.names.set(path, file);
    return this.handle(file);
  }

  rename(from: string, to: string): void {
    this.step('rename');
    const file = this.names.get(from);
    if (file === undefined) throw failure('ENOENT');
    this.names.delete(from);
    this.names.set(to, file);
  }

  remove(path: string): void {
    this.step();
    this.names.delete(path);
  }

  syncFolder(): void {
    this.step('syncFolder');
    this.syncedNames = new Map(this.names);
  }

  private handle(file: SimulatedFile): StoreHandle {
    return {
      write: (bytes, offset) => {
        this.step('write');
        const grows = Math.max(0, offset + bytes.length - file.live.length);
        const fits = this.room === Infinity ? grows : Math.min(grows, Math.max(0, this.room - this.used()));
        const count = bytes.length - (grows - fits);
        if (count <= 0) throw failure('ENOSPC');
        const alive = Math.min(count, this.dieAt - this.steps);
        if (offset + alive > file.live.length) file.live = grown(file.live, offset + alive);
        file.live.set(bytes.subarray(0, alive), offset);
        this.steps += alive;
        if (alive < count) throw new Killed('killed');
        return count;
      },
      sync: () => {
        this.step('sync');
        file.synced = file.live.slice();
      },
      truncate: (length) => {
        this.step('truncate');
        file.live = file.live.slice(0, length);
      },
      look: (path) => {
        this.step();
        const named = this.names.get(path);
        const found = named === undefined ? 'nothing' : named === file ? 'this file' : 'another file';
        return { length: file.live.length, named: found };
      },
      close: () => undefined,
    };
  }

  private used(): number {
    return [...this.names.values()].reduce((sum, { live }) => sum + live.length, 0);
  }

  private step(operation?: 'write' | 'sync' | 'truncate' | 'rename' | 'syncFolder' | 'create'): void {
    if (this.steps >= this.dieAt) throw new Killed('killed');
    this.steps++;
    const code = operation === undefined ? undefined : this.failing.get(operation);
    if (code !== undefined) throw failure(code);
  }
}

function grown(bytes: Uint8Array, length: number): Uint8Array {
  const larger = new Uint8Array(length);
  larger.set(bytes);
  return larger;
}

function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}
