import { expect } from 'chai';
import { XenStore } from '../../../src/xen/xenstore/xen-store.js';
import { description, RingGuest } from './guest.js';

/** Every node with its value. */
function dump(store: XenStore, path = '/'): string[] {
  const value = store.read(path) ?? '';
  const own = path === '/' ? [] : [`${path} = ${JSON.stringify(value)}`];
  const below = (store.directory(path) ?? []).flatMap((name) => dump(store, `${path === '/' ? '' : path}/${name}`));
  return [...own, ...below];
}

/** As transcripts have it, with 256 MiB of memory. */
const dialogues: Readonly<Record<string, readonly string[]>> = {
  '6.1': [
    'READ control/platform-feature-xs_reset_watches -> "1"',
    'RESET_WATCHES -> OK',
    'WATCH memory/target FFFFFFFF82BBE000 -> OK',
    'event memory/target, token "FFFFFFFF82BBE000"',
    'WATCH control/shutdown FFFFFFFF82BBE020 -> OK',
    'event control/shutdown, token "FFFFFFFF82BBE020"',
    'WATCH control/sysrq FFFFFFFF82BBE040 -> OK',
    'event control/sysrq, token "FFFFFFFF82BBE040"',
    'WRITE control/feature-poweroff = "1" -> OK',
    'WRITE control/feature-reboot = "1" -> OK',
    'WRITE control/feature-suspend = "1" -> OK',
    'DIRECTORY backend -> ENOENT',
    'WATCH backend FFFFFFFF82BBE060 -> OK',
    'event backend, token "FFFFFFFF82BBE060"',
    'DIRECTORY device -> suspend',
    'DIRECTORY device/suspend -> event-channel',
    'READ device/suspend/event-channel/state -> ENOENT',
    'DIRECTORY device -> suspend',
    'DIRECTORY device/suspend -> event-channel',
    'READ device/suspend/event-channel/state -> ENOENT',
    'WATCH device FFFFFFFF82BBE080 -> OK',
    'event device, token "FFFFFFFF82BBE080"',
    'READ memory/target -> "262144"',
    'READ memory/static-max -> "262144"',
    'TRANSACTION_START -> 1',
    '[1] READ control/shutdown -> ""',
    '[1] TRANSACTION_END F -> OK',
    'TRANSACTION_START -> 2',
    '[2] READ control/sysrq -> ""',
    '[2] TRANSACTION_END F -> OK',
    'WATCH cpu FFFFFFFF82BBE0A0 -> OK',
    'event cpu, token "FFFFFFFF82BBE0A0"',
    'READ cpu/0/availability -> "online"',
  ],
  '6.12': [
    'READ control/platform-feature-xs_reset_watches -> "1"',
    'RESET_WATCHES -> OK',
    'WATCH memory/target FFFFFFFF82BBE000 -> OK',
    'event memory/target, token "FFFFFFFF82BBE000"',
    'READ memory/target -> "262144"',
    'READ memory/static-max -> "262144"',
    'WATCH control/shutdown FFFFFFFF82BBE020 -> OK',
    'event control/shutdown, token "FFFFFFFF82BBE020"',
    'TRANSACTION_START -> 1',
    '[1] READ control/shutdown -> ""',
    '[1] TRANSACTION_END F -> OK',
    'WATCH control/sysrq FFFFFFFF82BBE040 -> OK',
    'event control/sysrq, token "FFFFFFFF82BBE040"',
    'TRANSACTION_START -> 2',
    '[2] READ control/sysrq -> ""',
    '[2] TRANSACTION_END F -> OK',
    'WRITE control/feature-poweroff = "1" -> OK',
    'WRITE control/feature-reboot = "1" -> OK',
    'WRITE control/feature-suspend = "1" -> OK',
    'DIRECTORY backend -> ENOENT',
    'WATCH backend FFFFFFFF82BBE060 -> OK',
    'event backend, token "FFFFFFFF82BBE060"',
    'DIRECTORY device -> suspend',
    'DIRECTORY device/suspend -> event-channel',
    'READ device/suspend/event-channel/state -> ENOENT',
    'DIRECTORY device -> suspend',
    'DIRECTORY device/suspend -> event-channel',
    'READ device/suspend/event-channel/state -> ENOENT',
    'WATCH device FFFFFFFF82BBE080 -> OK',
    'event device, token "FFFFFFFF82BBE080"',
    'WATCH cpu FFFFFFFF82BBE0A0 -> OK',
    'event cpu, token "FFFFFFFF82BBE0A0"',
    'READ cpu/0/availability -> "online"',
  ],
};

