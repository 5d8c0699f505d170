import { ZSTDDecoder } from 'zstddec';
import { CodecError, CodecNotReady, type Codec } from './codec.js';

/** Zstandard, by the reference decoder in WebAssembly. RFC 8878. The kernel's streams name no checksum. */
export function createZstd(): Codec {
  const decoder = new ZSTDDecoder();
  let ready = false;
  return {
    name: 'Zstandard',
    magic: [0x28, 0xb5, 0x2f, 0xfd],
    appendsSize: true,
    async prepare() {
      await decoder.init();
      ready = true;
    },
    unpack(data, size) {
      if (!ready)
        throw new CodecNotReady('the Zstandard decoder starts asynchronously: await prepare() of the image first');
      let unpacked: Uint8Array;
      try {
        unpacked = decoder.decode(data, size);
      } catch (error) {
        throw new CodecError(error instanceof Error ? error.message : 'the stream is damaged');
      }
      if (unpacked.length !== size) {
        throw new CodecError(
          unpacked.length === 0
            ? 'the stream is damaged'
            : `it unpacks to ${String(unpacked.length)} bytes, ${String(size)} were announced`,
        );
      }
      return unpacked;
    },
  };
}
