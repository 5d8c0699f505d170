import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { readImage } from '../../src/loaders/read-image.js';

const efiImages = [
  'two-doors/two-doors.efi',
  'proposal-linux/proposal-linux.efi',
  'hello-variables/hello-variables.efi',
  'hello/hello.efi',
];

function example(file: string): Uint8Array {
  return readFileSync(new URL(`../../examples/${file}`, import.meta.url));
}

describe('the committed example images', () => {
  for (const file of efiImages) {
    describe(file, () => {
      const bytes = example(file);
      const pe = readImage(bytes).pe;

      it('is a PE32+ EFI application (PE format, "Optional Header"): subsystem 10, NX compatible', () => {
        expect(pe?.subsystem).to.equal(10);
        expect((pe?.dllCharacteristics ?? 0) & 0x100).to.equal(0x100);
      });

      it('needs no base relocations: it is position independent', () => {
        expect(pe?.relocations).to.equal(undefined);
      });

      it('has no time stamp, so that builds are the same bytes', () => {
        const peHeader = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0x3c, true);
        expect(new DataView(bytes.buffer, bytes.byteOffset).getUint32(peHeader + 8, true)).to.equal(0);
      });

      it('enters inside a section that is executable and not writable', () => {
        const entry = pe?.entryPoint ?? 0;
        const section = pe?.sections.find((s) => entry >= s.virtualAddress && entry < s.virtualAddress + s.virtualSize);
        expect((section?.characteristics ?? 0) >>> 0).to.equal(0x6000_0020);
      });

      it('has sections inside the file, and SizeOfImage covers them', () => {
        for (const section of pe?.sections ?? []) {
          expect(section.fileOffset + section.fileSize).to.be.at.most(bytes.length);
          expect(section.virtualAddress + section.virtualSize).to.be.at.most(pe?.sizeOfImage ?? 0);
        }
      });

      it('is a few KiB', () => {
        expect(bytes.length).to.be.below(16 * 1024);
      });
    });
  }

  it('two-doors.elf has the PHYS32_ENTRY note, and its entry lies in the code segment (Xen docs/misc/pvh)', () => {
    const elf = readImage(example('two-doors/two-doors.elf')).elf();
    const code = elf?.segments[0];
    expect(elf?.bits).to.equal(64);
    expect(elf?.pvhEntry).to.equal(0x10_0000);
    expect(code?.physicalAddress).to.equal(0x10_0000);
  });

  it('two-doors.elf and two-doors.efi have no other door', () => {
    expect(readImage(example('two-doors/two-doors.elf')).pe).to.equal(undefined);
    expect(readImage(example('two-doors/two-doors.efi')).elf()).to.equal(undefined);
  });
});
