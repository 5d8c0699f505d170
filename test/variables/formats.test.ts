import { expect } from 'chai';
import { guidBytes } from '../../firmware-tables/guid.js';
import { readEfivarfs, writeEfivarfs, writeEfivarfsFiles } from '../../src/variables/efivarfs.js';
import { VariableFormatError } from '../../src/variables/errors.js';
import { readOvmfImage, writeOvmfImage } from '../../src/variables/ovmf-image.js';
import { readQemuJson, writeQemuJson } from '../../src/variables/qemu-json.js';
import { recognise } from '../../src/variables/recognise.js';
import { ovmfImage, ovmfSizes, type ImageRecord } from '../support/ovmf-image.js';

const guid = '7a9ab5e3-02b6-4d6f-9d1c-55c0f8a1d2e4';
const plain = { name: 'Plain', guid, attributes: 7, data: '010203' };
const time = 'e407050c0b0a0900000000000000ff00';
const signed = { name: 'db', guid, attributes: 0x27, data: 'aabb', time };

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

const record = (name: string, state: number, data: number): ImageRecord => ({
  name,
  guid,
  attributes: 7,
  data: Uint8Array.of(data),
  state,
});

describe("QEMU's JSON variable store", () => {
  it('reads and writes guid, name, attr, data, time and digest', () => {
    const variables = [plain, { ...signed, digest: 'cd'.repeat(32) }];
    const root = JSON.parse(writeQemuJson(variables)) as unknown;
    expect(root).to.deep.equal({
      version: 2,
      variables: variables.map(({ attributes, ...rest }) => ({ ...rest, attr: attributes })),
    });
    expect(readQemuJson(utf8(JSON.stringify(root)))).to.deep.equal(variables);
  });

  it('APPEND_WRITE is of a call, not of a variable', () => {
    const text = JSON.stringify({ version: 2, variables: [{ guid, name: 'A', attr: 0x47, data: '00' }] });
    expect(readQemuJson(utf8(text))[0]?.attributes).to.equal(7);
  });

  it('says which field of which variable is wrong', () => {
    const refuses = (variable: object, what: RegExp): void => {
      const text = JSON.stringify({ version: 2, variables: [{ guid, name: 'A', attr: 7, data: '', ...variable }] });
      expect(() => readQemuJson(utf8(text))).to.throw(what);
    };
    refuses({ guid: 'x' }, /variables\[0\]: its guid/);
    refuses({ name: '' }, /variables\[0\]: its name/);
    refuses({ attr: -1 }, /variables\[0\]: its attributes/);
    refuses({ data: '1' }, /variables\[0\]: its data/);
    refuses({ time: '00' }, /variables\[0\]: its time/);
    refuses({ digest: '00' }, /variables\[0\]: its digest/);
    expect(() => readQemuJson(utf8('{"version": 3, "variables": []}'))).to.throw(/version 3/);
    expect(() => readQemuJson(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d))).to.throw(/no JSON: .*not valid/);
    expect(() => readQemuJson(utf8('{\n  "version": 2,\n\u0001 }'))).to.throw(/^no JSON: \P{Cc}+$/u); // one line
    expect(() => readQemuJson(utf8('{'))).to.throw(/no JSON/);
    expect(() => readQemuJson(utf8('{}'))).to.throw(/"version" and "variables"/);
  });
});

