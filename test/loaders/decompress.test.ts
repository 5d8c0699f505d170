import { expect } from 'chai';
import { gzipSync } from 'fflate';
import { payloadCodec, unpackPayload } from '../../src/loaders/decompress/index.js';
import { CodecError, CodecNotReady } from '../../src/loaders/decompress/codec.js';
import { crc32 } from '../../src/bytes/crc32.js';
import { createZstd } from '../../src/loaders/decompress/zstd.js';
import { ImageError } from '../../src/loaders/image.js';
import { codeSample, compressed, fromBase64 } from '../support/compressed.js';
import { random, withSize } from '../support/images.js';

const unpack = (bytes: Uint8Array, offset: number, initSize: number): Uint8Array =>
  unpackPayload({ bytes, offset, initSize });
const sample = codeSample();
const streams: readonly (readonly [string, Uint8Array])[] = [
  ['gzip', gzipSync(sample)],
  ['LZ4 legacy frames', withSize(fromBase64(compressed.lz4), sample.length)],
  ['XZ with the x86 filter', withSize(fromBase64(compressed.xzX86), sample.length)],
  ['XZ', withSize(fromBase64(compressed.xz), sample.length)],
  ['XZ with CRC-64', withSize(fromBase64(compressed.xzCrc64), sample.length)],
  ['Zstandard', withSize(fromBase64(compressed.zstd), sample.length)],
];

describe('payload compression (Linux scripts/Makefile.lib)', () => {
  before(() => payloadCodec(fromBase64(compressed.zstd))?.prepare?.());
  for (const [name, payload] of streams) {
    it(`${name}: unpacks what the tool packed`, () => {
      expect(unpack(payload, 0, 1e6)).to.deep.equal(sample);
    });
    it(`${name}: a size trailer that does not match is refused`, () => {
      const end = payload.length - 4;
      for (const size of [sample.length - 1, sample.length + 1, 0, 2 ** 31]) {
        const wrong = withSize(payload.subarray(0, end), size);
        expect(() => unpack(wrong, 0, 2 ** 32)).to.throw(ImageError);
      }
    });
    it(`${name}: a stream cut short is refused`, () => {
      const trailer = payload.subarray(payload.length - 4);
      for (let length = 6; length < payload.length - 8; length += 37) {
        const cut = Uint8Array.of(...payload.subarray(0, length), ...trailer);
        expect(() => unpack(cut, 0, 1e6), String(length)).to.throw(ImageError);
      }
    });
    it(`${name}: flipped bits give the same bytes, other bytes or ImageError, nothing else`, () => {
      const below = random(11);
      for (let i = 0; i < 150; i++) {
        const bytes = payload.slice();
        const at = 6 + below(bytes.length - 10);
        bytes[at] = bytes[at]! ^ (1 << below(8));
        try {
          expect(unpack(bytes, 0, 1e6)).to.have.length(sample.length);
        } catch (error) {
          expect(error).to.be.instanceOf(ImageError);
        }
      }
    });
  }
  it('LZ4: several blocks and a repeated magic are taken', () => {
    const block = Uint8Array.of(0x40, 1, 2, 3, 4); // four literals
    const payload = Uint8Array.of(
      2,
      0x21,
      0x4c,
      0x18,
      5,
      0,
      0,
      0,
      ...block,
      2,
      0x21,
      0x4c,
      0x18,
      5,
      0,
      0,
      0,
      ...block,
      8,
      0,
      0,
      0,
    );
    expect([...unpack(payload, 0, 100)]).to.deep.equal([1, 2, 3, 4, 1, 2, 3, 4]);
  });
  it('LZ4: a match that reaches before its block is refused', () => {
    const block = Uint8Array.of(0x10, 7, 2, 0, 0x00);
    const payload = Uint8Array.of(2, 0x21, 0x4c, 0x18, block.length, 0, 0, 0, ...block, 5, 0, 0, 0);
    expect(() => unpack(payload, 0, 100)).to.throw(ImageError, 'distance 2 does not fit');
  });
  it('init_size bounds what is unpacked', () => {
    expect(() => unpack(streams[0]![1], 0x500, sample.length - 1)).to.throw(ImageError, 'init_size');
  });
  it('an uncompressed ELF is handed through', () => {
    const elf = Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 1, 2, 3);
    expect(unpack(elf, 0, 100)).to.equal(elf);
  });
  it('bzip2, LZMA and LZO are named', () => {
    for (const [name, ...magic] of [
      ['bzip2', 0x42, 0x5a, 0x68],
      ['LZMA', 0x5d, 0, 0],
      ['LZO', 0x89, 0x4c, 0x5a, 0x4f],
    ] as const) {
      expect(() => unpack(Uint8Array.of(...magic, 0, 0, 0, 0, 0), 0, 100)).to.throw(ImageError, name);
    }
  });
  it('Zstandard wants prepare() first', () => {
    const zstd = createZstd();
    expect(() => zstd.unpack(new Uint8Array(8), 8)).to.throw(CodecNotReady, 'prepare()');
    expect(new CodecError('x').offset).to.equal(0);
  });
  it('CRC-32 gives the check value of RFC 1952', () => {
    expect(crc32(Uint8Array.from('123456789', (c) => c.charCodeAt(0)))).to.equal(0xcbf4_3926);
  });
});
