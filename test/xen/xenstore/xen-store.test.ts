import { expect } from 'chai';
import { XsdType } from '../../../firmware-tables/xen/xenstore-ring.js';
import { XenStore } from '../../../src/xen/xenstore/xen-store.js';
import { description } from './guest.js';

/** A store, and the guest's requests with NULs written as "|". */
function create() {
  const store = new XenStore(description);
  const events: string[] = [];
  store.connection.onEvent = (path, token) => events.push(`${path} ${token}`);
  const ask = (type: keyof typeof XsdType, payload: string, transaction = 0): string => {
    const reply = store.request(XsdType[type], transaction, payload.replaceAll('|', '\0'));
    reply.then?.();
    return reply.payload.replaceAll('\0', '|');
  };
  const taken = () => events.splice(0);
  return { store, ask, taken };
}

describe('xenstore requests (Xen docs/misc/xenstore.txt)', () => {
  it('READ: the value without a NUL; relative paths lie below /local/domain/1', () => {
    const { ask } = create();
    expect(ask('READ', 'memory/target|')).to.equal('262144');
    expect(ask('READ', '/local/domain/1/name|')).to.equal('guest');
    expect(ask('READ', 'domid|')).to.equal('1');
  });
  it('READ of nothing: ENOENT where the node above may be read, else EACCES', () => {
    const { ask } = create();
    expect(ask('READ', 'nothing/at/all|')).to.equal('ENOENT|');
    expect(ask('READ', '/nothing|')).to.equal('EACCES|');
    expect(ask('READ', '/local/domain/0/name|')).to.equal('EACCES|');
    expect(ask('READ', '/libxl/1/type|')).to.equal('EACCES|');
    expect(ask('DIRECTORY', '/|')).to.equal('EACCES|');
  });
  it('paths: no empty component, no other characters, no end in a slash, at most 2048 characters: EINVAL', () => {
    const { ask } = create();
    for (const path of ['', '/a/', 'a//b', 'a b', 'a\x80', '@releaseDomain', 'x'.repeat(2049)]) {
      expect(ask('READ', `${path}|`), path.slice(0, 20)).to.equal('EINVAL|');
    }
    expect(ask('READ', `${'x'.repeat(2048)}|`)).to.equal('ENOENT|');
    expect(ask('READ', '/local/domain/1|')).to.equal('');
  });
  it('payloads that are not one string with a NUL at its end: EINVAL', () => {
    const { ask } = create();
    for (const payload of ['', 'domid', 'domid||', 'domid|x', '|domid|']) {
      for (const type of ['READ', 'DIRECTORY', 'MKDIR', 'RM', 'GET_PERMS', 'GET_DOMAIN_PATH'] as const) {
        expect(ask(type, payload), type).to.equal('EINVAL|');
      }
    }
  });
  it('WRITE: where xl gives the domain the node, any bytes; elsewhere EACCES', () => {
    const { store, ask } = create();
    expect(ask('WRITE', 'control/feature-poweroff|1')).to.equal('OK|');
    expect(ask('WRITE', 'data/a/b|x\x00\xff')).to.equal('OK|');
    expect(store.read('/local/domain/1/data/a/b')).to.equal('x\0\xff');
    expect(ask('READ', 'data/a|')).to.equal('');
    for (const path of ['name', 'memory/target', 'control/new', 'new', '/new', '/tool', '/local/domain/0/name']) {
      expect(ask('WRITE', `${path}|x`), path).to.equal('EACCES|');
      expect(ask('MKDIR', `${path}/x|`), path).to.equal('EACCES|');
    }
    expect(ask('WRITE', 'data')).to.equal('EINVAL|');
  });
  it('MKDIR: makes the nodes above as well; one that exists stays as it is', () => {
    const { ask } = create();
    expect([ask('MKDIR', 'data/x/y/z|'), ask('DIRECTORY', 'data/x/y|')]).to.deep.equal(['OK|', 'z|']);
    ask('WRITE', 'data/x|value');
    expect([ask('MKDIR', 'data/x|'), ask('READ', 'data/x|')]).to.deep.equal(['OK|', 'value']);
  });
  it('RM: with everything below; nothing there is fine, nothing above is not', () => {
    const { ask } = create();
    ask('WRITE', 'data/a/b/c|1');
    expect([ask('RM', 'data/a|'), ask('READ', 'data/a/b/c|'), ask('DIRECTORY', 'data|')]).to.deep.equal([
      'OK|',
      'ENOENT|',
      '',
    ]);
    expect(ask('RM', 'data/a|')).to.equal('OK|');
    expect(ask('RM', 'data/a/b|')).to.equal('ENOENT|');
    expect(ask('RM', 'name|')).to.equal('EACCES|');
    expect(ask('RM', '/|')).to.equal('EACCES|');
  });
  it('DIRECTORY: names in the order of their making', () => {
    const { ask } = create();
    expect(ask('DIRECTORY', '/local/domain/1|')).to.equal(
      'vm|name|cpu|memory|device|control|data|drivers|feature|attr|error|domid|store|console|',
    );
    expect(ask('DIRECTORY', 'memory|')).to.equal('static-max|target|videoram|');
    expect(ask('DIRECTORY', 'data|')).to.equal('');
  });
  it('DIRECTORY_PART: generation, names from an offset on, and an empty string behind the last one', () => {
    const { store, ask } = create();
    const names = Array.from({ length: 700 }, (_, i) => `node-${String(i).padStart(4, '0')}`);
    for (const name of names) store.write(`/local/domain/1/data/${name}`, '');
    expect(ask('DIRECTORY', 'data|')).to.equal('E2BIG|');
    const parts: string[] = [];
    for (let offset = 0; ;) {
      const [generation = '', ...list] = ask('DIRECTORY_PART', `data|${String(offset)}|`)
        .split('|')
        .slice(0, -1);
      expect(generation).to.match(/^\d+$/);
      const found = list.filter((name) => name !== '');
      parts.push(...found);
      offset += found.length * 10;
      if (found.length < list.length) break;
    }
    expect(parts).to.deep.equal(names);
    expect(ask('DIRECTORY_PART', 'data|99999|')).to.match(/^\d+\|\|$/);
    expect(ask('DIRECTORY_PART', 'data|')).to.equal('EINVAL|');
  });
  it('GET_PERMS and SET_PERMS: the owner may change the list, but not the owner', () => {
    const { ask } = create();
    expect(ask('GET_PERMS', 'name|')).to.equal('n0|r1|');
    expect(ask('GET_PERMS', 'data|')).to.equal('n1|');
    expect(ask('SET_PERMS', 'data|r1|b0|')).to.equal('OK|');
    expect(ask('GET_PERMS', 'data|')).to.equal('r1|b0|');
    expect(ask('SET_PERMS', 'data|n0|')).to.equal('EPERM|');
    expect(ask('SET_PERMS', 'name|n0|b1|')).to.equal('EACCES|');
    expect(ask('SET_PERMS', 'data|n7|')).to.equal('ENOENT|');
    for (const payload of ['data|', 'data|x1|', 'data|n|', 'data|n1x|', '|n1|', '@other|n1|']) {
      expect(ask('SET_PERMS', payload), payload).to.equal('EINVAL|');
    }
    expect(ask('SET_PERMS', '@releaseDomain|n1|')).to.equal('EACCES|');
    expect(ask('SET_PERMS', 'data|n1|r0|r0|r0|r0|r0|')).to.equal('ENOSPC|');
  });
  it('GET_DOMAIN_PATH: for any number, as atoi reads it', () => {
    const { ask } = create();
    expect(ask('GET_DOMAIN_PATH', '1|')).to.equal('/local/domain/1|');
    expect(ask('GET_DOMAIN_PATH', '17x|')).to.equal('/local/domain/17|');
    expect(ask('GET_DOMAIN_PATH', 'x|')).to.equal('/local/domain/0|');
  });
  it('what is for dom0 is EACCES, what no request is ENOSYS', () => {
    const { store, ask } = create();
    for (const type of ['CONTROL', 'INTRODUCE', 'RELEASE', 'IS_DOMAIN_INTRODUCED', 'RESUME', 'SET_TARGET'] as const) {
      expect(ask(type, '1|'), type).to.equal('EACCES|');
    }
    expect([ask('WATCH_EVENT', 'a|b|'), ask('ERROR', 'EINVAL|')]).to.deep.equal(['ENOSYS|', 'ENOSYS|']);
    for (const type of [20, 23, 0xffff, 0xffff_ffff]) expect(store.request(type, 0, '').payload).to.equal('ENOSYS\0');
  });

  describe('watches', () => {
    it('WATCH fires once at its making, then whenever the node or one below changes, with the path as it was named', () => {
      const { store, ask, taken } = create();
      expect(ask('WATCH', 'control/shutdown|token|')).to.equal('OK|');
      expect(ask('WATCH', '/local/domain/1/control|other|')).to.equal('OK|');
      expect(taken()).to.deep.equal(['control/shutdown token', '/local/domain/1/control other']);
      store.write('/local/domain/1/control/shutdown', 'poweroff');
      expect(taken()).to.deep.equal(['control/shutdown token', '/local/domain/1/control/shutdown other']);
      expect(ask('WRITE', 'control/sysrq|')).to.equal('OK|');
      expect(taken()).to.deep.equal(['/local/domain/1/control/sysrq other']);
      store.write('/local/domain/1/data', '');
      expect(taken()).to.deep.equal([]);
    });
    it('a watch of what is not there yet, and of a special event', () => {
      const { store, ask, taken } = create();
      expect([ask('WATCH', 'backend|b|'), ask('WATCH', '@releaseDomain|r|')]).to.deep.equal(['OK|', 'OK|']);
      expect(taken()).to.deep.equal(['backend b', '@releaseDomain r']);
      store.write('/local/domain/1/backend/vbd', '');
      expect(taken()).to.deep.equal(['backend/vbd b']);
    });
    it('RM fires the watches of every node that went, above it once', () => {
      const { ask, taken } = create();
      ask('WRITE', 'data/a/b|1');
      for (const path of ['data', 'data/a', 'data/a/b']) ask('WATCH', `${path}|t|`);
      taken();
      ask('RM', 'data/a|');
      expect(taken()).to.deep.equal(['data/a/b t', 'data/a t', 'data/a t']);
    });
    it('nodes that the guest must not see fire nothing; those that it could see before do', () => {
      const { store, ask, taken } = create();
      ask('WATCH', '/|root|');
      ask('WATCH', '/libxl|l|');
      taken();
      store.write('/libxl/1/type', 'pv');
      store.write('/tool/new', '');
      expect(taken()).to.deep.equal([]);
      store.write('/local/domain/1/memory/target', '1000');
      expect(taken()).to.deep.equal(['/local/domain/1/memory/target root']);
    });
    it('UNWATCH: by path and token; ENOENT for others. The same again: EEXIST', () => {
      const { ask, taken } = create();
      ask('WATCH', 'data|t|');
      expect(ask('WATCH', '/local/domain/1/data|t|')).to.equal('EEXIST|');
      expect(ask('UNWATCH', 'data|u|')).to.equal('ENOENT|');
      expect(ask('UNWATCH', '/local/domain/1/data|t|')).to.equal('OK|');
      taken();
      ask('WRITE', 'data|1');
      expect(taken()).to.deep.equal([]);
      for (const payload of ['data|', 'data|t', 'data|t|x|', 'a b|t|', `@${'x'.repeat(2048)}|t|`]) {
        expect(ask('WATCH', payload)).to.equal('EINVAL|');
      }
      expect(ask('UNWATCH', 'data|')).to.equal('EINVAL|');
    });
    it('RESET_WATCHES: watches and transactions are gone', () => {
      const { ask, taken } = create();
      ask('WATCH', 'data|t|');
      const id = Number.parseInt(ask('TRANSACTION_START', '|'), 10);
      taken();
      expect(ask('RESET_WATCHES', '|')).to.equal('OK|');
      ask('WRITE', 'data|1');
      expect(taken()).to.deep.equal([]);
      expect(ask('TRANSACTION_END', 'T|', id)).to.equal('ENOENT|');
    });
  });

  describe('transactions', () => {
    const begun = () => {
      const created = create();
      return { ...created, id: Number.parseInt(created.ask('TRANSACTION_START', '|'), 10) };
    };
    it('what is written inside is seen inside alone, and by all after the end', () => {
      const { store, ask, taken, id } = begun();
      ask('WATCH', 'data|t|');
      taken();
      expect(ask('WRITE', 'data/x|1', id)).to.equal('OK|');
      expect([ask('READ', 'data/x|', id), ask('READ', 'data/x|')]).to.deep.equal(['1', 'ENOENT|']);
      expect(taken()).to.deep.equal([]);
      expect(ask('TRANSACTION_END', 'T|', id)).to.equal('OK|');
      expect(store.read('/local/domain/1/data/x')).to.equal('1');
      expect(taken()).to.deep.equal(['data/x t']);
    });
    it('"F" drops everything', () => {
      const { ask, taken, id } = begun();
      ask('RM', 'data|', id);
      expect(ask('READ', 'data|', id)).to.equal('ENOENT|');
      expect(ask('TRANSACTION_END', 'F|', id)).to.equal('OK|');
      expect([ask('READ', 'data|'), taken().length]).to.deep.equal(['', 0]);
    });
    it('a node that was read or written inside and changed outside: EAGAIN, and nothing of it happens', () => {
      for (const [type, payload] of [
        ['READ', 'control/shutdown|'],
        ['WRITE', 'control/shutdown|x'],
      ] as const) {
        const { store, ask, id } = begun();
        ask(type, payload, id);
        ask('WRITE', 'data/y|1', id);
        store.write('/local/domain/1/control/shutdown', 'reboot');
        expect(ask('TRANSACTION_END', 'T|', id)).to.equal('EAGAIN|');
        expect(ask('READ', 'data/y|')).to.equal('ENOENT|');
        expect(ask('READ', 'control/shutdown|')).to.equal('reboot');
      }
    });
    it('a node that was looked for in vain and then made outside: EAGAIN', () => {
      const { store, ask, id } = begun();
      expect(ask('READ', 'data/z|', id)).to.equal('ENOENT|');
      store.write('/local/domain/1/data/z', '');
      expect(ask('TRANSACTION_END', 'T|', id)).to.equal('EAGAIN|');
    });
    it('changes of other nodes are no conflict; inside, a node is what it was at the first look', () => {
      const { store, ask, id } = begun();
      ask('READ', 'memory/target|', id);
      store.write('/local/domain/1/control/sysrq', 'h');
      expect(ask('READ', 'control/sysrq|', id)).to.equal('h');
      expect(ask('TRANSACTION_END', 'T|', id)).to.equal('OK|');
    });
    it('made and removed inside: nothing is left, and removed nodes fire their watches', () => {
      const { ask, taken, id } = begun();
      ask('WRITE', 'data/old|1');
      ask('WATCH', 'data/old|t|');
      taken();
      ask('WRITE', 'data/new|1', id);
      ask('RM', 'data/new|', id);
      ask('RM', 'data/old|', id);
      expect(ask('TRANSACTION_END', 'T|', id)).to.equal('OK|');
      expect(ask('DIRECTORY', 'data|')).to.equal('');
      expect(taken()).to.deep.equal(['data/old t']);
    });
    it('ids: unknown ENOENT, none for TRANSACTION_END ENOENT, nested EBUSY, ended ones gone; WATCH looks at none', () => {
      const { ask, id } = begun();
      expect(ask('READ', 'name|', id + 1)).to.equal('ENOENT|');
      expect(ask('TRANSACTION_END', 'T|')).to.equal('ENOENT|');
      expect(ask('TRANSACTION_START', '|', id)).to.equal('EBUSY|');
      expect(ask('TRANSACTION_END', 'X|', id)).to.equal('EINVAL|');
      expect(ask('TRANSACTION_END', 'F|', id)).to.equal('OK|');
      expect(ask('TRANSACTION_END', 'F|', id)).to.equal('ENOENT|');
      expect(ask('WATCH', 'data|t|', 99)).to.equal('OK|');
    });
  });

  describe('the toolstack’s side', () => {
    it('control/shutdown: the guest hears of it and acknowledges with an empty value, in a transaction', () => {
      const { store, ask, taken } = create();
      const heard: (string | undefined)[] = [];
      const path = '/local/domain/1/control/shutdown';
      const end = store.watch(path, () => heard.push(store.read(path)));
      ask('WATCH', 'control/shutdown|t|');
      taken();
      store.write(path, 'poweroff');
      expect(taken()).to.deep.equal(['control/shutdown t']);
      const id = Number.parseInt(ask('TRANSACTION_START', '|'), 10);
      expect(ask('READ', 'control/shutdown|', id)).to.equal('poweroff');
      ask('WRITE', 'control/shutdown|', id);
      expect(ask('TRANSACTION_END', 'T|', id)).to.equal('OK|');
      expect(heard).to.deep.equal(['poweroff', '']);
      end();
      store.write(path, 'reboot');
      expect(heard.length).to.equal(2);
    });
    it('read, directory, remove; what is no path is refused by name', () => {
      const store = new XenStore(description);
      expect(store.directory('/local/domain/1/store')).to.deep.equal(['port', 'ring-ref']);
      expect([store.read('/none'), store.directory('/none')]).to.deep.equal([undefined, undefined]);
      store.remove('/local/domain/1/store');
      expect(store.read('/local/domain/1/store/port')).to.equal(undefined);
      expect(() => store.read('a b')).to.throw('EINVAL');
    });
  });

  it('save and restore: nodes, watches and transactions under way go on as they were', () => {
    const { store, ask } = create();
    ask('WATCH', 'data|t|');
    const id = Number.parseInt(ask('TRANSACTION_START', '|'), 10);
    ask('WRITE', 'data/x|1\x00\xff', id);
    const other = create();
    other.store.restore(JSON.parse(JSON.stringify(store.save())) as ReturnType<typeof store.save>);
    for (const one of [{ ask, store }, other]) {
      expect(one.ask('READ', 'data/x|', id)).to.equal('1|\xff');
      expect(one.ask('TRANSACTION_END', 'T|', id)).to.equal('OK|');
      expect(Number.parseInt(one.ask('TRANSACTION_START', '|'), 10)).to.equal(id + 1);
    }
    expect(other.taken()).to.deep.equal(['data/x t']);
    expect(other.store.save()).to.deep.equal(store.save());
    expect(other.store.connection.bytes).to.equal(store.connection.bytes);
  });
});
