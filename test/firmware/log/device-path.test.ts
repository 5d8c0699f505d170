import { expect } from 'chai';
import { Guid } from '../../../firmware-tables/uefi/guids.js';
import { MemoryMappedNode, VendorMediaNode } from '../../../firmware-tables/uefi/protocols/device-path.js';
import { devicePathText, readDevicePathNodes } from '../../../src/firmware/log/device-path.js';
import { GuestAccess } from '../../../src/firmware/guest-access.js';
import { FakeMemory } from '../fake-machine.js';

const memoryMapped = MemoryMappedNode.encode({
  Type: 1,
  SubType: 3,
  Length: 24,
  MemoryType: 1,
  StartAddress: 0x1000,
  EndAddress: 0x1fff,
});
const vendorMedia = VendorMediaNode.encode({
  Type: 4,
  SubType: 3,
  Length: 22,
  VendorGuid: Guid.LINUX_EFI_INITRD_MEDIA,
});

describe('device paths as text (UEFI 2.10 section 10.6)', () => {
  it('nodes by name, data behind, others in the generic form', () => {
    expect(devicePathText([memoryMapped])).to.equal('MemoryMapped(EfiLoaderCode,0x1000,0x1fff)');
    expect(devicePathText([Uint8Array.of(...vendorMedia, 0xca, 0xfe)])).to.equal(
      'VenMedia(LINUX_EFI_INITRD_MEDIA,cafe)',
    );
    expect(devicePathText([Uint8Array.of(2, 1, 4, 0), Uint8Array.of(1, 1, 6, 0, 0, 3)])).to.equal(
      'Path(2,1)/Path(1,1,0003)',
    );
    expect(devicePathText([]), 'the end alone').to.equal('(end)');
  });
  it('a node that is too short for its kind stands in the generic form', () => {
    expect(devicePathText([Uint8Array.of(4, 3, 5, 0, 0xff)])).to.equal('Path(4,3,ff)');
  });
  it('10.2: a path ends at its first end node; one that cannot end is none', () => {
    const memory = new FakeMemory(0x4000);
    const guest = new GuestAccess(memory);
    memory.writePhysical(0x100, Uint8Array.of(...memoryMapped, 0x7f, 0xff, 4, 0));
    expect(readDevicePathNodes(guest, 0x100n)).to.deep.equal([memoryMapped]);
    memory.writePhysical(0x200, Uint8Array.of(1, 1, 3, 0)); // shorter than its header
    expect(readDevicePathNodes(guest, 0x200n)).to.equal(undefined);
    for (let at = 0x1000; at < 0x2000; at += 4) memory.writePhysical(at, Uint8Array.of(1, 1, 4, 0));
    expect(readDevicePathNodes(guest, 0x1000n), 'more nodes than a path has').to.equal(undefined);
  });
});
