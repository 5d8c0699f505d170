/** One compression format of a bzImage payload. Linux scripts/Makefile.lib, arch/x86/boot/compressed/Makefile. */
export interface Codec {
  readonly name: string;
  readonly magic: readonly number[];
  /**
   * Whether the build appended the unpacked size, 4 bytes little endian, behind the stream. gzip ends with that number
   * by itself, so there it belongs to the stream.
   */
  readonly appendsSize: boolean;
  /** For decoders that start asynchronously; unpack throws CodecNotReady before. */
  readonly prepare?: () => Promise<void>;
  /** Unpacks to exactly `size` bytes. Throws CodecError when the stream is damaged or has another length. */
  unpack(data: Uint8Array, size: number): Uint8Array;
  /** The same bytes piece by piece; each is borrowed until the next is asked for. Where a codec needs no whole result. */
  readonly pieces?: (data: Uint8Array, size: number) => Iterable<Uint8Array>;
}

/** What is wrong in a compressed stream; `offset` is from its start. */
export class CodecError extends Error {
  override readonly name = 'CodecError';
  readonly code = 'CODEC';
  constructor(
    message: string,
    readonly offset = 0,
  ) {
    super(message);
  }
}

/** The decoder must be prepared first. */
export class CodecNotReady extends Error {
  override readonly name = 'CodecNotReady';
  readonly code = 'CODEC_NOT_READY';
}
