import { expect } from 'chai';
import { guidBytes } from '../../firmware-tables/guid.js';
import { Guid } from '../../firmware-tables/uefi/guids.js';
import { endOfDevicePath, VendorMediaNode } from '../../firmware-tables/uefi/protocols/device-path.js';
import { LoadedImageProtocol } from '../../firmware-tables/uefi/protocols/loaded-image.js';
import { SimpleTextOutputProtocol } from '../../firmware-tables/uefi/protocols/simple-text-output.js';
import { RuntimeServices } from '../../firmware-tables/uefi/runtime-services.js';
import { Status } from '../../firmware-tables/uefi/status.js';
import { describeCall, describeMemoryMap } from '../../src/firmware/log/describe.js';
import { Firmware } from '../../src/firmware/firmware.js';
import { GateGroup } from '../../src/firmware/gate.js';
import { string16Bytes } from '../../src/firmware/guest-access.js';
import { linux, proposal } from '../../src/firmware/profiles.js';
import { FakeMachine, imageFile, scratch } from './fake-machine.js';

const guidAt = (machine: FakeMachine, text: string): bigint => machine.bytes(scratch + 0x40n, guidBytes(text));
const initrd = Uint8Array.from({ length: 5000 }, (_, i) => i & 0xff);

/** The initrd's path as Linux asks for it, with an extra node behind when given. */
function initrdPath(
  machine: FakeMachine,
  extra = new Uint8Array(0),
  guid: string = Guid.LINUX_EFI_INITRD_MEDIA,
): bigint {
  const path = scratch + 0x200n;
  machine.bytes(path, VendorMediaNode.encode({ Type: 4, SubType: 3, Length: 20, VendorGuid: guid }));
  machine.bytes(path + 20n, extra);
  machine.bytes(path + 20n + BigInt(extra.length), endOfDevicePath);
  return machine.put(scratch + 0x180n, path);
}

describe('Entry (UEFI 2.10 section 2.3.4)', () => {
  it('RSP + 8 is a multiple of 16, at least 128 KiB of stack lie below, and the return address is a gate', () => {
    const machine = new FakeMachine();
    const { stackPointer } = machine.entry;
    expect((stackPointer + 8) % 16).to.equal(0);
    for (let at = stackPointer - 128 * 1024; at < stackPointer; at += 4096) {
      expect(machine.firmware.memoryMap.typeAt(at)).to.equal(4);
    }
    machine.setRegister('rax', Status.NOT_FOUND);
    const gate = machine.memory.readVirtual(machine.u64(BigInt(stackPointer)), 7);
    machine.firmware.serve((gate[4] ?? 0) | ((gate[5] ?? 0) << 8));
    expect(machine.events).to.deep.equal([`exit ${String(Status.NOT_FOUND)}`]);
  });
  it('page tables map 4 GiB one to one', () => {
    const machine = new FakeMachine();
    const entryAt = (table: bigint, index: number): bigint => machine.u64(table + BigInt(index * 8));
    const pdpt = entryAt(BigInt(machine.entry.pageTables), 0) & ~0xfffn;
    for (const address of [0x0020_0000, 0xfee0_0000]) {
      const directory = entryAt(pdpt, Math.floor(address / 2 ** 30)) & ~0xfffn;
      expect(entryAt(directory, Math.floor(address / 2 ** 21) % 512)).to.equal(BigInt(address) | 0x83n);
    }
  });
  it('an exception under the firmware IDT ends the run with its vector, RIP, error code and address', () => {
    const machine = new FakeMachine();
    const stack = machine.getRegister('rsp');
    machine.put(stack, 2n);
    machine.put(stack + 8n, 0x4242n);
    machine.setRegister('cr2', 0x9999n);
    const low = machine.u64(BigInt(machine.entry.idt.base + 14 * 16));
    const handler = (low & 0xffffn) | ((low >> 32n) & 0xffff_0000n);
    const gate = machine.memory.readVirtual(handler, 7);
    machine.firmware.serve((gate[4] ?? 0) | ((gate[5] ?? 0) << 8));
    expect(machine.events[0]).to.match(
      /^crash exception 14 \(page fault\) at RIP 0x4242, error code 0x2, address 0x9999/,
    );
  });
  it('says which service faulted when a pointer could not be followed under the firmware IDT', () => {
    const machine = new FakeMachine();
    const gate = machine.u64(machine.systemTable.RuntimeServices + BigInt(RuntimeServices.offsetOf('GetVariable')));
    const stack = machine.getRegister('rsp');
    machine.put(stack, 0n);
    machine.put(stack + 8n, gate);
    const vector = GateGroup.vectors + 14;
    machine.firmware.serve(vector);
    expect(machine.events[0]).to.match(/^crash exception 14 \(page fault\) in GetVariable at RIP /);
  });
  it('the image stands at its place with zeros behind its sections', () => {
    const machine = new FakeMachine();
    const { imageBase } = machine.entry;
    expect([...machine.memory.readPhysical(imageBase + 0x1000, 4)]).to.deep.equal([...imageFile.slice(0x200, 0x204)]);
    expect(machine.memory.readPhysical(imageBase + 0x1200, 0x1e00).every((byte) => byte === 0)).to.equal(true);
    expect(machine.firmware.memoryMap.typeAt(imageBase)).to.equal(1);
  });
});

