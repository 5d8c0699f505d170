import { undoBcjX86 } from './bcj-x86.js';
import { CodecError, type Codec } from './codec.js';
import { crc32 } from '../../bytes/crc32.js';
import { unpackLzma2 } from './lzma2.js';

const Filter = { bcjX86: 0x04, lzma2: 0x21 } as const;
const checkBytes = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64] as const;
const checkCrc32 = 1;

/**
 * .xz with LZMA2 and, as kernels have it, the BCJ filter for x86. "The .xz File Format" 1.2.0; Linux
 * Documentation/staging/xz.rst. Kernels use CRC-32; of other checks only the length is compared.
 */
export const xz: Codec = {
  name: 'XZ',
  magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00],
  appendsSize: true,
  unpack(data, size) {
    const output = new Uint8Array(size);
    const view = new DataView(data.buffer, data.byteOffset, data.length);
    if (data.length < 24 || crc32(data.subarray(6, 8)) !== view.getUint32(8, true)) {
      throw new CodecError('the XZ stream header is damaged', 6);
    }
    const check = data[7]! & 15;
    let at = 12;
    let written = 0;
    while (data[at] !== 0) {
      // a block; 0 opens the index
      const header = readBlockHeader(data, at);
      const block = unpackLzma2(data, header.end, output, written);
      if (header.bcj) undoBcjX86(output, written, block.to);
      const checkAt = Math.ceil(block.from / 4) * 4;
      const size = checkBytes[check]!;
      if (checkAt + size > data.length) throw new CodecError('stream ends within a block', at);
      if (check === checkCrc32 && crc32(output.subarray(written, block.to)) !== view.getUint32(checkAt, true)) {
        throw new CodecError('the CRC-32 of a block is not the one announced', checkAt);
      }
      written = block.to;
      at = checkAt + size;
    }
    if (written !== size)
      throw new CodecError(`it unpacks to ${String(written)} bytes, ${String(size)} were announced`, at);
    checkEnd(data, view, at);
    return output;
  },
};

/** Sections 4 and 2.1.2: the index, which starts at `at`, its CRC-32, and the stream footer. */
function checkEnd(data: Uint8Array, view: DataView, at: number): void {
  const footer = data.length - 12;
  const isWhole =
    footer >= at + 8 &&
    data[footer + 10] === 0x59 &&
    data[footer + 11] === 0x5a &&
    data[footer + 9] === data[7] &&
    crc32(data.subarray(footer + 4, footer + 10)) === view.getUint32(footer, true) &&
    (view.getUint32(footer + 4, true) + 1) * 4 === footer - at &&
    crc32(data.subarray(at, footer - 4)) === view.getUint32(footer - 4, true);
  if (!isWhole) throw new CodecError('the index or the footer of the XZ stream is damaged', at);
}

/** Section 3.1: size, flags, sizes, filters, padding, CRC-32. */
function readBlockHeader(data: Uint8Array, at: number): { end: number; bcj: boolean } {
  const first = data[at];
  if (first === undefined) throw new CodecError('stream ends before its index', at);
  const end = at + (first + 1) * 4;
  if (end > data.length) throw new CodecError('stream ends within a block header', at);
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  if (crc32(data.subarray(at, end - 4)) !== view.getUint32(end - 4, true))
    throw new CodecError('a block header is damaged', at);
  const flags = data[at + 1]!;
  let cursor = at + 2;
  const number = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = cursor < end ? data[cursor++]! : 0x80;
      if (shift > 42) throw new CodecError('a number in a block header is too long', cursor);
      value += (byte & 0x7f) * 2 ** shift;
      if ((byte & 0x80) === 0) return value;
    }
  };
  if ((flags & 0x40) !== 0) number(); // compressed size
  if ((flags & 0x80) !== 0) number(); // uncompressed size
  const filters: number[] = [];
  for (let i = 0; i <= (flags & 3); i++) {
    const id = number();
    const propertyBytes = number();
    if (id === Filter.bcjX86 && propertyBytes !== 0)
      throw new CodecError('the x86 filter has a start offset, which kernels never use', cursor);
    filters.push(id);
    cursor += propertyBytes;
  }
  const bcj = filters.length === 2 && filters[0] === Filter.bcjX86;
  if (filters.at(-1) !== Filter.lzma2 || (filters.length !== 1 && !bcj)) {
    throw new CodecError(
      `the filters ${filters.map((id) => `0x${id.toString(16)}`).join(', ')} are not LZMA2 with or without x86`,
      at,
    );
  }
  return { end, bcj };
}
