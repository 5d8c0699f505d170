import { expect } from 'chai';
import { TypedInput } from '../src/typed-input.js';

describe('typed input', () => {
  let tick: number;
  let due: number | undefined;
  let delivered: [number, string][];
  let input: TypedInput;
  beforeEach(() => {
    tick = 0;
    due = undefined;
    delivered = [];
    input = new TypedInput({
      now: () => tick,
      schedule: (_name, at) => {
        due = at;
      },
      deliver: (bytes) => delivered.push([tick, Buffer.from(bytes).toString()]),
    });
  });

  it('is logged with the tick at which the guest gets it', () => {
    tick = 7;
    input.type(Buffer.from('ls\r'));
    expect(input.log).to.deep.equal([{ tick: 7, bytes: '6c730d' }]);
    expect(delivered).to.deep.equal([[7, 'ls\r']]);
  });

  it('is replayed at the ticks of its log, in order, and logged again as it was', () => {
    const log = [
      { tick: 5, bytes: '61' },
      { tick: 9, bytes: '6263' },
    ];
    input.replay([...log].reverse());
    expect(due).to.equal(5);
    tick = 5;
    input.onEvent();
    expect(due).to.equal(9);
    tick = 9;
    input.onEvent();
    expect(delivered).to.deep.equal([
      [5, 'a'],
      [9, 'bc'],
    ]);
    expect(input.log).to.deep.equal(log);
  });
});
