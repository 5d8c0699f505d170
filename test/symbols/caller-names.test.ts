import { expect } from 'chai';
import { CallerNames } from '../../src/symbols/caller-names.js';
import { physicalAddress } from '../../src/symbols/page-walk.js';
import { FakeMemory } from '../firmware/fake-machine.js';
import {
  kallsymsImage,
  kallsymsLayouts,
  testSymbols,
  textStart,
  type KallsymsLayout,
} from '../support/kallsyms-image.js';

const present = 3n;
const large = 0x83n;
const cr3 = 0x1000n;
const kernelAt = 0x60_0000; // guest-physical
const distance = 0x1a00_0000n; // of KASLR
const start = textStart + distance;

/** RAM with a kernel at `kernelAt` that is mapped at `start` in one piece of 2 MiB, and a stack in a page of 4 KiB. */
function memoryWith(layout: KallsymsLayout): FakeMemory {
  const memory = new FakeMemory(16 << 20);
  const entry = (table: number, index: bigint, value: bigint): void => {
    new DataView(memory.ram.buffer).setBigUint64(table + Number(index) * 8, value, true);
  };
  const index = (address: bigint, shift: bigint): bigint => (address >> shift) & 0x1ffn;
  entry(0x1000, index(start, 39n), 0x2000n | present);
  entry(0x2000, index(start, 30n), 0x3000n | present);
  entry(0x3000, index(start, 21n), BigInt(kernelAt) | large);
  entry(0x3000, index(stack, 21n), 0x4000n | present);
  entry(0x4000, index(stack, 12n), 0x9000n | present);
  memory.ram.set(kallsymsImage(layout, testSymbols(layout)).bytes, kernelAt);
  relocate(memory.ram);
  return memory;
}
const stack = 0xffff_ffff_9f00_0000n;

/** KASLR moves the base that the offsets count from; tables from 7.0 on have none. */
function relocate(ram: Uint8Array): void {
  const view = new DataView(ram.buffer);
  for (let at = kernelAt; at + 8 <= ram.length; at += 8)
    if (view.getBigUint64(at, true) === textStart) view.setBigUint64(at, start, true);
}

const target = (memory: FakeMemory, rbp = 0n) => ({ memory, processor: { registers: { cr3, get: () => rbp } } });

describe('names of callers', () => {
  it('Intel SDM volume 3, 4.5.4: pages of 4 KiB, 2 MiB and 1 GiB, and what is not mapped', () => {
    const memory = memoryWith('from 7.0');
    const read = (at: number, length: number): Uint8Array => memory.readPhysical(at, length);
    expect(physicalAddress(read, cr3, start + 0x1_2345n)).to.equal(kernelAt + 0x1_2345);
    expect(physicalAddress(read, cr3, stack + 0x10n)).to.equal(0x9010);
    expect(physicalAddress(read, cr3, stack + 0x1000n)).to.equal(undefined);
    expect(physicalAddress(read, cr3, 0x1000n)).to.equal(undefined);
    new DataView(memory.ram.buffer).setBigUint64(0x2000 + 8, 0x4000_0000n | large, true);
    expect(physicalAddress(read, cr3, (start & ~((1n << 39n) - 1n)) + 0x4567_89abn)).to.equal(0x4567_89ab);
  });
  for (const layout of kallsymsLayouts) {
    it(`Linux ${layout}: by the symbols that the kernel has in memory, wherever it runs`, () => {
      const names = new CallerNames(target(memoryWith(layout)));
      const first = layout === 'from 7.0' ? 0 : 10;
      expect(names.nameOf(start + 48n * 7n + 5n)).to.equal(`function_${String(first + 7)}+0x5`);
      expect(names.nameOf(start - 0x20_0000n), 'not mapped').to.equal(undefined);
    });
  }
  it('looks anew when the address is mapped elsewhere: another kernel', () => {
    const memory = memoryWith('6.5 to 6.19');
    const names = new CallerNames(target(memory));
    expect(names.nameOf(start)).to.match(/^function_/);
    memory.ram.copyWithin(0x80_0000, kernelAt, kernelAt + 0x20_0000);
    new DataView(memory.ram.buffer).setBigUint64(
      0x3000 + Number((start >> 21n) & 0x1ffn) * 8,
      0x80_0000n | large,
      true,
    );
    memory.ram.fill(0, kernelAt, kernelAt + 0x20_0000);
    expect(names.nameOf(start)).to.match(/^function_/);
  });
  it('a kernel without symbols has no names, nor has an address outside RAM', () => {
    const memory = memoryWith('from 7.0');
    memory.ram.fill(0x90, kernelAt, kernelAt + 0x20_0000);
    expect(new CallerNames(target(memory)).nameOf(start)).to.equal(undefined);
    new DataView(memory.ram.buffer).setBigUint64(
      0x3000 + Number((start >> 21n) & 0x1ffn) * 8,
      0x8000_0000n | large,
      true,
    );
    expect(new CallerNames(target(memory)).nameOf(start)).to.equal(undefined);
  });
  it("behind Linux's __efi_call stands who called that", () => {
    const memory = memoryWith('from 7.0');
    const symbols = testSymbols('from 7.0').map((symbol, i) => (i === 2 ? { ...symbol, text: 't__efi_call' } : symbol));
    memory.ram.set(kallsymsImage('from 7.0', symbols).bytes, kernelAt);
    new DataView(memory.ram.buffer).setBigUint64(0x9028, start + 48n * 4n + 1n, true);
    const names = new CallerNames(target(memory, stack + 0x20n));
    expect(names.ofCall(start + 48n * 2n + 3n)).to.equal('__efi_call+0x3 from function_4+0x1');
    expect(names.ofCall(start + 48n * 3n)).to.equal('function_3+0x0');
    expect(new CallerNames(target(memory, 0x10n)).ofCall(start + 48n * 2n)).to.equal('__efi_call+0x0');
  });
  it('an EFI image by its offset, the first as image, others by their base', () => {
    const names = new CallerNames(target(memoryWith('from 7.0')));
    const entered = (base: number): void => {
      names.happened({ event: 'image-entry', details: {}, address: 0n, tick: 0, image: { base, bytes: 0x1000 } });
    };
    entered(0x10_0000);
    entered(0x20_0000);
    expect(names.nameOf(0x10_0fffn)).to.equal('image+0xfff');
    expect(names.nameOf(0x20_0010n)).to.equal('image@0x200000+0x10');
    expect(names.nameOf(0x10_1000n)).to.equal(undefined);
  });
});
