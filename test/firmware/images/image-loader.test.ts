import { expect } from 'chai';
import { FirmwareError } from '../../../src/firmware/errors.js';
import { imagePieces, placeImage, type PeLayout } from '../../../src/firmware/images/image-loader.js';
import { MemoryMap } from '../../../src/firmware/memory/memory-map.js';
import { image, imageFile, FakeMachine } from '../fake-machine.js';

const freeMap = (): MemoryMap => new MemoryMap([{ start: 0x10_0000, end: 0x80_0000, type: 7, allocated: false }]);
/** A file whose section, loaded at RVA 0x1000, opens with one relocation block and two targets behind it. */
function relocatable(entries: number[], blockBytes = 8 + entries.length * 2): { layout: PeLayout; file: Uint8Array } {
  const file = new Uint8Array(0x400);
  const view = new DataView(file.buffer);
  view.setUint32(0x200, 0x1000, true);
  view.setUint32(0x204, blockBytes, true);
  entries.forEach((entry, i) => {
    view.setUint16(0x208 + i * 2, entry, true);
  });
  view.setBigUint64(0x300, 0x1_4000_0123n, true);
  view.setUint32(0x308, 0x4000_0456, true);
  return {
    layout: { ...image, imageBase: 0x40_0000n, relocations: { rva: 0x1000, size: 8 + entries.length * 2 } },
    file,
  };
}

/** The image as one piece; the pieces must cover it without a gap. */
function buildImage(layout: PeLayout, file: Uint8Array, base: number): Uint8Array {
  const memory = new Uint8Array(Math.ceil(layout.sizeOfImage / 4096) * 4096).fill(0xaa);
  let end = 0;
  for (const { rva, bytes } of imagePieces(layout, file, base)) {
    expect(rva).to.equal(end);
    memory.set(bytes, rva);
    end += bytes.length;
  }
  expect(end).to.equal(memory.length);
  return memory;
}

