import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import * as zlib from 'node:zlib';
import { createBlockUnpacker, type BlockUnpacker } from '../loaders/decompress/block-unpacker.js';
import { CodecError, type Codec } from '../loaders/decompress/codec.js';
import { gzip } from '../loaders/decompress/gzip.js';
import { createLz4 } from '../loaders/decompress/lz4.js';
import { createZstd } from '../loaders/decompress/zstd.js';
import { defaultFolder } from './processor-artifacts.js';

type Options = { readonly chunkSize: number; readonly maxOutputLength: number };
type Unpack = (data: Uint8Array, options: Options) => Uint8Array;

/**
 * Decoders that are faster than the portable ones: LZ4 in WebAssembly, Node's own gzip and, from Node 22.15 on, its
 * Zstandard; before, the portable Zstandard optimized at once.
 */
export function hostCodecs(): readonly Codec[] {
  const { zstdDecompressSync } = zlib as { readonly zstdDecompressSync?: Unpack };
  return [
    createLz4(blockUnpacker),
    nativeGzip,
    zstdDecompressSync === undefined ? optimizedZstd() : nativeZstd(zstdDecompressSync),
  ];
}

/** undefined when the build has no such module: the portable decoder does it alone. */
function blockUnpacker(): BlockUnpacker | undefined {
  const module = builtModule('lz4.wasm');
  return module === undefined ? undefined : createBlockUnpacker(module);
}

function builtModule(name: string): WebAssembly.Module | undefined {
  try {
    return new WebAssembly.Module(readFileSync(path.join(defaultFolder(), name)));
  } catch {
    return undefined;
  }
}

/** Everything in one piece of memory and nothing beyond `size`. Node zlib, "Class: Options". */
const atOnce = (size: number): Options => ({ chunkSize: Math.max(size, smallestChunk), maxOutputLength: size });
const smallestChunk = 64; // bytes

/** What it cannot unpack, to the last byte of the stream, the portable decoder refuses in its words. */
const nativeGzip: Codec = {
  ...gzip,
  unpack(data, size) {
    try {
      const { buffer, engine } = gunzipWithInfo(data, { ...atOnce(size), info: true });
      if (buffer.length === size && engine.bytesWritten === data.length) return plain(buffer);
    } catch {
      // damaged, or it unpacks to more
    }
    return gzip.unpack(data, size);
  },
};

/** With `info` it answers like this: Node zlib, "Class: Options". */
const gunzipWithInfo = zlib.gunzipSync as unknown as (
  data: Uint8Array,
  options: Options & { readonly info: true },
) => { readonly buffer: Uint8Array; readonly engine: { readonly bytesWritten: number } };

function nativeZstd(decompress: Unpack): Codec {
  const { name, magic, appendsSize } = createZstd();
  return {
    name,
    magic,
    appendsSize,
    unpack(data, size) {
      let bytes: Uint8Array;
      try {
        bytes = decompress(data, atOnce(size));
      } catch {
        throw new CodecError('the stream is damaged');
      }
      if (bytes.length !== size) {
        throw new CodecError(`it unpacks to ${String(bytes.length)} bytes, ${String(size)} were announced`);
      }
      return plain(bytes);
    },
  };
}

/** Not a Buffer, whose methods differ from those of the array that it extends. */
const plain = ({ buffer, byteOffset, length }: Uint8Array): Uint8Array => new Uint8Array(buffer, byteOffset, length);

/**
 * Most of its time is spent within a few calls; V8 would let them end in the code of its quick compiler, which takes
 * longer than waiting for the good one.
 */
function optimizedZstd(): Codec {
  const zstd = createZstd(() => builtModule('zstd.wasm'));
  return {
    ...zstd,
    unpack(data, size) {
      setFlagsFromString('--no-liftoff');
      try {
        return zstd.unpack(data, size);
      } finally {
        setFlagsFromString('--liftoff');
      }
    },
  };
}
