import { expect } from 'chai';
import { guidBytes } from '../../firmware-tables/guid.js';
import { Guid } from '../../firmware-tables/uefi/guids.js';
import { Status } from '../../firmware-tables/uefi/status.js';
import { loader } from '../../src/firmware/profiles.js';
import { FakeMachine, scratch } from './fake-machine.js';

const at = scratch + 0x100n;
const [one, two] = [scratch + 0x200n, scratch + 0x220n]; // GUIDs
const handleAt = scratch + 0x240n;

function machine(): FakeMachine {
  const m = new FakeMachine({ profile: loader });
  m.bytes(one, guidBytes('00000001-0000-0000-0000-000000000001'));
  m.bytes(two, guidBytes('00000002-0000-0000-0000-000000000002'));
  m.put(handleAt, 0n);
  return m;
}

describe('Protocol handler services (UEFI 2.10 section 7.3), profile loader', () => {
  it('7.3.2, 7.3.3: a protocol is installed once on a handle, found, and taken off; a handle without any is none', () => {
    const m = machine();
    expect(m.call('InstallProtocolInterface', handleAt, one, 0, 0x1234)).to.equal(Status.SUCCESS);
    const handle = m.u64(handleAt);
    expect(m.call('InstallProtocolInterface', handleAt, one, 0, 0x1234)).to.equal(Status.INVALID_PARAMETER);
    expect(m.call('HandleProtocol', handle, one, at)).to.equal(Status.SUCCESS);
    expect(m.u64(at)).to.equal(0x1234n);
    expect(m.call('UninstallProtocolInterface', handle, one, 0x99)).to.equal(Status.NOT_FOUND);
    expect(m.call('UninstallProtocolInterface', handle, one, 0x1234)).to.equal(Status.SUCCESS);
    expect(m.call('HandleProtocol', handle, one, at)).to.equal(Status.INVALID_PARAMETER);
  });
  it('7.3.4: another interface takes the place of the one that is named', () => {
    const m = machine();
    m.call('InstallProtocolInterface', handleAt, one, 0, 1);
    expect(m.call('ReinstallProtocolInterface', m.u64(handleAt), one, 2, 3)).to.equal(Status.NOT_FOUND);
    expect(m.call('ReinstallProtocolInterface', m.u64(handleAt), one, 1, 3)).to.equal(Status.SUCCESS);
    m.call('HandleProtocol', m.u64(handleAt), one, at);
    expect(m.u64(at)).to.equal(3n);
  });
  it('7.3.17, 7.3.18: many protocols are installed and taken off together, or none of them', () => {
    const m = machine();
    expect(m.call('InstallMultipleProtocolInterfaces', handleAt, one, 1, two, 2, 0)).to.equal(Status.SUCCESS);
    const handle = m.u64(handleAt);
    expect(m.call('InstallMultipleProtocolInterfaces', handleAt, one, 1, 0)).to.equal(Status.INVALID_PARAMETER);
    expect(m.call('UninstallMultipleProtocolInterfaces', handle, one, 1, two, 9, 0)).to.equal(Status.INVALID_PARAMETER);
    expect(m.call('HandleProtocol', handle, one, at)).to.equal(Status.SUCCESS);
    expect(m.call('UninstallMultipleProtocolInterfaces', handle, one, 1, two, 2, 0)).to.equal(Status.SUCCESS);
    expect(m.firmware.handles.has(handle)).to.equal(false);
  });
  it('7.3.9: OpenProtocol gives the interface, TEST_PROTOCOL only says whether it is there', () => {
    const m = machine();
    const image = m.entry.imageHandle;
    const guid = m.bytes(scratch + 0x260n, guidBytes(Guid.EFI_LOADED_IMAGE_PROTOCOL));
    expect(m.call('OpenProtocol', image, guid, at, image, 0, 2)).to.equal(Status.SUCCESS);
    expect(m.u64(at)).to.not.equal(0n);
    expect(m.call('OpenProtocol', image, guid, 0, image, 0, 4)).to.equal(Status.SUCCESS);
    expect(m.call('OpenProtocol', image, one, 0, image, 0, 4)).to.equal(Status.UNSUPPORTED);
    expect(m.call('OpenProtocol', image, guid, 0, image, 0, 2)).to.equal(Status.INVALID_PARAMETER);
    expect(m.call('OpenProtocol', image, guid, at, image, 0, 7)).to.equal(Status.INVALID_PARAMETER);
    expect(m.call('CloseProtocol', image, guid, image, 0)).to.equal(Status.SUCCESS);
    expect(m.call('CloseProtocol', image, one, image, 0)).to.equal(Status.NOT_FOUND);
  });
  it('7.3.15: LocateHandleBuffer gives an array that FreePool takes back', () => {
    const m = machine();
    m.call('InstallProtocolInterface', handleAt, one, 0, 1);
    expect(m.call('LocateHandleBuffer', 2, one, 0, at, at + 8n)).to.equal(Status.SUCCESS);
    expect([m.u64(at), m.u64(m.u64(at + 8n))]).to.deep.equal([1n, m.u64(handleAt)]);
    expect(m.call('FreePool', m.u64(at + 8n))).to.equal(Status.SUCCESS);
    expect(m.call('LocateHandleBuffer', 2, two, 0, at, at + 8n)).to.equal(Status.NOT_FOUND);
    expect([m.u64(at), m.u64(at + 8n)]).to.deep.equal([0n, 0n]);
  });
  it('7.3.14: ProtocolsPerHandle gives pointers to the GUIDs', () => {
    const m = machine();
    m.call('InstallMultipleProtocolInterfaces', handleAt, one, 1, two, 2, 0);
    expect(m.call('ProtocolsPerHandle', m.u64(handleAt), at, at + 8n)).to.equal(Status.SUCCESS);
    expect(m.u64(at + 8n)).to.equal(2n);
    const guid = m.memory.readVirtual(m.u64(m.u64(at) + 8n), 16);
    expect([...guid]).to.deep.equal([...m.memory.readVirtual(two, 16)]);
  });
  it('7.3.12, 7.3.13: there are no drivers to connect', () => {
    const m = machine();
    expect(m.call('ConnectController', m.entry.imageHandle, 0, 0, 1)).to.equal(Status.NOT_FOUND);
    expect(m.call('DisconnectController', m.entry.imageHandle, 0, 0)).to.equal(Status.SUCCESS);
    expect(m.call('ConnectController', 0x99, 0, 0, 1)).to.equal(Status.INVALID_PARAMETER);
  });
});
