import { expect } from 'chai';
import { BootParams } from '../../firmware-tables/linux/boot-params.js';
import { HardwareSubarch } from '../../firmware-tables/linux/setup-header.js';
import { BootError, type Linux64Options } from '../../src/boot/boot-protocol.js';
import { identityPageTables } from '../../src/boot/identity-page-tables.js';
import { linux64 } from '../../src/boot/linux64.js';
import { readImage } from '../../src/loaders/read-image.js';
import { layout } from '../../src/memory/layout.js';
import { smallBzImage, smallElf } from '../support/images.js';
import { PlainRam } from '../support/ram.js';

const ramBytes = 2 ** 25;

describe('door linux64 (Linux Documentation/arch/x86/boot.rst, 64-bit boot protocol)', () => {
  it('enters in long mode at pref_address + 0x200 with RSI at boot_params, interrupts off', () => {
    const memory = new PlainRam(ramBytes);
    const state = linux64.enter({ memory, rsdp: 0 }, readImage(smallBzImage()), { commandLine: '', modules: [] });
    expect(state).to.deep.include({
      mode: 'long64',
      rip: 0x100_0200n,
      rflags: 2n,
      cr0: 0x8000_0011n,
      cr4: 0x20n,
      efer: 0x500n,
    });
    expect(state.registers).to.deep.equal({ rsi: BigInt(layout.linuxBootParams) });
    expect(memory.bytes[0x100_0001], 'protected-mode part').to.equal(37);
  });
  it('the GDT in memory has flat __BOOT_CS 0x10 and __BOOT_DS 0x18', () => {
    const memory = new PlainRam(ramBytes);
    const state = linux64.enter({ memory, rsdp: 0 }, readImage(smallBzImage()), { commandLine: '', modules: [] });
    const gdt = new DataView(memory.readPhysical(Number(state.gdtr?.base), (state.gdtr?.limit ?? 0) + 1).buffer);
    for (const [name, attributes] of [
      ['cs', 0xa09b],
      ['ds', 0xc093],
    ] as const) {
      const segment = state.segments?.[name];
      const descriptor = gdt.getBigUint64(segment?.selector ?? 0, true);
      expect(Number((descriptor >> 40n) & 0xf0ffn), name).to.equal(attributes);
      expect(segment).to.include({ attributes, limit: 0xffff_ffff });
    }
    expect([state.segments?.cs?.selector, state.segments?.ss?.selector]).to.deep.equal([0x10, 0x18]);
  });
  it('the page tables map 4 GiB one to one with 2 MiB pages (Intel SDM volume 3, 4.5)', () => {
    const at = 0x5000;
    const tables = new DataView(identityPageTables(at).buffer);
    const entry = (address: bigint): bigint => tables.getBigUint64(Number(address) - at, true);
    for (const linear of [0n, 0x20_0000n, 0x1234_5678n, 0x7fff_ffffn, 0xffff_ffffn]) {
      const pointers = entry(BigInt(at) + (linear >> 39n) * 8n) & ~0xfffn;
      const directory = entry(pointers + ((linear >> 30n) & 511n) * 8n) & ~0xfffn;
      const page = entry(directory + ((linear >> 21n) & 511n) * 8n);
      expect(page & 0x83n, 'present, writable, large').to.equal(0x83n);
      expect((page & ~0x1f_ffffn) | (linear & 0x1f_ffffn)).to.equal(linear);
    }
  });
  it('boot_params: setup header copied, command line, ramdisk, RSDP, e820', () => {
    const memory = new PlainRam(ramBytes);
    const initrd = Uint8Array.of(9, 8, 7);
    linux64.enter({ memory, rsdp: layout.acpiTables }, readImage(smallBzImage()), {
      commandLine: 'quiet',
      initrd,
      modules: [],
    });
    const params = BootParams.decode(memory.bytes, layout.linuxBootParams);
    expect(params.hdr).to.include({
      type_of_loader: 0xff,
      boot_flag: 0xaa55,
      version: 0x20f,
      setup_sects: 1,
      ramdisk_size: 3,
    });
    expect(params.acpi_rsdp_addr).to.equal(BigInt(layout.acpiTables));
    expect([...memory.readPhysical(params.hdr.ramdisk_image, 3)]).to.deep.equal([9, 8, 7]);
    expect(new TextDecoder().decode(memory.readPhysical(params.hdr.cmd_line_ptr, 6))).to.equal('quiet\0');
    const map = params.e820_table.slice(0, params.e820_entries);
    expect(map.map(({ addr, size, type }) => [Number(addr), Number(addr + size), type])).to.deep.equal([
      [0, 0xa_0000, 1],
      [0xa_0000, 0xe_0000, 2],
      [0xe_0000, 0xf_0000, 3],
      [0xf_0000, 0x10_0000, 2],
      [0x10_0000, ramBytes, 1],
    ]);
    expect(params.sentinel, 'sentinel stays 0: the page is clean').to.equal(0);
  });
  it('hardware_subarch is 0, a PC, unless the caller names another', () => {
    const subarch = (linux64Options?: Linux64Options): number => {
      const memory = new PlainRam(ramBytes);
      const options = { commandLine: '', modules: [], ...(linux64Options && { linux64: linux64Options }) };
      linux64.enter({ memory, rsdp: 0 }, readImage(smallBzImage()), options);
      return BootParams.decode(memory.bytes, layout.linuxBootParams).hdr.hardware_subarch;
    };
    expect(subarch()).to.equal(0);
    expect(subarch({ hardwareSubarch: HardwareSubarch.xen })).to.equal(2);
  });
  it('the initrd lies below initrd_addr_max and outside the kernel’s init_size', () => {
    const memory = new PlainRam(ramBytes);
    const image = readImage(smallBzImage({ initSize: 0xf0_0000 }));
    linux64.enter({ memory, rsdp: 0 }, image, { commandLine: '', initrd: new Uint8Array(0x18_0000), modules: [] });
    const { hdr } = BootParams.decode(memory.bytes, layout.linuxBootParams);
    expect(hdr.ramdisk_image + 0x18_0000).to.be.at.most(0x100_0000);
  });
  it('refuses what is no bzImage and says why', () => {
    expect(linux64.refuses(readImage(smallElf()))).to.contain('no bzImage');
    expect(linux64.refuses(readImage(smallBzImage()))).to.equal(undefined);
  });
  it('throws BootError with what to do when something does not fit', () => {
    const image = readImage(smallBzImage());
    const none = { commandLine: '', modules: [] };
    const target = { memory: new PlainRam(ramBytes), rsdp: 0 };
    expect(() => linux64.enter({ memory: new PlainRam(2 ** 24), rsdp: 0 }, image, none)).to.throw(
      BootError,
      '--memory 17M',
    );
    expect(() => linux64.enter(target, image, { ...none, commandLine: 'x'.repeat(2048) })).to.throw(BootError, '2047');
    expect(() => linux64.enter(target, image, { ...none, modules: [{ bytes: new Uint8Array(1) }] })).to.throw(
      BootError,
      'pvh',
    );
    expect(() => linux64.enter(target, image, { ...none, initrd: new Uint8Array(2 ** 25) })).to.throw(
      BootError,
      'initrd',
    );
  });
});
