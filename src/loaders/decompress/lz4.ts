import type { BlockUnpacker } from './block-unpacker.js';
import { CodecError, type Codec } from './codec.js';

const frameMagic = 0x184c2102;

/**
 * LZ4 legacy frames, as `lz4 -l` writes them: the magic, then blocks, each behind its compressed size (4 bytes little
 * endian); a block holds at most 8 MiB and refers to nothing before it. LZ4 doc/lz4_Frame_format.md, "Legacy frame".
 * An unpacker of the host, made anew for each stream, does the work where there is one.
 */
export function createLz4(createUnpacker?: () => BlockUnpacker | undefined): Codec {
  return {
    name: 'LZ4',
    magic: [0x02, 0x21, 0x4c, 0x18],
    appendsSize: true,
    unpack(data, size) {
      const output = new Uint8Array(size);
      const unpacker = createUnpacker?.();
      let written = 0;
      for (const { from, to } of blocks(data, () => written, size)) {
        const bytes = unpacker?.unpack(data.subarray(from, to), size - written);
        if (bytes === undefined) {
          written = unpackBlock(data, from, to, output, written);
        } else {
          output.set(bytes, written);
          written += bytes.length;
        }
      }
      return output;
    },
    *pieces(data, size) {
      const unpacker = createUnpacker?.();
      let written = 0;
      for (const { from, to } of blocks(data, () => written, size)) {
        const bytes =
          unpacker?.unpack(data.subarray(from, to), size - written) ?? wholeBlock(data, from, to, size - written);
        written += bytes.length;
        yield bytes;
      }
    },
  };
}

/** Where the blocks lie in the stream; at its end checks that they gave `size` bytes. Throws CodecError. */
function* blocks(data: Uint8Array, written: () => number, size: number): Generator<{ from: number; to: number }> {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  let at = 0;
  while (at + 4 <= data.length) {
    const blockBytes = view.getUint32(at, true);
    at += 4;
    if (blockBytes === frameMagic) continue; // streams may be concatenated
    if (blockBytes === 0 || at + blockBytes > data.length) {
      throw new CodecError(`block of ${String(blockBytes)} bytes does not fit into the stream`, at - 4);
    }
    yield { from: at, to: at + blockBytes };
    at += blockBytes;
  }
  if (at !== data.length || written() !== size) {
    throw new CodecError(`it unpacks to ${String(written())} bytes, ${String(size)} were announced`, at);
  }
}

function wholeBlock(data: Uint8Array, from: number, to: number, limit: number): Uint8Array {
  const output = new Uint8Array(limit);
  return output.subarray(0, unpackBlock(data, from, to, output, 0));
}

/** Unpacks one block behind what is already written and returns the new end. LZ4 doc/lz4_Block_format.md. */
export function unpackBlock(
  input: Uint8Array,
  start: number,
  end: number,
  output: Uint8Array,
  written: number,
): number {
  const limit = output.length;
  let from = start;
  let to = written;
  for (;;) {
    if (from >= end) throw new CodecError('block ends within a sequence', from);
    const token = input[from++]!;
    let literals = token >> 4;
    if (literals === 15) {
      let more: number;
      do {
        if (from >= end) throw new CodecError('block ends within a literal length', from);
        more = input[from++]!;
        literals += more;
      } while (more === 255);
    }
    if (from + literals > end || to + literals > limit)
      throw new CodecError(`${String(literals)} literals do not fit`, from);
    if (literals > 64) {
      output.set(input.subarray(from, from + literals), to);
      to += literals;
      from += literals;
    } else {
      for (const stop = to + literals; to < stop;) output[to++] = input[from++]!;
    }
    if (from === end) return to; // the last sequence has no match

    if (from + 2 > end) throw new CodecError('block ends within a match', from);
    const distance = input[from]! | (input[from + 1]! << 8);
    from += 2;
    let length = (token & 15) + 4;
    if (length === 19) {
      let more: number;
      do {
        if (from >= end) throw new CodecError('block ends within a match length', from);
        more = input[from++]!;
        length += more;
      } while (more === 255);
    }
    let source = to - distance;
    if (distance === 0 || source < written || to + length > limit) {
      throw new CodecError(`match of ${String(length)} bytes at distance ${String(distance)} does not fit`, from);
    }
    if (length > 64 && distance >= length) {
      output.copyWithin(to, source, source + length);
      to += length;
    } else if (distance === 1 && length > 32) {
      output.fill(output[source]!, to, to + length);
      to += length;
    } else {
      for (const stop = to + length; to < stop;) output[to++] = output[source++]!;
    }
  }
}