/** The request that a line of a transcript tells of; undefined for an event. */
function requestOf(line: string) {
  if (line.startsWith('event ')) return undefined;
  const [, transaction, type, rest] = /^(?:\[(\d+)\] )?(\w+)(?: (.+))? -> /.exec(line) ?? [];
  const [path = '', value] = (rest ?? '').split(' = ');
  const payload = value === undefined ? `${path.replaceAll(' ', '\0')}\0` : `${path}\0${JSON.parse(value) as string}`;
  return { type: type as Parameters<RingGuest['exchange']>[0], payload, transaction: Number(transaction ?? 0) };
}

describe('what xl 4.17 writes for a PVH domU (libxl_create.c, libxl_dom.c, libxl_console.c)', () => {
  it('the nodes of the domain', () => {
    const home = '/local/domain/1';
    const { uuid } = description;
    const nodes = dump(new XenStore(description)).filter((line) => line.startsWith(`${home}/`));
    expect(nodes.map((line) => line.slice(home.length + 1))).to.deep.equal([
      `vm = "/vm/${uuid}"`,
      'name = "guest"',
      'cpu = ""',
      'cpu/0 = ""',
      'cpu/0/availability = "online"',
      'memory = ""',
      'memory/static-max = "262144"',
      'memory/target = "262144"',
      'memory/videoram = "0"',
      'device = ""',
      'device/suspend = ""',
      'device/suspend/event-channel = ""',
      'control = ""',
      'control/shutdown = ""',
      'control/feature-poweroff = ""',
      'control/feature-reboot = ""',
      'control/feature-suspend = ""',
      'control/sysrq = ""',
      'control/platform-feature-multiprocessor-suspend = "1"',
      'control/platform-feature-xs_reset_watches = "1"',
      'data = ""',
      'drivers = ""',
      'feature = ""',
      'attr = ""',
      'error = ""',
      'domid = "1"',
      'store = ""',
      'store/port = "1"',
      'store/ring-ref = "1044476"',
      'console = ""',
      'console/backend = "/local/domain/0/backend/console/1/0"',
      'console/backend-id = "0"',
      'console/limit = "1048576"',
      'console/type = "xenconsoled"',
      'console/output = "pty"',
      'console/tty = "/dev/pts/0"',
      'console/port = "2"',
      'console/ring-ref = "1044479"',
    ]);
  });
  it('name, uuid, memory, processors and start time are the domain’s', () => {
    const store = new XenStore({
      name: 'web',
      uuid: 'u',
      memoryKiB: 1024,
      domid: 7,
      vcpus: 2,
      startTime: 1700000000.5,
    });
    expect(store.read('/local/domain/7/memory/static-max')).to.equal('1024');
    expect(store.directory('/local/domain/7/cpu')).to.deep.equal(['0', '1']);
    expect(dump(store).filter((line) => line.startsWith('/vm'))).to.deep.equal([
      '/vm = ""',
      '/vm/u = ""',
      '/vm/u/uuid = "u"',
      '/vm/u/name = "web"',
      '/vm/u/start_time = "1700000000.50"',
    ]);
  });
  it('the guest may write its control/*, data, drivers, feature, attr and error, and read the rest of its nodes', () => {
    const guest = new RingGuest();
    const home = '/local/domain/1/';
    const paths = dump(guest.store)
      .map((line) => line.slice(0, line.indexOf(' = ')))
      .filter((path) => path.startsWith(home))
      .map((path) => path.slice(home.length));
    const writable = paths.filter((path) => guest.ask('WRITE', `${path}\0`) === 'OK|');
    expect(writable).to.deep.equal([
      'device/suspend/event-channel',
      'control/shutdown',
      'control/feature-poweroff',
      'control/feature-reboot',
      'control/feature-suspend',
      'control/sysrq',
      'data',
      'drivers',
      'feature',
      'attr',
      'error',
      'console/backend-id',
    ]);
    for (const path of paths) expect(guest.ask('GET_PERMS', `${path}\0`), path).to.match(/^(?:n0\|r1|n1(?:\|r0)?)\|$/);
  });
  it('it may read /vm/<uuid> and its console’s backend, and nothing else outside', () => {
    const guest = new RingGuest();
    const outside = dump(guest.store)
      .map((line) => line.slice(0, line.indexOf(' = ')))
      .filter((path) => !path.startsWith('/local/domain/1'));
    const seen = outside.filter((path) => guest.ask('READ', `${path}\0`) !== 'EACCES|');
    expect(seen.every((path) => path.startsWith('/vm/') || path.includes('/backend/console/1/0'))).to.equal(true);
    expect(seen.length).to.equal(4 + 6);
  });
  for (const [kernel, dialogue] of Object.entries(dialogues)) {
    it(`the dialogue of Linux ${kernel} from its start to the shell`, () => {
      const guest = new RingGuest();
      for (const line of dialogue) {
        const { type, payload, transaction } = requestOf(line) ?? {};
        if (type !== undefined) guest.exchange(type, payload ?? '', transaction);
      }
      expect(guest.lines).to.deep.equal(dialogue);
    });
  }
});
