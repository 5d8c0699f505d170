import { expect } from 'chai';
import { SharedInfo, SharedInfo32 } from '../../../firmware-tables/xen/shared-info.js';
import { VcpuInfo, VcpuInfo32 } from '../../../firmware-tables/xen/vcpu-info.js';
import { FifoControlBlock } from '../../../firmware-tables/xen/event-fifo.js';
import { Errno } from '../../../src/xen/errno.js';
import { EventChannels, Virq } from '../../../src/xen/event-channels/index.js';
import { at, FakeDomain, Guest } from './domain.js';

const shared = at.sharedInfo * 4096;

describe('Xen shared_info and vcpu_info: layouts', () => {
  it('offsets are those of the public headers', () => {
    expect(SharedInfo.offsetOf('evtchn_pending')).to.equal(2048);
    expect(SharedInfo.offsetOf('evtchn_mask')).to.equal(2560);
    expect(SharedInfo.offsetOf('wc_version')).to.equal(3072);
    expect(SharedInfo32.offsetOf('evtchn_mask')).to.equal(2176);
    expect(SharedInfo32.offsetOf('wc_version')).to.equal(2304);
    expect(VcpuInfo.offsetOf('evtchn_pending_sel')).to.equal(8);
    expect(VcpuInfo32.offsetOf('evtchn_pending_sel')).to.equal(4);
    expect([VcpuInfo.offsetOf('time'), VcpuInfo32.offsetOf('time')]).to.deep.equal([32, 32]);
    expect(FifoControlBlock.offsetOf('head')).to.equal(8);
  });
});

describe('Xen event channels: where shared_info is', () => {
  it('events before the guest maps it are there when it does', () => {
    const memory = new FakeDomain(0x40);
    let upcalls = 0;
    const channels = new EventChannels(memory, () => upcalls++);
    channels.connect(2, () => undefined);
    channels.notify(2);
    expect([upcalls, channels.upcallPending, channels.vcpuInfoAddress]).to.deep.equal([1, true, undefined]);
    expect(memory.bytes.every((byte) => byte === 0)).to.equal(true);
    channels.setSharedInfo(shared);
    expect(memory.u64(shared + 2048)).to.equal(4n);
    expect(memory.u64(shared + 8)).to.equal(1n);
    expect(memory.bytes[shared]).to.equal(1);
    expect(channels.vcpuInfoAddress).to.equal(shared);
  });

  it('the clocks in it are left alone', () => {
    const memory = new FakeDomain(0x40);
    memory.bytes.fill(0x5a, shared, shared + 4096);
    const channels = new EventChannels(memory, () => undefined);
    channels.setSharedInfo(shared);
    const written = [...memory.bytes.slice(shared, shared + 4096).entries()].filter(([, byte]) => byte !== 0x5a);
    expect(written.map(([i]) => i).filter((i) => i > 15 && (i < 2048 || i >= 3072))).to.deep.equal([]);
  });

  it('unmapped, it goes on in a private copy, and comes back', () => {
    const guest = new Guest();
    guest.channels.bindIpi(0);
    guest.channels.bindIpi(0);
    guest.channels.send(1);
    guest.channels.setSharedInfo(undefined);
    guest.memory.bytes.fill(0, shared, shared + 4096);
    guest.channels.send(2);
    expect(guest.pendingWord(0)).to.equal(0n);
    expect(guest.channels.poll(1)).to.equal(1);
    guest.channels.setSharedInfo(shared);
    expect(guest.takePending()).to.deep.equal([1, 2]);
  });

  it('moved, it is where its owner put it', () => {
    const guest = new Guest();
    guest.channels.bindIpi(0);
    guest.memory.bytes.copyWithin(0x20 * 4096, shared, shared + 4096);
    guest.channels.setSharedInfo(0x20 * 4096);
    guest.channels.send(1);
    expect(guest.pendingWord(0)).to.equal(0n);
    expect(guest.memory.u64(0x20 * 4096 + 2048)).to.equal(2n);
  });

  it('where nothing is any more, events are lost and nothing throws', () => {
    const guest = new Guest();
    guest.channels.bindIpi(0);
    guest.memory.holes.add(at.sharedInfo);
    expect(guest.channels.send(1)).to.equal(0);
    expect(guest.channels.poll(1)).to.equal(0);
    expect(guest.channels.upcallPending).to.equal(false);
  });
});

