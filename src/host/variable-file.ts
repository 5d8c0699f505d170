import { realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import type { StoredVariable, VariableChange } from '../firmware/index.js';
import { VariableFormatError } from '../variables/errors.js';
import { recognise } from '../variables/recognise.js';
import { decodeStore, encodeRecord, encodeStore, storeHeader, type StoreContents } from '../variables/store-format.js';
import { StoredVariables } from '../variables/stored-variables.js';
import { codeOf } from './console-output.js';
import { hostStoreFiles, type StoreFiles, type StoreHandle } from './store-files.js';
import { LockedError, lockFile } from './variable-lock.js';

/** A variable store's file cannot be used; the message is one line and says what to do. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code = 'STORE';
}

export type CommitResult = 'stored' | 'no-space' | 'failed';

/** A log that is this long is written anew when less than a quarter of it is in use. */
const smallestRewrite = 64 * 1024;

export interface VariableFileOptions {
  /** The host's own when left out. */
  readonly files?: StoreFiles;
  /** Takes the file for this process; the host's own lock when left out. */
  readonly lock?: (file: string) => () => void;
}

/**
 * A variable store's file, open for changes by this process alone. A change is one record, appended and synced; a record that
 * fails is cut off again. The file is replaced as a whole, by rename, when it is new, imported to, or mostly history.
 */
export class VariableFile {
  private handle: StoreHandle | undefined;
  private length = 0;
  private rewriteAbove = smallestRewrite;
  /** Why the last change failed, as the system says; for the user. */
  failure: string | undefined;
  /** Bytes of a write that was cut off in an earlier run: dropped, as nobody was told that they are stored. */
  dropped = 0;
  private variables = new StoredVariables();

  private constructor(
    readonly file: string,
    private readonly files: StoreFiles,
    private readonly release: () => void,
  ) {}

  /** Opens a store for changes, creates it when there is none. Throws StoreError. */
  static open(file: string, { files = hostStoreFiles, lock = lockFile }: VariableFileOptions = {}): VariableFile {
    const real = files === hostStoreFiles ? regularFile(file) : file;
    const release = taking(file, () => lock(real));
    const store = new VariableFile(real, files, release);
    try {
      taking(file, () => {
        store.start();
      });
    } catch (error) {
      store.close();
      throw error;
    }
    return store;
  }

  /** What a store holds now, without taking it; a process that changes it meanwhile does no harm. Throws StoreError. */
  static read(file: string): StoredVariable[] {
    return taking(file, () => {
      const bytes = hostStoreFiles.read(regularFile(file));
      if (bytes === undefined) {
        throw new StoreError(`${file} does not exist: efikit boot --vars, vars set and vars import create a store`);
      }
      return bytes.length === 0 ? [] : contentsOf(bytes).variables.all();
    });
  }

  all(): StoredVariable[] {
    return this.variables.all();
  }

  /** Makes one change last. On anything but `stored` the store is as it was; `failure` says why. */
  readonly commit = (change: VariableChange): CommitResult => {
    const after = new StoredVariables(this.variables.all());
    after.apply(change);
    return this.attempt(after, () => {
      if (this.handle === undefined) this.rewrite(after);
      else this.append(this.handle, encodeRecord(change));
    });
  };

  /** Makes these the variables of the store, all or nothing. */
  replace(variables: readonly StoredVariable[]): CommitResult {
    const after = new StoredVariables(variables);
    return this.attempt(after, () => {
      this.rewrite(after);
    });
  }

  /** Gives the file back. */
  close(): void {
    this.closeHandle();
    this.release();
  }

  private start(): void {
    this.files.remove(this.temporary);
    const bytes = this.files.read(this.file);
    if (bytes === undefined || bytes.length === 0) {
      this.rewrite(this.variables);
      return;
    }
    const { variables, length, unfinished } = contentsOf(bytes);
    this.variables = variables;
    this.length = length;
    this.handle = this.files.open(this.file);
    this.dropped = unfinished;
    if (unfinished > 0) this.handle.truncate(length);
    this.handle.sync(); // a record that is whole may not have reached the medium before its writer ended
    this.rewriteWhenMostlyHistory();
  }

  private attempt(after: StoredVariables, write: () => void): CommitResult {
    try {
      write();
    } catch (error) {
      const code = codeOf(error);
      this.failure = describeFailure(code);
      return ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(code) ? 'no-space' : 'failed';
    }
    this.variables = after;
    this.failure = undefined;
    this.rewriteWhenMostlyHistory();
    return 'stored';
  }

  private append(handle: StoreHandle, record: Uint8Array): void {
    try {
      writeAll(handle, record, this.length);
      handle.sync();
    } catch (error) {
      this.cutOff(handle);
      throw error;
    }
    this.length += record.length;
  }

  /** Takes back what of a record was written. Where that fails too, the next change writes the file anew. */
  private cutOff(handle: StoreHandle): void {
    try {
      handle.truncate(this.length);
      handle.sync();
    } catch {
      this.closeHandle();
    }
  }

  /** Replaces the file. Until the rename the old one stands; after it the new one does, whole. */
  private rewrite(variables: StoredVariables): void {
    const bytes = encodeStore(variables.all());
    let handle: StoreHandle | undefined;
    try {
      handle = this.files.create(this.temporary, this.file);
      writeAll(handle, bytes, 0);
      handle.sync();
      this.files.rename(this.temporary, this.file);
    } catch (error) {
      closeQuietly(handle);
      this.removeTemporary();
      throw error;
    }
    this.closeHandle();
    this.handle = handle;
    this.length = bytes.length;
    this.rewriteAbove = Math.max(smallestRewrite, bytes.length * 4);
    try {
      this.files.syncFolder(path.dirname(this.file));
    } catch (error) {
      this.closeHandle(); // which file a power failure leaves is unknown: the next change writes it anew
      throw error;
    }
  }

  private rewriteWhenMostlyHistory(): void {
    if (this.length <= this.rewriteAbove) return;
    this.rewriteAbove = this.length * 2; // what fails now is not tried at each change
    const size = this.variables.all().reduce((sum, { data }) => sum + data.length + 128, storeHeader().length);
    if (size * 4 > this.length) return;
    try {
      this.rewrite(this.variables);
    } catch {
      // the log goes on as it is
    }
  }

  private get temporary(): string {
    return `${this.file}.new`;
  }

  private removeTemporary(): void {
    try {
      this.files.remove(this.temporary);
    } catch {
      // the next process that opens the store does it
    }
  }

  private closeHandle(): void {
    closeQuietly(this.handle);
    this.handle = undefined;
  }
}

function closeQuietly(handle: StoreHandle | undefined): void {
  try {
    handle?.close();
  } catch {
    // what counts was synced
  }
}

function writeAll(handle: StoreHandle, bytes: Uint8Array, offset: number): void {
  for (let at = 0; at < bytes.length;) at += handle.write(bytes.subarray(at), offset + at);
}

/** The file behind links; the name itself when there is none yet. Throws StoreError for what is no file. */
function regularFile(file: string): string {
  let real;
  try {
    real = realpathSync(file);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    return path.join(realpathSync(path.dirname(file)), path.basename(file));
  }
  if (!statSync(real).isFile()) throw new StoreError(`${file} is no regular file: give one, or a name that is free`);
  return real;
}

/** Reads a store's bytes; says of another format's how they come in. */
function contentsOf(bytes: Uint8Array): StoreContents {
  const format = recognise(bytes);
  if (format === 'store') return decodeStore(bytes);
  throw new VariableFormatError(
    format === undefined
      ? 'no variable store, nor anything that efikit vars import knows'
      : `${format.description}; bring it in with: efikit vars import --vars NEW-FILE --data THIS-FILE`,
  );
}

const failures: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on the device (ENOSPC); free some',
  EDQUOT: 'the disk quota is used up (EDQUOT); free some',
  EFBIG: 'the file grew beyond its limit (EFBIG)',
  EROFS: 'the file system is read-only (EROFS); take a copy elsewhere',
  EACCES: 'permission denied (EACCES); it and its folder must be writable, or take a copy elsewhere',
  EPERM: 'not permitted (EPERM); take a copy elsewhere',
  ENOENT: 'its folder does not exist (ENOENT); create it first',
  ENOTDIR: 'a folder of its path is a file (ENOTDIR)',
};
const describeFailure = (code: string): string => failures[code] ?? code;

/** Turns what can go wrong with a file into a StoreError that names it. */
function taking<T>(file: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof StoreError) throw error;
    if (error instanceof LockedError) throw new StoreError(error.message, { cause: error });
    if (error instanceof VariableFormatError) throw new StoreError(`${file}: ${error.message}`, { cause: error });
    throw new StoreError(`the variable store ${file} cannot be used: ${describeFailure(codeOf(error))}`, {
      cause: error,
    });
  }
}
