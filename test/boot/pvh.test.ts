import { expect } from 'chai';
import { HvmMemmapEntry, HvmModlistEntry, HvmStartInfo, StartInfoFlag } from '../../firmware-tables/pvh/start-info.js';
import { BootError } from '../../src/boot/boot-protocol.js';
import { pvh } from '../../src/boot/pvh.js';
import { readImage } from '../../src/loaders/read-image.js';
import { xenMap } from '../../src/memory/guest-map.js';
import { layout } from '../../src/memory/layout.js';
import { cachedKernel, kernelNames } from '../support/kernels.js';
import { rangesOfPvh } from '../../src/probe/memory-maps/ranges.js';
import { smallBzImage, smallElf, smallPe, xenNote } from '../support/images.js';
import { PlainRam } from '../support/ram.js';

const textAt = (ram: PlainRam, address: bigint): string => {
  const start = Number(address);
  return new TextDecoder().decode(ram.bytes.subarray(start, ram.bytes.indexOf(0, start)));
};

describe('door pvh (Xen docs/misc/pvh)', () => {
  it('enters in flat 32-bit protected mode at PHYS32_ENTRY with EBX at hvm_start_info', () => {
    const state = pvh.enter({ memory: new PlainRam(2 ** 24), rsdp: 0 }, readImage(smallElf()), {
      commandLine: '',
      modules: [],
    });
    expect(state).to.deep.include({ mode: 'protected32', rip: 0x10_0010n, cr0: 0x11n, rflags: 2n });
    expect(state.registers).to.deep.equal({ rbx: BigInt(layout.hvmStartInfo) });
    expect(state.segments?.cs).to.include({ limit: 0xffff_ffff, attributes: 0xc09b });
    expect(state.segments?.ds).to.include({ limit: 0xffff_ffff, attributes: 0xc093 });
    expect(state.tr).to.include({ limit: 0x67, attributes: 0x8b });
  });
  it('loads segments at p_paddr and clears what is behind their file bytes', () => {
    const memory = new PlainRam(2 ** 24);
    memory.bytes.fill(0xaa);
    const elf = readImage(smallElf());
    pvh.enter({ memory, rsdp: 0 }, elf, { commandLine: '', modules: [] });
    expect(memory.bytes[0x10_0001]).to.equal(37);
    expect(memory.bytes.subarray(0x10_0200, 0x10_0800).every((byte) => byte === 0)).to.equal(true);
    expect(memory.bytes[0x10_0800]).to.equal(0xaa);
  });
  it('hvm_start_info version 1: command line, RSDP, modules with the initrd first, memory map', () => {
    const memory = new PlainRam(2 ** 24);
    const initrd = Uint8Array.of(1, 2, 3);
    const modules = [{ bytes: Uint8Array.of(4, 5), commandLine: 'second ü' }, { bytes: new Uint8Array(5000).fill(6) }];
    pvh.enter({ memory, rsdp: 0xe_0000 }, readImage(smallElf()), { commandLine: 'console=ttyS0', initrd, modules });
    const info = HvmStartInfo.decode(memory.bytes, layout.hvmStartInfo);
    expect(info).to.include({ magic: 0x336e_c578, version: 1, flags: 0, nr_modules: 3, rsdp_paddr: 0xe_0000n });
    expect(textAt(memory, info.cmdline_paddr)).to.equal('console=ttyS0');
    const list = [0, 1, 2].map((i) =>
      HvmModlistEntry.decode(memory.bytes, Number(info.modlist_paddr) + i * HvmModlistEntry.size),
    );
    expect(list.map(({ size }) => size)).to.deep.equal([3n, 2n, 5000n]);
    expect([...memory.readPhysical(Number(list[0]?.paddr), 3)]).to.deep.equal([1, 2, 3]);
    expect([...memory.readPhysical(Number(list[1]?.paddr), 2)]).to.deep.equal([4, 5]);
    expect(list[0]?.cmdline_paddr).to.equal(0n);
    expect(textAt(memory, list[1]?.cmdline_paddr ?? 0n)).to.equal('second ü');
    const map = Array.from({ length: info.memmap_entries }, (_, i) =>
      HvmMemmapEntry.decode(memory.bytes, Number(info.memmap_paddr) + i * HvmMemmapEntry.size),
    );
    expect(map).to.deep.equal([
      { addr: 0n, size: 0xa_0000n, type: 1, reserved: 0 },
      { addr: 0xe_0000n, size: 0x1_0000n, type: 3, reserved: 0 },
      { addr: 0x10_0000n, size: 0xf0_0000n, type: 1, reserved: 0 },
    ]);
  });
  it('modules lie in RAM, page-aligned, and overlap neither each other nor the kernel', () => {
    const memory = new PlainRam(2 ** 23);
    const modules = Array.from({ length: 20 }, (_, i) => ({ bytes: new Uint8Array(i * 3000).fill(i + 1) }));
    pvh.enter({ memory, rsdp: 0 }, readImage(smallElf({ physicalAddress: 0x7f_0000 })), { commandLine: '', modules });
    const info = HvmStartInfo.decode(memory.bytes, layout.hvmStartInfo);
    modules.forEach(({ bytes }, i) => {
      const entry = HvmModlistEntry.decode(memory.bytes, Number(info.modlist_paddr) + i * HvmModlistEntry.size);
      expect(Number(entry.paddr) % 4096).to.equal(0);
      expect(memory.readPhysical(Number(entry.paddr), bytes.length), String(i)).to.deep.equal(bytes);
    });
    expect(memory.bytes[0x7f_0001], 'kernel').to.equal(37);
  });
  it('without an RSDP the map has no ACPI entry and rsdp_paddr is 0', () => {
    const memory = new PlainRam(2 ** 24);
    pvh.enter({ memory, rsdp: 0 }, readImage(smallElf()), { commandLine: '', modules: [] });
    const info = HvmStartInfo.decode(memory.bytes, layout.hvmStartInfo);
    expect(info).to.include({ memmap_entries: 2, rsdp_paddr: 0n, nr_modules: 0, modlist_paddr: 0n });
  });
  it('the map of a PVH domain: RAM from 0 in one entry, tables of type 3, special pages of type 2', () => {
    const memory = new PlainRam(2 ** 24);
    pvh.enter({ memory, rsdp: layout.xenRsdp, map: xenMap }, readImage(smallElf()), { commandLine: '', modules: [] });
    const info = HvmStartInfo.decode(memory.bytes, layout.hvmStartInfo);
    expect(info.rsdp_paddr).to.equal(0xfc00_8000n);
    const map = Array.from({ length: info.memmap_entries }, (_, i) =>
      HvmMemmapEntry.decode(memory.bytes, Number(info.memmap_paddr) + i * HvmMemmapEntry.size),
    );
    expect(map.map(({ addr, size, type }) => [addr, size, type])).to.deep.equal([
      [0n, 0x100_0000n, 1],
      [0xfc00_0000n, 0x8040n, 3],
      [0xfeff_8000n, 0x8000n, 2],
    ]);
  });
  it('hvm_start_info version 0 has 40 bytes, modules and a command line, and no memory map', () => {
    const memory = new PlainRam(2 ** 24);
    memory.bytes.fill(0xaa, layout.hvmStartInfo, layout.hvmStartInfo + 64);
    const modules = [{ bytes: Uint8Array.of(9), commandLine: 'm' }];
    pvh.enter({ memory, rsdp: 0xe_0000 }, readImage(smallElf()), { commandLine: 'c', modules, pvh: { version: 0 } });
    const info = HvmStartInfo.decode(memory.bytes, layout.hvmStartInfo);
    expect(info).to.include({ version: 0, nr_modules: 1, rsdp_paddr: 0xe_0000n });
    expect(info.modlist_paddr).to.equal(BigInt(layout.hvmStartInfo + 40));
    expect(textAt(memory, info.cmdline_paddr)).to.equal('c');
    const entry = HvmModlistEntry.decode(memory.bytes, Number(info.modlist_paddr));
    expect([entry.size, textAt(memory, entry.cmdline_paddr)]).to.deep.equal([1n, 'm']);
    expect(rangesOfPvh(memory)).to.deep.equal([]);
  });
  it('flags: SIF_PRIVILEGED and SIF_INITDOMAIN on request', () => {
    const memory = new PlainRam(2 ** 24);
    const flags = StartInfoFlag.PRIVILEGED | StartInfoFlag.INITDOMAIN;
    pvh.enter({ memory, rsdp: 0 }, readImage(smallElf()), { commandLine: '', modules: [], pvh: { flags } });
    expect(HvmStartInfo.decode(memory.bytes, layout.hvmStartInfo)).to.include({ version: 1, flags: 3 });
  });
  it('refuses images without the note, PE files and notes outside the kernel, and says why', () => {
    const noNote = readImage(smallElf({ note: xenNote(5, new Uint8Array(4)) }));
    expect(pvh.refuses(noNote)).to.contain('PHYS32_ENTRY').and.contain('CONFIG_PVH');
    expect(pvh.refuses(readImage(smallPe()))).to.contain('no ELF');
    const outside = readImage(smallElf({ note: xenNote(18, Uint8Array.of(0, 0, 0, 1)) }));
    expect(pvh.refuses(outside)).to.contain('0x1000000');
    expect(pvh.refuses(readImage(smallBzImage()))).to.equal(undefined);
  });
  it('throws BootError with what to do when something does not fit', () => {
    const enter = (ramBytes: number, options: Parameters<typeof pvh.enter>[2], address = 0x10_0000): void => {
      pvh.enter(
        { memory: new PlainRam(ramBytes), rsdp: 0 },
        readImage(smallElf({ physicalAddress: address })),
        options,
      );
    };
    const none = { commandLine: '', modules: [] };
    expect(() => {
      enter(2 ** 21, none, 0x100_0000);
    }).to.throw(BootError, '--memory 17M');
    expect(() => {
      enter(2 ** 21, none, 0x1000);
    }).to.throw(BootError, 'link it higher');
    expect(() => {
      enter(2 ** 21, { ...none, initrd: new Uint8Array(2 ** 21) });
    }).to.throw(BootError, 'the initrd of 2 MiB');
    expect(() => {
      enter(2 ** 21, { ...none, commandLine: 'x'.repeat(30_000) });
    }).to.throw(BootError, 'command line');
    const many = Array.from({ length: 1000 }, () => ({ bytes: new Uint8Array(1) }));
    expect(() => {
      enter(2 ** 24, { ...none, modules: many });
    }).to.throw(BootError, 'too many');
  });
  for (const name of kernelNames) {
    it(`Debian's ${name} is laid out in 512 MiB`, async function () {
      this.timeout(30_000);
      const image = readImage(cachedKernel(this, name));
      await image.prepare();
      const memory = new PlainRam(2 ** 29);
      const state = pvh.enter({ memory, rsdp: 0 }, image, {
        commandLine: '',
        initrd: new Uint8Array(2 ** 20),
        modules: [],
      });
      expect(state.rip).to.equal(BigInt(image.elf()?.pvhEntry ?? 0));
    });
  }
});

