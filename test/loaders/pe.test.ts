import { expect } from 'chai';
import {
  CoffHeader,
  DataDirectory,
  DosHeader,
  OptionalHeader64,
  SectionHeader,
} from '../../firmware-tables/image/pe.js';
import { ImageError } from '../../src/loaders/image.js';
import { readPe } from '../../src/loaders/pe.js';
import { smallPe } from '../support/images.js';

const coffAt = DosHeader.size;
const optionalAt = coffAt + CoffHeader.size;
const sectionsAt = optionalAt + OptionalHeader64.size + 6 * DataDirectory.size;
const coff = (field: Parameters<typeof CoffHeader.offsetOf>[0]): number => coffAt + CoffHeader.offsetOf(field);
const optional = (field: Parameters<typeof OptionalHeader64.offsetOf>[0]): number =>
  optionalAt + OptionalHeader64.offsetOf(field);
const section = (index: number, field: Parameters<typeof SectionHeader.offsetOf>[0]): number =>
  sectionsAt + index * SectionHeader.size + SectionHeader.offsetOf(field);
const directory = (index: number): number => optionalAt + OptionalHeader64.size + index * DataDirectory.size;

type Change = readonly [offset: number, bytes: 2 | 4, value: number];
function changed(...changes: Change[]): Uint8Array {
  const file = smallPe();
  const view = new DataView(file.buffer);
  for (const [offset, bytes, value] of changes) {
    if (bytes === 2) view.setUint16(offset, value, true);
    else view.setUint32(offset, value, true);
  }
  return file;
}

/** The refusal names the field and the offset at which it stands. */
function refuses(field: string, offset: number, ...changes: Change[]): void {
  const read = (): unknown => readPe(changed(...changes));
  expect(read).to.throw(ImageError, field);
  expect(read).to.throw(ImageError, `offset 0x${offset.toString(16)}`);
}

