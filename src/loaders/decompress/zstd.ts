import { ZSTDDecoder } from 'zstddec';
import { CodecError, CodecNotReady, type Codec } from './codec.js';

/** What the reference decoder exports. Zstandard lib/zstd.h; addresses and sizes in bytes of its own memory. */
interface ZstdExports {
  readonly memory: WebAssembly.Memory;
  malloc(bytes: number): number;
  ZSTD_decompress(to: number, capacity: number, from: number, bytes: number): number;
}

/**
 * Loads the package's module without using its one instance: a decoder's memory, which holds stream and result, could
 * never be given back.
 */
class ZstdModule extends ZSTDDecoder {
  module: WebAssembly.Module | undefined;
  override _init = (source: { readonly module: WebAssembly.Module }): void => {
    this.module = source.module;
  };
}

const ERROR_CODES = 256; // ZSTD_decompress answers -(code) as an unsigned number: lib/zstd_errors.h

/**
 * Zstandard, by the reference decoder in WebAssembly, checksums included. RFC 8878. What is unpacked lies in a memory
 * of its own, without a copy. A host that has the decoder's module at hand saves prepare() its work.
 */
export function createZstd(ofHost?: () => WebAssembly.Module | undefined): Codec {
  const loader = new ZstdModule();
  return {
    name: 'Zstandard',
    magic: [0x28, 0xb5, 0x2f, 0xfd],
    appendsSize: true,
    async prepare() {
      loader.module ??= ofHost?.();
      if (loader.module === undefined) await loader.init();
    },
    unpack(data, size) {
      if (loader.module === undefined)
        throw new CodecNotReady('the Zstandard decoder starts asynchronously: await prepare() of the image first');
      const { exports } = new WebAssembly.Instance(loader.module, {
        env: { emscripten_notify_memory_growth: () => undefined },
      });
      const zstd = exports as unknown as ZstdExports;
      const from = zstd.malloc(data.length) >>> 0;
      const to = zstd.malloc(size) >>> 0;
      if (from === 0 || to === 0) throw new CodecError(`there is no memory for ${String(size)} unpacked bytes`);
      new Uint8Array(zstd.memory.buffer).set(data, from);
      const unpacked = zstd.ZSTD_decompress(to, size, from, data.length);
      if (unpacked < 0 && unpacked > -ERROR_CODES) throw new CodecError('the stream is damaged');
      if (unpacked !== size) {
        throw new CodecError(`it unpacks to ${String(unpacked >>> 0)} bytes, ${String(size)} were announced`);
      }
      return new Uint8Array(zstd.memory.buffer, to, size);
    },
  };
}
