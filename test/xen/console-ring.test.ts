import { expect } from 'chai';
import fc from 'fast-check';
import { ConsoleInterface } from '../../firmware-tables/xen/console-ring.js';
import { ConsoleRing } from '../../src/xen/console-ring.js';

const text = (string: string) => Uint8Array.from(string, (character) => character.charCodeAt(0));
const offset = (field: 'in' | 'out' | 'in_cons' | 'in_prod' | 'out_cons' | 'out_prod') =>
  ConsoleInterface.offsetOf(field);

/** A ring with the guest's side of it. */
function create(page = new Uint8Array(4096)) {
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  const seen = { output: '', signals: 0 };
  const ring = new ConsoleRing(page, () => {
    seen.signals++;
  });
  ring.onOutput = (bytes) => {
    seen.output += String.fromCharCode(...bytes);
  };
  const get = (field: Parameters<typeof offset>[0]) => view.getUint32(offset(field), true);
  const set = (field: Parameters<typeof offset>[0], value: number) => {
    view.setUint32(offset(field), value, true);
  };
  const write = (string: string) => {
    const first = get('out_prod');
    text(string).forEach((byte, i) => (page[offset('out') + ((first + i) % 2048)] = byte));
    set('out_prod', first + string.length);
  };
  const read = (limit = 1024) => {
    let string = '';
    for (let cons = get('in_cons'); cons !== get('in_prod') && string.length < limit; cons = (cons + 1) >>> 0) {
      string += String.fromCharCode(page[offset('in') + (cons % 1024)] ?? 0);
    }
    set('in_cons', get('in_cons') + string.length);
    return string;
  };
  return { page, ring, seen, get, set, write, read };
}

describe('PV console ring (Xen public/io/console.h)', () => {
  it('xencons_interface: in[1024], out[2048], then the four indices', () => {
    expect(ConsoleInterface.size).to.equal(3088);
    expect([offset('in'), offset('out'), offset('in_cons'), offset('in_prod')]).to.deep.equal([0, 1024, 3072, 3076]);
    expect([offset('out_cons'), offset('out_prod')]).to.deep.equal([3080, 3084]);
  });
  it('out[]: the guest’s event hands everything over, moves out_cons and is answered by one event', () => {
    const { ring, seen, get, write } = create();
    write('hello\n');
    expect(seen.output).to.equal('');
    ring.onNotify();
    expect([seen.output, seen.signals, get('out_cons')]).to.deep.equal(['hello\n', 1, 6]);
  });
  it('out[]: an event without output is not answered', () => {
    const { ring, seen } = create();
    ring.onNotify();
    expect([seen.output, seen.signals]).to.deep.equal(['', 0]);
  });
  it('out[]: a full ring, across the end of the ring and of the indices', () => {
    const { ring, seen, get, set, write } = create();
    set('out_cons', 0xffff_fff0);
    set('out_prod', 0xffff_fff0);
    const full = 'ab'.repeat(1024);
    write(full);
    ring.onNotify();
    expect(seen.output).to.equal(full);
    expect(get('out_cons')).to.equal(0x7f0);
  });
  it('out[]: indices further apart than the ring is long are left as they are, and nothing is taken', () => {
    const { ring, seen, get, set } = create();
    set('out_prod', 2049);
    ring.onNotify();
    expect([seen.output, seen.signals, get('out_cons')]).to.deep.equal(['', 0, 0]);
    set('out_prod', 3);
    ring.onNotify();
    expect(seen.output.length).to.equal(3);
  });
  it('in[]: typed bytes enter at once, with one event', () => {
    const { ring, seen, read } = create();
    ring.type(text('ls\n'));
    expect([seen.signals, ring.waiting]).to.deep.equal([1, 3]);
    expect([read(), ring.waiting]).to.deep.equal(['ls\n', 0]);
  });
  it('in[]: what does not fit waits until the guest has read and sends its event', () => {
    const { ring, seen, read } = create();
    ring.type(text('x'.repeat(1024)));
    ring.type(text('yz'));
    expect([seen.signals, ring.waiting]).to.deep.equal([1, 1026]);
    expect(read(1)).to.equal('x');
    ring.onNotify();
    expect(seen.signals).to.equal(2);
    expect(read()).to.equal('x'.repeat(1023) + 'y');
    ring.onNotify();
    expect(read()).to.equal('z');
  });
  it('in[]: wrong indices keep input waiting; it enters when they are right again', () => {
    const { ring, seen, get, set, read } = create();
    set('in_cons', 1);
    ring.type(text('a'));
    expect([seen.signals, get('in_prod')]).to.deep.equal([0, 0]);
    set('in_cons', 0);
    ring.onNotify();
    expect(read()).to.equal('a');
  });
  it('piped bytes enter one by one, from the guest’s first event on', () => {
    const { ring, seen, read } = create();
    ring.pipe(text('abc'));
    expect([seen.signals, ring.waiting]).to.deep.equal([0, 3]);
    ring.onNotify();
    ring.onNotify();
    expect(read()).to.equal('a');
    ring.onNotify();
    expect([read(), seen.signals]).to.deep.equal(['b', 2]);
    ring.type(text('t')); // what is typed goes first
    ring.onNotify();
    expect(read()).to.equal('t');
    ring.onNotify();
    expect([read(), ring.waiting]).to.deep.equal(['c', 0]);
  });
  it('save and restore: queued input goes on in another ring over the same page', () => {
    const { page, ring } = create();
    ring.onNotify();
    ring.type(text('x'.repeat(1030)));
    ring.pipe(text('p'));
    const other = create(page.slice());
    other.ring.restore(JSON.parse(JSON.stringify(ring.save())) as ReturnType<typeof ring.save>);
    expect(other.ring.waiting).to.equal(ring.waiting);
    expect(other.read().length).to.equal(1024);
    other.ring.onNotify();
    expect(other.read()).to.equal('x'.repeat(6));
    other.ring.onNotify();
    expect(other.read()).to.equal('p');
  });
  it('hostile contents: no exception, at most a ring of output an event, nothing but the toolstack’s fields written', () => {
    const index = fc.oneof(fc.integer({ min: 0, max: 0xffff_ffff }), fc.constantFrom(0, 1, 1023, 1024, 2048, 2049));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(index, index, index, index), { maxLength: 12 }),
        fc.uint8Array(),
        (steps, typed) => {
          const memory = new Uint8Array(3 * 4096).fill(0x5a);
          const { ring, seen, get, set } = create(memory.subarray(4096, 8192));
          for (const [inCons, inProd, outCons, outProd] of steps) {
            set('in_cons', inCons);
            set('in_prod', inProd);
            set('out_cons', outCons);
            set('out_prod', outProd);
            seen.output = '';
            ring.type(typed);
            ring.onNotify();
            const length = (outProd - outCons) >>> 0;
            expect(seen.output.length).to.equal(length > 2048 ? 0 : length);
            expect([get('in_cons'), get('out_prod')]).to.deep.equal([inCons, outProd]);
          }
          expect(memory.subarray(0, 4096).every((byte) => byte === 0x5a)).to.equal(true);
          expect(memory.subarray(4096 + 3088).every((byte) => byte === 0x5a)).to.equal(true);
        },
      ),
    );
  });
});
