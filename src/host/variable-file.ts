import { lstatSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import type { StoredVariable, VariableChange } from '../firmware/index.js';
import { VariableFormatError } from '../variables/errors.js';
import { qcow2Error, recognise } from '../variables/recognise.js';
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
  /** The file is made with the first change, not at once. */
  readonly createLater?: boolean;
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
  /** What was found in the file beside its variables, for the user: an unfinished write, or nothing at all. */
  notice: string | undefined;
  private variables = new StoredVariables();

  private constructor(
    readonly file: string,
    private readonly files: StoreFiles,
    private readonly release: () => void,
  ) {}

  /** Opens a store for changes, creates it when there is none. Throws StoreError. */
  static open(
    file: string,
    { files = hostStoreFiles, lock = lockFile, createLater = false }: VariableFileOptions = {},
  ): VariableFile {
    const real = files === hostStoreFiles ? taking(file, () => storeFile(file, 'write')) : file;
    const release = taking(file, () => lock(real));
    const store = new VariableFile(real, files, release);
    try {
      taking(file, () => {
        store.start(createLater);
      });
    } catch (error) {
      store.close();
      throw error;
    }
    return store;
  }

  /**
   * What a store holds now, without taking it; a process that changes it meanwhile does no harm. `say` gets what was found
   * beside its variables. Throws StoreError.
   */
  static read(file: string, say: (notice: string) => void = () => undefined): StoredVariable[] {
    return taking(file, () => {
      const bytes = hostStoreFiles.read(storeFile(file, 'read'));
      if (bytes === undefined) {
        throw new StoreError(`${file} does not exist: efikit boot --vars, vars set and vars import create a store`);
      }
      const { variables, notice } = contentsOf(bytes, file);
      if (notice !== undefined) say(notice);
      return variables.all();
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
      const handle = this.handle;
      if (handle !== undefined && this.isWhole(handle)) this.append(handle, encodeRecord(change));
      else this.rewrite(after);
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

  private start(createLater: boolean): void {
    this.files.remove(this.temporary);
    const bytes = this.files.read(this.file);
    if (bytes === undefined) {
      if (!createLater) this.rewrite(this.variables);
      return;
    }
    const { variables, length, unfinished, notice } = contentsOf(bytes, this.file);
    this.variables = variables;
    this.length = length;
    this.notice = notice;
    this.handle = this.files.open(this.file); // refuses a file that is not to be written to
    if (length === 0) {
      this.rewrite(variables);
      return;
    }
    if (unfinished > 0) this.handle.truncate(length);
    this.handle.sync(); // a record that is whole may not have reached the medium before its writer ended
    this.rewriteWhenMostlyHistory();
  }

  /** False when somebody removed the file or cut it: it is made anew, of what is known. Throws when it is another one. */
  private isWhole(handle: StoreHandle): boolean {
    const { length, named } = handle.look(this.file);
    if (named === 'another file') throw new ChangedError('replaced');
    if (length > this.length) throw new ChangedError('written to');
    return named === 'this file' && length === this.length;
  }

  private attempt(after: StoredVariables, write: () => void): CommitResult {
    try {
      write();
    } catch (error) {
      const code = codeOf(error);
      this.failure = error instanceof ChangedError ? error.message : describeFailure(code);
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
    this.replaceFile(variables);
    try {
      this.files.syncFolder(path.dirname(this.file));
    } catch (error) {
      // Which file a power failure leaves is unknown: the old content comes back, and the next change writes it anew.
      quietly(() => {
        this.replaceFile(this.variables);
      });
      this.closeHandle();
      throw error;
    }
  }

  private replaceFile(variables: StoredVariables): void {
    const bytes = encodeStore(variables.all());
    let handle: StoreHandle | undefined;
    try {
      this.files.remove(this.temporary);
      handle = this.files.create(this.temporary, this.file);
      writeAll(handle, bytes, 0);
      handle.sync();
      this.files.rename(this.temporary, this.file);
    } catch (error) {
      quietly(() => handle?.close());
      quietly(() => {
        this.files.remove(this.temporary); // else the next process that opens the store does it
      });
      throw error;
    }
    this.closeHandle();
    this.handle = handle;
    this.length = bytes.length;
    this.rewriteAbove = Math.max(smallestRewrite, bytes.length * 4);
  }

  private rewriteWhenMostlyHistory(): void {
    if (this.length <= this.rewriteAbove) return;
    this.rewriteAbove = this.length * 2; // what fails now is not tried at each change
    const size = this.variables.all().reduce((sum, { data }) => sum + data.length + 128, storeHeader().length);
    if (size * 4 > this.length) return;
    quietly(() => {
      this.rewrite(this.variables); // when it fails the log goes on as it is
    });
  }

  /** A name that nobody has for a file of theirs. */
  private get temporary(): string {
    return path.join(path.dirname(this.file), `.${path.basename(this.file)}.rewrite`);
  }

  private closeHandle(): void {
    const handle = this.handle;
    this.handle = undefined;
    quietly(() => handle?.close());
  }
}

/** Somebody else changed the file, which this process has. */
class ChangedError extends Error {
  constructor(how: string) {
    super(`the file was ${how} by another program while it is in use; give each program a store of its own`);
  }
}

/** For what may fail without harm: what counts was synced. */
function quietly(action: () => void): void {
  try {
    action();
  } catch {
    // see above
  }
}

function writeAll(handle: StoreHandle, bytes: Uint8Array, offset: number): void {
  for (let at = 0; at < bytes.length;) at += handle.write(bytes.subarray(at), offset + at);
}

/** The file behind links; the name itself when there is none yet. Throws StoreError for what is no file. */
function storeFile(file: string, purpose: 'read' | 'write'): string {
  let real;
  try {
    real = realpathSync(file);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    if (lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() === true) {
      throw new StoreError(`${file} is a link to ${readlinkSync(file)}, which does not exist: name that file itself`);
    }
    return path.join(realpathSync(path.dirname(file)), path.basename(file));
  }
  const status = statSync(real);
  if (!status.isFile()) throw new StoreError(`${file} is no regular file: give one, or a name that is free`);
  if (status.nlink > 1 && purpose === 'write') {
    throw new StoreError(`${file} has ${String(status.nlink)} names (hard links), and a store has one: take a copy`);
  }
  return real;
}

/** Reads a store's bytes; says of another format's how they come in. An empty file is a store that nobody wrote to yet. */
function contentsOf(bytes: Uint8Array, file: string): StoreContents & { readonly notice: string | undefined } {
  const variables = new StoredVariables();
  if (bytes.length === 0) return { variables, length: 0, unfinished: 0, notice: 'the file is empty: a new store' };
  const format = recognise(bytes);
  if (format === 'store') {
    const contents = decodeStore(bytes);
    const { unfinished } = contents;
    const notice = `the last ${String(unfinished)} bytes are a write that was not finished, left out`;
    return { ...contents, notice: unfinished === 0 ? undefined : notice };
  }
  if (format?.kind === 'qcow2') throw new StoreError(qcow2Error(file).message);
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
  ELOOP: 'its links lead in a circle (ELOOP)',
  ENAMETOOLONG: 'its name is too long (ENAMETOOLONG); about 180 bytes leave room for the lock beside it',
  EBUSY: 'it is a mount point (EBUSY); mount its folder instead',
  EIO: 'input or output error of the medium (EIO)',
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
