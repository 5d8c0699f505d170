import { expect } from 'chai';
import { Errno } from '../../../src/xen/errno.js';
import { EventChannelError, Virq } from '../../../src/xen/event-channels/index.js';
import { Guest } from './domain.js';

const self = 0x7ff0;

describe('Xen event channels: ports', () => {
  it('get_free_port: the lowest free one from 1 on; console and xenstore have 2 and 1, so the first VIRQ has 3', () => {
    const { channels } = new Guest();
    channels.connect(1, () => undefined);
    channels.connect(2, () => undefined);
    expect(channels.bindVirq(Virq.TIMER, 0)).to.equal(3);
    expect(channels.bindIpi(0)).to.equal(4);
    expect(channels.allocUnbound(self, 0)).to.equal(5);
    expect(channels.close(4)).to.equal(0);
    expect(channels.bindIpi(0)).to.equal(4);
    expect(channels.bindIpi(0)).to.equal(6);
  });

  it('get_free_port: ENOSPC behind max_evtchn_port', () => {
    const { channels } = new Guest({ maxPort: 70 });
    for (let port = 1; port <= 70; port++) expect(channels.bindIpi(0)).to.equal(port);
    expect(channels.bindIpi(0)).to.equal(Errno.ENOSPC);
    expect(channels.allocUnbound(self, 0)).to.equal(Errno.ENOSPC);
    expect(channels.bindVirq(Virq.DEBUG, 0)).to.equal(Errno.ENOSPC);
    expect(channels.virqBound(Virq.DEBUG)).to.equal(false);
    expect(channels.bindPirq(3)).to.equal(Errno.ENOSPC);
    expect(channels.bindInterdomain(self, 1)).to.equal(Errno.ENOSPC);
    expect(new Guest().channels.allocUnbound(self, 0), 'another domain').to.equal(1);
  });

  it('libxl permits ports up to 1023', () => {
    const { channels } = new Guest();
    for (let port = 1; port <= 1023; port++) expect(channels.bindIpi(0)).to.equal(port);
    expect(channels.bindIpi(0)).to.equal(Errno.ENOSPC);
  });

  it('ports come in buckets of 64: a valid free port answers differently from one that does not exist', () => {
    const { channels } = new Guest();
    expect(channels.status(63)).to.deep.equal({ status: 0, vcpu: 0 });
    expect(channels.status(64)).to.equal(Errno.EINVAL);
    expect(channels.unmask(63)).to.equal(0);
    expect(channels.unmask(64)).to.equal(Errno.EINVAL);
    for (let port = 1; port <= 64; port++) channels.bindIpi(0);
    expect(channels.status(127)).to.deep.equal({ status: 0, vcpu: 0 });
    expect(channels.status(128)).to.equal(Errno.EINVAL);
  });

  it('port 0 is reserved: closed to status, EINVAL to close, send and bind_vcpu', () => {
    const { channels } = new Guest();
    expect(channels.status(0)).to.deep.equal({ status: 0, vcpu: 0 });
    for (const result of [channels.close(0), channels.send(0), channels.bindVcpu(0, 0), channels.poll(0)])
      expect(result).to.equal(Errno.EINVAL);
    expect(channels.unmask(0)).to.equal(0);
  });

  it('EVTCHNOP_alloc_unbound: ESRCH for no domain, EPERM for domain 0, DOMID_SELF or the own number else', () => {
    const { channels } = new Guest({ domain: 7 });
    expect(channels.allocUnbound(6, 0)).to.equal(Errno.ESRCH);
    expect(channels.allocUnbound(0, 0)).to.equal(Errno.EPERM);
    expect(channels.allocUnbound(0x7ff1, 0)).to.equal(Errno.ESRCH);
    expect(channels.allocUnbound(7, 3)).to.equal(1);
    expect(channels.status(1)).to.deep.equal({ status: 1, vcpu: 0, domain: 3 });
    expect(channels.allocUnbound(self, self)).to.equal(2);
    expect(channels.status(2), 'DOMID_SELF as the remote is resolved').to.deep.equal({ status: 1, vcpu: 0, domain: 7 });
  });

  it('EVTCHNOP_bind_interdomain: loops back to an unbound port, which hears what the other sends', () => {
    const guest = new Guest({ domain: 7 });
    const { channels } = guest;
    channels.allocUnbound(self, self);
    expect(channels.bindInterdomain(self, 1)).to.equal(2);
    expect(guest.takePending(), 'the new end is told at once').to.deep.equal([2]);
    expect(channels.status(1)).to.deep.equal({ status: 2, vcpu: 0, domain: 7, port: 2 });
    expect(channels.status(2)).to.deep.equal({ status: 2, vcpu: 0, domain: 7, port: 1 });
    expect(channels.send(1)).to.equal(0);
    expect(guest.takePending()).to.deep.equal([2]);
    expect(channels.send(2)).to.equal(0);
    expect(guest.takePending()).to.deep.equal([1]);
    expect(channels.close(1)).to.equal(0);
    expect(channels.status(2), 'the other end waits').to.deep.equal({ status: 1, vcpu: 0, domain: 7 });
    expect(channels.send(2), 'dropped').to.equal(0);
    expect(guest.takePending()).to.deep.equal([]);
  });

  it('EVTCHNOP_bind_interdomain: ESRCH, EINVAL for ports that do not wait for this domain', () => {
    const { channels } = new Guest({ domain: 7 });
    channels.connect(1, () => undefined, 20);
    channels.allocUnbound(self, 3);
    channels.bindIpi(0);
    expect(channels.bindInterdomain(8, 1)).to.equal(Errno.ESRCH);
    for (const [domain, port] of [
      [self, 0], // reserved
      [self, 2], // waits for domain 3
      [self, 3], // an IPI
      [self, 4], // free, and what would be allocated
      [self, 64], // not valid
      [0, 20], // bound already
      [0, 21],
      [0, 0xffff_ffff],
    ] as const)
      expect(channels.bindInterdomain(domain, port), `${domain}:${port}`).to.equal(Errno.EINVAL);
    expect(channels.bindIpi(0), 'the port allocated on the way is free again').to.equal(4);
  });

  it('EVTCHNOP_bind_virq: EINVAL, ENOENT, EEXIST in this order', () => {
    const { channels } = new Guest();
    expect(channels.bindVirq(24, 0)).to.equal(Errno.EINVAL);
    expect(channels.bindVirq(0xffff_ffff, 9)).to.equal(Errno.EINVAL);
    expect(channels.bindVirq(Virq.CONSOLE, 1), 'global, on another vCPU').to.equal(Errno.EINVAL);
    expect(channels.bindVirq(Virq.TIMER, 1)).to.equal(Errno.ENOENT);
    expect(channels.bindVirq(Virq.TIMER, 0)).to.equal(1);
    expect(channels.status(1)).to.deep.equal({ status: 4, vcpu: 0, virq: 0 });
    expect(channels.bindVirq(Virq.TIMER, 0)).to.equal(Errno.EEXIST);
    expect(channels.bindVirq(Virq.TIMER, 1)).to.equal(Errno.ENOENT);
    expect(channels.bindVirq(23, 0)).to.equal(2);
    expect(channels.close(1)).to.equal(0);
    expect(channels.bindVirq(Virq.TIMER, 0)).to.equal(1);
  });

  it('a VIRQ is raised while it is bound, and lost else', () => {
    const guest = new Guest();
    guest.channels.raiseVirq(Virq.TIMER);
    guest.channels.bindVirq(Virq.TIMER, 0);
    guest.channels.bindVirq(Virq.ARGO, 0);
    expect(guest.takePending()).to.deep.equal([]);
    guest.channels.raiseVirq(Virq.TIMER);
    guest.channels.raiseVirq(Virq.ARGO);
    expect(guest.takePending()).to.deep.equal([1, 2]);
    guest.channels.close(1);
    guest.channels.raiseVirq(Virq.TIMER);
    guest.channels.raiseVirq(999);
    expect(guest.takePending()).to.deep.equal([]);
    expect(guest.channels.send(2), 'a guest cannot send a VIRQ').to.equal(Errno.EINVAL);
  });

  it('EVTCHNOP_bind_ipi: ENOENT for another vCPU; a send comes back', () => {
    const guest = new Guest();
    expect(guest.channels.bindIpi(1)).to.equal(Errno.ENOENT);
    expect(guest.channels.bindIpi(0)).to.equal(1);
    expect(guest.channels.status(1)).to.deep.equal({ status: 5, vcpu: 0 });
    expect(guest.channels.send(1)).to.equal(0);
    expect(guest.takePending()).to.deep.equal([1]);
  });

  it('EVTCHNOP_bind_pirq: EINVAL behind nr_pirqs, EEXIST, again after close', () => {
    const { channels } = new Guest({ pirqs: 48 });
    expect(channels.bindPirq(48)).to.equal(Errno.EINVAL);
    expect(channels.bindPirq(47)).to.equal(1);
    expect(channels.status(1)).to.deep.equal({ status: 3, vcpu: 0, pirq: 47 });
    expect(channels.bindPirq(47)).to.equal(Errno.EEXIST);
    expect(channels.send(1)).to.equal(Errno.EINVAL);
    expect(channels.bindVcpu(1, 0)).to.equal(0);
    channels.close(1);
    expect(channels.bindPirq(47)).to.equal(1);
  });

  it('EVTCHNOP_bind_vcpu: the vCPU first, then the port; per-vCPU VIRQs and IPIs do not move', () => {
    const { channels } = new Guest();
    channels.connect(1, () => undefined);
    channels.bindVirq(Virq.TIMER, 0);
    channels.bindVirq(Virq.CONSOLE, 0);
    channels.bindIpi(0);
    channels.allocUnbound(self, 0);
    expect(channels.bindVcpu(9999, 1)).to.equal(Errno.ENOENT);
    expect(channels.bindVcpu(9999, 0)).to.equal(Errno.EINVAL);
    expect([1, 2, 3, 4, 5, 6].map((port) => channels.bindVcpu(port, 0))).to.deep.equal([
      0,
      Errno.EINVAL,
      0,
      Errno.EINVAL,
      0,
      Errno.EINVAL,
    ]);
  });

  it('EVTCHNOP_close: EINVAL for a free port and for one that does not exist; a pending event goes with it', () => {
    const guest = new Guest();
    const { channels } = guest;
    expect(channels.close(5)).to.equal(Errno.EINVAL);
    expect(channels.close(5000)).to.equal(Errno.EINVAL);
    channels.bindIpi(0);
    guest.mask(1);
    channels.send(1);
    expect(guest.pendingWord(0)).to.equal(2n);
    channels.close(1);
    expect(guest.pendingWord(0)).to.equal(0n);
    expect(channels.close(1)).to.equal(Errno.EINVAL);
  });

  it('EVTCHNOP_send: to the backend; EINVAL on free ports', () => {
    const guest = new Guest();
    let sent = 0;
    guest.channels.connect(2, () => sent++, 31);
    expect(guest.channels.status(2)).to.deep.equal({ status: 2, vcpu: 0, domain: 0, port: 31 });
    expect(guest.channels.send(2)).to.equal(0);
    expect(guest.channels.send(2)).to.equal(0);
    expect(sent).to.equal(2);
    expect(guest.channels.send(1)).to.equal(Errno.EINVAL);
    expect(guest.channels.send(0xffff_ffff)).to.equal(Errno.EINVAL);
    guest.channels.notify(2);
    expect(guest.takePending()).to.deep.equal([2]);
  });

  it('a closed backend port: nothing is heard either way until the guest binds to domain 0 again', () => {
    const guest = new Guest();
    let sent = 0;
    guest.channels.connect(1, () => sent++, 20);
    guest.channels.connect(2, () => sent++, 21);
    guest.channels.close(2);
    guest.channels.notify(2);
    expect(guest.takePending()).to.deep.equal([]);
    guest.channels.bindIpi(0); // takes port 2
    expect(guest.channels.bindInterdomain(0, 21)).to.equal(3);
    expect(guest.takePending()).to.deep.equal([3]);
    guest.channels.notify(2);
    expect(guest.takePending()).to.deep.equal([3]);
    expect(guest.channels.send(3)).to.equal(0);
    expect(sent).to.equal(1);
  });

  it('EVTCHNOP_status: ESRCH, and of domain 0 EINVAL or EPERM', () => {
    const { channels } = new Guest({ domain: 7 });
    expect(channels.status(1, 8)).to.equal(Errno.ESRCH);
    expect(channels.status(1, 0)).to.equal(Errno.EPERM);
    expect(channels.status(99_999, 0)).to.equal(Errno.EINVAL);
    expect(channels.status(1, 7)).to.deep.equal({ status: 0, vcpu: 0 });
  });

  it('EVTCHNOP_reset: closes everything, backends included; ESRCH and EPERM for others', () => {
    const guest = new Guest({ domain: 7 });
    const { channels } = guest;
    channels.connect(1, () => undefined);
    channels.bindVirq(Virq.TIMER, 0);
    channels.bindIpi(0);
    expect(channels.reset(8)).to.equal(Errno.ESRCH);
    expect(channels.reset(0)).to.equal(Errno.EPERM);
    expect(channels.reset()).to.equal(0);
    for (let port = 0; port < 64; port++) expect(channels.status(port)).to.deep.equal({ status: 0, vcpu: 0 });
    expect(channels.virqBound(Virq.TIMER)).to.equal(false);
    expect(channels.bindInterdomain(0, 1), 'the backend waits').to.equal(1);
    expect(channels.reset(7)).to.equal(0);
  });

  it('EVTCHNOP_reset_cont: EBUSY, since no reset is ever under way', () => {
    const { channels } = new Guest({ domain: 7 });
    expect(channels.continueReset(8)).to.equal(Errno.ESRCH);
    expect(channels.continueReset(0)).to.equal(Errno.EPERM);
    expect(channels.continueReset()).to.equal(Errno.EBUSY);
  });

  it('the toolstack is refused a port that is taken', () => {
    const { channels } = new Guest();
    channels.bindIpi(0);
    expect(() => {
      channels.connect(1, () => undefined);
    }).to.throw(EventChannelError, 'port 1');
    channels.connect(2, () => undefined, 30);
    expect(() => {
      channels.connect(3, () => undefined, 30);
    }).to.throw(EventChannelError, "domain 0's 30");
    expect(() => {
      channels.connect(4000, () => undefined);
    }).to.throw(EventChannelError, 'out of range');
  });
});
