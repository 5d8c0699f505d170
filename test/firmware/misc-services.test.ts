import { expect } from 'chai';
import { Status } from '../../firmware-tables/uefi/status.js';
import { Time, TimeCapabilities } from '../../firmware-tables/uefi/time.js';
import { FakeMachine, scratch } from './fake-machine.js';

describe('Services that only an override adds', () => {
  const machine = new FakeMachine({
    overrides: {
      GetTime: 'present',
      CalculateCrc32: 'present',
      CopyMem: 'present',
      SetMem: 'present',
    },
  });
  const bytes = (address: bigint, length: number): number[] => [...machine.memory.readVirtual(address, length)];

  it('8.3.1: GetTime is virtual time from a fixed date', () => {
    machine.now = (): number => 3_661_000_000_005;
    expect(machine.call('GetTime', scratch, scratch + 0x40n)).to.equal(Status.SUCCESS);
    const { Year, Month, Day, Hour, Minute, Second, Nanosecond } = Time.decode(machine.memory.readVirtual(scratch, 16));
    expect([Year, Month, Day, Hour, Minute, Second, Nanosecond]).to.deep.equal([2026, 1, 1, 1, 1, 1, 5]);
    expect(TimeCapabilities.decode(machine.memory.readVirtual(scratch + 0x40n, 12)).Resolution).to.equal(1_000_000_000);
    expect(machine.call('GetTime', 0, 0)).to.equal(Status.INVALID_PARAMETER);
  });
  it('7.5.7: CalculateCrc32', () => {
    machine.bytes(scratch, new TextEncoder().encode('123456789'));
    expect(machine.call('CalculateCrc32', scratch, 9, scratch + 0x20n)).to.equal(Status.SUCCESS);
    expect(machine.firmware.guest.readU32(scratch + 0x20n)).to.equal(0xcbf4_3926);
    expect(machine.call('CalculateCrc32', scratch, 0, scratch + 0x20n)).to.equal(Status.INVALID_PARAMETER);
    expect(machine.call('CalculateCrc32', scratch, 1n << 40n, scratch + 0x20n)).to.equal(Status.INVALID_PARAMETER);
  });
  it('7.5.3, 7.5.4: CopyMem copes with overlap, SetMem fills', () => {
    machine.call('SetMem', scratch, 8, 0x1ab);
    expect(bytes(scratch, 8)).to.deep.equal(new Array(8).fill(0xab));
    machine.bytes(scratch, Uint8Array.of(1, 2, 3, 4));
    machine.call('CopyMem', scratch + 1n, scratch, 4);
    expect(bytes(scratch, 5)).to.deep.equal([1, 1, 2, 3, 4]);
  });
  it('7.3.6: LocateHandle lists handles, all or by protocol', () => {
    const size = machine.put(scratch, 0n);
    expect(machine.call('LocateHandle', 0, 0, 0, size, 0)).to.equal(Status.BUFFER_TOO_SMALL);
    const needed = machine.u64(size);
    expect(machine.call('LocateHandle', 0, 0, 0, size, scratch + 0x100n)).to.equal(Status.SUCCESS);
    const handles = Array.from({ length: Number(needed) / 8 }, (_, i) => machine.u64(scratch + 0x100n + BigInt(i * 8)));
    expect(handles).to.include(machine.entry.imageHandle);
    machine.bytes(scratch + 0x40n, new Uint8Array(16).fill(1));
    expect(machine.call('LocateHandle', 0, 0, 0, size, 0)).to.equal(Status.INVALID_PARAMETER); // a size, no buffer
    machine.put(size, 0n);
    expect(machine.call('LocateHandle', 2, scratch + 0x40n, 0, size, 0)).to.equal(Status.NOT_FOUND);
    expect(machine.call('LocateHandle', 2, 0, 0, size, 0)).to.equal(Status.INVALID_PARAMETER);
    expect(machine.call('LocateHandle', 3, 0, 0, size, 0)).to.equal(Status.INVALID_PARAMETER);
    expect(machine.call('LocateHandle', 1, 0, 0, size, 0)).to.equal(Status.INVALID_PARAMETER);
  });
});
