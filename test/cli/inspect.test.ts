import { expect } from 'chai';
import { inspect, inspectData } from '../../src/cli/inspect.js';
import { readImage } from '../../src/loaders/read-image.js';
import { cachedKernel } from '../support/kernels.js';
import { smallBzImage, smallElf, smallPe, withSize } from '../support/images.js';

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
  it("Debian's 6.1: every door opens, 87347 symbols", function () {
    this.timeout(30_000);
    const data = inspectData(readImage(cachedKernel(this, '6.1-cloud')));
    expect(data.doors.every(({ opens }) => opens)).to.equal(true);
    expect(data.symbols).to.be.greaterThan(80_000);
    expect(data.payload?.codec).to.equal('LZ4');
    expect(JSON.parse(JSON.stringify(data))).to.be.an('object');
  });
});
