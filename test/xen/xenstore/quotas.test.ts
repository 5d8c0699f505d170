import { expect } from 'chai';
import { quotas } from '../../../src/xen/xenstore/quotas.js';
import { RingGuest } from './guest.js';

describe('quotas of a domU (the defaults of xenstored 4.17)', () => {
  it('1000 nodes of its own, outside and inside of transactions: ENOSPC', () => {
    const guest = new RingGuest();
    let made = 0;
    while (made < 2000 && guest.ask('MKDIR', `data/${String(made % 100)}/${String(made)}\0`) === 'OK|') made++;
    expect(made).to.be.within(800, 1000);
    expect(guest.ask('MKDIR', 'data/more\0')).to.equal('ENOSPC|');
    guest.ask('RM', 'data/7/7\0');
    const id = Number.parseInt(guest.ask('TRANSACTION_START', '\0'), 10);
    expect(guest.ask('MKDIR', 'data/one\0', id)).to.equal('OK|');
    expect(guest.ask('MKDIR', 'data/two\0', id)).to.equal('OK|');
    expect(guest.ask('TRANSACTION_END', 'T\0', id)).to.equal('ENOSPC|');
    expect(guest.ask('MKDIR', 'data/one\0')).to.equal('OK|');
    guest.ask('RM', 'data\0');
    expect(guest.ask('READ', 'data/one\0')).to.equal('ENOENT|');
    guest.store.write('/local/domain/1/data', '');
  });
  it('a node of fewer than 2048 bytes, header, permissions and children included: ENOSPC', () => {
    const guest = new RingGuest();
    const most = quotas.entryBytes - 24 - 8 - 1;
    expect(guest.ask('WRITE', `data\0${'v'.repeat(most)}`)).to.equal('OK|');
    expect(guest.ask('WRITE', `data\0${'v'.repeat(most + 1)}`)).to.equal('ENOSPC|');
    expect(guest.ask('MKDIR', 'data/child\0')).to.equal('ENOSPC|');
    expect(guest.ask('READ', 'data/child\0')).to.equal('ENOENT|');
    const id = Number.parseInt(guest.ask('TRANSACTION_START', '\0'), 10);
    expect(guest.ask('WRITE', `attr\0${'v'.repeat(most + 1)}`, id)).to.equal('ENOSPC|');
    expect(guest.ask('TRANSACTION_END', 'T\0', id)).to.equal('ENOMEM|');
  });
  it('129 watches, 11 transactions: E2BIG, ENOSPC', () => {
    const guest = new RingGuest();
    let watches = 0;
    while (watches < 200 && guest.ask('WATCH', `data\0${String(watches)}\0`) === 'OK|') watches++;
    expect([watches, guest.ask('WATCH', 'data\0more\0')]).to.deep.equal([129, 'E2BIG|']);
    let transactions = 0;
    while (transactions < 20 && guest.ask('TRANSACTION_START', '\0') !== 'ENOSPC|') transactions++;
    expect(transactions).to.equal(11);
    guest.ask('TRANSACTION_END', 'F\0', 3);
    expect(guest.ask('TRANSACTION_START', '\0')).to.equal('12|');
  });
  it('1024 nodes looked at in one transaction: ENOSPC, and the end is refused', () => {
    const guest = new RingGuest();
    const id = Number.parseInt(guest.ask('TRANSACTION_START', '\0'), 10);
    let looked = 0;
    while (looked < 2000 && guest.ask('READ', `data/${String(looked)}\0`, id) === 'ENOENT|') looked++;
    expect(looked).to.equal(quotas.transactionNodes - 1); // and data itself
    expect(guest.ask('READ', 'data/more\0', id)).to.equal('ENOSPC|');
    expect(guest.ask('TRANSACTION_END', 'T\0', id)).to.equal('ENOMEM|');
  });
  it('2.5 MB for all that is kept: writes beyond are EIO, watches ENOMEM; when it is passed, the ring is not read', () => {
    const guest = new RingGuest();
    const left = () => quotas.memory - guest.store.connection.bytes;
    for (let i = 0; i < 900; i++) guest.ask('WRITE', `data/${String(i % 30)}/${String(i)}\0${'v'.repeat(1900)}`);
    const id = Number.parseInt(guest.ask('TRANSACTION_START', '\0'), 10);
    for (let i = 0; left() > 3000; i++) guest.ask('READ', `data/${String(i % 30)}/${String(i)}\0`, id);
    expect(guest.ask('WRITE', `attr\0${'v'.repeat(1900)}`)).to.equal('OK|');
    expect(guest.ask('WRITE', `feature\0${'v'.repeat(1900)}`)).to.equal('EIO|');
    expect(guest.ask('WATCH', `data\0${'t'.repeat(1900)}\0`)).to.equal('ENOMEM|');
    expect(guest.ask('WRITE', `error\0${'v'.repeat(1900)}`, id)).to.equal('EIO|');
    expect(guest.ask('WRITE', 'attr\0')).to.equal('OK|');
    for (let i = 899; left() > 0; i--) guest.ask('READ', `data/${String(i % 30)}/${String(i)}\0`, id);
    expect(guest.ask('READ', 'domid\0')).to.equal('(no reply)');
    expect(left()).to.be.above(-3000);
    guest.store.remove('/local/domain/1/data/3'); // the toolstack makes room
    guest.ring.onNotify();
    expect(guest.receive().at(-1)?.payload).to.equal('1');
    expect(guest.ask('TRANSACTION_END', 'T\0', id)).to.equal('ENOMEM|');
  });
  it('events for which there is no memory are lost; 129 watches over 1000 changes are done soon', () => {
    const guest = new RingGuest();
    for (let i = 0; i < 129; i++) guest.ask('WATCH', `data\0${String(i)} ${'t'.repeat(40)}\0`);
    const id = Number.parseInt(guest.ask('TRANSACTION_START', '\0'), 10);
    for (let i = 0; i < 900; i++) guest.ask('MKDIR', `data/${String(i % 30)}/${String(i)}\0`, id);
    const { length } = guest.exchange('TRANSACTION_END', 'T\0', id);
    expect(length).to.be.above(10_000);
    expect(guest.store.connection.bytes).to.be.below(quotas.memory);
  });
});
