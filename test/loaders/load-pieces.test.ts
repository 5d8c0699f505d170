import { expect } from 'chai';
import { BootError } from '../../src/boot/boot-protocol.js';
import { pvh } from '../../src/boot/pvh.js';
import { hostCodecs } from '../../src/host/codecs.js';
import { ImageError } from '../../src/loaders/image.js';
import { readImage } from '../../src/loaders/read-image.js';
import { layout } from '../../src/memory/layout.js';
import { cachedKernel } from '../support/kernels.js';
import { smallBzImage, smallElf, withSize } from '../support/images.js';
import { PlainRam } from '../support/ram.js';

/** LZ4 blocks of literals, in pieces of `step` bytes. */
function stored(bytes: Uint8Array, step: number): Uint8Array {
  const stream = [2, 0x21, 0x4c, 0x18];
  for (let at = 0; at < bytes.length; at += step) {
    const piece = bytes.subarray(at, at + step);
    const more = piece.length - 15;
    const block = [0xf0, ...Array<number>(Math.floor(more / 255)).fill(255), more % 255, ...piece];
    stream.push(block.length & 255, block.length >> 8, 0, 0, ...block);
  }
  return withSize(Uint8Array.from(stream), bytes.length);
}

const lowest = layout.highMemoryStart;
const options = { commandLine: '', modules: [] };

/** RAM that was not zero, after the kernel has entered; unpacked there or as a whole before. */
function ramAfter(bytes: Uint8Array, isDirect: boolean, megabytes = 32): PlainRam {
  const memory = new PlainRam(megabytes * 2 ** 20);
  memory.bytes.fill(0xaa);
  const image = readImage(bytes, { codecs: hostCodecs() });
  if (isDirect) image.unpackInto?.({ memory, lowest });
  pvh.enter({ memory, rsdp: 0 }, image, options);
  expect(image.elf()?.loadedInto === memory).to.equal(isDirect);
  return memory;
}

describe('a payload unpacked straight into guest RAM', () => {
  const elf = smallElf({ physicalAddress: 0x100_0000 });
  it('RAM ends as if it had been unpacked as a whole, wherever the blocks end', () => {
    for (const step of [elf.length, 400, 257, 256]) {
      const bytes = smallBzImage({ payload: stored(elf, step) });
      expect(Buffer.compare(ramAfter(bytes, true).bytes, ramAfter(bytes, false).bytes), String(step)).to.equal(0);
    }
  });
  it('a real kernel: the same RAM', function () {
    this.timeout(60_000);
    const bytes = cachedKernel(this, '6.1-cloud');
    expect(Buffer.compare(ramAfter(bytes, true, 128).bytes, ramAfter(bytes, false, 128).bytes)).to.equal(0);
  });
  it('a segment outside of RAM is refused as ever, with nothing written', () => {
    const memory = new PlainRam(2 ** 24);
    const image = readImage(smallBzImage({ payload: stored(elf, 400) }));
    image.unpackInto?.({ memory, lowest });
    expect(() => pvh.enter({ memory, rsdp: 0 }, image, options)).to.throw(BootError, 'give at least --memory');
    expect(memory.bytes.every((byte) => byte === 0)).to.equal(true);
  });
  it('a payload damaged behind its first block is refused in the same words', () => {
    const payload = stored(elf, 400);
    payload[payload.length - 5 - 200] = 0;
    payload.set([0, 0, 0, 0], 4 + 4 + 3 + 400); // the size of the second block
    const bytes = smallBzImage({ payload });
    const whole = readImage(bytes);
    const direct = readImage(bytes);
    direct.unpackInto?.({ memory: new PlainRam(2 ** 25), lowest });
    expect(pvh.refuses(direct)).to.be.a('string').and.equal(pvh.refuses(whole));
    expect(() => direct.elf()).to.throw(ImageError);
  });
  it('the ELF is forgotten when that ends, and enters no other memory before', () => {
    const memory = new PlainRam(2 ** 25);
    const image = readImage(smallBzImage({ payload: stored(elf, 400) }));
    image.unpackInto?.({ memory, lowest });
    pvh.enter({ memory, rsdp: 0 }, image, options);
    const other = new PlainRam(2 ** 25);
    expect(() => pvh.enter({ memory: other, rsdp: 0 }, image, options)).to.throw(BootError, 'another machine');
    image.unpackInto?.(undefined);
    expect(image.elf()?.loadedInto).to.equal(undefined);
    expect(image.elf()?.bytes).to.deep.equal(elf);
    pvh.enter({ memory: other, rsdp: 0 }, image, options);
    expect(Buffer.compare(other.bytes, memory.bytes)).to.equal(0);
  });
});
