/** Unpacks single blocks of LZ4 faster than lz4.ts does it by itself. */
export interface BlockUnpacker {
  /**
   * The bytes of one block, at most `limit`, borrowed until the next call; undefined when the block is damaged or longer than
   * `usual` bytes, for unpackBlock of lz4.ts to say what is wrong with it.
   */
  unpack(block: Uint8Array, limit: number): Uint8Array | undefined;
}

/** What the module of ./core exports. Addresses in its own memory. */
interface Lz4Exports {
  readonly memory: WebAssembly.Memory;
  readonly to: { readonly value: number };
  start(input: number, output: number): void;
  run(end: number, floor: number, limit: number, pause: number): number;
}

const usual = 2 ** 23; // bytes of an unpacked block: LZ4 doc/lz4_Frame_format.md, "Legacy frame"
const slack = 64; // bytes that copies may run ahead
const stride = 2 ** 17; // bytes unpacked by one call: V8 exchanges code for better code between two
const pageBytes = 2 ** 16;
const MORE = 0;
const DONE = 1;

/** The module of ./core at work; its memory holds one block, packed and unpacked, and is used again for the next. */
export function createBlockUnpacker(module: WebAssembly.Module): BlockUnpacker {
  const lz4 = new WebAssembly.Instance(module, {}).exports as unknown as Lz4Exports;
  const { memory } = lz4;
  const inputAt = slack;
  return {
    unpack(block, limit) {
      const outputAt = Math.ceil((inputAt + block.length + slack) / 16) * 16;
      const most = Math.min(limit, usual);
      const missing = outputAt + most + slack - memory.buffer.byteLength;
      if (missing > 0) memory.grow(Math.ceil(missing / pageBytes));
      new Uint8Array(memory.buffer).set(block, inputAt);
      const end = inputAt + block.length;
      lz4.start(inputAt, outputAt);
      let state = MORE;
      for (let pause = outputAt + stride; state === MORE; pause += stride) {
        state = lz4.run(end, outputAt, outputAt + most, pause);
      }
      return state === DONE ? new Uint8Array(memory.buffer, outputAt, lz4.to.value - outputAt) : undefined;
    },
  };
}