describe('PE loader', () => {
  it('loads at the image base when it is free, else at the top', () => {
    expect(placeImage(freeMap(), { ...image, imageBase: 0x40_0000n })).to.equal(0x40_0000);
    expect(placeImage(freeMap(), { ...image, imageBase: 0x100_0000n })).to.equal(0x7f_d000);
    expect(placeImage(freeMap(), image)).to.equal(0x7f_d000);
  });
  it('refuses to move an image whose relocations are stripped, and one that is larger than memory', () => {
    const fixed = { ...image, relocationsStripped: true };
    expect(placeImage(freeMap(), { ...fixed, imageBase: 0x40_0000n })).to.equal(0x40_0000);
    expect(() => placeImage(freeMap(), { ...fixed, imageBase: 0x100_0000n })).to.throw(
      FirmwareError,
      'link it with relocations',
    );
    expect(() => placeImage(freeMap(), { ...image, sizeOfImage: 1 << 24 })).to.throw(FirmwareError, 'more memory');
  });
  it('as EDK II loads no movable image below 1 MiB, and every image at a multiple of its SectionAlignment', () => {
    const map = new MemoryMap([{ start: 0x1000, end: 0x80_0000, type: 7, allocated: false }]);
    expect(placeImage(map, { ...image, imageBase: 0x2000n })).to.equal(0x7f_d000);
    expect(placeImage(map, { ...image, imageBase: 0x2000n, relocationsStripped: true })).to.equal(0x2000);
    expect(placeImage(map, { ...image, sectionAlignment: 0x10_0000 })).to.equal(0x70_0000);
    expect(placeImage(map, { ...image, imageBase: 0x28_0000n, sectionAlignment: 0x10_0000 })).to.equal(0x70_0000);
    const fixed = { ...image, imageBase: 0x28_0000n, sectionAlignment: 0x10_0000, relocationsStripped: true };
    expect(() => placeImage(map, fixed)).to.throw(FirmwareError, 'SectionAlignment 0x100000');
  });
  it('applies DIR64 and HIGHLOW relocations and skips ABSOLUTE', () => {
    const { layout, file } = relocatable([0xa100, 0x3108, 0x0000]);
    const memory = new DataView(buildImage(layout, file, 0x50_0000).buffer);
    expect(memory.getBigUint64(0x1100, true)).to.equal(0x1_4010_0123n);
    expect(memory.getUint32(0x1108, true)).to.equal(0x4010_0456);
  });
  it('applies HIGH and LOW relocations as EDK II', () => {
    const { layout, file } = relocatable([0x1108, 0x210a]);
    const memory = new DataView(buildImage({ ...layout, imageBase: 0x40_1234n }, file, 0x50_2345).buffer);
    expect(memory.getUint16(0x1108, true)).to.equal(0x0456 + 0x10);
    expect(memory.getUint16(0x110a, true)).to.equal(0x4000 + 0x1111);
  });
  it('changes nothing at the base the image was linked for', () => {
    const { layout, file } = relocatable([0xa100]);
    expect(new DataView(buildImage(layout, file, 0x40_0000).buffer).getBigUint64(0x1100, true)).to.equal(
      0x1_4000_0123n,
    );
  });
  it('an image that stays as it is comes from the file without a copy, with zeros between its parts', () => {
    const file = Uint8Array.from({ length: 0x900 }, (_, i) => 1 + (i % 250));
    const section = (name: string, virtualAddress: number, fileOffset: number): PeLayout['sections'][number] => ({
      name,
      virtualAddress,
      virtualSize: 0x600,
      fileOffset,
      fileSize: 0x200,
    });
    const parts = [section('.data', 0x2000, 0x400), section('.text', 0x1000, 0x200)];
    const layout = { ...image, sizeOfImage: 0x2800, sizeOfHeaders: 0x200, sections: parts };
    const expected = new Uint8Array(0x3000);
    expected.set(file.subarray(0, 0x200));
    expected.set(file.subarray(0x200, 0x400), 0x1000);
    expected.set(file.subarray(0x400, 0x600), 0x2000);
    expect(buildImage(layout, file, 0x50_0000)).to.deep.equal(expected);
    const fromFile = imagePieces(layout, file, 0x50_0000).filter(({ bytes }) => bytes.buffer === file.buffer);
    expect(fromFile.map(({ rva }) => rva)).to.deep.equal([0, 0x1000, 0x2000]);
  });
  it('of sections that lie one over another the later one counts', () => {
    const file = Uint8Array.from({ length: 0x900 }, (_, i) => 1 + (i % 250));
    const one = { name: '.a', virtualAddress: 0x1000, virtualSize: 0x200, fileOffset: 0x200, fileSize: 0x200 };
    const layout = { ...image, sizeOfHeaders: 0x200, sections: [one, { ...one, virtualAddress: 0x1100 }] };
    const memory = buildImage(layout, file, 0x50_0000);
    expect(memory.subarray(0x1000, 0x1100)).to.deep.equal(file.subarray(0x200, 0x300));
    expect(memory.subarray(0x1100, 0x1300)).to.deep.equal(file.subarray(0x200, 0x400));
  });
  it('names damage: unknown types, targets outside, blocks that do not fit, sections outside', () => {
    const load = (entries: number[], block?: number): unknown => {
      const { layout, file } = relocatable(entries, block);
      return buildImage(layout, file, 0x50_0000);
    };
    expect(() => load([0x5100])).to.throw(FirmwareError, 'type 5');
    expect(() => load([0xa100], 0)).to.throw(FirmwareError, 'block of 0 bytes');
    expect(() => load([0xa100], 4)).to.throw(FirmwareError, 'block of 4 bytes');
    expect(() => load([0xa100], 400)).to.throw(FirmwareError, 'block of 400 bytes');
    const { layout, file } = relocatable([0xa100]);
    new DataView(file.buffer).setUint32(0x200, 0x2fff, true);
    expect(() => buildImage(layout, file, 0x50_0000)).to.throw(FirmwareError, 'target outside');
    const outside = { ...image, sections: image.sections.map((s) => ({ ...s, virtualAddress: 0x2f00 })) };
    expect(() => buildImage(outside, imageFile, 0)).to.throw(FirmwareError, 'section .text');
    const far = { ...layout, relocations: { rva: 0x2ff0, size: 0x100 } };
    expect(() => buildImage(far, file, 0x50_0000)).to.throw(FirmwareError, 'directory outside');
  });
  it('says how much memory is missing and for what', () => {
    const modules = [{ bytes: new Uint8Array(70 << 20) }];
    expect(() => new FakeMachine({}, { modules })).to.throw(
      FirmwareError,
      /64 MiB of guest RAM have no room for a module of 73400320 bytes/,
    );
  });
});