describe('PHYS32_RELOC (Xen public/elfnote.h): a kernel that can be moved', () => {
  const words = (...values: number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer);
  const entry = xenNote(18, words(0x10_0010));
  const movable = (...values: number[]): Uint8Array => {
    const reloc = xenNote(19, words(...values));
    return smallElf({ note: Uint8Array.of(...entry, ...reloc) });
  };
  const enter = (image: Uint8Array, loadAt: number, ramBytes = 2 ** 24) => {
    const memory = new PlainRam(ramBytes);
    const state = pvh.enter({ memory, rsdp: 0 }, readImage(image), { commandLine: '', modules: [], pvh: { loadAt } });
    return { memory, state };
  };
  it('alignment, lowest and highest address in this order; what is left out is 2 MiB, 0 and 4 GiB - 1', () => {
    const relocation = (...values: number[]) => readImage(movable(...values)).elf()?.pvhRelocation;
    expect(relocation(0x1000, 0x20_0000, 0x3fff_ffff)).to.deep.equal({
      alignment: 0x1000,
      lowest: 0x20_0000,
      highest: 0x3fff_ffff,
    });
    expect(relocation()).to.deep.equal({ alignment: 0x20_0000, lowest: 0, highest: 0xffff_ffff });
    expect(relocation(0x4000)).to.include({ alignment: 0x4000, lowest: 0 });
    expect(readImage(smallElf()).elf()?.pvhRelocation).to.equal(undefined);
  });
  it('without an alignment the largest p_align of a segment counts, when it is a page at least', () => {
    const image = movable();
    new DataView(image.buffer).setUint32(64 + 48, 0x8000, true); // p_align of the first program header
    expect(readImage(image).elf()?.pvhRelocation?.alignment).to.equal(0x8000);
    new DataView(image.buffer).setUint32(64 + 48, 0x800, true);
    expect(readImage(image).elf()?.pvhRelocation?.alignment).to.equal(0x20_0000);
  });
  it('the kernel is loaded at the place, the entry moves along, and nothing stands where it was linked', () => {
    const { memory, state } = enter(movable(0x1000, 0x20_0000, 0x3fff_ffff), 0x20_3000);
    expect(state.rip).to.equal(0x20_3010n);
    expect([memory.bytes[0x20_3001], memory.bytes[0x10_0001]]).to.deep.equal([37, 0]);
  });
  it('a payload that was unpacked to its segments is moved from there', () => {
    const memory = new PlainRam(2 ** 24);
    const image = readImage(movable(0x1000));
    const elf = image.elf();
    if (elf === undefined) throw new Error('no ELF');
    memory.writePhysical(0x10_0000, Uint8Array.of(7, 8, 9));
    const unpacked = { ...elf, loadedInto: memory };
    const options = { commandLine: '', modules: [], pvh: { loadAt: 0x10_1000 } };
    pvh.enter({ memory, rsdp: 0 }, { ...image, elf: () => unpacked }, options);
    expect([...memory.bytes.subarray(0x10_1000, 0x10_1003)]).to.deep.equal([7, 8, 9]);
    expect([...memory.bytes.subarray(0x10_0000, 0x10_0003)]).to.deep.equal([0, 0, 0]);
  });
  it('modules keep clear of the new place', () => {
    const memory = new PlainRam(2 ** 22);
    const modules = [{ bytes: new Uint8Array(5000).fill(1) }];
    const loadAt = 0x3f_e000;
    pvh.enter({ memory, rsdp: 0 }, readImage(movable(0x1000)), { commandLine: '', modules, pvh: { loadAt } });
    expect(memory.bytes[loadAt + 1]).to.equal(37);
    const info = HvmStartInfo.decode(memory.bytes, layout.hvmStartInfo);
    const { paddr } = HvmModlistEntry.decode(memory.bytes, Number(info.modlist_paddr));
    expect(memory.readPhysical(Number(paddr), 5000)).to.deep.equal(modules[0]?.bytes);
  });
  it('refuses another alignment, a place outside of the range, RAM that ends before, and a kernel without the note', () => {
    const note = [0x20_0000, 0x40_0000, 0xbf_ffff] as const;
    const refusal = (image: Uint8Array, loadAt: number, ram?: number) => () => enter(image, loadAt, ram);
    expect(refusal(movable(...note), 0x40_1000)).to.throw(
      BootError,
      'a multiple of 0x200000, not 0x401000: take 0x600000',
    );
    expect(refusal(movable(...note), 0x20_0000)).to.throw(BootError, 'allows 0x400000 to 0xbfffff');
    expect(refusal(movable(...note), 0xc0_0000)).to.throw(BootError, 'from 0x400000 to 0xa00000');
    expect(refusal(movable(...note), 0xa0_0000, 2 ** 22)).to.throw(BootError, 'RAM ends at 0x400000');
    expect(refusal(movable(0x1000), 0x1000)).to.throw(BootError, 'allows 0x100000');
    expect(refusal(smallElf(), 0x20_0000)).to.throw(BootError, 'no PHYS32_RELOC note').with.property('code', 'BOOT');
    expect(refusal(smallElf(), 0x10_0000)).to.not.throw();
  });
  it("Debian's 6.12 can be moved from 16 MiB on in steps of 2 MiB, 6.1 cannot", async function () {
    this.timeout(30_000);
    const newer = readImage(cachedKernel(this, '6.12-cloud'));
    const older = readImage(cachedKernel(this, '6.1-cloud'));
    await newer.prepare();
    await older.prepare();
    expect(newer.elf()?.pvhRelocation).to.deep.equal({
      alignment: 0x20_0000,
      lowest: 0x100_0000,
      highest: 0x3fff_ffff,
    });
    expect(older.elf()?.pvhRelocation).to.equal(undefined);
    const memory = new PlainRam(2 ** 28);
    const options = { commandLine: '', modules: [], pvh: { loadAt: 0x400_0000 } };
    expect(pvh.enter({ memory, rsdp: 0 }, newer, options).rip).to.equal(0x400_0000n + 0xa30n);
  });
});
