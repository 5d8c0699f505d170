import { expect } from 'chai';
import { readImage } from '../../src/loaders/read-image.js';
import { kernelLocator, locateKernel } from '../../src/symbols/kernel-locator.js';
import { cachedKernel, kernelNames } from '../support/kernels.js';
import { smallElf } from '../support/images.js';
import { PlainRam } from '../support/ram.js';

const elf = readImage(smallElf()).elf()!;

/** The small kernel loaded `delta` bytes above its link address. */
function placed(delta: number): PlainRam {
  const ram = new PlainRam(2 ** 24);
  const { physicalAddress, fileOffset, fileBytes } = elf.segments[0]!;
  ram.writePhysical(physicalAddress + delta, elf.bytes.subarray(fileOffset, fileOffset + fileBytes));
  return ram;
}

describe('kernel locator', () => {
  const read = (ram: PlainRam) => ram.readPhysical.bind(ram);
  it('gives the distance of a kernel moved by KASLR from its link address', () => {
    expect(locateKernel(elf, read(placed(0)), 0x10_0000)).to.equal(0);
    expect(locateKernel(elf, read(placed(0x60_0000)), 0x70_0000)).to.equal(0x60_0000);
  });
  it('tolerates bytes that relocation changed', () => {
    const ram = placed(0x20_0000);
    for (let i = 3; i < 256; i += 40) ram.writePhysical(0x30_0000 + i, Uint8Array.of(1, 2, 3, 4));
    expect(locateKernel(elf, read(ram), 0x30_0000)).to.equal(0x20_0000);
  });
  it('takes no other code at the same alignment, and reads no memory for other alignments', () => {
    const ram = placed(0);
    expect(locateKernel(elf, read(ram), 0x30_0000)).to.equal(undefined);
    const never = (): never => {
      throw new Error('memory was read');
    };
    expect(locateKernel(elf, never, 0x10_0010)).to.equal(undefined);
  });
  it('gives no locator for an entry outside the kernel', () => {
    expect(kernelLocator({ ...elf, entry: 0x1234n })).to.equal(undefined);
  });
  for (const name of kernelNames) {
    it(`Debian's ${name}: the entry is the physical startup_64`, async function () {
      this.timeout(30_000);
      const image = readImage(cachedKernel(this, name));
      await image.prepare();
      const kernel = image.elf()!;
      expect(kernelLocator(kernel)?.linkedEntry).to.equal(Number(kernel.entry));
    });
  }
});
