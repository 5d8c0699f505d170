import {
  closeSync,
  fchmodSync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { codeOf } from './console-output.js';

/** An open file of a store. */
export interface StoreHandle {
  /** Writes at an offset; may write fewer bytes than given and answers how many. */
  write(bytes: Uint8Array, offset: number): number;
  /** Returns when the content is on the medium. */
  sync(): void;
  truncate(length: number): void;
  close(): void;
}

/** The file operations that a store is made of. All throw Error with a `code` as Node does; tests give others. */
export interface StoreFiles {
  /** The whole file; undefined when it does not exist. */
  read(path: string): Uint8Array | undefined;
  /** An existing file, to be written to. */
  open(path: string): StoreHandle;
  /** An empty file, with the permissions of `like` when that exists. */
  create(path: string, like: string): StoreHandle;
  rename(from: string, to: string): void;
  /** Removes a file that may be there. */
  remove(path: string): void;
  /** Returns when names created, changed and removed in a folder are on the medium. */
  syncFolder(path: string): void;
}

/** The host's own file system. */
export const hostStoreFiles: StoreFiles = {
  read: (path) => unless('ENOENT', () => readFileSync(path)),
  open: (path) => handle(openSync(path, 'r+')),
  create: (path, like) => {
    const descriptor = openSync(path, 'w');
    const mode = unless('ENOENT', () => statSync(like).mode);
    if (mode !== undefined) fchmodSync(descriptor, mode & 0o777);
    return handle(descriptor);
  },
  rename: renameSync,
  remove: (path) => {
    unless('ENOENT', () => {
      unlinkSync(path);
    });
  },
  syncFolder: (path) => {
    let descriptor: number | undefined;
    try {
      descriptor = openSync(path, 'r');
      fsyncSync(descriptor);
    } catch (error) {
      // Windows opens no folder, and some network file systems sync none: there the rename must do.
      if (!['EISDIR', 'EPERM', 'EACCES', 'EINVAL', 'ENOTSUP'].includes(codeOf(error))) throw error;
    } finally {
      if (descriptor !== undefined) closeSync(descriptor);
    }
  },
};

function handle(descriptor: number): StoreHandle {
  return {
    write: (bytes, offset) => writeSync(descriptor, bytes, 0, bytes.length, offset),
    sync: () => {
      fdatasyncSync(descriptor);
    },
    truncate: (length) => {
      ftruncateSync(descriptor, length);
    },
    close: () => {
      closeSync(descriptor);
    },
  };
}

/** What `action` gives; undefined when it fails with this code. */
function unless<T>(code: string, action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (codeOf(error) === code) return undefined;
    throw error;
  }
}
