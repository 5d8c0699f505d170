import { EventEmitter } from 'node:events';
import type { ReadStream } from 'node:tty';
import { expect } from 'chai';
import { ConsoleInput } from '../../src/host/console-input.js';

class FakeStream extends EventEmitter {
  raw: boolean | undefined;
  constructor(readonly isTTY: boolean) {
    super();
  }
  setRawMode(raw: boolean): void {
    this.raw = raw;
  }
  pause(): void {
    // nothing flows
  }
}

function open(isTTY: boolean) {
  const stream = new FakeStream(isTTY);
  const got: string[] = [];
  let left = 0;
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  const device = {
    waiting: 0,
    type: (bytes: Uint8Array) => got.push(`typed ${text(bytes)}`),
    pipe: (bytes: Uint8Array) => got.push(`piped ${text(bytes)}`),
  };
  const input = new ConsoleInput(stream as unknown as ReadStream, device, () => left++);
  return { stream, input, got, left: () => left };
}

describe('console input', () => {
  it('is raw while the guest runs on a terminal and gives it back', () => {
    const { stream, input } = open(true);
    expect(stream.raw).to.equal(true);
    input.close();
    expect(stream.raw).to.equal(false);
  });

  it('leaves at Ctrl-A x, also when the two come apart; Ctrl-A Ctrl-A types Ctrl-A', () => {
    const { stream, input, got, left } = open(true);
    stream.emit('data', Buffer.from('a\x01\x01b\x01'));
    stream.emit('data', Buffer.from('xc'));
    input.deliver();
    expect(left()).to.equal(1);
    expect(got).to.deep.equal(['typed a\x01b', 'typed c']);
    input.close();
  });

  it('hands a pipe over as it is, Ctrl-A included, and knows its end', async () => {
    const { stream, input, got, left } = open(false);
    stream.emit('data', Buffer.from('\x01x'));
    expect(input.deliver()).to.equal(true);
    expect(input.deliver()).to.equal(false);
    const changed = input.changed();
    stream.emit('end');
    await changed;
    expect(input.open).to.equal(false);
    expect(left()).to.equal(0);
    expect(got).to.deep.equal(['piped \x01x']);
  });

  it('takes a descriptor that cannot be read as an input without bytes', () => {
    const { stream, input } = open(false);
    stream.emit('error', new Error('EBADF'));
    expect(input.open).to.equal(false);
  });
});
