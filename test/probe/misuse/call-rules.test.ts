import { expect } from 'chai';
import { Tpl } from '../../../src/firmware/events/event.js';
import type { Firmware, ServiceCall } from '../../../src/firmware/index.js';
import { brokenRules, type AtGate } from '../../../src/probe/misuse/call-rules.js';
import { MemoryBooks } from '../../../src/probe/misuse/memory-books.js';
import { FakeMachine } from '../../firmware/fake-machine.js';

const call = (name: string): ServiceCall => ({
  ...{ name, section: '7', args: {}, results: {}, status: 0n, caller: 0x1000n, tick: 0 },
});
const inOrder: AtGate = { rsp: 0x7ff8n, rflags: 0x202n, tpl: Tpl.application, mapKey: 1, isForced: false };

describe('misuse: rules of calls', () => {
  const { firmware }: { firmware: Firmware } = new FakeMachine();
  const books = new MemoryBooks(firmware, () => undefined);
  const kinds = (name: string, at: Partial<AtGate>): string[] =>
    brokenRules(call(name), { ...inOrder, ...at }, books).map(({ kind }) => kind);

  it('2.3.4: finds nothing in a call as it should be', () => {
    expect(kinds('AllocatePool', {})).to.deep.equal([]);
  });

  it('7.1: finds a service above the level that it allows, and none at it', () => {
    for (const [name, highest] of [
      ['ExitBootServices', Tpl.application],
      ['SetVariable', Tpl.callback],
      ['AllocatePool', Tpl.notify],
    ] as const) {
      expect(kinds(name, { tpl: highest }), name).to.deep.equal([]);
      expect(kinds(name, { tpl: highest + 1 }), name).to.deep.equal(['task-priority']);
    }
  });

  it('7.1: leaves RaiseTPL and SignalEvent alone', () => {
    expect(kinds('RaiseTPL', { tpl: Tpl.highLevel })).to.deep.equal([]);
    expect(kinds('SignalEvent', { tpl: Tpl.highLevel })).to.deep.equal([]);
  });

  it('2.3.4.2, 2.3.4: finds a stack off its alignment and a set direction flag', () => {
    expect(kinds('FreePool', { rsp: 0x7ff0n })).to.deep.equal(['stack-alignment']);
    expect(kinds('FreePool', { rflags: 0x602n })).to.deep.equal(['direction-flag']);
  });
});
