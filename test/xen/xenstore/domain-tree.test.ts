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
  it('the dialogue of a Linux domU up to its shell', () => {
    const guest = new RingGuest();
    const dialogue: [Parameters<RingGuest['ask']>[0], string, string, number?][] = [
      ['READ', 'control/platform-feature-xs_reset_watches\0', '1'],
      ['RESET_WATCHES', '\0', 'OK|'],
      ['WATCH', 'memory/target\0ffffffff82a5c3c0\0', 'OK|'],
      ['WATCH', 'control/shutdown\0ffffffff82a5c3e0\0', 'OK|'],
      ['TRANSACTION_START', '\0', '1|'],
      ['READ', 'control/shutdown\0', '', 1],
      ['TRANSACTION_END', 'F\0', 'OK|', 1],
      ['WATCH', 'control/sysrq\0ffffffff82a5c400\0', 'OK|'],
      ['WRITE', 'control/feature-poweroff\x001', 'OK|'],
      ['WRITE', 'control/feature-reboot\x001', 'OK|'],
      ['WRITE', 'control/feature-suspend\x001', 'OK|'],
      ['WATCH', 'backend\0ffffffff82a5c420\0', 'OK|'],
      ['DIRECTORY', 'backend\0', 'ENOENT|'],
      ['WATCH', 'device\0ffffffff82a5c440\0', 'OK|'],
      ['DIRECTORY', 'device\0', 'suspend|'],
      ['DIRECTORY', 'device/suspend\0', 'event-channel|'],
      ['READ', 'device/suspend/event-channel/state\0', 'ENOENT|'],
      ['READ', 'memory/target\0', '262144'],
      ['READ', 'memory/static-max\0', '262144'],
      ['WATCH', 'cpu\0ffffffff82a5c460\0', 'OK|'],
      ['READ', 'cpu/0/availability\0', 'online'],
    ];
    for (const [type, payload, reply, transaction] of dialogue) {
      expect(guest.ask(type, payload, transaction), `${type} ${payload}`).to.equal(reply);
    }
    expect(guest.lines).to.include('event cpu, token "ffffffff82a5c460"');
  });
});