describe('PE images that EDK II refuses (BasePeCoffLib, DXE core)', () => {
  it('undamaged the image is read', () => {
    expect(readPe(smallPe()).sections.map(({ name }) => name)).to.deep.equal(['.text', '.data']);
  });
  it('e_lfanew outside the file, no PE signature', () => {
    refuses('e_lfanew', 0xffff_0000, [0x3c, 4, 0xffff_0000]);
    refuses('"PE" signature', coffAt, [coffAt, 4, 0x1234]);
  });
  it('another machine', () => {
    refuses('arm64', coff('Machine'), [coff('Machine'), 2, 0xaa64]);
    refuses('32-bit x86', coff('Machine'), [coff('Machine'), 2, 0x14c]);
    refuses('unknown processor', coff('Machine'), [coff('Machine'), 2, 0x1234]);
  });
  it('PE32 and unknown optional headers', () => {
    refuses('Magic', optionalAt, [optionalAt, 2, 0x10b]);
    refuses('Magic', optionalAt, [optionalAt, 2, 0x107]);
  });
  it('more than 16 data directories, and a SizeOfOptionalHeader that they do not fill exactly', () => {
    const count = optional('NumberOfRvaAndSizes');
    const size = coff('SizeOfOptionalHeader');
    refuses('NumberOfRvaAndSizes', count, [count, 4, 17]);
    refuses('NumberOfRvaAndSizes', count, [count, 4, 0xffff_ffff]);
    refuses('too small', size, [size, 2, 112 + 5 * 8]);
    refuses('too large', size, [size, 2, 112 + 7 * 8]);
  });
  it('a subsystem that is no EFI image', () => {
    for (const subsystem of [0, 1, 3, 9, 13, 0xffff])
      refuses('Subsystem', optional('Subsystem'), [optional('Subsystem'), 2, subsystem]);
  });
  it('a runtime driver without relocations, which could not be moved', () => {
    const at = coff('Characteristics');
    const runtime: Change = [optional('Subsystem'), 2, 12];
    refuses('runtime driver', at, runtime, [at, 2, 0x23]);
    expect(readPe(changed(runtime)).subsystem).to.equal(12);
    expect(readPe(changed([at, 2, 0x23])).relocationsStripped).to.equal(true);
  });
  it('a SizeOfImage of nothing, beyond all RAM, or no larger than the headers', () => {
    refuses('SizeOfImage', optional('SizeOfImage'), [optional('SizeOfImage'), 4, 0]);
    refuses('SizeOfImage', optional('SizeOfImage'), [optional('SizeOfImage'), 4, 0xffff_f000]);
    const entry: Change = [optional('AddressOfEntryPoint'), 4, 0x100];
    refuses('SizeOfHeaders', optional('SizeOfHeaders'), [optional('SizeOfImage'), 4, 0x200], entry);
  });
  it('headers that do not hold the section table, or are not in the file', () => {
    const at = optional('SizeOfHeaders');
    for (const size of [0, 1, sectionsAt, sectionsAt + 2 * SectionHeader.size - 1, 0x1_0000]) {
      refuses('SizeOfHeaders', at, [at, 4, size]);
    }
    refuses('SizeOfHeaders', at, [coff('NumberOfSections'), 2, 12]);
  });
  it('more sections than the file has headers for', () => {
    expect(() => readPe(changed([coff('NumberOfSections'), 2, 0xffff]))).to.throw(ImageError, '65535 section headers');
  });
  it('a SectionAlignment that is no power of two', () => {
    const at = optional('SectionAlignment');
    for (const alignment of [0, 1, 0x1001, 0xffff_ffff, 0x8000_0000]) {
      refuses('SectionAlignment', at, [at, 4, alignment]);
    }
  });
  it('an entry point outside the image', () => {
    const at = optional('AddressOfEntryPoint');
    for (const entry of [0, 0x4000, 0xffff_ffff]) refuses('AddressOfEntryPoint', at, [at, 4, entry]);
  });
  it('section data in the headers', () => {
    refuses('VirtualAddress', section(0, 'VirtualAddress'), [section(0, 'VirtualAddress'), 4, 0x1ff]);
    refuses('PointerToRawData', section(1, 'PointerToRawData'), [section(1, 'PointerToRawData'), 4, 0x1ff]);
  });
  it('section data outside the file, also when the sum wraps 32 bits', () => {
    const header = sectionsAt;
    refuses('.text', header, [section(0, 'SizeOfRawData'), 4, 0x1_0000]);
    refuses('.text', header, [section(0, 'PointerToRawData'), 4, 0xffff_ff00]);
    refuses('.text', header, [section(0, 'SizeOfRawData'), 4, 0xffff_ffff]);
  });
  it('sections outside the image, also when the sum wraps 32 bits', () => {
    const header = sectionsAt + SectionHeader.size;
    refuses('.data', header, [section(1, 'VirtualAddress'), 4, 0x3000]);
    refuses('.data', header, [section(1, 'VirtualSize'), 4, 0xffff_f000]);
    refuses('.data', header, [section(1, 'VirtualAddress'), 4, 0xffff_f000]);
  });
  it('sections that lie one over another', () => {
    const header = sectionsAt + SectionHeader.size;
    refuses('within section .text', header, [section(1, 'VirtualAddress'), 4, 0x11ff]);
    refuses('within section .text', header, [section(0, 'VirtualSize'), 4, 0x1001]);
    refuses('within section .data', sectionsAt, [section(0, 'VirtualAddress'), 4, 0x2800]);
    expect(readPe(changed([section(0, 'VirtualSize'), 4, 0x1000])).sections).to.have.length(2);
  });
  it('base relocations outside the image', () => {
    refuses('base relocation', directory(5), [directory(5), 4, 0x3ffc], [directory(5) + 4, 4, 8]);
    refuses('base relocation', directory(5), [directory(5), 4, 0xffff_fffc], [directory(5) + 4, 4, 8]);
    expect(readPe(changed([directory(5), 4, 0x3ff8], [directory(5) + 4, 4, 8])).relocations).to.deep.equal({
      rva: 0x3ff8,
      size: 8,
    });
  });
  it('certificates outside the file', () => {
    refuses('security directory', directory(4), [directory(4), 4, 0x5f8], [directory(4) + 4, 4, 16]);
    refuses('security directory', directory(4), [directory(4), 4, 0xffff_fff8], [directory(4) + 4, 4, 16]);
    expect(readPe(changed([directory(4), 4, 0x5f8], [directory(4) + 4, 4, 8])).sections).to.have.length(2);
  });
});