describe('Profile linux', () => {
  it('9.1: LoadedImage carries the command line in UCS-2', () => {
    const machine = new FakeMachine();
    const out = scratch + 0x80n;
    const guid = guidAt(machine, Guid.EFI_LOADED_IMAGE_PROTOCOL);
    expect(machine.call('HandleProtocol', machine.entry.imageHandle, guid, out)).to.equal(Status.SUCCESS);
    const loaded = LoadedImageProtocol.decode(machine.memory.readVirtual(machine.u64(out), 96));
    expect(machine.firmware.guest.readString16(loaded.LoadOptions)).to.equal('console=ttyS0');
    expect(loaded.LoadOptionsSize).to.equal(28);
    expect([loaded.ImageBase, loaded.ImageSize]).to.deep.equal([BigInt(machine.entry.imageBase), 0x3000n]);
    expect(loaded.SystemTable).to.equal(BigInt(machine.entry.systemTable));
  });
  it('9.1: an empty command line has no LoadOptions', () => {
    const machine = new FakeMachine({}, { commandLine: '' });
    const out = scratch + 0x80n;
    machine.call('HandleProtocol', machine.entry.imageHandle, guidAt(machine, Guid.EFI_LOADED_IMAGE_PROTOCOL), out);
    const loaded = LoadedImageProtocol.decode(machine.memory.readVirtual(machine.u64(out), 96));
    expect([loaded.LoadOptionsSize, loaded.LoadOptions]).to.deep.equal([0, 0n]);
  });
  it('7.3.7: HandleProtocol refuses what is no handle, and UNSUPPORTED for a protocol that it lacks', () => {
    const machine = new FakeMachine();
    const guid = guidAt(machine, Guid.EFI_RNG_PROTOCOL);
    expect(machine.call('HandleProtocol', machine.entry.imageHandle, guid, scratch)).to.equal(Status.UNSUPPORTED);
    expect(machine.call('HandleProtocol', 0, guid, scratch)).to.equal(Status.INVALID_PARAMETER);
    expect(machine.call('HandleProtocol', machine.entry.imageHandle, 0, scratch)).to.equal(Status.INVALID_PARAMETER);
    expect(machine.call('HandleProtocol', machine.entry.imageHandle, guid, 0)).to.equal(Status.INVALID_PARAMETER);
  });
  it('7.3.8, 13.2: the initrd comes by LocateDevicePath and LoadFile2', () => {
    const machine = new FakeMachine({}, { initrd });
    const path = initrdPath(machine);
    const before = machine.u64(path);
    const device = scratch + 0x88n;
    const guid = guidAt(machine, Guid.EFI_LOAD_FILE2_PROTOCOL);
    expect(machine.call('LocateDevicePath', guid, path, device)).to.equal(Status.SUCCESS);
    expect(machine.u64(path)).to.equal(before + 20n);
    expect(machine.call('HandleProtocol', machine.u64(device), guid, scratch)).to.equal(Status.SUCCESS);
    const protocol = machine.u64(scratch);
    const loadFile = machine.u64(protocol);
    const size = machine.put(scratch + 0x90n, 0n);
    const rest = machine.u64(path);
    const buffer = scratch + 0x1_0000n;
    expect(machine.callPointer(loadFile, protocol, rest, 0, size, 0)).to.equal(Status.BUFFER_TOO_SMALL);
    expect(machine.u64(size)).to.equal(5000n);
    expect(machine.callPointer(loadFile, protocol, rest, 0, size, buffer)).to.equal(Status.SUCCESS);
    expect(machine.memory.readVirtual(buffer, 5000)).to.deep.equal(initrd);
    expect(machine.callPointer(loadFile, protocol, rest, 1, size, buffer)).to.equal(Status.UNSUPPORTED);
    expect(machine.callPointer(loadFile, protocol, 0, 0, size, buffer)).to.equal(Status.INVALID_PARAMETER);
    expect(machine.callPointer(loadFile, protocol + 8n, rest, 0, size, buffer)).to.equal(Status.INVALID_PARAMETER);
    expect(machine.callPointer(loadFile, protocol, rest, 0, 0, buffer)).to.equal(Status.INVALID_PARAMETER);
  });
  it('7.3.8: a longer path still finds the handle, and the rest is given back', () => {
    const machine = new FakeMachine({}, { initrd });
    const path = initrdPath(machine, Uint8Array.of(4, 4, 6, 0, 65, 0));
    const guid = guidAt(machine, Guid.EFI_LOAD_FILE2_PROTOCOL);
    expect(machine.call('LocateDevicePath', guid, path, scratch + 0x88n)).to.equal(Status.SUCCESS);
    expect([...machine.memory.readVirtual(machine.u64(path), 2)]).to.deep.equal([4, 4]);
  });
  it('7.3.8: NOT_FOUND without an initrd or at another path, INVALID_PARAMETER for NULL', () => {
    const guid = (machine: FakeMachine): bigint => guidAt(machine, Guid.EFI_LOAD_FILE2_PROTOCOL);
    let machine = new FakeMachine();
    expect(machine.call('LocateDevicePath', guid(machine), initrdPath(machine), scratch)).to.equal(Status.NOT_FOUND);
    machine = new FakeMachine({}, { initrd });
    const other = initrdPath(machine, new Uint8Array(0), Guid.EFI_GLOBAL_VARIABLE);
    expect(machine.call('LocateDevicePath', guid(machine), other, scratch)).to.equal(Status.NOT_FOUND);
    expect(machine.call('LocateDevicePath', 0, initrdPath(machine), scratch)).to.equal(Status.INVALID_PARAMETER);
    expect(machine.call('LocateDevicePath', guid(machine), 0, scratch)).to.equal(Status.INVALID_PARAMETER);
    expect(machine.call('LocateDevicePath', guid(machine), initrdPath(machine), 0)).to.equal(Status.INVALID_PARAMETER);
  });
  it('12.4.3: OutputString prints', () => {
    const machine = new FakeMachine();
    const output = machine.systemTable.ConOut;
    const print = machine.u64(output + BigInt(SimpleTextOutputProtocol.offsetOf('OutputString')));
    machine.bytes(scratch, string16Bytes('Grüße\r\n'));
    expect(machine.callPointer(print, output, scratch)).to.equal(Status.SUCCESS);
    expect(machine.events).to.deep.equal(['print Grüße\r\n']);
    expect(machine.callPointer(print, output, 0)).to.equal(Status.INVALID_PARAMETER);
  });
  it('7.4.5: Exit ends the image with its status and text; another handle is refused', () => {
    const machine = new FakeMachine();
    expect(machine.call('Exit', 1, 0, 0, 0)).to.equal(Status.INVALID_PARAMETER);
    machine.bytes(scratch, string16Bytes('done'));
    machine.call('Exit', machine.entry.imageHandle, Status.ABORTED, 10, scratch);
    expect(machine.events).to.deep.equal([`exit ${String(Status.ABORTED)} done`]);
  });
  it('8.5.1: ResetSystem switches off or resets', () => {
    const machine = new FakeMachine();
    for (const type of [0, 1, 2, 3]) machine.call('ResetSystem', type, 0, 0, 0);
    expect(machine.events).to.deep.equal([
      'reset cold',
      'reset warm',
      'poweroff ResetSystem(EfiResetShutdown)',
      'reset platform-specific',
    ]);
    expect(machine.call('ResetSystem', 4, 0, 0, 0)).to.equal(Status.INVALID_PARAMETER);
  });
  it('look-ups that are absent return NOT_FOUND and those that the profile lacks are remembered', () => {
    const machine = new FakeMachine({ profile: proposal });
    const guid = guidAt(machine, Guid.EFI_RNG_PROTOCOL);
    expect(machine.call('LocateProtocol', guid, 0, scratch)).to.equal(Status.NOT_FOUND);
    expect(machine.call('LocateHandle', 2, guid, 0, scratch, 0)).to.equal(Status.NOT_FOUND);
    expect(machine.call('LocateProtocol', guid, 0, scratch)).to.equal(Status.NOT_FOUND);
    expect(machine.firmware.missedServices()).to.deep.equal([
      { name: 'LocateProtocol', tick: 4711, calls: 2, profile: 'linux' },
      { name: 'LocateHandle', tick: 4711, calls: 1, profile: 'linux' },
    ]);
  });
});

