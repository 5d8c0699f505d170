import { expect } from 'chai';
import { gzipSync } from 'fflate';
import { readImage } from '../../src/loaders/read-image.js';
import { ImageError } from '../../src/loaders/image.js';
import { cachedKernel, kernelNames } from '../support/kernels.js';
import { smallBzImage, smallElf, smallPe, withSize, xenNote } from '../support/images.js';
import { compressed, fromBase64 } from '../support/compressed.js';

const refusal = (bytes: Uint8Array): string => {
  try {
    readImage(bytes).elf();
  } catch (error) {
    if (error instanceof ImageError) return error.message;
    throw error;
  }
  return 'loaded';
};

describe('readImage', () => {
  it('ELF: segments by p_paddr, notes, PHYS32_ENTRY of 4 and of 8 bytes (Xen public/elfnote.h)', () => {
    const elf = readImage(smallElf()).elf();
    expect(elf?.segments).to.have.length(1);
    expect(elf?.segments[0]).to.include({ physicalAddress: 0x10_0000, fileBytes: 512, memoryBytes: 2048 });
    expect(elf?.pvhEntry).to.equal(0x10_0010);
    const long = xenNote(18, new Uint8Array(BigUint64Array.of(0x10_0020n).buffer));
    expect(readImage(smallElf({ note: long })).elf()?.pvhEntry).to.equal(0x10_0020);
    expect(readImage(smallElf({ bits: 32 })).elf()?.bits).to.equal(32);
  });
  it('ELF: a PHYS32_ENTRY of another length or beyond 32 bits is refused', () => {
    expect(refusal(smallElf({ note: xenNote(18, new Uint8Array(2)) }))).to.contain('2 bytes long');
    expect(refusal(smallElf({ note: xenNote(18, new Uint8Array(8).fill(0xff)) }))).to.contain('no 32-bit address');
  });
  it('ELF: a kernel without the note loads and has no PVH entry', () => {
    expect(readImage(smallElf({ note: xenNote(5, new Uint8Array(4)) })).elf()).to.not.have.property('pvhEntry');
  });
  it('PE32+: sections and sizes', () => {
    const { pe, kind } = readImage(smallPe());
    expect(kind).to.equal('pe');
    expect(pe?.sections.map(({ name }) => name)).to.deep.equal(['.text', '.data']);
    expect(pe?.sections[1]).to.include({ virtualSize: 0x1800, fileSize: 512 });
  });
  it('bzImage: setup header and the ELF in its payload', () => {
    const image = readImage(smallBzImage());
    expect(image.setup).to.include({
      kernelVersion: '6.1.0-test (efikit) #1',
      prefAddress: 0x100_0000,
      setupBytes: 1024,
    });
    expect(image.elf()?.pvhEntry).to.equal(0x100_0010);
    expect(image.elf(), 'kept').to.equal(image.elf());
  });
  it('what people hand over by mistake is named with what to do', () => {
    const arm64 = new Uint8Array(64);
    arm64.set([0x41, 0x52, 0x4d, 0x64], 56);
    const zboot = Uint8Array.of(0x4d, 0x5a, 0, 0, 0x7a, 0x69, 0x6d, 0x67);
    const cases: readonly (readonly [string, Uint8Array, ...string[]])[] = [
      ['empty', new Uint8Array(0), 'empty'],
      ['arm64 kernel', arm64, 'arm64', 'amd64'],
      ['EFI zboot', zboot, 'zboot', 'amd64'],
      ['arm64 PE', smallPe({ machine: 0xaa64 }), 'arm64', 'amd64'],
      ['32-bit PE', smallPe({ machine: 0x14c }), '32-bit', 'amd64'],
      ['PE32', smallPe({ magic: 0x10b }), '32-bit', 'x86-64'],
      ['unified kernel image', smallPe({ section: '.linux' }), 'unified kernel image', 'objcopy'],
      ['arm64 ELF', smallElf({ machine: 183 }), 'arm64', 'amd64'],
      ['32-bit bzImage', smallBzImage({ xloadflags: 0 }), '32-bit', 'amd64'],
      ['ancient bzImage', smallBzImage({ version: 0x204 }), '2.4', '3.8'],
      ['gzip around it', gzipSync(smallElf()), 'gzip', 'gunzip'],
      ['XZ around it', fromBase64(compressed.xz), 'XZ', 'unxz'],
      ['Zstandard around it', fromBase64(compressed.zstd), 'Zstandard', 'unzstd'],
      ['text', Uint8Array.from('hello, kernel', (c) => c.charCodeAt(0)), 'no bzImage'],
    ];
    for (const [name, bytes, ...words] of cases)
      for (const word of words) expect(refusal(bytes), name).to.contain(word);
  });
  it('bzImage: a damaged payload is refused at each elf(), with its offset', () => {
    const image = readImage(smallBzImage({ payload: withSize(Uint8Array.of(1, 2, 3, 4), 4) }));
    for (let i = 0; i < 2; i++) expect(() => image.elf()).to.throw(ImageError, 'offset 0x800');
  });
  it('bzImage: Zstandard before prepare() is refused, afterwards unpacked', async () => {
    const sample = smallBzImage({ payload: withSize(fromBase64(compressed.zstd), 3000) });
    const image = readImage(sample);
    await image.prepare();
    expect(() => image.elf()).to.throw(ImageError, 'ELF magic'); // the sample is no ELF, but it was unpacked
  });
  for (const name of kernelNames) {
    it(`Debian's ${name}: PE sections, payload and PVH note`, async function () {
      this.timeout(30_000);
      const image = readImage(cachedKernel(this, name));
      await image.prepare();
      expect(image.kind).to.equal('bzimage');
      expect(image.pe?.sections.map((section) => section.name)).to.deep.equal(['.setup', '.compat', '.text', '.data']);
      const elf = image.elf();
      expect(elf?.pvhEntry).to.be.at.least(0x100_0000);
      expect(elf?.bytes.length).to.be.at.least(50_000_000);
    });
  }
});
