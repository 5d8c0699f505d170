import { expect } from 'chai';
import { array, bytes, guid, LayoutError, nested, struct, u16, u32, u64, u8 } from '../../firmware-tables/layout.js';

const Inner = struct('Inner', 3, [u8('A'), u16('B')]);
const Outer = struct('Outer', 45, [
  u32('C'),
  u64('D'),
  bytes('E', 4),
  guid('F'),
  array('G', u8, 2),
  array('H', Inner, 2),
  nested('I', Inner),
  u16('J'),
]);

describe('struct', () => {
  it('throws at declaration when the fields do not add up to the declared size', () => {
    expect(() => struct('Wrong', 4, [u8('A')])).to.throw(LayoutError, 'take 1 bytes, 4 are declared');
  });
  it('refuses a name declared twice', () => {
    expect(() => struct('Twice', 2, [u8('A'), u8('A')])).to.throw(LayoutError, 'twice');
  });
  it('encodes little endian and leaves missing fields 0', () => {
    expect([...Inner.encode({ B: 0x1234 })]).to.deep.equal([0, 0x34, 0x12]);
    expect([...Inner.encode()]).to.deep.equal([0, 0, 0]);
  });
  it('decodes what it encoded, 64 bits exactly', () => {
    const value = {
      C: 0xffff_ffff,
      D: 0xfedc_ba98_7654_3211n,
      E: Uint8Array.of(1, 2, 3, 4),
      F: '6c8f3b1e-52d4-4f0a-9b67-0e41d2a7c835',
      G: [7, 8],
      H: [
        { A: 1, B: 2 },
        { A: 3, B: 4 },
      ],
      I: { A: 9, B: 10 },
      J: 11,
    };
    const encoded = Outer.encode(value);
    expect(Outer.decode(encoded)).to.deep.equal(value);
    const shifted = new Uint8Array(50);
    shifted.set(encoded, 5);
    const decoded = Outer.decode(shifted, 5);
    const d: bigint = decoded.D;
    expect(d).to.equal(value.D);
    expect(Outer.offsetOf('F')).to.equal(16);
  });
  it('stores a GUID in mixed endian order', () => {
    const G = struct('G', 16, [guid('Id')]);
    expect([...G.encode({ Id: '00112233-4455-6677-8899-aabbccddeeff' })]).to.deep.equal([
      0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff,
    ]);
    expect(() => G.encode({ Id: 'nonsense' })).to.throw(LayoutError, 'no GUID');
  });
  it('refuses values that do not fit and bytes that end early', () => {
    expect(() => Inner.encode({ A: 256 })).to.throw(LayoutError, 'does not fit');
    expect(() => Outer.encode({ D: -1n })).to.throw(LayoutError, 'does not fit');
    expect(() => Outer.encode({ E: new Uint8Array(5) })).to.throw(LayoutError, 'do not fit');
    expect(() => Inner.decode(new Uint8Array(2))).to.throw(LayoutError, 'do not lie within');
  });
  it('fills short arrays with zeros', () => {
    expect(Outer.decode(Outer.encode({ G: [5] })).G).to.deep.equal([5, 0]);
  });
});
