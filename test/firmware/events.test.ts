import { expect } from 'chai';
import { BootServices } from '../../firmware-tables/uefi/boot-services.js';
import { Status } from '../../firmware-tables/uefi/status.js';
import { EventType, Tpl } from '../../src/firmware/events/event.js';
import { GateGroup } from '../../src/firmware/gate.js';
import { loader } from '../../src/firmware/profiles.js';
import { FakeMachine, scratch } from './fake-machine.js';

const handler = 0x30_0000n; // a notification function that is never executed here
const context = 0x77n;
const at = scratch + 0x100n;

const machine = (): FakeMachine => new FakeMachine({ profile: loader });

/** A new event; for one that notifies, at TPL_CALLBACK unless the level is given. */
function create(m: FakeMachine, type: number, tpl: number = Tpl.callback): bigint {
  const status = m.call('CreateEvent', type, tpl, handler, context, at);
  expect(status).to.equal(Status.SUCCESS);
  return m.u64(at);
}

/** What runs next where a notification function was called: its address and arguments; undefined when none was. */
function called(m: FakeMachine, before: bigint): { function: bigint; event: bigint; context: bigint } | undefined {
  const rsp = m.getRegister('rsp');
  if (rsp === before) return undefined;
  expect(rsp % 16n, 'RSP + 8 is a multiple of 16 at its entry').to.equal(0n);
  return { function: m.u64(rsp), event: m.getRegister('rcx'), context: m.getRegister('rdx') };
}

/** The notification function returns. */
function returns(m: FakeMachine): void {
  m.setRegister('rsp', m.getRegister('rsp') + 16n);
  m.firmware.serve(GateGroup.notifyReturn);
}