describe('Profile proposal', () => {
  it('answers UNSUPPORTED to the first service of a Linux stub, and names the profile that has it', () => {
    const machine = new FakeMachine({ profile: proposal });
    const guid = guidAt(machine, Guid.EFI_LOADED_IMAGE_PROTOCOL);
    expect(machine.call('HandleProtocol', machine.entry.imageHandle, guid, scratch)).to.equal(Status.UNSUPPORTED);
    expect(machine.firmware.missedServices()).to.deep.equal([
      { name: 'HandleProtocol', tick: 4711, calls: 1, profile: 'linux' },
    ]);
  });
  it('console tables are complete and return UNSUPPORTED; the image handle carries no protocol', () => {
    const machine = new FakeMachine({ profile: proposal }, { initrd });
    const { ConOut, ConIn, StdErr } = machine.systemTable;
    expect(StdErr).to.equal(ConOut);
    for (let at = 0n; at < 72n; at += 8n)
      expect(machine.callPointer(machine.u64(ConOut + at), ConOut)).to.equal(Status.UNSUPPORTED);
    expect(machine.u64(ConOut + 72n)).not.to.equal(0n);
    for (let at = 0n; at < 16n; at += 8n)
      expect(machine.callPointer(machine.u64(ConIn + at), ConIn)).to.equal(Status.UNSUPPORTED);
    expect(machine.firmware.handles.interfaceOf(machine.entry.imageHandle, Guid.EFI_LOADED_IMAGE_PROTOCOL)).to.equal(
      undefined,
    );
  });
});

