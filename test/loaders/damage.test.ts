import { expect } from 'chai';
import { doors } from '../../src/boot/index.js';
import { linux64 } from '../../src/boot/linux64.js';
import { pvh } from '../../src/boot/pvh.js';
import { BootError } from '../../src/boot/boot-protocol.js';
import { ImageError } from '../../src/loaders/image.js';
import { readImage } from '../../src/loaders/read-image.js';
import { cachedKernel } from '../support/kernels.js';
import { random, smallBzImage, smallElf, smallPe } from '../support/images.js';
import { PlainRam } from '../support/ram.js';

const images = {
  'ELF64 with PVH note': smallElf(),
  'ELF32 with PVH note': smallElf({ bits: 32 }),
  'PE32+': smallPe(),
  bzImage: smallBzImage(),
} as const;

/** Reads the image and knocks on every door. Returns what refused it; anything but our errors is thrown on. */
async function knock(bytes: Uint8Array): Promise<Error | undefined> {
  try {
    const image = readImage(bytes);
    await image.prepare();
    image.elf();
    for (const door of doors) door.refuses(image);
    for (const door of [pvh, linux64]) {
      if (door.refuses(image) !== undefined) continue;
      try {
        door.enter({ memory: new PlainRam(2 ** 25), rsdp: 0 }, image, { commandLine: '', modules: [] });
      } catch (error) {
        if (!(error instanceof BootError)) throw error;
        expect(error.message).to.not.include('\n');
      }
    }
    return undefined;
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    expect(error.message).to.not.include('\n');
    expect(error.message, 'what to do').to.match(/copy or fetch|take |give |unpack|link /);
    expect(error.offset, error.message).to.be.a('number');
    return error;
  }
}

describe('damaged images', function () {
  this.timeout(60_000); // hundreds of memories
  let tried = 0;
  for (const [name, good] of Object.entries(images)) {
    it(`${name}: undamaged it loads`, async () => {
      expect(await knock(good)).to.equal(undefined);
    });
    it(`${name}: cut anywhere it is refused with one line`, async () => {
      const below = random(1);
      for (let i = 0; i < 60; i++, tried++) {
        const length = i < 5 ? i : below(good.length - 16);
        expect(await knock(good.subarray(0, length)), `${String(length)} bytes`).to.be.instanceOf(ImageError);
      }
    });
    it(`${name}: flipped bits are refused with one line or do no harm`, async () => {
      const below = random(2);
      for (let i = 0; i < 200; i++, tried++) {
        const bytes = good.slice();
        for (let flips = 1 + below(4); flips > 0; flips--) {
          const at = below(i % 2 === 0 ? good.length : Math.min(good.length, 0x280));
          bytes[at] = bytes[at]! ^ (1 << below(8));
        }
        await knock(bytes);
      }
    });
    it(`${name}: fields at their extremes are refused with one line or do no harm`, async () => {
      const below = random(3);
      for (let i = 0; i < 200; i++, tried++) {
        const bytes = good.slice();
        const at = below(Math.min(good.length, 0x280) - 8);
        bytes.fill([0xff, 0x00, 0x7f, 0x80][i % 4]!, at, at + (1 << below(4)));
        await knock(bytes);
      }
    });
  }
  it('noise is refused', async () => {
    const below = random(4);
    for (let i = 0; i < 40; i++, tried++) {
      const bytes = Uint8Array.from({ length: below(4096) }, () => below(256));
      expect(await knock(bytes)).to.be.instanceOf(ImageError);
    }
  });
  it('the real kernel, cut or with a damaged payload, is refused', async function () {
    this.timeout(60_000);
    const kernel = cachedKernel(this, '6.1-cloud');
    for (const length of [0, 1, 511, 512, 0x268, 0x5000, 1_000_000, kernel.length >> 1]) {
      expect(await knock(kernel.subarray(0, length)), `${String(length)} bytes`).to.be.instanceOf(ImageError);
    }
    const below = random(5);
    for (let i = 0; i < 3; i++, tried++) {
      const bytes = kernel.slice();
      for (let k = 0; k < 50; k++) bytes[0x5300 + below(13_000_000)] = below(256);
      await knock(bytes);
    }
  });
  after(() => {
    expect(tried).to.be.at.least(200);
  });
});
