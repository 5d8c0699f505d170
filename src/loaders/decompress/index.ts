import { damaged, hex } from '../bounds.js';
import { ImageError } from '../image.js';
import { CodecError, type Codec } from './codec.js';
import { gzip } from './gzip.js';
import { lz4 } from './lz4.js';
import { xz } from './xz.js';
import { createZstd } from './zstd.js';

const codecs: readonly Codec[] = [gzip, lz4, xz, createZstd()];

/** Formats that a kernel may be built with and that no distribution uses any more. */
const refused: readonly { readonly name: string; readonly magic: readonly number[] }[] = [
  { name: 'bzip2', magic: [0x42, 0x5a, 0x68] },
  { name: 'LZMA', magic: [0x5d, 0x00, 0x00] },
  { name: 'LZO', magic: [0x89, 0x4c, 0x5a, 0x4f] },
];

/** Largest unpacked kernel that is believed; the largest of distributions are near 70 MiB. */
const unpackedLimit = 0x2000_0000;

const startsWith = (data: Uint8Array, magic: readonly number[]): boolean => magic.every((byte, i) => data[i] === byte);

/** The codec of a payload by its first bytes; undefined when none of ours. */
export function payloadCodec(payload: Uint8Array): Codec | undefined {
  return codecs.find(({ magic }) => startsWith(payload, magic));
}

/** Unpacked bytes as the payload's last 4 bytes announce them; undefined when it is shorter than that. */
export function announcedSize(payload: Uint8Array): number | undefined {
  if (payload.length < 4) return undefined;
  return new DataView(payload.buffer, payload.byteOffset, payload.length).getUint32(payload.length - 4, true);
}

/**
 * Unpacks the payload of a bzImage. `offset` is where it lies in the file, for messages; `initSize` the memory the
 * kernel asks for, which its unpacked bytes cannot exceed. Throws ImageError, and CodecNotReady when the codec wants to be prepared.
 */
export function unpackPayload(payload: Uint8Array, offset: number, initSize: number): Uint8Array {
  if (startsWith(payload, [0x7f, 0x45, 0x4c, 0x46])) return payload; // built with CONFIG_KERNEL_UNCOMPRESSED
  const codec = payloadCodec(payload);
  if (codec === undefined) {
    const known = refused.find(({ magic }) => startsWith(payload, magic));
    throw new ImageError(
      known === undefined
        ? `payload (offset ${hex(offset)}) is of no known compression: ${damaged}`
        : `payload (offset ${hex(offset)}) is compressed with ${known.name}, which is not supported: take a kernel with gzip, LZ4, XZ or Zstandard, or give its vmlinux`,
      offset,
    );
  }
  const size = announcedSize(payload) ?? 0;
  if (size === 0 || size > unpackedLimit || size > initSize) {
    throw new ImageError(
      `payload (offset ${hex(offset)}, ${codec.name}) announces ${String(size)} unpacked bytes, while init_size allows ${String(Math.min(initSize, unpackedLimit))}: ${damaged}`,
      offset + payload.length - 4,
    );
  }
  const stream = codec.appendsSize ? payload.subarray(0, payload.length - 4) : payload;
  try {
    return codec.unpack(stream, size);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw new ImageError(
      `payload (${codec.name}, offset ${hex(offset + error.offset)}) does not unpack: ${error.message}: ${damaged}`,
      offset + error.offset,
    );
  }
}
