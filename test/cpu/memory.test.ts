import { expect } from 'chai';
import { GuestAddressError, type GuestFault } from '../../src/memory/guest-memory.js';
import { places, ServiceMachine } from '../fuzz/service-machine.js';

const page = 4096n;

describe('guest memory through the page tables (Intel SDM volume 3, 4.6 and 6.15)', () => {
  const machine = new ServiceMachine();
  machine.begin();
  const { memory } = machine.host;

  function refused(access: () => unknown): { reason: string; fault: GuestFault | undefined } {
    try {
      access();
    } catch (error) {
      if (error instanceof GuestAddressError) return { reason: error.reason, fault: error.fault };
      throw error;
    }
    throw new Error('nothing was refused');
  }

  it('#PF names the first byte that cannot be read, P = 0', () => {
    const end = places.plain + 2n * page;
    expect(refused(() => memory.readVirtual(end - 4n, 8))).to.deep.equal({
      reason: 'not-present',
      fault: { vector: 14, errorCode: 0, address: end },
    });
    expect(refused(() => memory.readVirtual(places.absent + 8n, 1)).fault?.address).to.equal(places.absent + 8n);
  });
  it('#PF with W = 1 for a store, and P = 1 where the page is read-only', () => {
    const store = (address: bigint) => (): void => {
      memory.writeVirtual(address, new Uint8Array(8));
    };
    expect(refused(store(places.absent)).fault?.errorCode).to.equal(2);
    expect(refused(store(places.readOnly + 8n))).to.deep.equal({
      reason: 'read-only',
      fault: { vector: 14, errorCode: 3, address: places.readOnly + 8n },
    });
  });
  it('#GP(0) where an address is not canonical, also in the middle of a range', () => {
    const fault = { vector: 13, errorCode: 0 };
    expect(refused(() => memory.readVirtual(0x8000_0000_0000n, 1)).fault).to.include(fault);
    expect(
      refused(() => {
        memory.requireWritable(0xffff_7fff_ffff_fff8n, 8);
      }).fault,
    ).to.include(fault);
  });
  it('a store that faults in its second page changes nothing in the first', () => {
    const at = places.plain + 2n * page - 4n;
    memory.writeVirtual(at, Uint8Array.of(1, 2, 3, 4));
    refused(() => {
      memory.writeVirtual(at, new Uint8Array(8).fill(9));
    });
    expect([...memory.readVirtual(at, 4)]).to.deep.equal([1, 2, 3, 4]);
  });
  it('addresses wrap at 2^64', () => {
    memory.writePhysical(0, Uint8Array.of(5, 6));
    memory.writeVirtual(places.top + page - 2n, Uint8Array.of(3, 4));
    expect([...memory.readVirtual(places.top + page - 2n, 4)]).to.deep.equal([3, 4, 5, 6]);
  });
  it('devices are read and written byte by byte, nothing answers above 4 GiB, and ramOnly asks none', () => {
    expect([...memory.readVirtual(places.device + 0x30n, 4)]).to.deep.equal([255, 255, 255, 255]);
    memory.writeVirtual(places.farAway, Uint8Array.of(1, 2));
    expect([...memory.readVirtual(places.farAway, 2)]).to.deep.equal([255, 255]);
    expect(refused(() => memory.readVirtual(places.device, 1, true))).to.deep.equal({
      reason: 'not-ram',
      fault: undefined,
    });
    expect(machine.deviceAccesses).to.deep.equal([48, 49, 50, 51].map((offset) => 0xfee0_0000 + offset));
  });
  it('requireWritable writes nothing', () => {
    memory.writeVirtual(places.plain, Uint8Array.of(7));
    memory.requireWritable(places.plain, 4096);
    expect([...memory.readVirtual(places.plain, 1)]).to.deep.equal([7]);
  });
});
