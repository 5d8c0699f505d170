import { expect } from 'chai';
import { VariableFile, type CommitResult } from '../../src/host/variable-file.js';
import type { StoredVariable } from '../../src/firmware/index.js';
import { decodeStore } from '../../src/variables/store-format.js';
import { StoredVariables } from '../../src/variables/stored-variables.js';
import { SimulatedFiles, type PowerLoss } from '../support/simulated-files.js';
import { changeAt } from '../support/variable-changes.js';

const path = '/folder/store';
const open = (files: SimulatedFiles): VariableFile => VariableFile.open(path, { files, lock: () => () => undefined });

/** The variables after the first n changes. */
function after(n: number, large?: number): StoredVariable[] {
  const variables = new StoredVariables();
  for (let i = 0; i < n; i++) variables.apply(changeAt(i, large));
  return variables.all();
}

/** The same text for the same variables. */
const textOf = (variables: readonly StoredVariable[]): string =>
  variables.map(({ guid, name, attributes, data }) => [guid, name, attributes, data].join(' ')).join('\n');

/** Makes changes until the process dies; answers how many were acknowledged. */
function changeUntilKilled(files: SimulatedFiles, count: number, large?: number): number {
  let acknowledged = 0;
  try {
    const store = open(files);
    for (; acknowledged < count; acknowledged++) {
      if (store.commit(changeAt(acknowledged, large)) !== 'stored') break; // Killed comes as a failure
    }
  } catch {
    // killed while opening
  }
  return acknowledged;
}

function stepsOf(count: number, large?: number): number {
  const files = new SimulatedFiles();
  changeUntilKilled(files, count, large);
  return files.steps;
}

/** Kills at one step and looks at what the next process finds. */
function killAt(step: number, count: number, powerLoss: PowerLoss, large?: number): void {
  const files = new SimulatedFiles();
  files.dieAt = step;
  const acknowledged = changeUntilKilled(files, count, large);
  files.restart(powerLoss);
  const found = textOf(open(files).all());
  const expected = [after(acknowledged, large), after(acknowledged + 1, large)].map(textOf);
  expect(expected, `killed at step ${String(step)}`).to.include(found);
  expect(files.list()).to.deep.equal([path]);
}