describe('Xen event channels: where vcpu_info is', () => {
  it('map_vcpu_info: copies 64 bytes, marks every word pending, makes the upcall', () => {
    const guest = new Guest();
    guest.memory.view.setUint32(shared + 32, 0x1234, true); // time.version
    expect(guest.channels.mapVcpuInfo(at.vcpuInfo, 0x100)).to.equal(0);
    const address = at.vcpuInfo * 4096 + 0x100;
    expect(guest.channels.vcpuInfoAddress).to.equal(address);
    expect(guest.memory.u32(address + 32)).to.equal(0x1234);
    expect(guest.memory.u64(address + 8)).to.equal(0xffff_ffff_ffff_ffffn);
    expect([guest.memory.bytes[address], guest.upcalls]).to.deep.equal([1, 1]);
    expect(guest.memory.bytes[shared], 'the old place is left').to.equal(0);
  });

  it('map_vcpu_info: no upcall when the copied one is pending', () => {
    const guest = new Guest();
    guest.channels.bindIpi(0);
    guest.channels.send(1);
    expect(guest.channels.mapVcpuInfo(at.vcpuInfo, 0)).to.equal(0);
    expect(guest.upcalls).to.equal(1);
  });

  it('map_vcpu_info: ENXIO by offset, EINVAL for the second time, EINVAL for no frame', () => {
    const { channels } = new Guest();
    expect(channels.mapVcpuInfo(0x99, 4096 - 64 + 8)).to.equal(Errno.ENXIO);
    expect(channels.mapVcpuInfo(0x99, 4)).to.equal(Errno.ENXIO);
    expect(channels.mapVcpuInfo(0x99, 0)).to.equal(Errno.EINVAL);
    channels.wordBits = 32;
    expect(channels.mapVcpuInfo(at.vcpuInfo, 4), 'the 32-bit alignment').to.equal(0);
    expect(channels.mapVcpuInfo(at.vcpuInfo, 8)).to.equal(Errno.EINVAL);
    expect(channels.mapVcpuInfo(at.vcpuInfo, 2)).to.equal(Errno.ENXIO);
  });

  it('map_vcpu_info of a 32-bit domain: only the 32-bit selector is filled', () => {
    const guest = new Guest();
    guest.channels.wordBits = 32;
    guest.channels.setVcpuInfo(at.vcpuInfo * 4096 + 8);
    expect(guest.memory.u32(at.vcpuInfo * 4096 + 8)).to.equal(1);
    expect(guest.memory.u32(at.vcpuInfo * 4096 + 12)).to.equal(0xffff_ffff);
    expect(guest.memory.u32(at.vcpuInfo * 4096 + 16)).to.equal(0);
  });

  it('events go to the new place', () => {
    const guest = new Guest();
    guest.channels.bindIpi(0);
    guest.channels.setVcpuInfo(at.vcpuInfo * 4096);
    guest.memory.bytes.fill(0, at.vcpuInfo * 4096, at.vcpuInfo * 4096 + 64);
    guest.channels.send(1);
    expect([guest.memory.bytes[at.vcpuInfo * 4096], guest.upcallPending, guest.upcalls]).to.deep.equal([1, 0, 2]);
    expect(guest.memory.u64(at.vcpuInfo * 4096 + 8)).to.equal(1n);
    expect(guest.pendingWord(0)).to.equal(2n);
  });
});

describe('Xen event channels: frames that leave the map', () => {
  it('Xen keeps its hold on them: what comes to their place is not written', () => {
    const guest = new Guest().useFifo();
    guest.channels.bindIpi(0);
    guest.channels.bindIpi(0);
    guest.channels.setVcpuInfo(at.control * 4096 + 0x200); // beside the control block
    for (const gfn of [at.control, at.array]) guest.channels.frameLeaves(gfn);
    const now = guest.memory.bytes.fill(0x77, at.vcpuInfo * 4096, at.moreArray * 4096).slice();
    expect(guest.channels.send(1)).to.equal(0);
    expect(guest.channels.poll(1)).to.equal(1);
    expect(guest.channels.unmask(1)).to.equal(0);
    expect(guest.channels.vcpuInfoAddress).to.equal(undefined);
    expect(guest.channels.close(1)).to.equal(0);
    expect(guest.channels.bindIpi(0), 'port 1 is linked in the lost page').to.equal(3);
    expect(guest.memory.bytes).to.deep.equal(now);
    const again = new Guest().channels;
    again.restore(guest.channels.save());
    expect(again.bindIpi(0), 'also in a saved machine').to.equal(4);
  });
});

describe('Xen event channels: frames that move in the map', () => {
  it('Xen writes to them at their new place', () => {
    const guest = new Guest().useFifo();
    guest.channels.bindIpi(0);
    guest.channels.unmask(1);
    guest.memory.bytes.copyWithin(0x20 * 4096, at.array * 4096, (at.array + 1) * 4096);
    guest.memory.holes.add(at.array);
    guest.channels.frameMoves(at.array, 0x20);
    guest.channels.send(1);
    expect(guest.memory.u32(0x20 * 4096 + 4)).to.equal(0xa000_0000);
    expect(guest.head(7)).to.equal(1);
  });
});

describe('Xen event channels: save and restore', () => {
  it('goes on where it was, in 2-level and FIFO, with its backends', () => {
    for (const fifo of [false, true]) {
      const guest = new Guest({ domain: 3 });
      const heard: string[] = [];
      guest.channels.connect(1, () => heard.push('before'));
      guest.channels.connect(2, () => heard.push('console'));
      guest.channels.bindVirq(Virq.TIMER, 0);
      if (fifo) guest.useFifo();
      guest.channels.allocUnbound(0x7ff0, 9);
      guest.channels.setPriority(3, 0);
      guest.channels.close(2);
      const state = guest.channels.save();
      expect(JSON.parse(JSON.stringify(state))).to.deep.equal(state);

      const copy = new EventChannels(guest.memory, () => guest.upcalls++, { domain: 3 });
      copy.connect(1, () => heard.push('after'));
      copy.restore(JSON.parse(JSON.stringify(state)) as typeof state);
      expect(copy.save()).to.deep.equal(state);
      expect([0, 1, 2, 3, 4, 5].map((port) => copy.status(port))).to.deep.equal(
        [0, 1, 2, 3, 4, 5].map((port) => guest.channels.status(port)),
      );
      copy.send(1);
      copy.connect(2, () => heard.push('console again')); // after restore: the same end, still closed
      expect(copy.bindInterdomain(0, 2)).to.equal(2);
      copy.send(2);
      expect(heard).to.deep.equal(['after', 'console again']);
      expect(copy.bindVirq(Virq.TIMER, 0)).to.equal(Errno.EEXIST);
      if (fifo) {
        copy.unmask(3);
        copy.raiseVirq(Virq.TIMER);
        expect(guest.head(0)).to.equal(3);
        expect(copy.initControl(at.control, 0, 0)).to.equal(Errno.EINVAL);
      }
    }
  });
});
