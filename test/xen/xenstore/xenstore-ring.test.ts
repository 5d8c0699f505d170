import { expect } from 'chai';
import { XenStoreInterface, XsdSockmsg, XsdType } from '../../../firmware-tables/xen/xenstore-ring.js';
import { XenStore } from '../../../src/xen/xenstore/xen-store.js';
import { description, message, RingGuest } from './guest.js';

describe('xenstore ring (Xen public/io/xs_wire.h, docs/misc/xenstore-ring.txt)', () => {
  it('xenstore_domain_interface: req[1024], rsp[1024], indices, features, connection, error', () => {
    const at = (field: Parameters<typeof XenStoreInterface.offsetOf>[0]) => XenStoreInterface.offsetOf(field);
    expect([at('req'), at('rsp'), at('req_cons'), at('req_prod')]).to.deep.equal([0, 1024, 2048, 2052]);
    expect([at('rsp_cons'), at('rsp_prod'), at('server_features')]).to.deep.equal([2056, 2060, 2064]);
    expect([at('connection'), at('error'), at('evtchn_port')]).to.deep.equal([2068, 2072, 2076]);
  });
  it('features: reconnection; connected; no error', () => {
    const guest = new RingGuest();
    expect([guest.get('server_features'), guest.get('connection'), guest.get('error')]).to.deep.equal([1, 0, 0]);
  });
  it('a reply has the request’s type, req_id and tx_id; one event tells of it', () => {
    const guest = new RingGuest();
    guest.put(message(XsdType.READ, 'domid\0', 0xfeed, 0));
    guest.ring.onNotify();
    expect(guest.signals).to.equal(1);
    expect(guest.receive()).to.deep.equal([{ type: XsdType.READ, req_id: 0xfeed, tx_id: 0, payload: '1' }]);
    expect([guest.get('req_cons'), guest.get('rsp_prod')]).to.deep.equal([22, 17]);
  });
  it('an ERROR reply names the error and keeps req_id and tx_id', () => {
    const guest = new RingGuest();
    guest.send(message(XsdType.READ, 'domid\0', 7, 99));
    expect(guest.receive()).to.deep.equal([{ type: XsdType.ERROR, req_id: 7, tx_id: 99, payload: 'ENOENT\0' }]);
  });
  it('an event from the guest with nothing to do is not answered', () => {
    const guest = new RingGuest();
    guest.ring.onNotify();
    expect([guest.signals, guest.lines.length]).to.deep.equal([0, 0]);
  });
  it('requests that come byte by byte', () => {
    const guest = new RingGuest();
    for (const byte of message(XsdType.READ, 'name\0', 1)) {
      expect(guest.receive()).to.deep.equal([]);
      guest.put(Uint8Array.of(byte));
      guest.ring.onNotify();
    }
    expect(guest.receive()[0]?.payload).to.equal('guest');
  });
  it('several requests at once, across the end of the ring and of the indices', () => {
    const guest = new RingGuest();
    for (const field of ['req_cons', 'req_prod', 'rsp_cons', 'rsp_prod'] as const) guest.set(field, 0xffff_fff6);
    guest.put(Uint8Array.of(...message(XsdType.READ, 'name\0', 1), ...message(XsdType.READ, 'domid\0', 2)));
    guest.ring.onNotify();
    expect(guest.receive().map(({ req_id, payload }) => [req_id, payload])).to.deep.equal([
      [1, 'guest'],
      [2, '1'],
    ]);
    expect(guest.get('req_cons')).to.equal(0x21);
  });
  it('requests and replies longer than the ring, up to 4096 bytes of payload', () => {
    const guest = new RingGuest();
    const value = 'v'.repeat(1900);
    expect(guest.ask('WRITE', `data\0${value}`)).to.equal('OK|');
    expect(guest.ask('READ', 'data\0')).to.equal(value);
    expect(guest.ask('READ', `${'x'.repeat(4095)}\0`)).to.equal('EINVAL|');
    guest.store.write('/local/domain/1/data', 'w'.repeat(4096));
    expect(guest.ask('READ', 'data\0')).to.equal('w'.repeat(4096));
    guest.store.write('/local/domain/1/data', 'w'.repeat(4097));
    expect(guest.ask('READ', 'data\0')).to.equal('E2BIG|');
  });
  it('watch events: req_id and tx_id 0, path and token; before the reply to what caused them, behind that to WATCH', () => {
    const guest = new RingGuest();
    const event = { type: XsdType.WATCH_EVENT, req_id: 0, tx_id: 0, payload: 'data\0token\0' };
    expect(guest.exchange('WATCH', 'data\0token\0').map(({ type }) => type)).to.deep.equal([XsdType.WATCH, event.type]);
    const [first, second] = guest.exchange('WRITE', 'data\0x');
    expect(first).to.deep.equal(event);
    expect(second?.type).to.equal(XsdType.WRITE);
  });
  it('an event that waits already is not sent twice; the toolstack’s write is told to the guest at once', () => {
    const guest = new RingGuest();
    guest.exchange('WATCH', 'memory/target\0t\0');
    guest.signals = 0;
    guest.store.write('/local/domain/1/memory/target', '1');
    expect([guest.signals, guest.receive().length]).to.deep.equal([1, 1]);
    guest.set('rsp_cons', (guest.get('rsp_prod') - 1024) >>> 0); // no room
    for (let i = 0; i < 3; i++) guest.store.write('/local/domain/1/memory/target', String(i));
    guest.set('rsp_cons', guest.get('rsp_prod'));
    guest.ring.onNotify();
    expect(guest.receive().length).to.equal(1);
  });
  it('a guest that does not take its replies: 20 requests are served, the others stay in the ring', () => {
    const guest = new RingGuest();
    guest.set('rsp_cons', (guest.get('rsp_prod') - 1024) >>> 0);
    for (let i = 0; i < 25; i++) guest.put(message(XsdType.READ, 'domid\0', i));
    guest.ring.onNotify();
    expect(guest.get('req_prod') - guest.get('req_cons')).to.equal(5 * 22);
    guest.set('rsp_cons', guest.get('rsp_prod'));
    guest.ring.onNotify();
    expect(guest.receive().map(({ req_id }) => req_id)).to.deep.equal(Array.from({ length: 25 }, (_, i) => i));
  });
  it('malformed payloads are EINVAL, unknown types ENOSYS, and the connection goes on', () => {
    const guest = new RingGuest();
    for (const [type, payload] of [
      [XsdType.READ, ''],
      [XsdType.READ, 'name'],
      [XsdType.WATCH, 'x\0'],
    ] as const) {
      guest.send(message(type, payload));
      expect(guest.receive()[0]).to.include({ type: XsdType.ERROR, payload: 'EINVAL\0' });
    }
    guest.send(message(0x1234_5678, 'x'));
    expect(guest.receive()[0]).to.include({ type: XsdType.ERROR, payload: 'ENOSYS\0' });
    expect(guest.ask('READ', 'domid\0')).to.equal('1');
  });

  describe('errors that end the connection', () => {
    const ended = (guest: RingGuest, error: number) => {
      expect(guest.get('error')).to.equal(error);
      const before = guest.page.slice();
      guest.put(message(XsdType.READ, 'domid\0'));
      const consumed = guest.get('req_cons');
      guest.ring.onNotify();
      guest.store.write('/local/domain/1/data', 'x');
      expect(guest.get('req_cons')).to.equal(consumed);
      expect(guest.page.slice(1024, 2048)).to.deep.equal(before.slice(1024, 2048));
    };
    it('2: request indices further apart than the ring is long', () => {
      const guest = new RingGuest();
      guest.exchange('WATCH', 'data\0t\0');
      guest.set('req_prod', guest.get('req_cons') + 1025);
      guest.ring.onNotify();
      ended(guest, 2);
    });
    it('2: reply indices further apart than the ring is long, when there is something to write', () => {
      const guest = new RingGuest();
      guest.set('rsp_cons', 1);
      guest.ring.onNotify();
      expect(guest.get('error')).to.equal(0);
      guest.put(message(XsdType.READ, 'domid\0'));
      guest.ring.onNotify();
      ended(guest, 2);
    });
    it('3: a payload of more than 4096 bytes', () => {
      const guest = new RingGuest();
      guest.put(XsdSockmsg.encode({ type: XsdType.READ, req_id: 1, tx_id: 0, len: 4097 }));
      guest.ring.onNotify();
      ended(guest, 3);
    });
    it('reconnection: empty rings, connected, no error; watches, transactions and half a request are forgotten', () => {
      const guest = new RingGuest();
      guest.exchange('WATCH', 'data\0t\0');
      guest.exchange('TRANSACTION_START', '\0');
      guest.put(message(XsdType.READ, 'domid\0').subarray(0, 18));
      guest.set('rsp_cons', 5000);
      guest.set('connection', 1);
      guest.signals = 0;
      guest.ring.onNotify();
      const fields = ['connection', 'error', 'req_cons', 'req_prod', 'rsp_cons', 'rsp_prod'] as const;
      expect(fields.map((field) => guest.get(field))).to.deep.equal([0, 0, 0, 0, 0, 0]);
      expect([guest.signals, guest.get('server_features')]).to.deep.equal([1, 1]);
      expect(guest.ask('TRANSACTION_END', 'T\0', 1)).to.equal('ENOENT|');
      expect(guest.exchange('WRITE', 'data\0x').length).to.equal(1);
    });
    it('reconnection works after an error, too', () => {
      const guest = new RingGuest();
      guest.set('req_prod', 4096);
      guest.ring.onNotify();
      guest.set('connection', 1);
      guest.ring.onNotify();
      expect([guest.get('error'), guest.ask('READ', 'name\0')]).to.deep.equal([0, 'guest']);
    });
  });

  it('the transcript: a line a request with its reply, the events it caused behind it', () => {
    const guest = new RingGuest();
    guest.exchange('WATCH', 'data\0a token\0');
    guest.exchange('TRANSACTION_START', '\0');
    guest.exchange('WRITE', 'data\x00say "hi"\n', 1);
    guest.exchange('TRANSACTION_END', 'T\0', 1);
    guest.exchange('DIRECTORY', 'backend\0');
    guest.exchange('DIRECTORY', 'memory\0');
    guest.exchange('DIRECTORY', 'drivers\0');
    guest.exchange('READ', 'domid\0');
    guest.exchange('READ', 'domid');
    guest.exchange('GET_PERMS', 'name\0');
    guest.send(message(77, ''));
    guest.send(message(XsdType.READ, `${'x'.repeat(300)}\0`));
    guest.set('req_prod', 5000);
    guest.ring.onNotify();
    expect(guest.lines).to.deep.equal([
      'WATCH data "a token" -> OK',
      'event data, token "a token"',
      'TRANSACTION_START -> 1',
      '[1] WRITE data = "say \\"hi\\"\\x0a" -> OK',
      '[1] TRANSACTION_END T -> OK',
      'event data, token "a token"',
      'DIRECTORY backend -> ENOENT',
      'DIRECTORY memory -> static-max target videoram',
      'DIRECTORY drivers -> (nothing)',
      'READ domid -> "1"',
      'READ "domid" (no NUL) -> EINVAL',
      'GET_PERMS name -> n0 r1',
      'message type 77 -> ENOSYS',
      `READ "${'x'.repeat(200)}" (300 bytes) -> ENOENT`,
      'the connection ends: the request indices are further apart than the ring is long',
    ]);
  });

  it('save and restore in the middle of a request and of a reply', () => {
    const guest = new RingGuest();
    guest.exchange('WATCH', 'data\0t\0');
    guest.exchange('WRITE', `data\0${'v'.repeat(1800)}`);
    guest.put(message(XsdType.READ, 'data\0', 5)); // the reply is longer than the ring
    guest.ring.onNotify();
    guest.put(message(XsdType.READ, 'name\0', 6).subarray(0, 10));
    guest.ring.onNotify();
    const saved = JSON.stringify([guest.store.save(), guest.ring.save()]);
    const [store, ring] = JSON.parse(saved) as [ReturnType<XenStore['save']>, ReturnType<typeof guest.ring.save>];
    const other = new RingGuest(new XenStore(description), guest.page.slice());
    other.store.restore(store);
    other.ring.restore(ring);
    for (const one of [guest, other]) {
      one.send(message(XsdType.READ, 'name\0', 6).subarray(10));
      expect(one.receive().map(({ req_id, payload }) => [req_id, payload.length])).to.deep.equal([
        [5, 1800],
        [6, 5],
      ]);
      one.send(message(XsdType.WRITE, 'data\0x', 7));
      expect(one.receive().map(({ type }) => type)).to.deep.equal([XsdType.WATCH_EVENT, XsdType.WRITE]);
    }
    expect(other.ring.save()).to.deep.equal(guest.ring.save());
    expect(other.page).to.deep.equal(guest.page);
  });
});
