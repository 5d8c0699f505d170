import { expect } from 'chai';
import { BlockDecoder, type DecodedBlock } from '../../src/cpu/decoder.js';
import { SeededRandom } from '../../src/cpu/seeded-random.js';
import * as L from '../../src/cpu/state-layout.js';
import { loadProcessorArtifacts } from '../../src/host/processor-artifacts.js';
import { readImage } from '../../src/loaders/read-image.js';
import { cachedKernel } from '../support/kernels.js';

const artifacts = loadProcessorArtifacts();
const codeBytes = 2 ** 20;
const pages = Math.ceil((L.RAM + codeBytes) / 65536);
const sizes = { initial: pages, maximum: pages };

/** A decoder that learns and one that does not, each over a memory of its own with the same code. */
class Pair {
  private readonly memories = [new WebAssembly.Memory(sizes), new WebAssembly.Memory(sizes)] as const;
  private readonly decoders = [
    new BlockDecoder(this.memories[0], artifacts),
    new BlockDecoder(this.memories[1], artifacts, false),
  ] as const;

  load(code: Uint8Array): void {
    for (const { buffer } of this.memories) new Uint8Array(buffer).set(code.subarray(0, codeBytes), L.RAM);
  }

  /** Decodes the same block on both sides and compares the records. */
  compare(linear: bigint, physical: number, mode: number): DecodedBlock {
    const [learning, plain] = this.decoders.map((decoder) => {
      if (decoder.full) decoder.reset();
      return decoder.decode({
        linear,
        physical,
        mode,
        nextPage: () => (physical & ~4095) + 4096,
        isBreakpoint: (address) => address % 1021 === 0,
      });
    });
    if (learning === undefined || plain === undefined) throw new Error('two decoders');
    if (learning.bytes !== plain.bytes || learning.records !== plain.records) expect(learning).to.deep.equal(plain);
    const [a, b] = this.memories.map(({ buffer }) =>
      Buffer.from(buffer, learning.record, learning.records * L.RECORD_BYTES),
    );
    if (a?.equals(b ?? Buffer.alloc(0)) !== true) {
      expect(a?.toString('hex'), `block at 0x${physical.toString(16)}, mode ${String(mode)}`).to.equal(
        b?.toString('hex'),
      );
    }
    const [first, second] = this.decoders;
    for (let i = 0; i < learning.records; i++) {
      const record = learning.record + i * L.RECORD_BYTES;
      const refused = second.refused.get(record);
      if (refused !== undefined || first.refused.has(record)) expect(first.refused.get(record)).to.deep.equal(refused);
    }
    return learning;
  }
}

const long = L.MODE_LONG | L.MODE_LMA | L.MODE_PAGING;
const modes = [
  long,
  long | L.MODE_USER,
  long | L.MODE_TASK_SWITCHED,
  long | L.MODE_EMULATE,
  long | L.MODE_NO_FXSR,
  L.MODE_CODE32,
  L.MODE_CODE32 | L.MODE_SEGMENTED,
];

describe('block decoder: what it learned decodes as what it decodes anew', function () {
  this.timeout(120_000);

  for (const mode of modes) {
    it(`random instructions, mode ${String(mode)}`, () => {
      const random = new SeededRandom(mode + 1);
      const byte = (): number => Number(random.next64() & 0xffn);
      const openings = [[], [], [0x66], [0x67], [0xf2], [0xf3], [0x48], [0x4d], [0x66, 0x41], [0x65], [0x2e], [0x36]];
      const pair = new Pair();
      for (let round = 0; round < 6; round++) {
        const code = new Uint8Array(2 ** 16);
        for (let at = 0; at < code.length - 16;) {
          for (const prefix of openings[byte() % openings.length] ?? []) code[at++] = prefix;
          if (byte() < 96) code[at++] = 0x0f;
          // Few values, so that patterns come back with other constants behind them.
          for (let i = 0; i < 3; i++) code[at++] = byte();
          for (let i = byte() % 6; i > 0; i--) code[at++] = byte() < 128 ? 0xff : byte();
        }
        pair.load(code);
        const linear = [0xffff_ffff_8100_0000n, 0x7fff_f000_0000n, 0xffff_0000n][round % 3] ?? 0n;
        const high = (mode & L.MODE_LONG) === 0 ? linear & 0xffff_0000n : linear;
        for (let at = 0; at < code.length - 4096;) at += pair.compare(high + BigInt(at), at, mode).bytes || 1;
      }
    });
  }

  it('branches at the ends of the address space, and into the page that they stand in', () => {
    const pair = new Pair();
    const code = new Uint8Array(2 ** 14).fill(0x90);
    const branches = [
      [0xeb, 0x80],
      [0xeb, 0x7f],
      [0x74, 0x10],
      [0xe8, 0xff, 0xff, 0xff, 0x7f],
      [0xe9, 0, 0, 0, 0x80],
      [0x0f, 0x85, 0, 0x10, 0, 0],
      [0xe2, 0xfe],
      [0x48, 0x8b, 0x05, 0, 0, 0, 0x80],
    ];
    branches.forEach((bytes, i) => {
      for (const at of [0, 0x1000, 0x1ff0, 0x2800]) code.set(bytes, at + 64 + i * 8);
    });
    pair.load(code);
    for (const base of [0n, 0xffff_ffff_ffff_e000n, 0xffff_d000n, 0x1_0000_0000n - 0x2000n]) {
      for (const mode of [long, L.MODE_CODE32]) {
        for (const at of [0, 0x1000, 0x1ff0, 0x2800]) {
          for (let i = 0; i < branches.length; i++) {
            const linear = base + BigInt(at + 64 + i * 8);
            pair.compare(BigInt.asUintN(mode === long ? 64 : 32, linear), at + 64 + i * 8, mode);
          }
        }
      }
    }
  });

  it('instructions that end where the low half of RIP does', () => {
    for (const bytes of [[0x90], [0xeb, 0x10], [0x74, 0xf0], [0xe8, 0, 0, 0, 0], [0x8b, 0x05, 1, 2, 3, 4]]) {
      const pair = new Pair();
      const code = new Uint8Array(0x4000).fill(0x90);
      for (const end of [0x1000, 0x2000, 0x3000]) code.set(bytes, end - bytes.length);
      pair.load(code);
      for (const mode of [long, L.MODE_CODE32]) {
        for (const end of [0x1000, 0x2000, 0x3000]) {
          const high = mode === long && end === 0x3000 ? 0x7fff_0000_0000n : 0n;
          pair.compare(high + BigInt(2 ** 32 - bytes.length), end - bytes.length, mode);
        }
      }
    }
  });

  it("a mebibyte of Debian's kernel, twice", async function () {
    const image = readImage(cachedKernel(this, '6.1-cloud'));
    await image.prepare();
    const elf = image.elf();
    const text = elf?.segments[0];
    if (elf === undefined || text === undefined) throw new Error('no text');
    const pair = new Pair();
    pair.load(elf.bytes.subarray(text.fileOffset, text.fileOffset + text.fileBytes));
    for (let pass = 0; pass < 2; pass++) {
      for (let at = 0; at < codeBytes - 4096;) {
        at += pair.compare(text.virtualAddress + BigInt(at), at, long).bytes || 1;
      }
    }
  });
});
