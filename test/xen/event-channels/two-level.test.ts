import { expect } from 'chai';
import fc from 'fast-check';
import { Errno } from '../../../src/xen/errno.js';
import { Guest } from './domain.js';

describe('Xen event channels: the 2-level ABI', () => {
  it('set_pending: the pending bit, the selector bit of its word, evtchn_upcall_pending, one upcall', () => {
    const guest = new Guest();
    for (let port = 1; port <= 70; port++) guest.channels.bindIpi(0);
    guest.channels.send(65);
    expect(guest.pendingWord(1)).to.equal(2n);
    expect(guest.selector).to.equal(2n);
    expect(guest.upcallPending).to.equal(1);
    expect(guest.upcalls).to.equal(1);
    guest.channels.send(66);
    guest.channels.send(3);
    expect(guest.selector).to.equal(3n);
    expect(guest.upcalls, 'the guest has not taken the first yet').to.equal(1);
    expect(guest.takePending()).to.deep.equal([3, 65, 66]);
    guest.channels.send(3);
    expect(guest.upcalls).to.equal(2);
  });

  it('set_pending: nothing more happens to a port that is pending', () => {
    const guest = new Guest();
    const polled: number[] = [];
    guest.channels.onPending = (port) => polled.push(port);
    guest.channels.bindIpi(0);
    guest.channels.send(1);
    guest.memory.bytes.fill(0, 0x10 * 4096, 0x10 * 4096 + 16); // upcall_pending and selector are taken, the port is not
    guest.channels.send(1);
    expect([guest.upcallPending, guest.selector, guest.upcalls]).to.deep.equal([0, 0n, 1]);
    expect(polled).to.deep.equal([1]);
  });

  it('set_pending: a masked port is pending and wakes who polls, no more', () => {
    const guest = new Guest();
    const polled: number[] = [];
    guest.channels.onPending = (port) => polled.push(port);
    guest.channels.bindIpi(0);
    guest.mask(1);
    guest.channels.send(1);
    expect([guest.upcallPending, guest.selector, guest.upcalls]).to.deep.equal([0, 0n, 0]);
    expect(guest.pendingWord(0)).to.equal(2n);
    expect(polled).to.deep.equal([1]);
    expect(guest.channels.poll(1)).to.equal(1);
  });

  it('EVTCHNOP_unmask: clears the mask and tells a pending event, if the mask was set', () => {
    const guest = new Guest();
    guest.channels.bindIpi(0);
    guest.mask(1);
    guest.channels.send(1);
    expect(guest.channels.unmask(1)).to.equal(0);
    expect(guest.masked(1)).to.equal(false);
    expect([guest.upcallPending, guest.selector, guest.upcalls]).to.deep.equal([1, 1n, 1]);
    guest.memory.bytes.fill(0, 0x10 * 4096, 0x10 * 4096 + 16);
    expect(guest.channels.unmask(1)).to.equal(0);
    expect(guest.upcalls, 'it was not masked').to.equal(1);
  });

  it('EVTCHNOP_unmask: leaves the mask of a free port alone', () => {
    const guest = new Guest();
    guest.mask(5);
    expect(guest.channels.unmask(5)).to.equal(0);
    expect(guest.masked(5)).to.equal(true);
  });

  it('evtchn_upcall_pending: only bit 0 says that the upcall was made', () => {
    const guest = new Guest();
    guest.channels.bindIpi(0);
    guest.memory.bytes[0x10 * 4096] = 0xfe;
    guest.channels.send(1);
    expect(guest.upcallPending).to.equal(0xff);
    expect(guest.upcalls).to.equal(1);
  });

  it('has no priorities: ENOSYS for every valid port, EINVAL for others', () => {
    const { channels } = new Guest();
    expect(channels.setPriority(5, 99)).to.equal(Errno.ENOSYS);
    expect(channels.setPriority(64, 0)).to.equal(Errno.EINVAL);
    expect(channels.expandArray(0x13)).to.equal(Errno.EOPNOTSUPP);
  });

  it('a 32-bit domain: words of 32 bits, the mask behind 128 bytes of pending bits, the selector at offset 4', () => {
    const guest = new Guest();
    const base = 0x10 * 4096;
    guest.channels.wordBits = 32;
    for (let port = 1; port <= 40; port++) guest.channels.bindIpi(0);
    guest.memory.bytes[base + 2048 + 128 + 4] = 1 << 1; // port 33
    guest.channels.send(33);
    expect(guest.memory.u32(base + 2048 + 4)).to.equal(2);
    expect(guest.memory.u32(base + 4)).to.equal(0);
    guest.channels.send(34);
    expect(guest.memory.u32(base + 2048 + 4)).to.equal(6);
    expect(guest.memory.u32(base + 4)).to.equal(2);
    expect(guest.memory.u32(base + 8), 'cr2 of the 32-bit vcpu_info').to.equal(0);
    expect(guest.upcalls).to.equal(1);
    guest.channels.unmask(33);
    expect(guest.memory.u32(base + 2048 + 128 + 4)).to.equal(0);
  });

  it('a 32-bit domain has at most 1024 ports', () => {
    const { channels } = new Guest({ maxPort: 4000 });
    channels.wordBits = 32;
    for (let port = 1; port < 1024; port++) channels.bindIpi(0);
    expect(channels.bindIpi(0)).to.equal(Errno.ENOSPC);
    channels.wordBits = 64;
    expect(channels.bindIpi(0)).to.equal(1024);
  });

  it('property: a guest that serves its upcalls sees every event once', () => {
    const port = fc.integer({ min: 1, max: 200 });
    const step = fc.oneof(
      fc.record({ op: fc.constantFrom('send' as const, 'mask' as const, 'unmask' as const), port }),
      fc.record({ op: fc.constant('serve' as const), port }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const guest = new Guest();
        for (let i = 1; i <= 200; i++) guest.channels.bindIpi(0);
        const due = new Set<number>(); // sent, not served
        let served = 0;
        const serve = (): void => {
          if (guest.upcalls === served) return; // no upcall: nothing may be due but what is masked
          served = guest.upcalls;
          for (const each of guest.takePending()) expect(due.delete(each), `port ${each}`).to.equal(true);
        };
        for (const { op, port: target } of steps) {
          if (op === 'serve') serve();
          else if (op === 'mask') guest.mask(target);
          else {
            if (op === 'send') due.add(target);
            guest.channels[op](target);
          }
        }
        serve();
        for (const each of due) expect(guest.masked(each), `port ${each} was lost`).to.equal(true);
        for (let i = 1; i <= 200; i++) guest.channels.unmask(i);
        serve();
        expect([...due]).to.deep.equal([]);
      }),
      { numRuns: 150, seed: 5 },
    );
  });
});
