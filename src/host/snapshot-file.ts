/** Snapshots of machines as files: a header, then what encodeSnapshot() gives, compressed. */
import { deflateSync, inflateSync } from 'node:zlib';
import { decodeSnapshot, encodeSnapshot, SnapshotError, snapshotVersion, type Snapshot } from '../snapshot.js';
import { readInput } from './files.js';
import { replaceFile } from './replace-file.js';

/** 0: magic; 8: version of the file's form; 12: version of the snapshot in it; 16: its bytes before compression. Little endian. */
const magic = 'EFIKITSF';
const formVersion = 1;
const headerBytes = 24;

/** Writes the file whole or leaves what was there. Throws OutputError. Answers its size in bytes. */
export function writeSnapshotFile(file: string, snapshot: Snapshot): number {
  const plain = encodeSnapshot(snapshot);
  const packed = deflateSync(plain, { level: 1 }); // most of it is code and zeroes: a third of the size in a second
  const bytes = new Uint8Array(headerBytes + packed.length);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(magic));
  view.setUint32(8, formVersion, true);
  view.setUint32(12, snapshot.version, true);
  view.setBigUint64(16, BigInt(plain.length), true);
  bytes.set(packed, headerBytes);
  replaceFile(file, bytes);
  return bytes.length;
}

/** Throws InputError or SnapshotError; the messages name the file. */
export function readSnapshotFile(file: string): Snapshot {
  const bytes = readInput(file, 'the snapshot');
  try {
    return unpack(bytes);
  } catch (error) {
    if (error instanceof SnapshotError) throw new SnapshotError(`${file}: ${error.message}`, { cause: error });
    throw error;
  }
}

function unpack(bytes: Uint8Array): Snapshot {
  if (bytes.length < headerBytes || new TextDecoder().decode(bytes.subarray(0, 8)) !== magic) {
    throw new SnapshotError('this is no snapshot: boot --save writes them');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const form = view.getUint32(8, true);
  const version = view.getUint32(12, true);
  if (form !== formVersion || version !== snapshotVersion) {
    throw new SnapshotError(
      `the snapshot has version ${String(form)}.${String(version)} and this efikit takes ${String(formVersion)}.${String(snapshotVersion)}: boot again and save anew`,
    );
  }
  const length = Number(view.getBigUint64(16, true));
  let plain: Uint8Array;
  try {
    plain = inflateSync(bytes.subarray(headerBytes), { maxOutputLength: Math.max(1, length) });
  } catch {
    throw new SnapshotError(damaged);
  }
  if (plain.length !== length) throw new SnapshotError(damaged);
  return decodeSnapshot(plain);
}

const damaged = 'the snapshot is damaged or not complete: boot again and save anew';
