import { damaged, hex } from '../bounds.js';
import { ImageError } from '../image.js';
import { CodecError, type Codec } from './codec.js';
import { gzip } from './gzip.js';
import { createLz4 } from './lz4.js';
import { xz } from './xz.js';
import { createZstd } from './zstd.js';

/** The codecs that need nothing of their host. */
const portable: readonly Codec[] = [gzip, createLz4(), xz, createZstd()];

/** Formats that a kernel may be built with and that no distribution uses any more. */
const refused: readonly { readonly name: string; readonly magic: readonly number[] }[] = [
  { name: 'bzip2', magic: [0x42, 0x5a, 0x68] },
  { name: 'LZMA', magic: [0x5d, 0x00, 0x00] },
  { name: 'LZO', magic: [0x89, 0x4c, 0x5a, 0x4f] },
];

/** Largest unpacked kernel that is believed; the largest of distributions are near 70 MiB. */
const unpackedLimit = 0x2000_0000;

const startsWith = (data: Uint8Array, magic: readonly number[]): boolean => magic.every((byte, i) => data[i] === byte);

/** The codec of a payload by its first bytes, a host's own before ours; undefined when none. */
export function payloadCodec(payload: Uint8Array, ofHost: readonly Codec[] = []): Codec | undefined {
  return [...ofHost, ...portable].find(({ magic }) => startsWith(payload, magic));
}

/** Unpacked bytes as the payload's last 4 bytes announce them; undefined when it is shorter than that. */
export function announcedSize(payload: Uint8Array): number | undefined {
  if (payload.length < 4) return undefined;
  return new DataView(payload.buffer, payload.byteOffset, payload.length).getUint32(payload.length - 4, true);
}

/** The payload of a bzImage, where it lies, and what it says of itself. */
export interface Payload {
  readonly bytes: Uint8Array;
  /** In the file, for messages. */
  readonly offset: number;
  /** The memory that the kernel asks for, bytes; what the payload unpacks to cannot be more. */
  readonly initSize: number;
  /** Codecs of the host, preferred to the portable ones. */
  readonly codecs?: readonly Codec[];
}

/** Unpacks the payload of a bzImage. Throws ImageError, and CodecNotReady when the codec wants to be prepared. */
export function unpackPayload(payload: Payload): Uint8Array {
  const { bytes } = payload;
  if (isStored(bytes)) return bytes;
  const { codec, stream, size } = open(payload);
  return sayingWhere(payload, codec, () => codec.unpack(stream, size));
}

/**
 * Hands over the unpacked payload piece by piece, each with where it belongs and with the size of the whole; a piece is
 * borrowed during the call. False when the payload comes only as a whole, or when `take` wants no more of it. Throws ImageError.
 */
export function unpackPieces(
  payload: Payload,
  take: (piece: Uint8Array, at: number, size: number) => boolean,
): boolean {
  if (isStored(payload.bytes)) return false;
  const { codec, stream, size } = open(payload);
  const { pieces } = codec;
  if (pieces === undefined) return false;
  return sayingWhere(payload, codec, () => {
    let at = 0;
    for (const piece of pieces(stream, size)) {
      if (!take(piece, at, size)) return false;
      at += piece.length;
    }
    return true;
  });
}

/** Built with CONFIG_KERNEL_UNCOMPRESSED. */
const isStored = (payload: Uint8Array): boolean => startsWith(payload, [0x7f, 0x45, 0x4c, 0x46]);

/** Finds the codec of a payload and checks the announced size. Throws ImageError. */
function open({ bytes, offset, initSize, codecs }: Payload): { codec: Codec; stream: Uint8Array; size: number } {
  const codec = payloadCodec(bytes, codecs);
  if (codec === undefined) {
    const known = refused.find(({ magic }) => startsWith(bytes, magic));
    throw new ImageError(
      known === undefined
        ? `payload (offset ${hex(offset)}) is of no known compression: ${damaged}`
        : `payload (offset ${hex(offset)}) is compressed with ${known.name}, which is not supported: take a kernel with gzip, LZ4, XZ or Zstandard, or give its vmlinux`,
      offset,
    );
  }
  const size = announcedSize(bytes) ?? 0;
  if (size === 0 || size > unpackedLimit || size > initSize) {
    throw new ImageError(
      `payload (offset ${hex(offset)}, ${codec.name}) announces ${String(size)} unpacked bytes, while init_size allows ${String(Math.min(initSize, unpackedLimit))}: ${damaged}`,
      offset + bytes.length - 4,
    );
  }
  return { codec, stream: codec.appendsSize ? bytes.subarray(0, bytes.length - 4) : bytes, size };
}

/** What a codec found wrong, as an error of the image. */
function sayingWhere<T>({ offset }: Payload, codec: Codec, unpack: () => T): T {
  try {
    return unpack();
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw new ImageError(
      `payload (${codec.name}, offset ${hex(offset + error.offset)}) does not unpack: ${error.message}: ${damaged}`,
      offset + error.offset,
    );
  }
}
