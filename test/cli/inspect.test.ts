import { expect } from 'chai';
import { inspect, inspectData } from '../../src/cli/inspect.js';
import { readImage } from '../../src/loaders/read-image.js';
import { cachedKernel } from '../support/kernels.js';
import { smallBzImage, smallElf, smallPe, withSize, xenNote } from '../support/images.js';

describe('inspect', () => {
  it('bzImage: format, version, payload, doors, notes', () => {
    const data = inspectData(readImage(smallBzImage()));
    expect(data).to.include({ kind: 'bzimage', format: 'Linux bzImage', kernelVersion: '6.1.0-test (efikit) #1' });
    expect(data.payload).to.include({ codec: 'gzip', offset: 0x800 });
    expect(data.doors.map(({ name, opens }) => [name, opens])).to.deep.equal([
      ['efi', false],
      ['pvh', true],
      ['linux64', true],
      ['proposal', true],
    ]);
    expect(data.elf?.notes[0]).to.deep.equal({ name: 'Xen', type: 'PHYS32_ENTRY', value: '0x1000010' });
    expect(data.problems).to.deep.equal([
      'no symbols: no kallsyms token table in the kernel: it was built without CONFIG_KALLSYMS or is no Linux',
    ]);
  });
  it('each closed door says why', () => {
    for (const bytes of [smallElf(), smallPe(), smallElf({ bits: 32 })]) {
      for (const door of inspectData(readImage(bytes)).doors) if (!door.opens) expect(door.reason).to.be.a('string');
    }
    expect(inspect(readImage(smallPe()))).to.contain('pvh      closed: no ELF');
  });
  it('a payload that does not unpack is a problem, not the end', () => {
    const text = inspect(readImage(smallBzImage({ payload: withSize(Uint8Array.of(9, 9, 9, 9), 4) })));
    expect(text).to.match(/problems\n {2}payload \(offset 0x800\)/);
    expect(text).to.contain('linux64  opens');
  });
  it('PVH: the entry, and where else PHYS32_RELOC lets the kernel stand', () => {
    const words = (...values: number[]) => new Uint8Array(Uint32Array.from(values).buffer);
    const entry = xenNote(18, words(0x10_0010));
    const note = Uint8Array.of(...entry, ...xenNote(19, words(0x20_0000, 0x100_0000, 0x3fff_ffff)));
    const image = readImage(smallElf({ note }));
    expect(inspectData(image).elf?.pvh).to.deep.equal({
      entry: 0x10_0010,
      relocation: { alignment: 0x20_0000, lowest: 0x100_0000, highest: 0x3fff_ffff },
    });
    expect(inspect(image)).to.contain(
      'entry 0x100010, also elsewhere: at a multiple of 0x200000 from 0x1000000 on, up to 0x3fffffff',
    );
    expect(inspect(readImage(smallElf()))).to.contain('PVH      entry 0x100010, only where it was linked');
  });
  it("Debian's 6.1: every door opens, 87347 symbols", function () {
    this.timeout(30_000);
    const data = inspectData(readImage(cachedKernel(this, '6.1-cloud')));
    expect(data.doors.every(({ opens }) => opens)).to.equal(true);
    expect(data.symbols).to.be.greaterThan(80_000);
    expect(data.payload?.codec).to.equal('LZ4');
    expect(JSON.parse(JSON.stringify(data))).to.be.an('object');
  });
});