describe('Overrides', () => {
  it('null makes the slot NULL, absent takes a service out, present adds one', () => {
    const machine = new FakeMachine({
      overrides: { GetVariable: 'null', AllocatePool: 'absent', LocateProtocol: 'present' },
    });
    expect(() => machine.call('GetVariable')).to.throw('no gate');
    expect(machine.call('AllocatePool', 2, 8, scratch)).to.equal(Status.UNSUPPORTED);
    expect(machine.calls.at(-1)?.unserved).to.equal('override');
    expect(machine.firmware.missedServices()).to.deep.equal([]);
    const guid = guidAt(machine, Guid.EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL);
    expect(machine.call('LocateProtocol', guid, 0, scratch)).to.equal(Status.SUCCESS);
    expect(machine.u64(scratch)).to.equal(machine.systemTable.ConOut);
    expect(machine.call('LocateProtocol', guidAt(machine, Guid.EFI_RNG_PROTOCOL), 0, scratch)).to.equal(
      Status.NOT_FOUND,
    );
  });
  it('a status can be forced always or for the first calls', () => {
    const machine = new FakeMachine({
      overrides: {
        ExitBootServices: { status: Status.INVALID_PARAMETER, times: 1 },
        FreePool: { status: Status.DEVICE_ERROR },
      },
    });
    expect(machine.exitBootServices()).to.equal(Status.INVALID_PARAMETER);
    expect(machine.call('FreePool', 0)).to.equal(Status.DEVICE_ERROR);
    expect(machine.call('FreePool', 0)).to.equal(Status.DEVICE_ERROR);
    expect(machine.exitBootServices()).to.equal(Status.SUCCESS);
  });
  it('protocols and tables can be taken away; ConOut can be NULL', () => {
    const machine = new FakeMachine({
      overrides: { 'protocol:LoadedImage': 'absent', 'protocol:SimpleTextOutput': 'null', 'table:Xen': 'absent' },
    });
    expect(machine.systemTable.ConOut).to.equal(0n);
    const guid = guidAt(machine, Guid.EFI_LOADED_IMAGE_PROTOCOL);
    expect(machine.call('HandleProtocol', machine.entry.imageHandle, guid, scratch)).to.equal(Status.UNSUPPORTED);
    expect(
      machine.firmware.tables.configurationTables().some((entry) => entry.guid === Guid.EFIKIT_XEN_TABLE),
    ).to.equal(false);
  });
});

