import { expect } from 'chai';
import { Errno } from '../../../src/xen/errno.js';
import { EventChannels, Virq } from '../../../src/xen/event-channels/index.js';
import { at, FakeDomain } from '../event-channels/domain.js';

/** Numbers from a seed: xorshift32. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Memory that says which frames were written. */
class WatchedDomain extends FakeDomain {
  readonly written = new Set<number>();

  override write(address: number, bytes: Uint8Array): void {
    super.write(address, bytes);
    this.written.add(Math.floor(address / 4096));
    this.written.add(Math.floor((address + bytes.length - 1) / 4096));
  }
}

const errors = new Set<number>(Object.values(Errno));
const frames = 0x20;
/** The guest hands over these frames and no others. */
const shared: readonly number[] = [at.sharedInfo, at.vcpuInfo, at.control, at.array, at.moreArray];

describe('hostile guests: event channels', () => {
  it('60,000 operations with random arguments, memory scribbled over and frames taken away: Xen’s results, no other frame touched', function () {
    this.timeout(60_000);
    const below = random(0x5eed);
    const memory = new WatchedDomain(frames);
    let upcalls = 0;
    let polled = 0;
    let channels = new EventChannels(memory, () => upcalls++);
    const plug = (): void => {
      channels.onPending = () => polled++;
      channels.connect(1, () => {
        channels.notify(1); // a backend that answers at once
      });
      channels.connect(2, () => undefined);
    };
    plug();
    const before = memory.bytes.slice();
    channels.setSharedInfo(at.sharedInfo * 4096);

    const number = (): number =>
      [below(4), below(70), below(1100), below(0x2_0000), below(2 ** 31) * 2, 0xffff_ffff, 2 ** 31][below(7)]!;
    const port = (): number => (below(4) === 0 ? number() : below(80));
    const domain = (): number => [0x7ff0, 0x7ff0, 1, 0, 2, 0x7ff1, 0xffff, below(0x10000)][below(8)]!;
    const vcpu = (): number => (below(4) === 0 ? number() : 0);
    const gfn = (): number =>
      below(3) === 0
        ? [frames, 2 ** 40, 2 ** 52, 2 ** 64, frames + below(1000)][below(5)]!
        : shared[below(shared.length)]!;

    const operations: readonly (() => unknown)[] = [
      () => channels.allocUnbound(domain(), domain()),
      () => channels.bindInterdomain(domain(), port()),
      () => channels.bindVirq(below(3) === 0 ? number() : below(26), vcpu()),
      () => channels.bindIpi(vcpu()),
      () => channels.bindPirq(below(3) === 0 ? number() : below(60)),
      () => channels.bindVcpu(port(), vcpu()),
      () => channels.send(port()),
      () => channels.send(1 + below(10)),
      () => channels.close(port()),
      () => channels.unmask(port()),
      () => channels.poll(port()),
      () => channels.initControl(gfn(), below(3) === 0 ? number() : 8 * below(600), vcpu()),
      () => channels.expandArray(gfn()),
      () => channels.setPriority(port(), below(20)),
      () => (below(200) === 0 ? channels.reset(domain()) : channels.continueReset(domain())),
      () => channels.mapVcpuInfo(gfn(), below(3) === 0 ? number() : 8 * below(600)),
    ];
    const others: readonly (() => void)[] = [
      () => {
        const status = channels.status(port(), domain());
        if (typeof status === 'number') expect(errors.has(status)).to.equal(true);
        else expect(status.status).to.be.within(0, 5);
      },
      () => {
        channels.notify(1 + below(3));
      },
      () => {
        channels.raiseVirq(below(30));
      },
      () => {
        // Random words, also all ones and zeroes, into what Xen reads.
        const word = below(1024);
        const start = shared[below(shared.length)]! * 4096 + 4 * word;
        const value = [0, 0xffff_ffff, below(2 ** 31) * 2 + below(2)][below(3)]!;
        for (let i = Math.min(below(40), 1023 - word); i >= 0; i--) memory.view.setUint32(start + 4 * i, value, true);
      },
      () => {
        const address = channels.vcpuInfoAddress;
        if (address !== undefined) memory.bytes.fill(0, address, address + 16); // the guest serves the upcall
        memory.bytes.fill(0, at.control * 4096, at.control * 4096 + 4096);
      },
      () => {
        if (below(10) === 0) memory.holes.add(shared[below(shared.length)]!);
        else memory.holes.clear();
      },
      () => {
        if (below(40) !== 0) return;
        channels.frameLeaves(shared[below(shared.length)]!);
        channels.setSharedInfo(at.sharedInfo * 4096);
      },
      () => {
        if (below(100) !== 0) return;
        channels.setSharedInfo(below(2) === 0 ? undefined : at.sharedInfo * 4096);
        channels.wordBits = below(3) === 0 ? 32 : 64;
      },
      () => {
        if (below(30) !== 0) return;
        const state = JSON.stringify(channels.save());
        channels = new EventChannels(memory, () => upcalls++);
        plug();
        channels.restore(JSON.parse(state) as ReturnType<EventChannels['save']>);
        if (below(3) !== 0) return;
        channels = new EventChannels(memory, () => upcalls++); // another guest
        plug();
        channels.setSharedInfo(at.sharedInfo * 4096);
      },
    ];

    const seen = new Set<number>();
    for (let call = 0; call < 60_000; call++) {
      if (below(3) === 0) others[below(others.length)]!();
      else {
        const result = operations[below(operations.length)]!();
        if (
          typeof result !== 'number' ||
          !(errors.has(result) || (Number.isInteger(result) && result >= 0 && result <= 1023))
        )
          expect.fail(`call ${call} answered ${String(result)}`);
        seen.add(Math.min(result, 0));
      }
    }
    expect([...memory.written].filter((frame) => !shared.includes(frame))).to.deep.equal([]);
    const changed = new Set<number>();
    for (const [i, byte] of memory.bytes.entries()) if (byte !== before[i]) changed.add(i >>> 12);
    expect([...changed].filter((frame) => !shared.includes(frame))).to.deep.equal([]);
    const { EPERM, ENOENT, ESRCH, EACCES, EBUSY, EEXIST, EINVAL, EOPNOTSUPP, ENXIO, ENOSYS } = Errno;
    const answers = [0, EPERM, ENOENT, ESRCH, EACCES, EBUSY, EEXIST, EINVAL, EOPNOTSUPP, ENXIO, ENOSYS];
    expect([...seen], 'the run reached every kind of answer').to.include.members(answers);
    expect(upcalls).to.be.greaterThan(50);
    expect(polled).to.be.greaterThan(50);
  });

  it('FIFO links that point everywhere or in a circle: nothing is followed, every event takes the same few accesses', () => {
    const memory = new FakeDomain(frames);
    let accesses = 0;
    const counted = {
      read: (address: number, length: number) => {
        accesses++;
        return memory.read(address, length);
      },
      write: (address: number, bytes: Uint8Array) => {
        accesses++;
        memory.write(address, bytes);
      },
    };
    const channels = new EventChannels(counted, () => undefined);
    channels.setSharedInfo(at.sharedInfo * 4096);
    channels.initControl(at.control, 0, 0);
    channels.expandArray(at.array);
    for (let port = 1; port < 1000; port++) channels.bindIpi(0);
    for (const link of [0x1_ffff, 1, 2, 999, 1023]) {
      for (let word = 0; word < 1024; word++)
        memory.view.setUint32(at.array * 4096 + 4 * word, 0x2000_0000 + link, true);
      memory.bytes.fill(0xff, at.control * 4096, (at.control + 1) * 4096);
      for (let port = 1; port < 1000; port++) {
        memory.view.setUint32(at.array * 4096 + 4 * port, link, true); // unlinked: it is appended to what looks linked
        accesses = 0;
        expect(channels.send(port)).to.equal(0);
        expect(accesses).to.be.lessThan(20);
      }
    }
  });

  it('every word busy: no port can be allocated, and that is said', () => {
    const memory = new FakeDomain(frames);
    const channels = new EventChannels(memory, () => undefined);
    channels.initControl(at.control, 0, 0);
    channels.expandArray(at.array);
    for (let word = 0; word < 1024; word++) memory.view.setUint32(at.array * 4096 + 4 * word, 0xffff_ffff, true);
    expect(channels.bindIpi(0)).to.equal(Errno.ENOSPC);
    expect(channels.bindVirq(Virq.TIMER, 0)).to.equal(Errno.ENOSPC);
    expect(channels.reset()).to.equal(0);
    expect(channels.bindIpi(0)).to.equal(1);
  });

  it('one frame for everything that Xen writes to', () => {
    const memory = new FakeDomain(frames);
    const channels = new EventChannels(memory, () => undefined);
    channels.setSharedInfo(at.sharedInfo * 4096);
    expect(channels.mapVcpuInfo(at.sharedInfo, 0x40)).to.equal(0);
    expect(channels.initControl(at.sharedInfo, 0x40, 0)).to.equal(17);
    for (let page = 0; page < 128; page++) expect(channels.expandArray(at.sharedInfo)).to.equal(0);
    for (let port = 1; port < 1000; port++) {
      const result = channels.bindIpi(0);
      if (result > 0) expect(channels.send(result)).to.equal(0);
      else expect(result).to.equal(Errno.ENOSPC);
    }
  });
});