describe('variable store file', function () {
  this.timeout(120_000);

  it('killed at any byte and between any two operations: what was acknowledged is there, and nothing else', () => {
    const steps = stepsOf(12, 60);
    expect(steps).to.be.greaterThan(1000);
    for (let step = 0; step <= steps; step++) killAt(step, 12, 'everything', 60);
  });

  it('power lost at any byte: what was acknowledged is there, whatever of the rest reached the medium', () => {
    const steps = stepsOf(12, 60);
    for (let step = 0; step <= steps; step++) {
      killAt(step, 12, 'nothing-unsynced', 60);
      killAt(step, 12, 'half-of-it', 60);
      killAt(step, 12, 'zeros', 60);
    }
  });

  it('killed, read by the next process, then power lost: what that process saw stays', () => {
    const steps = stepsOf(4, 60);
    for (let step = 0; step <= steps; step++) {
      const files = new SimulatedFiles();
      files.dieAt = step;
      changeUntilKilled(files, 4, 60);
      files.restart();
      const seen = open(files).all();
      files.restart('nothing-unsynced');
      expect(open(files).all(), `killed at step ${String(step)}`).to.deep.equal(seen);
    }
  });

  it('killed while a log that is mostly history is written anew: old or new, whole', () => {
    const files = new SimulatedFiles();
    const store = open(files);
    let n = 0;
    let longest = 0;
    while (n < 400 && (files.content(path)?.length ?? 0) >= longest) {
      longest = files.content(path)?.length ?? 0;
      expect(store.commit(changeAt(n++, 3000))).to.equal('stored');
    }
    expect(longest).to.be.greaterThan(64 * 1024); // it grew,
    expect(files.content(path)?.length).to.be.lessThan(longest / 2); // and was written anew
    const steps = stepsOf(n, 3000);
    for (let step = steps - 40; step <= steps; step++) {
      killAt(step, n, 'everything', 3000);
      killAt(step, n, 'nothing-unsynced', 3000);
    }
    for (let step = stepsOf(n - 1, 3000); step <= steps; step += 997) killAt(step, n, 'everything', 3000);
  });

  it('killed at any byte of an import: the old variables or the new ones, whole', () => {
    const run = (files: SimulatedFiles): CommitResult | undefined => {
      try {
        const store = open(files);
        for (let n = 0; n < 3; n++) store.commit(changeAt(n, 60));
        return store.replace(after(20, 60));
      } catch {
        return undefined; // killed while opening
      }
    };
    const complete = new SimulatedFiles();
    expect(run(complete)).to.equal('stored');
    const states = [0, 1, 2, 3, 20].map((n) => textOf(after(n, 60)));
    for (const powerLoss of ['everything', 'nothing-unsynced', 'zeros'] as const) {
      for (let step = 0; step < complete.steps; step++) {
        const files = new SimulatedFiles();
        files.dieAt = step;
        expect(run(files)).to.not.equal('stored');
        files.restart(powerLoss);
        expect(states).to.include(textOf(open(files).all()));
        expect(files.list()).to.deep.equal([path]);
      }
    }
  });

  it('a full disk: no-space, nothing lost, and it goes on when there is room', () => {
    for (let room = 60; room < 900; room += 3) {
      const files = new SimulatedFiles();
      const store = open(files);
      files.room = room;
      let n = 0;
      let result;
      while ((result = store.commit(changeAt(n, 60))) === 'stored' && n < 30) n++;
      if (result !== 'stored') {
        expect(result).to.equal('no-space');
        expect(store.failure).to.match(/no space left on the device \(ENOSPC\)/);
        const { unfinished } = decodeStore(files.content(path) ?? new Uint8Array());
        expect(unfinished, 'bytes of the record that failed').to.equal(0);
      }
      expect(store.all()).to.deep.equal(after(n, 60));
      expect(open(files).all(), 'as a later process finds it').to.deep.equal(after(n, 60));
      files.room = Infinity;
      expect(store.commit(changeAt(n, 60))).to.equal('stored');
      expect(open(files).all()).to.deep.equal(after(n + 1, 60));
    }
  });

  it('a full disk: an import is made as a whole or not at all', () => {
    const files = new SimulatedFiles();
    const store = open(files);
    for (let n = 0; n < 8; n++) store.commit(changeAt(n, 60));
    files.room = (files.content(path)?.length ?? 0) + 300;
    expect(store.replace(after(40, 60))).to.equal('no-space');
    expect(files.list()).to.deep.equal([path]);
    expect(open(files).all()).to.deep.equal(after(8, 60));
    files.room = Infinity;
    expect(store.replace(after(40, 60))).to.equal('stored');
    expect(open(files).all()).to.deep.equal(after(40, 60));
  });

  for (const operations of [['write'], ['sync'], ['sync', 'truncate'], ['write', 'truncate']] as const) {
    it(`${operations.join(' and ')} failing: failed, the store is as it was, and the next change lasts`, () => {
      const files = new SimulatedFiles();
      const store = open(files);
      for (let n = 0; n < 5; n++) expect(store.commit(changeAt(n))).to.equal('stored');
      for (const operation of operations) files.failing.set(operation, 'EIO');
      expect(store.commit(changeAt(5))).to.equal('failed');
      expect(store.failure).to.match(/EIO/);
      expect(store.all()).to.deep.equal(after(5));
      files.failing.clear();
      expect(store.commit(changeAt(5))).to.equal('stored');
      files.restart('nothing-unsynced');
      expect(open(files).all()).to.deep.equal(after(6));
    });
  }

  for (const operation of ['create', 'rename', 'syncFolder'] as const) {
    it(`${operation} failing as the file is replaced: failed, and the next change lasts`, () => {
      const files = new SimulatedFiles();
      const store = open(files);
      for (let n = 0; n < 5; n++) store.commit(changeAt(n));
      files.failing.set(operation, 'EIO');
      expect(store.replace([])).to.equal('failed');
      files.failing.clear();
      expect(store.commit(changeAt(5))).to.equal('stored');
      files.restart('nothing-unsynced');
      expect(open(files).all()).to.deep.equal(after(6));
    });
  }

  it('syncFolder failing as the file is replaced: what a later process finds is the old content', () => {
    const files = new SimulatedFiles();
    const store = open(files);
    for (let n = 0; n < 5; n++) store.commit(changeAt(n));
    files.failing.set('syncFolder', 'EIO');
    expect(store.replace([])).to.equal('failed');
    files.restart();
    expect(open(files).all()).to.deep.equal(after(5));
  });

  describe('changed by another program while it is in use', () => {
    let files: SimulatedFiles;
    let store: VariableFile;
    beforeEach(() => {
      files = new SimulatedFiles();
      store = open(files);
      for (let n = 0; n < 5; n++) store.commit(changeAt(n));
    });

    const cut: readonly [string, () => void][] = [
      [
        'removed',
        () => {
          files.meddle(path, 'removed');
        },
      ],
      [
        'cut to nothing',
        () => {
          files.meddle(path, 'in place');
        },
      ],
      [
        'cut within a record',
        () => {
          files.meddle(path, 'in place', files.content(path)?.slice(0, -7));
        },
      ],
    ];
    for (const [what, meddle] of cut) {
      it(`${what}: it is made anew with the next change, nothing acknowledged is lost`, () => {
        meddle();
        expect(store.commit(changeAt(5))).to.equal('stored');
        expect(open(files).all()).to.deep.equal(after(6));
      });
    }

    it('replaced: the other file stays, the change fails', () => {
      const other = new TextEncoder().encode('precious');
      files.meddle(path, 'new file', other);
      expect(store.commit(changeAt(5))).to.equal('failed');
      expect(store.failure).to.match(/replaced by another program/);
      expect(store.all()).to.deep.equal(after(5));
      expect(files.content(path)).to.equal(other);
    });

    it('written to: that stays, the change fails', () => {
      const longer = Uint8Array.of(...(files.content(path) ?? []), 1, 2, 3);
      files.meddle(path, 'in place', longer);
      expect(store.commit(changeAt(5))).to.equal('failed');
      expect(store.failure).to.match(/written to by another program/);
      expect(files.content(path)).to.equal(longer);
    });
  });

  it('says how many bytes of an unfinished write it dropped', () => {
    const files = new SimulatedFiles();
    const store = open(files);
    store.commit(changeAt(0));
    files.dieAt = files.steps + 20;
    store.commit(changeAt(1));
    files.restart();
    const later = open(files);
    expect(later.notice).to.match(/^the last \d+ bytes are a write that was not finished/);
    expect(later.commit(changeAt(1))).to.equal('stored');
    expect(open(files).all()).to.deep.equal(after(2));
    expect(open(files).notice).to.equal(undefined);
  });
});
