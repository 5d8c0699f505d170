import { expect } from 'chai';
import { MemoryType } from '../../firmware-tables/uefi/memory-descriptor.js';
import { BootError } from '../../src/boot/boot-protocol.js';
import { efi } from '../../src/boot/efi.js';
import { Firmware } from '../../src/firmware/firmware.js';
import type { LoadedImage, PeImage } from '../../src/loaders/image.js';
import { xenMap } from '../../src/memory/guest-map.js';
import { layout } from '../../src/memory/layout.js';
import { FakeMachine, image, imageFile } from '../firmware/fake-machine.js';

const pe = { ...image, subsystem: 10, sectionAlignment: 4096, dllCharacteristics: 0, sections: [] } satisfies PeImage;
const loaded = (sizeOfImage: number): LoadedImage =>
  ({ kind: 'pe', bytes: imageFile, pe: { ...pe, sizeOfImage }, elf: () => undefined }) as unknown as LoadedImage;

describe('door efi (UEFI 2.10 section 2.3.4)', () => {
  const host = new FakeMachine();
  const target = (): { memory: typeof host.memory; rsdp: number; firmware: Firmware } => ({
    memory: host.memory,
    rsdp: 0,
    firmware: new Firmware(host),
  });

  it('enters in long mode with paging, IF set, DF clear, RCX and RDX as EFI wants them', () => {
    const at = target();
    const entry = efi.enter(at, loaded(0x3000), { commandLine: 'x', modules: [] });
    expect(entry.mode).to.equal('long64');
    expect(entry.registers?.rcx).to.equal(at.firmware.imageHandle);
    expect(entry.registers?.rdx).to.equal(BigInt(at.firmware.tables.addresses.systemTable));
    expect((entry.registers?.rsp ?? 0n) % 16n).to.equal(8n);
    expect((entry.rflags ?? 0n) & 0x600n).to.equal(0x200n);
    expect(entry.cr0).to.equal(0x8001_0033n);
    expect(entry.cr4).to.equal(0x620n);
    expect(entry.efer).to.equal(0x500n);
    expect(entry.segments?.cs?.attributes).to.equal(0xa09b);
    expect(entry.gdtr?.limit).to.equal(31);
    expect(entry.idtr?.limit).to.equal(4095);
  });
  it("under Xen the map has the domain's tables and special pages above RAM, and still a PC's hole", () => {
    const at = target();
    efi.enter({ ...at, rsdp: layout.xenRsdp, map: xenMap }, loaded(0x3000), { commandLine: '', modules: [] });
    const entries = at.firmware.memoryMap.entries().map(({ type, start, pages }) => [type, start, pages]);
    expect(entries.slice(-2)).to.deep.equal([
      [MemoryType.EfiACPIReclaimMemory, 0xfc00_0000, 9],
      [MemoryType.EfiReservedMemoryType, 0xfeff_8000, 8],
    ]);
    expect(entries).to.deep.include([MemoryType.EfiReservedMemoryType, layout.lowMemoryEnd, 0x60]);
    expect(entries[0]).to.deep.equal([MemoryType.EfiBootServicesData, 0, 1]);
  });
  it('says why it refuses an image without a PE header', () => {
    expect(efi.refuses({ kind: 'elf' } as LoadedImage)).to.contain('CONFIG_EFI_STUB');
    expect(efi.refuses(loaded(0x3000))).to.equal(undefined);
  });
  it('throws a BootError when RAM is too small', () => {
    expect(() => efi.enter(target(), loaded(1 << 28), { commandLine: '', modules: [] })).to.throw(
      BootError,
      'more memory',
    );
  });
});
