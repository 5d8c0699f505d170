import { expect } from 'chai';
import { VariableFormatError } from '../../src/variables/errors.js';
import { decodeStore, encodeRecord, encodeStore, storeHeader } from '../../src/variables/store-format.js';

const guid = '7a9ab5e3-02b6-4d6f-9d1c-55c0f8a1d2e4';
const one = { name: 'One', guid, attributes: 7, data: '0102' };
const two = {
  name: 'Zwei \u00e4\ud800',
  guid,
  attributes: 0x27,
  data: 'ff',
  time: '00'.repeat(16),
  digest: 'ab'.repeat(32),
};
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytes = (content: string): Uint8Array => new TextEncoder().encode(content);

describe('variable store format, version 1', () => {
  it('a header line, then a line a record: CRC-32 of its JSON, a space, the JSON', () => {
    expect(text(encodeStore([one]))).to.equal(
      `efikit-variable-store 1\n94b59408 {"guid":"${guid}","name":"One","attributes":7,"data":"0102"}\n`,
    );
  });

  it('gives back every field, names that are no Unicode text too', () => {
    expect(decodeStore(encodeStore([one, two])).variables.all()).to.deep.equal([one, two]);
  });

  it('the last record of a variable counts; one that is written again goes behind the others, a deleted one is gone', () => {
    const log = [
      encodeStore([one, two, { ...one, name: 'Three' }]),
      encodeRecord({ guid, name: 'One', variable: { ...one, data: '03' } }),
      encodeRecord({ guid, name: two.name, variable: undefined }),
    ];
    const names = decodeStore(Buffer.concat(log)).variables.all();
    expect(names).to.deep.equal([
      { ...one, name: 'Three' },
      { ...one, data: '03' },
    ]);
  });

  it('cut off at any byte: the whole records before', () => {
    const whole = encodeStore([one, two]);
    const first = encodeStore([one]).length;
    for (let length = storeHeader().length; length <= whole.length; length++) {
      const { variables, length: good, unfinished } = decodeStore(whole.subarray(0, length));
      const count = length === whole.length ? 2 : length >= first ? 1 : 0;
      expect(variables.all()).to.have.length(count);
      expect(good + unfinished).to.equal(length);
    }
  });

  it('any one bit changed: the same variables, or a refusal that says where; never one less', () => {
    const log = [
      encodeStore([one, two]),
      encodeRecord({ guid, name: 'One', variable: undefined }),
      encodeRecord({ guid, name: 'a@ b', variable: { ...one, name: 'a@ b' } }),
    ];
    for (let count = 1; count <= log.length; count++) {
      const store = Buffer.concat(log.slice(0, count));
      for (let bit = 0; bit < store.length * 8; bit++) {
        const flipped = Uint8Array.from(store);
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const where = bit >> 3 < storeHeader().length ? /offset|of version|no variable store/ : /offset \d+/;
        expect(() => decodeStore(flipped), `bit ${String(bit)}`).to.throw(VariableFormatError, where);
      }
    }
  });

  it('sectors that never reached the medium read as zeros: an unfinished write, its line feed there or not', () => {
    const before = encodeStore([one]);
    const record = encodeRecord({ guid, name: 'Long', variable: { ...one, name: 'Long', data: '61'.repeat(900) } });
    const whole = Buffer.concat([before, record]);
    for (let sector = 0; sector < whole.length; sector += 512) {
      const torn = Uint8Array.from(whole);
      torn.fill(0, Math.max(sector, before.length), Math.min(sector + 512, whole.length));
      const { variables, length } = decodeStore(torn);
      expect(variables.all()).to.deep.equal([one]);
      expect(length).to.equal(before.length);
    }
  });

  it('a wrong checksum before whole records is damage, and says where', () => {
    const store = encodeStore([one, two]);
    store[60] = (store[60] ?? 0) ^ 1;
    expect(() => decodeStore(store)).to.throw(VariableFormatError, /damaged at offset 24: the checksum/);
  });

  it('another version, another file', () => {
    expect(() => decodeStore(bytes('efikit-variable-store 2\n'))).to.throw(/version 2; this efikit knows version 1/);
    expect(() => decodeStore(bytes('efikit-variable-store x\n'))).to.throw(/version is unreadable/);
    expect(() => decodeStore(bytes('hello'))).to.throw(/no variable store/);
  });
});
