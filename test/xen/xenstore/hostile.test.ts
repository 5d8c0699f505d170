import { expect } from 'chai';
import fc from 'fast-check';
import { XsdType } from '../../../firmware-tables/xen/xenstore-ring.js';
import { quotas } from '../../../src/xen/xenstore/quotas.js';
import { XenStore } from '../../../src/xen/xenstore/xen-store.js';
import { description, message, RingGuest } from './guest.js';

const seed = Number(process.env.FUZZ_SEED ?? 1);
const numRuns = Number(process.env.FUZZ_RUNS ?? 100);

const index = fc.oneof(
  fc.constantFrom(0, 1, 1023, 1024, 1025, 0x7fff_ffff, 0xffff_ffff),
  fc.integer({ min: 0, max: 0xffff_ffff }),
);
const path = fc.oneof(
  fc.constantFrom(
    'data',
    'data/a',
    'data/a/b',
    'data/c',
    'attr',
    'name',
    'control/shutdown',
    'memory/target',
    'backend',
  ),
  fc.constantFrom('/', '/local/domain/1/data/a', '/local/domain/1', '/libxl/1', '@releaseDomain', '', '//', 'a b'),
);
const part = fc.oneof(
  path,
  fc.constantFrom('T', 'F', 'n1', 'b0', 'r1', 'token', '0', '999', '-1', 'x'.repeat(2048), 'y'.repeat(1200)),
  fc.string({ maxLength: 6 }),
);
const payload = fc.oneof(
  fc.tuple(path, fc.array(part, { maxLength: 3 })).map(([first, more]) => [first, ...more, ''].join('\0')),
  fc.array(part, { maxLength: 4 }).map((parts) => parts.join('\0')),
);
const type = fc.oneof(fc.constantFrom(...Object.values(XsdType)), fc.integer({ min: 0, max: 30 }), index);
const id = fc.oneof(fc.constantFrom(0, 0, 1, 2, 3), index);
const request = fc.tuple(type, payload, id, id).map(([kind, text, requestId, transaction]) => {
  const bytes = text.replace(/[^\0-\xff]/g, '?');
  return message(kind, bytes, requestId, transaction);
});

/** Every node lies where its parent names it, once, and every name is a node. */
function checkTree(store: XenStore): void {
  const { nodes } = store.save().table;
  const paths = new Set(nodes.map(([name]) => name));
  let named = 1;
  for (const [name, node] of nodes) {
    expect(new Set(node.children).size).to.equal(node.children.length);
    for (const child of node.children) {
      expect(paths.has(`${name === '/' ? '' : name}/${child}`), `${name}/${child}`).to.equal(true);
      named++;
    }
  }
  expect(named).to.equal(paths.size);
}

/** A store and a ring of the same state, over a copy of the page. */
function copyOf(guest: RingGuest): RingGuest {
  const saved = JSON.stringify({ store: guest.store.save(), ring: guest.ring.save() });
  const state = JSON.parse(saved) as {
    store: ReturnType<XenStore['save']>;
    ring: ReturnType<RingGuest['ring']['save']>;
  };
  const copy = new RingGuest(new XenStore(description), guest.page.slice());
  copy.store.restore(state.store);
  copy.ring.restore(state.ring);
  return copy;
}

const step = fc.oneof(
  {
    weight: 12,
    arbitrary: request.map((bytes) => (guest: RingGuest) => {
      guest.send(bytes);
    }),
  },
  { weight: 2, arbitrary: fc.constant((guest: RingGuest) => void guest.receive()) },
  {
    weight: 2,
    arbitrary: fc.tuple(path, fc.string({ maxLength: 4 })).map(([where, value]) => (guest: RingGuest) => {
      if (/^[\w/]+$/.test(where) && !where.startsWith('/')) guest.store.write(`/local/domain/1/${where}`, value);
    }),
  },
);

describe('a hostile guest at the xenstore ring', () => {
  it('any requests in any transactions: the tree stays whole, the quotas hold, a restored store goes on alike', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.array(step, { maxLength: 10 }), (before, after) => {
        const guest = new RingGuest();
        guest.exchange('TRANSACTION_START', '\0');
        guest.exchange('TRANSACTION_START', '\0');
        for (const run of before) run(guest);
        guest.receive();
        checkTree(guest.store);
        const copy = copyOf(guest);
        expect(copy.store.connection.bytes).to.equal(guest.store.connection.bytes);
        for (const run of after) {
          run(guest);
          run(copy);
        }
        checkTree(guest.store);
        expect(copy.store.save()).to.deep.equal(guest.store.save());
        expect(copy.ring.save()).to.deep.equal(guest.ring.save());
        expect(copy.page).to.deep.equal(guest.page);
        expect(guest.store.connection.bytes).to.be.below(quotas.memory);
      }),
      { seed, numRuns },
    );
  });

  it('any contents of the page: no exception, an end, and nothing written but what is the server’s', () => {
    const contents = fc.oneof(fc.uint8Array({ minLength: 0, maxLength: 1024 }), request);
    const disorder = fc.record({
      contents,
      req_cons: fc.option(index),
      req_prod: fc.option(index),
      rsp_cons: fc.option(index),
      rsp_prod: fc.option(index),
      connection: fc.option(fc.constantFrom(0, 1, 2, 0xffff_ffff)),
    });
    fc.assert(
      fc.property(fc.array(disorder, { maxLength: 20 }), (disorders) => {
        const memory = new Uint8Array(3 * 4096).fill(0x5a);
        memory.fill(0, 4096, 8192);
        const guest = new RingGuest(new XenStore(description), memory.subarray(4096, 8192));
        guest.exchange('WATCH', 'data\0t\0');
        for (const { contents: bytes, ...fields } of disorders) {
          bytes.forEach((byte, i) => (guest.page[i % 1024] = byte));
          for (const [field, value] of Object.entries(fields)) {
            if (value !== null) guest.set(field as keyof typeof fields, value);
          }
          const reconnects = guest.get('connection') === 1;
          const own = () => [guest.get('req_prod'), guest.get('rsp_cons'), guest.get('evtchn_port')];
          const untouched = own();
          const requests = guest.page.slice(0, 1024);
          guest.ring.onNotify();
          guest.store.write('/local/domain/1/data', String(guest.signals));
          expect(own()).to.deep.equal(reconnects ? [0, 0, 0] : untouched);
          expect(guest.page.slice(0, 1024)).to.deep.equal(requests);
        }
        expect(memory.subarray(0, 4096).every((byte) => byte === 0x5a)).to.equal(true);
        expect(memory.subarray(8192).every((byte) => byte === 0x5a)).to.equal(true);
        expect(guest.page.subarray(2080).every((byte) => byte === 0)).to.equal(true);
        checkTree(guest.store);
      }),
      { seed, numRuns: 3 * numRuns },
    );
  });
});
