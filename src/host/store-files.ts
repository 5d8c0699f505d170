import {
  closeSync,
  fchmodSync,
  fchownSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
  type Stats,
} from 'node:fs';
import { codeOf } from './console-output.js';

/** What has become of an open file. */
export interface StoreFileState {
  readonly length: number; // bytes
  /** What its name leads to now. */
  readonly named: 'this file' | 'another file' | 'nothing';
}

/** An open file of a store. */
export interface StoreHandle {
  /** Writes at an offset; may write fewer bytes than given and answers how many. */
  write(bytes: Uint8Array, offset: number): number;
  /** Returns when the content is on the medium. */
  sync(): void;
  truncate(length: number): void;
  /** Looks whether somebody else cut, continued, replaced or removed it. */
  look(path: string): StoreFileState;
  close(): void;
}

/** The file operations that a store is made of. All throw Error with a `code` as Node does; tests give others. */
export interface StoreFiles {
  /** The whole file; undefined when it does not exist. */
  read(path: string): Uint8Array | undefined;
  /** An existing file, to be written to. */
  open(path: string): StoreHandle;
  /** A new, empty file, with the owner and permissions of `like` when that exists. */
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
    const descriptor = openSync(path, 'wx'); // follows no link that somebody put there
    try {
      const model = unless('ENOENT', () => statSync(like));
      if (model !== undefined) imitate(descriptor, model);
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
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

/** Gives a file the owner, group and permissions of another, so that sudo takes no store away from its owner. */
function imitate(descriptor: number, { uid, gid, mode }: Stats): void {
  const own = fstatSync(descriptor);
  if (own.uid !== uid || own.gid !== gid) {
    try {
      fchownSync(descriptor, uid, gid);
    } catch (error) {
      // Only root gives files away: who may write a file of somebody else keeps its group where that goes.
      if (codeOf(error) !== 'EPERM') throw error;
      unless('EPERM', () => {
        fchownSync(descriptor, own.uid, gid);
      });
    }
  }
  fchmodSync(descriptor, mode & 0o777);
}

function handle(descriptor: number): StoreHandle {
  return {
    write: (bytes, offset) => writeSync(descriptor, bytes, 0, bytes.length, offset),
    sync: () => {
      fdatasyncSync(descriptor);
    },
    truncate: (length) => {
      ftruncateSync(descriptor, length);
    },
    look: (path) => {
      const { size, dev, ino } = fstatSync(descriptor);
      const named = statSync(path, { throwIfNoEntry: false });
      if (named === undefined) return { length: size, named: 'nothing' };
      return { length: size, named: named.ino === ino && named.dev === dev ? 'this file' : 'another file' };
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
