import { expect } from 'chai';
import fc from 'fast-check';
import { XsdType } from '../../../firmware-tables/xen/xenstore-ring.js';
import { XenStore } from '../../../src/xen/xenstore/xen-store.js';
import { description } from './guest.js';

const seed = Number(process.env.FUZZ_SEED ?? 1);
const numRuns = Number(process.env.FUZZ_RUNS ?? 100);

interface Step {
  /** 0: outside of transactions. */
  readonly slot: number;
  readonly type: 'READ' | 'WRITE' | 'MKDIR' | 'RM' | 'DIRECTORY' | 'GET_PERMS' | 'SET_PERMS' | 'end' | 'toolstack';
  readonly path: string;
  readonly value: string;
}

const step: fc.Arbitrary<Step> = fc.record({
  slot: fc.nat({ max: 3 }),
  type: fc.constantFrom(
    ...([
      'READ',
      'WRITE',
      'MKDIR',
      'RM',
      'DIRECTORY',
      'GET_PERMS',
      'SET_PERMS',
      'WRITE',
      'end',
      'end',
      'end',
      'toolstack',
    ] as const),
  ),
  path: fc.constantFrom('data', 'data/a', 'data/a/b', 'data/a/b/c', 'data/d', 'data/d/e', 'attr', 'attr/f', 'name'),
  value: fc.constantFrom('1', '2', 'n1', 'r1', 'b1'),
});

function payloadOf({ type, path, value }: Step): string {
  if (type === 'WRITE') return `${path}\0${value}`;
  if (type === 'SET_PERMS') return `${path}\0${/^[nrb]/.test(value) ? value : 'w1'}\0`;
  return `${path}\0`;
}

/** Every node without its generation. */
const contents = (store: XenStore) =>
  Object.fromEntries(
    store
      .save()
      .table.nodes.map(([path, { value, permissions, children }]) => [path, { value, permissions, children }]),
  );

const ask = (store: XenStore, one: Step, transaction: number): string =>
  one.type === 'end' || one.type === 'toolstack'
    ? ''
    : store.request(XsdType[one.type], transaction, payloadOf(one)).payload;

describe('xenstore transactions', () => {
  it('one that is not refused did what its requests would have done, had they come all at once at its end', () => {
    let ended = 0;
    let refused = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 80 }), (steps) => {
        const store = new XenStore(description);
        const serial = new XenStore(description);
        const open = new Map<number, { id: number; done: { one: Step; reply: string }[] }>();
        for (const one of steps) {
          if (one.type === 'toolstack') {
            for (const each of [store, serial]) each.write(`/local/domain/1/${one.path}`, one.value);
          } else if (one.slot === 0) {
            expect(ask(store, one, 0)).to.equal(ask(serial, one, 0));
          } else if (one.type === 'end') {
            const transaction = open.get(one.slot);
            if (transaction === undefined) continue;
            open.delete(one.slot);
            const reply = store.request(XsdType.TRANSACTION_END, transaction.id, 'T\0').payload;
            expect(reply).to.be.oneOf(['OK\0', 'EAGAIN\0']);
            if (reply === 'OK\0') ended++;
            else refused++;
            if (reply !== 'OK\0') continue;
            for (const { one: each, reply: inside } of transaction.done) expect(ask(serial, each, 0)).to.equal(inside);
          } else {
            const started = () => Number.parseInt(store.request(XsdType.TRANSACTION_START, 0, '\0').payload, 10);
            const transaction = open.get(one.slot) ?? { id: started(), done: [] };
            open.set(one.slot, transaction);
            transaction.done.push({ one, reply: ask(store, one, transaction.id) });
          }
          expect(contents(store)).to.deep.equal(contents(serial));
        }
      }),
      { seed, numRuns },
    );
    expect(ended).to.be.above(numRuns / 4);
    expect(refused).to.be.above(numRuns / 4);
  });
});
