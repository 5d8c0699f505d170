import { expect } from 'chai';
import { linux64 } from '../../src/boot/linux64.js';
import { pvh } from '../../src/boot/pvh.js';
import { buildAcpiTables } from '../../src/devices/acpi.js';
import { buildXenAcpiTables } from '../../src/devices/acpi-xen.js';
import { readImage } from '../../src/loaders/read-image.js';
import { layout } from '../../src/memory/layout.js';
import { ProvidedMemory } from '../../src/memory/provided.js';
import { smallBzImage, smallElf } from '../support/images.js';
import { PlainRam } from '../support/ram.js';

/** Bytes other than 0 in a range that nobody answers for. */
function unclaimed({ structures, occupied }: ProvidedMemory, bytes: Uint8Array, at: number): string[] {
  const isClaimed = (place: number): boolean =>
    [...structures, ...occupied].some(({ address, bytes: length }) => address <= place && place < address + length);
  return [...bytes].flatMap((byte, i) => (byte !== 0 && !isClaimed(at + i) ? [(at + i).toString(16)] : []));
}

const options = {
  commandLine: 'console=ttyS0',
  initrd: Uint8Array.of(1, 2, 3),
  modules: [],
};

describe('no byte that a door lays out is left out of what it tells (src/memory/provided.ts)', () => {
  for (const version of [0, 1] as const) {
    it(`pvh, hvm_start_info version ${String(version)}`, () => {
      const memory = new PlainRam(2 ** 24);
      const provided = new ProvidedMemory();
      const modules = [{ bytes: Uint8Array.of(4, 5), commandLine: 'second' }];
      const all = { ...options, modules, pvh: { version } };
      pvh.enter({ memory, rsdp: 0xe_0000, provided }, readImage(smallElf()), all);
      const area = memory.readPhysical(layout.hvmStartInfo, layout.hvmStartInfoBytes);
      expect(unclaimed(provided, area, layout.hvmStartInfo)).to.deep.equal([]);
      const sizes = provided.structures.map(({ name, bytes }) => `${name} ${String(bytes)}`);
      expect(sizes).to.include.members([
        `hvm_start_info ${version === 0 ? '40' : '56'}`,
        'hvm_modlist_entry 64',
        'command line 14',
        'command line of module 1 7',
      ]);
      expect(provided.occupied.map(({ owner, bytes }) => [owner, bytes])).to.deep.equal([
        ['modules', 3],
        ['modules', 2],
      ]);
    });
  }
  it('linux64', () => {
    const memory = new PlainRam(2 ** 26);
    const provided = new ProvidedMemory();
    linux64.enter({ memory, rsdp: 0xe_0000, provided }, readImage(smallBzImage()), options);
    const area = memory.readPhysical(layout.linuxBootParams, layout.linuxBootParamsBytes);
    expect(unclaimed(provided, area, layout.linuxBootParams)).to.deep.equal([]);
    const parameters = provided.structures.find(({ name }) => name === 'boot_params');
    expect(parameters?.fields.map(({ name }) => name)).to.include.members(['hdr.cmd_line_ptr', 'e820_table[0].addr']);
    expect(
      parameters?.fields.filter(({ padding }) => padding).some(({ name }) => name.startsWith('e820_table[')),
    ).to.equal(true);
  });
  for (const [name, tables] of [
    ['the small PC', buildAcpiTables(layout.acpiTables, { localApic: layout.localApic, ioApic: layout.ioApic })],
    ['Xen', buildXenAcpiTables()],
  ] as const) {
    it(`ACPI tables of ${name}: each field by field, as long as its header says`, () => {
      const provided = new ProvidedMemory();
      for (const structure of tables.structures) provided.add(structure);
      expect(unclaimed(provided, tables.bytes, tables.address)).to.deep.equal([]);
      for (const { name: table, address, bytes, fields } of tables.structures) {
        const field = fields.find((one) => one.name === 'Length' || one.name.endsWith('Header.Length'));
        if (field === undefined) continue;
        const view = new DataView(tables.bytes.buffer, tables.bytes.byteOffset);
        expect(view.getUint32(address - tables.address + field.offset, true), table).to.equal(bytes);
      }
    });
  }
});