describe('Event services (UEFI 2.10 section 7.1), profile loader', () => {
  it('7.1.1: refuses a type that means nothing, a notification without function, a level that none may have', () => {
    const m = machine();
    expect(m.call('CreateEvent', 0x3, 8, handler, 0, at)).to.equal(Status.INVALID_PARAMETER);
    expect(m.call('CreateEvent', EventType.notifySignal, 8, 0, 0, at)).to.equal(Status.INVALID_PARAMETER);
    expect(m.call('CreateEvent', EventType.notifySignal, 5, handler, 0, at)).to.equal(Status.INVALID_PARAMETER);
    expect(m.call('CreateEvent', 0, 8, 0, 0, 0)).to.equal(Status.INVALID_PARAMETER);
  });
  it('7.1.6: CheckEvent takes a signal, once; an event that notifies by itself cannot be checked', () => {
    const m = machine();
    const event = create(m, 0);
    expect(m.call('CheckEvent', event)).to.equal(Status.NOT_READY);
    expect(m.call('SignalEvent', event)).to.equal(Status.SUCCESS);
    expect(m.call('CheckEvent', event)).to.equal(Status.SUCCESS);
    expect(m.call('CheckEvent', event)).to.equal(Status.NOT_READY);
    expect(m.call('CheckEvent', create(m, EventType.notifySignal))).to.equal(Status.INVALID_PARAMETER);
  });
  it('7.1.3: a closed event is none any more', () => {
    const m = machine();
    const event = create(m, EventType.timer);
    expect(m.call('CloseEvent', event)).to.equal(Status.SUCCESS);
    for (const name of ['CloseEvent', 'SignalEvent', 'CheckEvent'])
      expect(m.call(name, event), name).to.equal(Status.INVALID_PARAMETER);
    expect(m.call('SetTimer', event, 2, 1)).to.equal(Status.INVALID_PARAMETER);
  });
  it('7.1.4: a signal calls the notification function with event and context; the caller goes on behind it', () => {
    const m = machine();
    const event = create(m, EventType.notifySignal);
    const before = m.getRegister('rsp');
    const status = m.call('SignalEvent', event);
    expect(called(m, before)).to.deep.equal({ function: handler, event, context });
    expect(m.firmware.events.tpl).to.equal(Tpl.callback);
    returns(m);
    expect(m.getRegister('rsp')).to.equal(before);
    expect([status, m.getRegister('rax'), m.firmware.events.tpl]).to.deep.equal([0n, 0n, Tpl.application]);
  });
  it('7.1.8, 7.1.9: a raised priority keeps notification functions away until it is restored; the more urgent runs first', () => {
    const m = machine();
    const late = create(m, EventType.notifySignal, Tpl.callback);
    const first = create(m, EventType.notifySignal, Tpl.notify);
    const before = m.getRegister('rsp');
    expect(m.call('RaiseTPL', Tpl.notify)).to.equal(BigInt(Tpl.application));
    m.call('SignalEvent', late);
    m.call('SignalEvent', first);
    expect(called(m, before)).to.equal(undefined);
    m.call('RestoreTPL', Tpl.application);
    expect(called(m, before)?.event).to.equal(first);
    returns(m);
    expect(called(m, before)?.event).to.equal(late);
    returns(m);
    expect(called(m, before)).to.equal(undefined);
  });
  it('7.1.2: one event of a group signals all of them', () => {
    const m = machine();
    const group = m.bytes(
      scratch + 0x200n,
      Uint8Array.from({ length: 16 }, (_, i) => i + 1),
    );
    const [one, two] = [0, 1].map(() => {
      expect(m.call('CreateEventEx', 0, 0, 0, 0, group, at)).to.equal(Status.SUCCESS);
      return m.u64(at);
    });
    m.call('SignalEvent', one ?? 0n);
    expect(m.call('CheckEvent', two ?? 0n)).to.equal(Status.SUCCESS);
  });
  it('7.1.7: a relative timer fires once, a periodic one again and again, in units of 100 ns; a cancelled one never', () => {
    const m = machine();
    const [once, often, never] = [0, 0, 0].map(() => create(m, EventType.timer));
    m.call('SetTimer', once ?? 0n, 2, 10);
    m.call('SetTimer', often ?? 0n, 1, 10);
    m.call('SetTimer', never ?? 0n, 2, 10);
    m.call('SetTimer', never ?? 0n, 0, 0);
    const fired = (): bigint[] => [once, often, never].map((event) => m.call('CheckEvent', event ?? 0n));
    m.tick += 999;
    expect(fired()).to.deep.equal([Status.NOT_READY, Status.NOT_READY, Status.NOT_READY]);
    m.tick += 1;
    expect(fired()).to.deep.equal([Status.SUCCESS, Status.SUCCESS, Status.NOT_READY]);
    m.tick += 2500;
    expect(fired()).to.deep.equal([Status.NOT_READY, Status.SUCCESS, Status.NOT_READY]);
    expect(m.call('SetTimer', create(m, 0), 2, 10), 'no timer event').to.equal(Status.INVALID_PARAMETER);
  });
  it('7.1.5: WaitForEvent lets time pass until the next timer, and names the event', () => {
    const m = machine();
    const [plain, timer] = [create(m, 0), create(m, EventType.timer)];
    m.call('SetTimer', timer, 2, 10);
    m.put(scratch, plain);
    m.put(scratch + 8n, timer);
    const index = scratch + 16n;
    const calls = m.calls.length;
    m.call('WaitForEvent', 2, scratch, index);
    expect(m.repeats).to.deep.equal([m.tick + 1000]);
    expect(m.firmware.waiting).to.deep.equal({ input: false });
    expect(m.calls.length, 'a call that waits is not in the log yet').to.equal(calls);
    m.tick += 1000;
    expect(m.call('WaitForEvent', 2, scratch, index)).to.equal(Status.SUCCESS);
    expect(m.u64(index)).to.equal(1n);
  });
  it('7.1.5: is for TPL_APPLICATION, and refuses what nobody can wait for', () => {
    const m = machine();
    m.put(scratch, create(m, EventType.notifySignal));
    expect(m.call('WaitForEvent', 1, scratch, scratch + 16n)).to.equal(Status.INVALID_PARAMETER);
    m.call('RaiseTPL', Tpl.callback);
    expect(m.call('WaitForEvent', 1, scratch, scratch + 16n)).to.equal(Status.UNSUPPORTED);
    expect(m.call('WaitForEvent', 0, scratch, scratch + 16n)).to.equal(Status.INVALID_PARAMETER);
  });
  it('7.1.6: an event that notifies on waiting has its function called, and then tells whether that signalled it', () => {
    const m = machine();
    const event = create(m, EventType.notifyWait);
    const before = m.getRegister('rsp');
    m.call('CheckEvent', event);
    expect(called(m, before)).to.deep.equal({ function: handler, event, context });
    const inside = m.getRegister('rsp');
    m.setRegister('rsp', inside - 0x100n);
    m.call('SignalEvent', event);
    m.setRegister('rsp', inside);
    returns(m);
    const gate = m.u64(m.getRegister('rsp'));
    expect(gate, 'CheckEvent is called again with its own return address behind it').to.equal(
      m.u64(m.systemTable.BootServices + BigInt(BootServices.offsetOf('CheckEvent'))),
    );
    expect(m.getRegister('rcx')).to.equal(event);
    m.setRegister('rsp', before);
    expect(m.call('CheckEvent', event)).to.equal(Status.SUCCESS);
  });
  it('7.4.6: ExitBootServices tells those who asked, before it ends boot services', () => {
    const m = machine();
    const event = create(m, EventType.signalExitBootServices);
    const before = m.getRegister('rsp');
    m.exitBootServices();
    expect(called(m, before)?.event).to.equal(event);
    expect(m.firmware.bootServicesEnded).to.equal(false);
    returns(m);
    m.setRegister('rsp', before);
    expect(m.exitBootServices()).to.equal(Status.SUCCESS);
    expect(m.firmware.bootServicesEnded).to.equal(true);
  });
  it('7.5.2: Stall lets microseconds pass; 7.5.1: the watchdog is set in seconds, and cleared', () => {
    const m = machine();
    const before = m.tick;
    m.call('Stall', 5);
    expect(m.tick).to.equal(before + 5000);
    m.call('SetWatchdogTimer', 2, 0, 0, 0);
    m.call('SetWatchdogTimer', 0, 0, 0, 0);
    expect(m.events.slice(-2)).to.deep.equal([`watchdog ${String(m.tick + 2e9)}`, 'watchdog undefined']);
  });
  it('the state survives saving and restoring as JSON', () => {
    const m = machine();
    const timer = create(m, EventType.timer);
    m.call('SetTimer', timer, 1, 10);
    m.call('RaiseTPL', Tpl.notify);
    m.call('SignalEvent', create(m, EventType.notifySignal));
    const state = JSON.parse(JSON.stringify(m.firmware.save())) as ReturnType<typeof m.firmware.save>;
    m.firmware.restore(state);
    expect(JSON.parse(JSON.stringify(m.firmware.save()))).to.deep.equal(state);
  });
});