describe('OVMF_VARS images', () => {
  for (const size of ['2M', '4M'] as const) {
    it(`${size}: what is written into a template is read back, time included; the rest of it stays`, () => {
      const template = ovmfImage(size, [record('Old', 0x3f, 1)]);
      const image = writeOvmfImage(template, [plain, signed]);
      expect(readOvmfImage(image)).to.deep.equal([plain, signed]);
      const region = ovmfSizes[size][1];
      expect(image.subarray(region)).to.deep.equal(template.subarray(region));
      const built = ovmfImage(size, [
        { ...plain, data: Uint8Array.of(1, 2, 3), state: 0x3f },
        { ...signed, data: Uint8Array.of(0xaa, 0xbb), state: 0x3f, time: Buffer.from(time, 'hex') },
      ]);
      expect(Buffer.compare(image, built)).to.equal(0);
    });
  }

  it('leaves out deleted and half-written variables; of one in transition the old stands until the new is complete', () => {
    const image = ovmfImage('2M', [
      record('Deleted', 0x3d, 1),
      record('DeletedAfterTransition', 0x3c, 2),
      record('HeaderOnly', 0x7f, 3),
      record('Replaced', 0x3e, 4),
      record('Interrupted', 0x3e, 5),
      record('Replaced', 0x3f, 6),
      record('Interrupted', 0x7f, 7),
    ]);
    const found = readOvmfImage(image).map(({ name, data }) => `${name} ${data}`);
    expect(found).to.deep.equal(['Interrupted 05', 'Replaced 06']);
  });

  it('of two whole ones of a name the first stands, of two in transition the last, as OVMF looks them up', () => {
    const image = ovmfImage('2M', [
      record('Whole', 0x3f, 1),
      record('Transition', 0x3e, 2),
      record('Whole', 0x3f, 3),
      record('Transition', 0x3e, 4),
    ]);
    expect(readOvmfImage(image).map(({ name, data }) => `${name} ${data}`)).to.deep.equal([
      'Whole 01',
      'Transition 04',
    ]);
  });

  it('any one bit changed in a StartId or a NameSize: a refusal, never fewer variables unsaid', () => {
    const image = ovmfImage('2M', [record('A', 0x3f, 1), record('B', 0x3f, 2), record('C', 0x3f, 3)]);
    const step = 60 + 4 + 4; // header, name, data and what aligns the next
    for (let n = 0; n < 3; n++) {
      for (const offset of [0, 1, 36, 37, 38, 39]) {
        for (let bit = 0; bit < 8; bit++) {
          const flipped = image.slice();
          const at = 100 + n * step + offset;
          flipped[at] = (flipped[at] ?? 0) ^ (1 << bit);
          let found: number;
          try {
            found = readOvmfImage(flipped).length;
          } catch (error) {
            expect(error).to.be.instanceOf(VariableFormatError);
            continue;
          }
          expect(found, `bit ${String(bit)} at ${String(at)}`).to.equal(3);
        }
      }
    }
  });

  it('a header that was being written ends the store; anything else behind its last variable is damage', () => {
    const image = ovmfImage('2M', [record('A', 0x3f, 1)]);
    const header = image.slice();
    header.set([0xaa, 0x55, 0xff, 0, 7, 0, 0, 0], 168);
    expect(readOvmfImage(header)).to.have.length(1);
    image[0x2000] = 0;
    expect(() => readOvmfImage(image)).to.throw(/damaged at offset 0xa8: .* \(offset 0x2000\)/);
  });

  it('what is written into a template has no write in progress that OVMF would finish', () => {
    const template = ovmfImage('4M');
    template.set(guidBytes('9e58292b-7c68-497d-a0ce-6500fd9f1b95'), 0x41000);
    template.fill(0x5a, 0x41010, 0x42000);
    const image = writeOvmfImage(template, [plain]);
    expect(image.subarray(0x41000, 0x41020)).to.deep.equal(template.subarray(0x41000, 0x41020));
    expect(image.subarray(0x41020, 0x42000).every((byte) => byte === 0xff)).to.equal(true);
  });

  it('reads a store without authenticated variables, and writes none into it', () => {
    const template = ovmfImage('2M', [record('Old', 0x3f, 1)], false);
    expect(readOvmfImage(template)).to.have.length(1);
    expect(readOvmfImage(writeOvmfImage(template, [plain]))).to.deep.equal([plain]);
    expect(() => writeOvmfImage(template, [signed])).to.throw(/db is authenticated/);
  });

  it('says what is damaged and where', () => {
    const damaged = (change: (image: Uint8Array) => Uint8Array | undefined, what: RegExp): void => {
      const image = ovmfImage('2M', [record('A', 0x3f, 1)]);
      expect(() => readOvmfImage(change(image) ?? image)).to.throw(what);
    };
    const poke = (offset: number, value: number) => (image: Uint8Array) => {
      image[offset] = value;
      return undefined;
    };
    damaged(poke(0x28, 0), /no "_FVH" at offset 0x28/);
    damaged(poke(16, 0), /not variables/);
    damaged(poke(44, 1), /Checksum at offset 0x32/);
    damaged(poke(92, 0), /store at offset 0x48 is not formatted and healthy/);
    damaged(poke(72, 0), /unknown kind/);
    damaged(poke(100 + 36 + 3, 1), /variable at offset 0x64: NameSize .* lead out of the store/);
    damaged((image) => image.subarray(0, 0x1000), /it is cut off/);
    damaged((image) => image.subarray(0, 20), /hold no volume header/);
  });

  it('says when the variables do not fit', () => {
    expect(() => writeOvmfImage(ovmfImage('2M'), [{ ...plain, data: '00'.repeat(0xe000) }])).to.throw(/does not fit/);
  });
});

describe('efivarfs files', () => {
  it('NAME-GUID holds 32 bits of attributes and the data', () => {
    const file = { file: `Plain-${guid}`, bytes: Uint8Array.of(7, 0, 0, 0, 1, 2, 3) };
    expect(readEfivarfs(file)).to.deep.equal(plain);
    expect(writeEfivarfs(plain)).to.deep.equal(file);
    expect(writeEfivarfs({ ...plain, name: 'a/b' }).file).to.equal(`a!b-${guid}`);
  });

  it('refuses what is none', () => {
    expect(() => readEfivarfs({ file: `A-${guid}`, bytes: Uint8Array.of(7, 0) })).to.throw(/4 bytes of attributes/);
    expect(() => readEfivarfs({ file: `A-${guid}`, bytes: utf8('{"version": 2}') })).to.throw(/no attributes/);
    const twice = [
      { ...plain, name: 'a/b' },
      { ...plain, name: 'a!b' },
    ];
    expect(() => writeEfivarfsFiles(twice)).to.throw(/"a\/b" and "a!b": both would be the file/);
    expect(() => writeEfivarfs({ ...plain, name: '\ud800' })).to.throw(/no file can have this name/);
  });
});

describe('formats', () => {
  it('are known by their first bytes', () => {
    const of = (bytes: Uint8Array): unknown => {
      const format = recognise(bytes);
      return typeof format === 'object' ? format.kind : format;
    };
    expect(of(ovmfImage('2M'))).to.equal('ovmf');
    expect(of(new TextEncoder().encode(' \n{"version": 2}'))).to.equal('json');
    expect(of(Uint8Array.of(0x51, 0x46, 0x49, 0xfb, 0, 0, 0, 3))).to.equal('qcow2');
    expect(of(new TextEncoder().encode('efikit-variable-store 1\n'))).to.equal('store');
    expect(of(Uint8Array.of(1, 2, 3))).to.equal(undefined);
  });
});
