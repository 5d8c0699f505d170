import { expect } from 'chai';
import { Guid } from '../../../firmware-tables/uefi/guids.js';
import { MemoryType, pageBytes } from '../../../firmware-tables/uefi/memory-descriptor.js';
import { linux, profiles } from '../../../src/firmware/profiles.js';
import type { ProvidedMemory } from '../../../src/memory/provided.js';
import { FakeMachine } from '../fake-machine.js';

/** Bytes of a range that nobody answers for. */
function unclaimed(provided: ProvidedMemory, start: number, end: number): number {
  const claims = [...provided.structures, ...provided.occupied];
  let missing = 0;
  for (let at = start; at < end;) {
    const claim = claims.find(({ address, bytes }) => address <= at && at < address + bytes);
    if (claim === undefined) missing++;
    at = claim === undefined ? at + 1 : claim.address + claim.bytes;
  }
  return missing;
}

const inputs = {
  initrd: Uint8Array.of(1, 2, 3),
  modules: [{ bytes: Uint8Array.of(4), commandLine: 'one' }, { bytes: new Uint8Array(5000) }],
};
const ownTypes: readonly number[] = [
  MemoryType.EfiLoaderCode,
  MemoryType.EfiLoaderData,
  MemoryType.EfiBootServicesCode,
  MemoryType.EfiBootServicesData,
  MemoryType.EfiRuntimeServicesCode,
  MemoryType.EfiRuntimeServicesData,
];

describe('no byte that the firmware lays out is left out of what it tells (src/memory/provided.ts)', () => {
  for (const profile of profiles.filter(({ handedOver }) => handedOver !== true)) {
    it(`profile ${profile.name}: every pool allocation, but for the rounding to 16 bytes`, () => {
      const { firmware } = new FakeMachine({ profile }, inputs);
      for (const { used } of firmware.pool.save()) {
        for (const { address, size } of used)
          expect(unclaimed(firmware.provided, address, address + size), `pool at ${address.toString(16)}`).to.be.below(
            16,
          );
      }
    });
    it(`profile ${profile.name}: every page that is not free, reserved or ACPI's has something in it that is told`, () => {
      const { firmware } = new FakeMachine({ profile }, inputs);
      for (const { start, pages, type } of firmware.memoryMap.entries()) {
        if (!ownTypes.includes(type)) continue;
        for (let page = start; page < start + pages * pageBytes; page += pageBytes)
          expect(unclaimed(firmware.provided, page, page + pageBytes), page.toString(16)).to.be.below(pageBytes);
      }
    });
  }
  it('what the guest installs in the configuration table is told when it is there, what it takes out when it is gone', () => {
    const machine = new FakeMachine({ profile: linux }, inputs);
    const { tables, provided } = machine.firmware;
    const names = () => provided.structures.map(({ name }) => name).filter((name) => name.startsWith('configuration'));
    const before = names();
    const heard: string[] = [];
    provided.onStructure = ({ name }) => heard.push(`+${name}`);
    provided.onEnd = ({ name }, why) => heard.push(`-${name} ${why}`);
    const entries = tables.configurationTables();
    tables.setConfigurationTables([...entries, { guid: Guid.LINUX_EFI_BOOT_MEMMAP, address: 1n }], () => undefined);
    tables.setConfigurationTables(entries, () => undefined);
    expect(before).to.include('configuration table EFI_ACPI_20_TABLE');
    expect(heard).to.deep.equal([
      '+configuration table LINUX_EFI_BOOT_MEMMAP',
      '-configuration table LINUX_EFI_BOOT_MEMMAP replaced',
    ]);
  });
});
