import { expect } from 'chai';
import { Errno } from '../../../src/xen/errno.js';
import { Virq } from '../../../src/xen/event-channels/index.js';
import { at, Guest } from './domain.js';

const pending = 2 ** 31;
const masked = 2 ** 30;
const linked = 2 ** 29;
const busy = 2 ** 28;

/** A FIFO guest with IPIs at 1 to `ports`, all unmasked. */
function guestWith(ports: number): Guest {
  const guest = new Guest().useFifo();
  for (let port = 1; port <= ports; port++) {
    guest.channels.bindIpi(0);
    guest.channels.unmask(port);
  }
  return guest;
}

describe('Xen event channels: the FIFO ABI', () => {
  it('EVTCHNOP_init_control: ENOENT, EINVAL by offset, EINVAL for no frame; then 17 link bits, once', () => {
    const { channels, memory } = new Guest();
    memory.holes.add(0x20);
    expect(channels.initControl(at.control, 4, 1)).to.equal(Errno.ENOENT);
    expect(channels.initControl(at.control, 4096 - 72 + 8, 0), 'crosses the page').to.equal(Errno.EINVAL);
    expect(channels.initControl(at.control, 0xffff_fff8, 0)).to.equal(Errno.EINVAL);
    expect(channels.initControl(at.control, 4, 0), '8-byte alignment').to.equal(Errno.EINVAL);
    for (const gfn of [0x20, 0x40, 2 ** 52, 2 ** 64, NaN])
      expect(channels.initControl(gfn, 0, 0), `frame ${gfn}`).to.equal(Errno.EINVAL);
    expect(channels.expandArray(at.array), 'still 2-level').to.equal(Errno.EOPNOTSUPP);
    expect(channels.initControl(at.control, 4096 - 72, 0)).to.equal(17);
    expect(channels.initControl(at.control, 0, 0), 'the vCPU has one').to.equal(Errno.EINVAL);
    expect(channels.initControl(at.control, 4, 1)).to.equal(Errno.ENOENT);
  });

  it('EVTCHNOP_expand_array: EINVAL for no frame, ENOSPC behind 128 pages', () => {
    const { channels } = new Guest();
    channels.initControl(at.control, 0, 0);
    expect(channels.expandArray(0x40)).to.equal(Errno.EINVAL);
    for (let page = 0; page < 128; page++) expect(channels.expandArray(at.array)).to.equal(0);
    expect(channels.expandArray(at.array)).to.equal(Errno.ENOSPC);
    expect(channels.expandArray(0x40), 'the room is looked at first').to.equal(Errno.ENOSPC);
  });

  it('set_pending: PENDING and LINKED, the head of the queue, its ready bit, the upcall', () => {
    const guest = guestWith(3);
    guest.channels.send(2);
    expect(guest.word(2)).to.equal(pending + linked);
    expect(guest.head(7)).to.equal(2);
    expect(guest.ready).to.equal(1 << 7);
    expect([guest.upcallPending, guest.upcalls]).to.deep.equal([1, 1]);
    expect(guest.memory.u64(at.sharedInfo * 4096 + 2048), 'the 2-level bits rest').to.equal(0n);
  });

  it('set_pending: the next event is linked behind the tail; head and ready stay', () => {
    const guest = guestWith(3);
    guest.channels.send(2);
    guest.memory.bytes.fill(0, at.control * 4096, at.control * 4096 + 4); // the guest takes ready
    guest.channels.send(3);
    guest.channels.send(1);
    expect(guest.word(2)).to.equal(pending + linked + 3);
    expect(guest.word(3)).to.equal(pending + linked + 1);
    expect(guest.word(1)).to.equal(pending + linked);
    expect([guest.head(7), guest.ready, guest.upcalls]).to.deep.equal([2, 0, 1]);
  });

  it('set_pending: a tail that the guest has unlinked begins a new queue', () => {
    const guest = guestWith(3);
    guest.channels.send(2);
    guest.memory.bytes.fill(0, at.control * 4096, at.control * 4096 + 4);
    guest.setWord(2, 0);
    guest.channels.send(3);
    expect([guest.head(7), guest.ready, guest.word(2)]).to.deep.equal([3, 1 << 7, 0]);
    guest.setWord(3, 0);
    guest.channels.send(3); // the tail itself
    expect([guest.head(7), guest.word(3)]).to.deep.equal([3, pending + linked]);
  });

  it('set_pending: the upcall is not repeated while ready or upcall_pending is set', () => {
    const guest = guestWith(3);
    guest.channels.send(2);
    guest.setWord(2, 0);
    guest.channels.send(3);
    expect(guest.upcalls, 'ready is set still').to.equal(1);
    guest.memory.bytes.fill(0, at.control * 4096, at.control * 4096 + 4);
    guest.setWord(3, 0);
    guest.channels.send(1);
    expect([guest.ready, guest.upcalls], 'upcall_pending is set still').to.deep.equal([1 << 7, 1]);
  });

  it('set_pending: a masked event is pending, not linked; EVTCHNOP_unmask links it', () => {
    const guest = guestWith(2);
    const polled: number[] = [];
    guest.channels.onPending = (port) => polled.push(port);
    guest.setWord(1, masked);
    guest.channels.send(1);
    expect(guest.word(1)).to.equal(pending + masked);
    expect([guest.ready, guest.upcalls]).to.deep.equal([0, 0]);
    expect(polled).to.deep.equal([1]);
    expect(guest.channels.unmask(1)).to.equal(0);
    expect(guest.word(1)).to.equal(pending + linked);
    expect([guest.head(7), guest.ready, guest.upcalls]).to.deep.equal([1, 1 << 7, 1]);
    expect(polled, 'it was pending already').to.deep.equal([1]);
  });

  it('EVTCHNOP_unmask: relinks what the guest unmasked by itself; nothing when not pending', () => {
    const guest = guestWith(2);
    guest.setWord(1, pending);
    guest.channels.unmask(1);
    expect(guest.word(1)).to.equal(pending + linked);
    guest.setWord(2, masked);
    guest.channels.unmask(2);
    expect(guest.word(2)).to.equal(0);
    expect(guest.head(7)).to.equal(1);
  });

  it('set_link: clears BUSY and an old link, keeps PENDING and MASKED', () => {
    const guest = guestWith(2);
    guest.channels.send(1);
    guest.setWord(1, masked + linked + busy + 0x1_ffff);
    guest.channels.send(2);
    expect(guest.word(1)).to.equal(masked + linked + 2);
  });

  it('EVTCHNOP_set_priority: EINVAL, EACCES for a free port, EINVAL above 15', () => {
    const { channels } = guestWith(1);
    expect(channels.setPriority(64, 0)).to.equal(Errno.EINVAL);
    expect(channels.setPriority(0, 99)).to.equal(Errno.EACCES);
    expect(channels.setPriority(2, 99)).to.equal(Errno.EACCES);
    expect(channels.setPriority(1, 16)).to.equal(Errno.EINVAL);
    expect(channels.setPriority(1, 0xffff_ffff)).to.equal(Errno.EINVAL);
    expect(channels.setPriority(1, 15)).to.equal(0);
  });

  it('each priority is a queue; an event that is linked stays on its old queue', () => {
    const guest = guestWith(3);
    guest.channels.setPriority(1, 0);
    guest.channels.send(1);
    guest.channels.send(2);
    expect([guest.head(0), guest.head(7), guest.ready]).to.deep.equal([1, 2, (1 << 7) | 1]);
    guest.channels.setPriority(2, 15);
    guest.channels.send(2);
    expect(guest.head(15)).to.equal(0);
    guest.setWord(2, 0);
    guest.channels.send(2);
    expect([guest.head(15), guest.head(7)]).to.deep.equal([2, 2]);
    guest.channels.send(3);
    expect(guest.head(7), 'the old queue was emptied when its tail moved').to.equal(3);
    expect(guest.word(2), 'and not continued behind it').to.equal(pending + linked);
  });

  it('binding again gives the default priority', () => {
    const guest = guestWith(1);
    guest.channels.setPriority(1, 0);
    guest.channels.close(1);
    guest.channels.bindIpi(0);
    guest.channels.send(1);
    expect([guest.head(0), guest.head(7)]).to.deep.equal([0, 1]);
  });

  it('a closed port that is still linked is busy: it is not allocated until the guest has unlinked it', () => {
    const guest = guestWith(2);
    guest.channels.send(1);
    guest.channels.close(1);
    expect(guest.word(1), 'PENDING goes, LINKED is the guest’s').to.equal(linked);
    expect(guest.channels.bindIpi(0)).to.equal(3);
    guest.setWord(1, 0);
    expect(guest.channels.bindIpi(0)).to.equal(1);
  });

  it('events before the page of their words are kept, and raised when it comes', () => {
    const guest = new Guest();
    guest.channels.initControl(at.control, 0, 0);
    guest.channels.bindVirq(Virq.TIMER, 0);
    guest.channels.bindIpi(0);
    guest.channels.raiseVirq(Virq.TIMER);
    expect([guest.upcalls, guest.channels.poll(1), guest.channels.unmask(1)]).to.deep.equal([0, 0, 0]);
    guest.maskArray(at.array);
    expect(guest.channels.expandArray(at.array)).to.equal(0);
    expect(guest.word(1)).to.equal(pending + masked);
    expect(guest.word(2)).to.equal(masked);
    guest.channels.unmask(1);
    expect([guest.head(7), guest.upcalls]).to.deep.equal([1, 1]);
  });

  it('the second page holds the words of ports 1024 on', () => {
    const guest = new Guest({ maxPort: 2000 }).useFifo();
    for (let port = 1; port <= 1500; port++) guest.channels.bindIpi(0);
    guest.channels.send(1500);
    expect(guest.channels.poll(1500)).to.equal(0);
    expect(guest.channels.expandArray(at.moreArray)).to.equal(0);
    expect(guest.memory.u32(at.moreArray * 4096 + 4 * (1500 - 1024))).to.equal(pending + linked);
    expect([guest.head(7), guest.upcalls]).to.deep.equal([1500, 1]);
  });

  it('a further page raises only what waits for its own words', () => {
    const guest = new Guest();
    guest.channels.initControl(at.control, 0, 0);
    guest.channels.bindIpi(0);
    guest.channels.send(1);
    guest.channels.expandArray(at.array);
    expect(guest.word(1)).to.equal(pending + linked);
    guest.setWord(1, 0); // served
    guest.channels.expandArray(at.moreArray);
    expect(guest.word(1)).to.equal(0);
  });

  it('switching from 2-level: bound ports keep what is pending and get the default priority', () => {
    const guest = new Guest();
    guest.channels.connect(1, () => undefined);
    guest.channels.connect(2, () => undefined);
    guest.mask(2);
    guest.channels.notify(1);
    guest.channels.notify(2);
    guest.memory.bytes[at.sharedInfo * 4096] = 0; // the guest has served the upcall
    guest.upcalls = 0;
    guest.channels.initControl(at.control, 0, 0);
    expect(guest.channels.expandArray(at.array)).to.equal(0); // a page of zeroes: nothing masked
    expect(guest.head(7)).to.equal(1);
    expect(guest.word(1)).to.equal(pending + linked + 2);
    expect(guest.word(2), 'the 2-level mask counts no more').to.equal(pending + linked);
    expect(guest.upcalls).to.equal(1);
  });

  it('EVTCHNOP_reset: 2-level again, and FIFO may begin anew', () => {
    const guest = guestWith(2);
    guest.channels.send(1);
    expect(guest.channels.reset()).to.equal(0);
    expect(guest.word(1), 'the close cleared PENDING').to.equal(linked);
    expect(guest.channels.expandArray(at.array)).to.equal(Errno.EOPNOTSUPP);
    guest.memory.bytes.fill(0, at.sharedInfo * 4096, at.sharedInfo * 4096 + 16);
    expect(guest.channels.bindIpi(0), 'no port is busy in the 2-level ABI').to.equal(1);
    guest.channels.send(1);
    expect(guest.takePending()).to.deep.equal([1]);
    expect(guest.channels.initControl(at.control, 72, 0)).to.equal(17);
    expect(guest.channels.expandArray(at.array)).to.equal(0);
  });

  it('the control block at an offset of its page', () => {
    const guest = new Guest();
    guest.channels.initControl(at.control, 0x100, 0);
    guest.channels.expandArray(at.array);
    guest.channels.bindIpi(0);
    guest.channels.send(1);
    expect(guest.memory.u32(at.control * 4096 + 0x100)).to.equal(1 << 7);
    expect(guest.memory.u32(at.control * 4096 + 0x100 + 8 + 4 * 7)).to.equal(1);
  });
});
