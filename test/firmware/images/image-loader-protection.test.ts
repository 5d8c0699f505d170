import { expect } from 'chai';
import { efi } from '../../../src/boot/efi.js';
import { imageProtection, type PeLayout } from '../../../src/firmware/images/image-loader.js';
import { Machine, type MachineOptions } from '../../../src/machine.js';
import { loadProcessorArtifacts } from '../../../src/host/processor-artifacts.js';
import { readImage } from '../../../src/loaders/read-image.js';
import { smallPe } from '../../support/images.js';
import {
  CoffHeader,
  DosHeader,
  OptionalHeader64,
  SectionHeader,
  DataDirectory,
} from '../../../firmware-tables/image/pe.js';
import { image } from '../fake-machine.js';

const text = { name: '.text', virtualAddress: 0x1000, virtualSize: 0x801, fileOffset: 0x200, fileSize: 0x200 };
const execute = 0x6000_0020;
const layout: PeLayout = {
  ...image,
  sectionAlignment: 0x1000,
  dllCharacteristics: 0x100,
  sections: [
    { ...text, characteristics: execute },
    { ...text, name: '.data', virtualAddress: 0x2000, characteristics: 0xc000_0040 },
  ],
};

/** The small PE with code of ours in .text, which ends with RET or a fault; its .data at RVA 0x2000 can be written. */
function program(code: readonly number[], nxCompat: boolean): Uint8Array {
  const file = smallPe();
  const view = new DataView(file.buffer);
  const optionalAt = DosHeader.size + CoffHeader.size;
  const sectionsAt = optionalAt + OptionalHeader64.size + 6 * DataDirectory.size;
  view.setUint16(optionalAt + OptionalHeader64.offsetOf('DllCharacteristics'), nxCompat ? 0x100 : 0, true);
  const flags = SectionHeader.offsetOf('Characteristics');
  view.setUint32(sectionsAt + SectionHeader.size + flags, 0xc000_0040, true);
  file.set(code, 512);
  file[1024] = 0xc3; // RET at the start of .data
  return file;
}

const writeOwnCode = [0xc6, 0x05, 0xf9, 0xff, 0xff, 0xff, 0xc6, 0x31, 0xc0, 0xc3]; // MOV byte [RIP-7], C6; XOR EAX,EAX; RET
const writeData = [0xc6, 0x05, 0xf9, 0x0f, 0x00, 0x00, 0xc3, 0x31, 0xc0, 0xc3]; // MOV byte [RIP+0xff9], C3: RVA 0x2000
const callData = [0xe8, 0xfb, 0x0f, 0x00, 0x00, 0x31, 0xc0, 0xc3]; // CALL RVA 0x2000; XOR EAX,EAX; RET

function run(code: readonly number[], nxCompat: boolean, options: Partial<MachineOptions> = {}): string {
  const machine = new Machine({ artifacts: loadProcessorArtifacts(), memoryBytes: 64 << 20, ...options });
  machine.boot(efi, readImage(program(code, nxCompat)), { commandLine: '', modules: [] });
  machine.run(10_000);
  return `${machine.outcome?.outcome ?? 'running'}: ${machine.outcome?.reason ?? ''}`;
}

describe('W^X of images that say NX_COMPAT (PE format, DLL Characteristics; UEFI 2.10 section 2.3.7)', () => {
  it('code that is not writable is read-only, everything else of the image is not executable', () => {
    expect(imageProtection(layout, 0x40_0000)).to.deep.equal([
      { start: 0x40_0000, end: 0x40_1000, writable: true, executable: false },
      { start: 0x40_1000, end: 0x40_2000, writable: false, executable: true },
      { start: 0x40_2000, end: 0x40_3000, writable: true, executable: false },
    ]);
  });
  it('an image without NX_COMPAT, without pages for its sections, or without read-only code stays as it is', () => {
    expect(imageProtection({ ...layout, dllCharacteristics: 0 }, 0x40_0000)).to.deep.equal([]);
    expect(imageProtection({ ...layout, sectionAlignment: 0x200 }, 0x40_0000)).to.deep.equal([]);
    const writable = [{ ...text, characteristics: execute | 0x8000_0000 }];
    expect(imageProtection({ ...layout, sections: writable }, 0x40_0000)).to.deep.equal([]);
  });
  it('a write to its own code faults, and the report says where', () => {
    expect(run(writeOwnCode, false)).to.match(/^exited: /);
    expect(run(writeOwnCode, true)).to.match(/^halted: exception 14 \(page fault\) at RIP .*error code 0x3,/);
  });
  it('a call into its data faults', () => {
    expect(run(callData, false)).to.match(/^exited: /);
    expect(run(callData, true)).to.match(/^halted: exception 14 \(page fault\) at RIP .*error code 0x11,/);
  });
  it('its data can be written', () => {
    expect(run(writeData, true)).to.match(/^exited: /);
  });
});
