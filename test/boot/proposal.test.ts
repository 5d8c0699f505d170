import { expect } from 'chai';
import { HvmModlistEntry, HvmStartInfo } from '../../firmware-tables/pvh/start-info.js';
import { Guid } from '../../firmware-tables/uefi/guids.js';
import { BootError } from '../../src/boot/boot-protocol.js';
import { proposalDoor } from '../../src/boot/index.js';
import { Firmware } from '../../src/firmware/firmware.js';
import { linux, proposal, type Profile } from '../../src/firmware/profiles.js';
import { loadProposalLinux } from '../../src/host/proposal-linux.js';
import { readImage } from '../../src/loaders/read-image.js';
import { FakeMachine } from '../firmware/fake-machine.js';
import { smallBzImage, smallElf } from '../support/images.js';

describe('door proposal', () => {
  const door = proposalDoor(loadProposalLinux());
  const kernel = smallBzImage();
  const initrd = Uint8Array.of(1, 2, 3);
  const more = { bytes: Uint8Array.of(4), commandLine: 'x' };

  it('says why it refuses an image that is no bzImage, before and at the entry', () => {
    const elf = readImage(smallElf());
    expect(door.refuses(elf)).to.contain('no bzImage');
    expect(door.refuses(readImage(kernel))).to.equal(undefined);
    const host = new FakeMachine();
    const target = { memory: host.memory, rsdp: 0, firmware: new Firmware(host) };
    expect(() => door.enter(target, elf, { commandLine: '', modules: [] })).to.throw(BootError, 'no bzImage');
  });

  for (const profile of [proposal, linux]) {
    it(`hands the kernel as module 0, the initrd as module 1, other modules behind them (profile ${profile.name})`, () => {
      const { modules, commandLine, read } = xenTable(profile);
      expect(modules.map(({ size }) => size)).to.deep.equal([BigInt(kernel.length), 3n, 1n]);
      expect(read(Number(modules[0]?.paddr), kernel.length)).to.deep.equal(kernel);
      expect(read(Number(modules[1]?.paddr), 3)).to.deep.equal(initrd);
      expect(commandLine).to.equal('console=ttyS0');
    });
  }

  /** The Xen configuration table as the door leaves it in guest memory. */
  function xenTable(profile: Profile) {
    const host = new FakeMachine();
    const firmware = new Firmware(host, { profile });
    const target = { memory: host.memory, rsdp: 0, firmware };
    door.enter(target, readImage(kernel), { commandLine: 'console=ttyS0', initrd, modules: [more] });
    const read = (address: number, bytes: number): Uint8Array => host.memory.readPhysical(address, bytes);
    const table = firmware.tables.configurationTables().find(({ guid }) => guid === Guid.EFIKIT_XEN_TABLE);
    const info = HvmStartInfo.decode(read(Number(table?.address), HvmStartInfo.size));
    const list = read(Number(info.modlist_paddr), HvmModlistEntry.size * info.nr_modules);
    const modules = Array.from({ length: info.nr_modules }, (_, i) =>
      HvmModlistEntry.decode(list, i * HvmModlistEntry.size),
    );
    const text = new TextDecoder().decode(read(Number(info.cmdline_paddr), 64));
    return { modules, commandLine: text.slice(0, text.indexOf('\0')), read };
  }
});