describe('Gates', () => {
  it('strict mode poisons volatile registers, home space and the memory below RSP, and nothing else', () => {
    const machine = new FakeMachine({ strict: true });
    const stack = machine.getRegister('rsp');
    machine.put(stack + 0x28n, 7n);
    machine.setRegister('rbx', 1n);
    machine.setRegister('rsi', 2n);
    machine.call('FreePool', 0);
    for (const name of ['rcx', 'rdx', 'r8', 'r9', 'r10', 'r11'] as const)
      expect(machine.getRegister(name)).to.equal(0xefefefefefefefefn);
    expect([machine.getRegister('rbx'), machine.getRegister('rsi')]).to.deep.equal([1n, 2n]);
    expect(machine.u64(stack)).to.equal(0x1234n);
    expect(machine.u64(stack + 0x20n)).to.equal(0xefefefefefefefefn);
    expect(machine.u64(stack + 0x28n)).to.equal(7n);
    expect(machine.u64(stack - 8n)).to.equal(0xefefefefefefefefn);
  });
  it('every call is recorded with decoded arguments, status, caller and tick', () => {
    const machine = new FakeMachine({ profile: proposal });
    machine.call('LocateProtocol', guidAt(machine, Guid.EFI_RNG_PROTOCOL), 0, scratch);
    const call = machine.calls[0];
    expect(call).to.deep.equal({
      name: 'LocateProtocol',
      section: '7.3.16',
      args: { Protocol: 'EFI_RNG_PROTOCOL', Registration: 'NULL', Interface: '0x200000' },
      results: {},
      status: Status.NOT_FOUND,
      caller: 0x1234n,
      tick: 4711,
      unserved: 'profile',
    });
    expect(call && describeCall(call)).to.equal(
      'LocateProtocol(Protocol=EFI_RNG_PROTOCOL, Registration=NULL, Interface=0x200000) -> EFI_NOT_FOUND, not in this profile [UEFI 2.10 section 7.3.16]',
    );
  });
  it('a memory map reads as a table', () => {
    const lines = describeMemoryMap(new FakeMachine().firmware.memoryMap.entries());
    expect(lines[0]).to.equal('000000000-000000fff       1 pages  EfiBootServicesData      UC|WC|WT|WB');
  });
  it('an unknown gate is an error of its own', () => {
    const machine = new FakeMachine();
    expect(() => {
      machine.firmware.serve(0x3ff);
    }).to.throw('belongs to no service');
    expect(GateGroup.vectors).to.equal(0x100);
  });
  it('the state survives saving and restoring as JSON', () => {
    const machine = new FakeMachine({ profile: linux }, { initrd });
    machine.call('AllocatePool', 2, 100, scratch);
    const kept = machine.u64(scratch);
    machine.call('RaiseTPL', 4);
    const state = JSON.parse(JSON.stringify(machine.firmware.save())) as ReturnType<Firmware['save']>;
    const other = new Firmware(machine, { profile: linux });
    other.restore(state, initrd);
    expect(other.save()).to.deep.equal(state);
    expect(other.memoryMap.entries()).to.deep.equal(machine.firmware.memoryMap.entries());
    expect(other.pool.free(Number(kept))).to.equal(true);
  });
});
