import { expect } from 'chai';
import { guidBytes } from '../../../firmware-tables/guid.js';
import { Guid } from '../../../firmware-tables/uefi/guids.js';
import { endOfDevicePath, VendorMediaNode } from '../../../firmware-tables/uefi/protocols/device-path.js';
import { Status } from '../../../firmware-tables/uefi/status.js';
import type { FirmwareEvent, ServiceCall } from '../../../src/firmware/index.js';
import { GateGroup } from '../../../src/firmware/gate.js';
import { string16Bytes } from '../../../src/firmware/guest-access.js';
import { FakeMachine, scratch } from '../fake-machine.js';

const initrd = new TextEncoder().encode('initrd');

describe('what the service log shows', () => {
  const events: FirmwareEvent[] = [];
  const machine = new FakeMachine({ onEvent: (event) => events.push(event) }, { initrd });
  const last = (): ServiceCall => {
    const call = machine.calls.at(-1);
    if (!call) throw new Error('no call');
    return call;
  };
  const name = machine.bytes(scratch + 0x100n, string16Bytes('Boot0000'));
  const vendor = machine.bytes(scratch + 0x200n, guidBytes(Guid.EFI_DUMMY_GUID));

  it('the first entry is the image that is entered, with its place', () => {
    const [first] = events;
    expect(first).to.include({ event: 'image-entry', tick: 4711, address: BigInt(machine.entry.entryPoint) });
    expect(first?.details).to.include({ ImageSize: '0x3000', CommandLine: '"console=ttyS0"' });
    expect(first?.image).to.deep.equal({ base: machine.entry.imageBase, bytes: 0x3000 });
  });
  it('7.2.3 GetMemoryMap: what came back, the entries of the map too', () => {
    machine.memoryMap();
    expect(last().results).to.include({ DescriptorSize: '0x30', DescriptorVersion: '1' });
    expect(last().results).to.have.property('MapKey');
    const lines = last().lists?.['MemoryMap'] ?? [];
    expect(lines[0]).to.match(/^000000000-000000fff +1 pages +EfiBootServicesData/);
    machine.put(scratch, 0n);
    machine.call('GetMemoryMap', scratch, 0, scratch + 8n, scratch + 16n, scratch + 24n);
    expect(last().lists, 'no map, no entries').to.equal(undefined);
    expect(last().results).to.have.property('MemoryMapSize');
  });
  it('7.3.8 LocateDevicePath: the device path as text, and what is left of it', () => {
    const node = VendorMediaNode.encode({ Type: 4, SubType: 3, Length: 20, VendorGuid: Guid.LINUX_EFI_INITRD_MEDIA });
    machine.bytes(scratch + 0x300n, Uint8Array.of(...node, ...endOfDevicePath));
    const path = machine.put(scratch + 0x380n, scratch + 0x300n);
    const protocol = machine.bytes(scratch + 0x3c0n, guidBytes(Guid.EFI_LOAD_FILE2_PROTOCOL));
    expect(machine.call('LocateDevicePath', protocol, path, scratch + 0x388n)).to.equal(Status.SUCCESS);
    expect(last().args).to.include({
      Protocol: 'EFI_LOAD_FILE2_PROTOCOL',
      DevicePath: '0x200380 (=VenMedia(LINUX_EFI_INITRD_MEDIA))',
    });
    expect(last().results).to.include({ DevicePath: '0x200314 (=(end))' });
    machine.bytes(scratch + 0x300n, Uint8Array.of(3, 5, 6, 0, 0xab, 1, ...endOfDevicePath));
    machine.put(path, scratch + 0x300n);
    expect(machine.call('LocateDevicePath', protocol, path, scratch + 0x388n)).to.equal(Status.NOT_FOUND);
    expect(last().args).to.include({ DevicePath: '0x200380 (=Path(3,5,ab01))' });
  });
  it('7.3.6 LocateHandle: the handles', () => {
    const size = machine.put(scratch, 0x100n);
    machine.call('LocateHandle', 0, 0, 0, size, scratch + 0x400n);
    expect(last().lists?.['Buffer']).to.include(`0x${machine.entry.imageHandle.toString(16)}`);
  });
  it('8.2.3, 8.2.1: the bytes of a variable, the first 32 of more', () => {
    machine.bytes(
      scratch,
      Uint8Array.from({ length: 40 }, (_, i) => i),
    );
    machine.call('SetVariable', name, vendor, 7, 4, scratch);
    expect(last().args).to.include({
      VariableName: '"Boot0000"',
      VendorGuid: 'EFI_DUMMY_GUID',
      Attributes: 'NV|BS|RT',
    });
    expect(last().results).to.deep.equal({ Data: '00 01 02 03' });
    machine.call('SetVariable', name, vendor, 7, 40, scratch);
    expect(last().results['Data']).to.match(/^00 01 .* 1f \.\.\. \(0x28 bytes\)$/);
    const size = machine.put(scratch + 0x80n, 40n);
    machine.call('GetVariable', name, vendor, 0, size, scratch + 0x400n);
    expect(last().results['Data']).to.match(/^00 01 .* 1f \.\.\. \(0x28 bytes\)$/);
  });
  it('8.2.2 GetNextVariableName: the name and GUID that come in and those that come out', () => {
    const size = machine.put(scratch, 0x100n);
    machine.bytes(scratch + 0x400n, string16Bytes('Boot0000'));
    machine.call('GetNextVariableName', size, scratch + 0x400n, vendor);
    expect(last().args).to.include({
      VariableName: '0x200400 (="Boot0000")',
      VendorGuid: '0x200200 (=EFI_DUMMY_GUID)',
    });
    machine.bytes(scratch + 0x400n, string16Bytes(''));
    machine.call('GetNextVariableName', size, scratch + 0x400n, vendor);
    expect(last().results).to.have.keys('VariableNameSize', 'VariableName', 'VendorGuid');
  });
  it('8.2.4 QueryVariableInfo: all three sizes', () => {
    machine.call('QueryVariableInfo', 7, scratch, scratch + 8n, scratch + 16n);
    expect(last().results).to.have.keys(
      'MaximumVariableStorageSize',
      'RemainingVariableStorageSize',
      'MaximumVariableSize',
    );
  });
  it('a pointer that cannot be followed is shown as it is', () => {
    machine.call('GetNextVariableName', 1n << 40n, 1n << 41n, 1n << 42n);
    expect(last().args).to.deep.equal({
      VariableNameSize: '0x10000000000',
      VariableName: '0x20000000000',
      VendorGuid: '0x40000000000',
    });
  });
  it('a service that the profile lacks has its entry, and so has one after ExitBootServices', () => {
    machine.call('Stall', 7);
    expect(last()).to.include({ name: 'Stall', unserved: 'profile' });
    expect(machine.exitBootServices()).to.equal(Status.SUCCESS);
    machine.callPointer(allocatePages);
    expect(last()).to.include({ name: 'AllocatePages', unserved: 'after-exit-boot-services' });
  });
  it('8.4.1 SetVirtualAddressMap: each range and where it goes', () => {
    const map = machine.firmware.memoryMap.entries().filter(({ attribute }) => attribute & (1n << 63n));
    const bytes = new Uint8Array(map.length * 48);
    const view = new DataView(bytes.buffer);
    map.forEach(({ type, start, pages, attribute }, i) => {
      view.setUint32(i * 48, type, true);
      view.setBigUint64(i * 48 + 8, BigInt(start), true);
      view.setBigUint64(i * 48 + 16, 0xffff_fffe_0000_0000n + BigInt(start), true);
      view.setBigUint64(i * 48 + 24, BigInt(pages), true);
      view.setBigUint64(i * 48 + 32, attribute, true);
    });
    machine.bytes(scratch, bytes);
    expect(machine.call('SetVirtualAddressMap', bytes.length, 48, 1, scratch)).to.equal(Status.SUCCESS);
    const [first] = last().lists?.['VirtualMap'] ?? [];
    expect(first).to.match(/^0x[0-9a-f]+-0x[0-9a-f]+fff at 0xfffffffe0[0-9a-f]+-0xfffffffe0[0-9a-f]+fff$/);
  });
  it('an exception while the firmware has the IDT: vector, error code, address, RIP', () => {
    const stack = machine.getRegister('rsp');
    machine.put(stack, 3n);
    machine.put(stack + 8n, 0x1234n);
    machine.setRegister('cr2', 0x5678n);
    machine.firmware.serve(GateGroup.vectors + 14);
    expect(events.at(-1)).to.deep.equal({
      event: 'exception',
      details: { Vector: '14 (page fault)', ErrorCode: '0x3', Address: '0x5678' },
      address: 0x1234n,
      tick: 4711,
    });
  });
  it('an image that returns: its handle and its status', () => {
    machine.setRegister('rax', Status.LOAD_ERROR);
    machine.firmware.serve(GateGroup.imageReturn);
    expect(events.at(-1)).to.deep.equal({
      event: 'image-return',
      details: { ImageHandle: `0x${machine.entry.imageHandle.toString(16)}`, ExitStatus: 'EFI_LOAD_ERROR' },
      address: undefined,
      tick: 4711,
    });
  });

  const allocatePages = machine.u64(
    machine.systemTable.BootServices + 0x28n, // EFI_BOOT_SERVICES.AllocatePages
  );
});
