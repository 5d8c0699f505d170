import { expect } from 'chai';
import { Status } from '../../../firmware-tables/uefi/status.js';
import { VariableStore, type VariableChange } from '../../../src/firmware/index.js';

const guid = '7a9ab5e3-02b6-4d6f-9d1c-55c0f8a1d2e4';
const lasting = (data: number): Parameters<VariableStore['put']>[0] => ({
  guid,
  name: 'A',
  attributes: 7,
  data: Uint8Array.of(data),
});

describe('SetVariable and a store on disk (UEFI 2.10 section 8.2.3)', () => {
  let store: VariableStore;
  let asked: VariableChange[];
  let answer: 'stored' | 'no-space' | 'failed';
  beforeEach(() => {
    store = new VariableStore();
    asked = [];
    answer = 'stored';
    store.commit = (change) => {
      asked.push(change);
      return answer;
    };
    store.put(lasting(1));
    asked = [];
  });

  for (const [result, status] of [
    ['no-space', Status.OUT_OF_RESOURCES],
    ['failed', Status.DEVICE_ERROR],
  ] as const) {
    it(`${result}: the status says so, and the guest sees what it saw before`, () => {
      const before = store.export();
      answer = result;
      expect(store.put(lasting(2))).to.equal(status);
      expect(store.put({ ...lasting(3), name: 'B' })).to.equal(status);
      expect(store.delete(guid, 'A')).to.equal(status);
      expect(store.export()).to.deep.equal(before);
      expect(asked.map(({ name, variable }) => [name, variable?.data])).to.deep.equal([
        ['A', '02'],
        ['B', '03'],
        ['A', undefined],
      ]);
    });
  }

  it('volatile variables never reach the store', () => {
    expect(store.put({ ...lasting(1), name: 'Volatile', attributes: 6 })).to.equal(Status.SUCCESS);
    expect(store.delete(guid, 'Volatile')).to.equal(Status.SUCCESS);
    expect(asked).to.deep.equal([]);
    expect(store.export(true).map(({ name }) => name)).to.deep.equal(['A']);
  });
});
