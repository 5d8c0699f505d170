import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { hostCodecs } from '../../src/host/codecs.js';
import { payloadCodec, unpackPayload, unpackPieces, type Payload } from '../../src/loaders/decompress/index.js';
import { ImageError } from '../../src/loaders/image.js';
import { codeSample, compressed, fromBase64 } from '../support/compressed.js';
import { random, withSize } from '../support/images.js';

/** The unpacked bytes, or what was wrong. */
function outcome(unpack: () => Uint8Array): unknown {
  try {
    return { bytes: [...unpack()] };
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    return { message: error.message, offset: error.offset };
  }
}

const inPieces = (payload: Payload): Uint8Array => {
  let whole = new Uint8Array(0);
  const isDone = unpackPieces(payload, (piece, at, size) => {
    if (at === 0) whole = new Uint8Array(size);
    whole.set(piece, at);
    return true;
  });
  expect(isDone).to.equal(true);
  return whole;
};

/** One block that repeats at each of these distances, for lengths that end in and behind a step of the copy. */
function repeats(): { readonly payload: Uint8Array; readonly unpacked: Uint8Array } {
  const block: number[] = [];
  const unpacked: number[] = [];
  for (let distance = 1; distance <= 40; distance++) {
    for (const length of [4, 5, 15, 16, 17, 18, 19, 33, 18 + 255, 19 + 255 + 255]) {
      const literals = Array.from({ length: 40 }, (_, i) => (i * 7 + distance * 31 + length) & 255);
      const rest = length - 4;
      block.push(0xf0 | Math.min(rest, 15), 40 - 15, ...literals, distance, 0);
      if (rest >= 15) block.push(...Array<number>(Math.floor((rest - 15) / 255)).fill(255), (rest - 15) % 255);
      unpacked.push(...literals);
      for (let i = 0; i < length; i++) unpacked.push(unpacked[unpacked.length - distance]!);
    }
  }
  block.push(0x10, 0x55);
  unpacked.push(0x55);
  const stream = Uint8Array.of(2, 0x21, 0x4c, 0x18, ...withSize(new Uint8Array(0), block.length), ...block);
  return { payload: withSize(stream, unpacked.length), unpacked: Uint8Array.from(unpacked) };
}

describe('decoders of the host: the same bytes and the same errors as the portable ones', () => {
  const sample = codeSample();
  const codecs = hostCodecs();
  const streams = {
    gzip: gzipSync(sample),
    LZ4: withSize(fromBase64(compressed.lz4), sample.length),
    'LZ4, every overlap': repeats().payload,
    Zstandard: withSize(fromBase64(compressed.zstd), sample.length),
  };
  before(async () => {
    for (const ofHost of [[], codecs]) await payloadCodec(streams.Zstandard, ofHost)?.prepare?.();
  });
  const both = (bytes: Uint8Array): { readonly host: unknown; readonly portable: unknown } => {
    const payload = { bytes, offset: 0x500, initSize: 1e6 };
    const host = outcome(() => unpackPayload({ ...payload, codecs }));
    if (payloadCodec(bytes)?.name === 'LZ4') {
      expect(outcome(() => inPieces({ ...payload, codecs }))).to.deep.equal(host);
    }
    return { host, portable: outcome(() => unpackPayload(payload)) };
  };
  it('LZ4: matches that overlap themselves at every distance', () => {
    const { payload, unpacked } = repeats();
    expect(both(payload).host).to.deep.equal({ bytes: [...unpacked] });
  });
  for (const [name, good] of Object.entries(streams)) {
    it(`${name}: as the tool packed it`, () => {
      const { host, portable } = both(good);
      expect(host).to.have.property('bytes');
      expect(host).to.deep.equal(portable);
    });
    it(`${name}: a plain array of bytes, not Node's Buffer`, () => {
      const bytes = unpackPayload({ bytes: good, offset: 0x500, initSize: 1e6, codecs });
      expect(Object.getPrototypeOf(bytes)).to.equal(Uint8Array.prototype);
    });
    it(`${name}: damaged, cut, longer or with another size announced`, function () {
      this.timeout(30_000);
      const below = random(17);
      const end = good.length - 4;
      for (let i = 0; i < 300; i++) {
        const bytes = good.slice();
        for (let flips = 1 + below(3); flips > 0; flips--) {
          const at = 4 + below(bytes.length - 4);
          bytes[at] = bytes[at]! ^ (1 << below(8));
        }
        const { host, portable } = both(bytes);
        expect(host, String(i)).to.deep.equal(portable);
      }
      const trailer = good.subarray(end);
      for (const wrong of [
        ...[6, 20, end >> 1, end - 1].map((length) => Uint8Array.of(...good.subarray(0, length), ...trailer)),
        Uint8Array.of(...good, ...trailer),
        ...[-1, 1].map((more) =>
          withSize(good.subarray(0, end), new DataView(trailer.slice().buffer).getUint32(0, true) + more),
        ),
      ]) {
        const { host, portable } = both(wrong);
        expect(host).to.have.property('message');
        expect(host).to.deep.equal(portable);
      }
    });
  }
});
