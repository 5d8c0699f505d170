import { expect } from 'chai';
import { EventQueue } from '../src/events.js';
import { checkInputLog, InputLogError, TypedInput, typedInputEvent } from '../src/typed-input.js';

describe('typed input', () => {
  let tick: number;
  let idle: boolean;
  let events: EventQueue;
  let delivered: [number, string][];
  let input: TypedInput;
  const make = (): TypedInput =>
    new TypedInput({
      now: () => tick,
      idle: () => idle,
      schedule: (name, at) => {
        events.schedule(name, at);
      },
      deliver: (bytes) => delivered.push([tick, Buffer.from(bytes).toString()]),
    });
  const goTo = (to: number): void => {
    tick = to;
    while (events.takeDue(tick) !== undefined) input.onEvent();
  };
  beforeEach(() => {
    tick = 0;
    idle = false;
    events = new EventQueue();
    delivered = [];
    input = make();
  });
  const log = [
    { tick: 5, bytes: '61' },
    { tick: 9, bytes: '6263' },
  ];

  it('reaches a guest that runs at its next tick and a guest in HLT at once', () => {
    tick = 7;
    input.type(Buffer.from('ls\r'));
    expect(events.next).to.equal(8);
    goTo(8);
    idle = true;
    input.type(Buffer.from('x'));
    goTo(8);
    expect(delivered).to.deep.equal([
      [8, 'ls\r'],
      [8, 'x'],
    ]);
  });

  it('is logged with the tick of the delivery, also when that is behind the one asked for', () => {
    tick = 7;
    input.type(Buffer.from('ls\r'));
    expect(input.log).to.deep.equal([]);
    expect(input.waiting).to.equal(1);
    goTo(20); // an instruction of 12 ticks
    expect(input.log).to.deep.equal([{ tick: 20, bytes: '6c730d' }]);
    expect(input.waiting).to.equal(0);
  });

  it('comes after the events of devices that are due at the same tick', () => {
    input.replay([{ tick: 3, bytes: '61' }]);
    events.schedule('local-apic-timer', 3);
    expect([events.takeDue(3), events.takeDue(3)]).to.deep.equal(['local-apic-timer', typedInputEvent]);
  });

  it('is replayed at the ticks of its log, in order, and logged again as it was', () => {
    input.replay(log);
    goTo(5);
    goTo(9);
    expect(delivered).to.deep.equal([
      [5, 'a'],
      [9, 'bc'],
    ]);
    expect(input.log).to.deep.equal(log);
  });

  it('takes what is typed while a log is replayed between its entries', () => {
    input.replay(log);
    tick = 6;
    input.onEvent();
    input.type(Buffer.from('!'));
    goTo(9);
    expect(delivered.map(([, text]) => text)).to.deep.equal(['a', '!', 'bc']);
  });

  it('is saved as plain data with what is still to come', () => {
    input.replay(log);
    goTo(5);
    const saved = JSON.stringify(input.save());
    input = make();
    input.restore(JSON.parse(saved) as ReturnType<TypedInput['save']>);
    goTo(9);
    expect(delivered).to.have.length(2);
    expect(input.log).to.deep.equal(log);
  });

  it('refuses a log that begins in the past', () => {
    tick = 6;
    expect(() => {
      input.replay(log);
    }).to.throw(InputLogError, /begins at tick 5 and the machine is at 6/);
  });

  const bad: readonly [string, unknown, RegExp][] = [
    ['no list', { tick: 1 }, /is a list/],
    ['an entry that is null', [null], /entry 0 .*"tick"/],
    ['a tick that is no whole number', [{ tick: 1.5, bytes: '61' }], /entry 0 .*"tick"/],
    ['ticks that go back', [log[1], log[0]], /entry 1 .*at least 9/],
    ['half a byte', [{ tick: 1, bytes: '616' }], /entry 0 .*"bytes"/],
    ['no bytes', [{ tick: 1, bytes: '' }], /entry 0 .*"bytes"/],
  ];
  for (const [what, data, message] of bad) {
    it(`refuses as a log: ${what}`, () => {
      expect(() => checkInputLog(data)).to.throw(InputLogError, message);
    });
  }
});
