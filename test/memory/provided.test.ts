import { expect } from 'chai';
import { array, nested, struct, u16, u32, u64 } from '../../firmware-tables/layout.js';
import { fieldsOf, ProvidedMemory, structureOf } from '../../src/memory/provided.js';

const Inner = struct('Inner', 4, [u16('a'), u16('Reserved')]);
const Outer = struct('Outer', 28, [u32('head'), nested('one', Inner), array('many', Inner, 3), u64('tail')]);

describe('what is laid out for the guest (src/memory/provided.ts)', () => {
  it('fields of nested structures and arrays are dotted, by offset and without gaps; reserved ones are padding', () => {
    expect(fieldsOf([Outer])).to.deep.equal([
      { name: 'head', offset: 0, bytes: 4 },
      { name: 'one.a', offset: 4, bytes: 2 },
      { name: 'one.Reserved', offset: 6, bytes: 2, padding: true },
      { name: 'many[0].a', offset: 8, bytes: 2 },
      { name: 'many[0].Reserved', offset: 10, bytes: 2, padding: true },
      { name: 'many[1].a', offset: 12, bytes: 2 },
      { name: 'many[1].Reserved', offset: 14, bytes: 2, padding: true },
      { name: 'many[2].a', offset: 16, bytes: 2 },
      { name: 'many[2].Reserved', offset: 18, bytes: 2, padding: true },
      { name: 'tail', offset: 20, bytes: 8 },
    ]);
  });
  it('entries of an array that are out of use are padding, in one piece', () => {
    const names = fieldsOf([Outer], { used: { many: 1 } }).map(({ name, bytes }) => `${name} ${String(bytes)}`);
    expect(names.slice(3)).to.deep.equal(['many[0].a 2', 'many[0].Reserved 2', 'many[1..] 8', 'tail 8']);
  });
  it('parts lie one behind the other; a shorter version of a structure ends with whole fields', () => {
    const parts = [
      { name: 'entry', of: Inner, count: 2 },
      { name: 'text', bytes: 5 },
      { name: 'end', of: Inner },
    ];
    const names = fieldsOf(parts).map(({ name, offset }) => `${name} ${String(offset)}`);
    expect(names).to.deep.equal([
      'entry[0].a 0',
      'entry[0].Reserved 2',
      'entry[1].a 4',
      'entry[1].Reserved 6',
      'text 8',
      'end.a 13',
      'end.Reserved 15',
    ]);
    expect(structureOf('loader', 'short', 0x1000, parts, { most: 8 }).bytes).to.equal(8);
  });
  it('structures of one name are told apart, and who listens hears of those that come and go later', () => {
    const provided = new ProvidedMemory();
    provided.add(structureOf('firmware', 'x', 0, [Inner]));
    const heard: string[] = [];
    provided.onStructure = ({ name }) => heard.push(`+${name}`);
    provided.onEnd = ({ name }, why) => heard.push(`-${name} ${why}`);
    provided.add(structureOf('firmware', 'x', 0x10, [Inner]));
    provided.add(structureOf('firmware', 'x', 0x20, [Inner]));
    provided.end(0x10, 'freed');
    provided.end(0x11, 'freed');
    expect(heard).to.deep.equal(['+x 2', '+x 3', '-x 2 freed']);
  });
});