describe('Console of the profile loader (UEFI 2.10 sections 12.3 and 12.4)', () => {
  const input = (m: FakeMachine, offset: number): bigint => m.u64(m.systemTable.ConIn + BigInt(offset));
  const output = (m: FakeMachine, index: number, ...args: (bigint | number)[]): bigint =>
    m.callPointer(m.u64(m.systemTable.ConOut + BigInt(index * 8)), m.systemTable.ConOut, ...args);
  const mode = (m: FakeMachine): number[] => {
    const bytes = m.memory.readVirtual(m.u64(m.systemTable.ConOut + 72n), 20);
    return Array.from({ length: 5 }, (_, i) => new DataView(bytes.buffer).getInt32(i * 4, true));
  };

  it('12.3.3: ReadKeyStroke gives characters, and scan codes for what a terminal sends behind ESC', () => {
    const m = machine();
    m.typed.push(...Buffer.from('a\n\x7f\x1b[A\x1b[3~\x1bOP\x1b'));
    const key = (): number[] | undefined => {
      const status = m.callPointer(input(m, 8), m.systemTable.ConIn, at);
      if (status !== Status.SUCCESS) return undefined;
      const view = new DataView(m.memory.readVirtual(at, 4).buffer);
      return [view.getUint16(0, true), view.getUint16(2, true)];
    };
    const keys = [[0, 0x61], [0, 0x0d], [0, 0x08], [1, 0], [8, 0], [0x0b, 0], [0x17, 0], undefined];
    for (const expected of keys) expect(key()).to.deep.equal(expected);
  });
  it('12.3.1: WaitForKey is an event that is there while a key waits, however often it is looked at', () => {
    const m = machine();
    const event = input(m, 16);
    expect(m.call('CheckEvent', event)).to.equal(Status.NOT_READY);
    m.put(scratch, event);
    m.call('WaitForEvent', 1, scratch, scratch + 16n);
    expect(m.firmware.waiting).to.deep.equal({ input: true });
    expect(m.repeats).to.deep.equal([Infinity]);
    m.typed.push(0x20);
    expect(m.call('CheckEvent', event)).to.equal(Status.SUCCESS);
    expect(m.call('CheckEvent', event)).to.equal(Status.SUCCESS);
  });
  it('12.4: the mode says where the cursor stands; colours and positions go to the terminal', () => {
    const m = machine();
    expect(output(m, 3, 0, at, at + 8n)).to.equal(Status.SUCCESS);
    expect([m.u64(at), m.u64(at + 8n)]).to.deep.equal([80n, 25n]);
    expect(output(m, 3, 1, at, at + 8n)).to.equal(Status.UNSUPPORTED);
    output(m, 5, 0x1f);
    output(m, 7, 78, 3);
    output(m, 1, m.bytes(scratch, Buffer.from('abc\0', 'utf16le')));
    output(m, 8, 1);
    expect(mode(m)).to.deep.equal([1, 0, 0x1f, 1, 4]);
    expect(m.events.filter((event) => event.startsWith('print')).map((text) => text.slice(6))).to.deep.equal([
      '\x1b[0;1;37;44m',
      '\x1b[4;79H',
      'abc',
      '\x1b[?25h',
    ]);
    expect(output(m, 7, 80, 0)).to.equal(Status.UNSUPPORTED);
    output(m, 6);
    expect(mode(m).slice(3)).to.deep.equal([0, 0]);
  });
});
