import { expect } from 'chai';
import { gateCode } from '../../src/firmware/index.js';
import type { ElfImage, LoadedImage } from '../../src/loaders/image.js';
import { CodeAreas } from '../../src/probe/code/code-areas.js';
import { CodeNames } from '../../src/probe/code/code-names.js';
import { executionsOf } from '../../src/probe/code/code-counts.js';
import { ExecutionCounter } from '../../src/probe/code/execution-counter.js';
import { modeName, stretchOf, type Stretch, type TakenCounts } from '../../src/probe/code/executed-code.js';
import { KernelPlace } from '../../src/symbols/kernel-place.js';
import { kallsymsImage, testSymbols, textStart } from '../support/kallsyms-image.js';
import { PlainRam } from '../support/ram.js';

const elf: ElfImage = kallsymsImage('from 7.0', testSymbols('from 7.0'));
const linkedAt = 0x100_0000;
const physicalDistance = 0x20_0000;
const virtualDistance = 0x1a00_0000n;
const long = 1 | 4 | 16; // MODE_LONG, MODE_PAGING, MODE_LMA
const user = 8;

/** A file with code that differs from byte to byte, of which a guest may have copies. */
const file = Uint8Array.from({ length: 0x2000 }, (_, i) => Math.imul(i + 1, 0x9e37_79b1) >>> 24);
const image = {
  kind: 'bzimage',
  bytes: file,
  setup: {},
  pe: {
    sections: [{ name: '.text', virtualAddress: 0x1000, virtualSize: 0x1000, fileOffset: 0x800, fileSize: 0x1000 }],
  },
} as unknown as LoadedImage;

const taken = (...executed: readonly (readonly [bigint, number, number])[]): TakenCounts => ({
  addresses: BigUint64Array.from(executed, ([address]) => address),
  lengths: Uint8Array.from(executed, () => 1),
  modes: Uint16Array.from(executed, ([, mode]) => mode),
  counts: Float64Array.from(executed, ([, , count]) => count),
});

function runningKernel(): { ram: PlainRam; kernel: KernelPlace; areas: CodeAreas } {
  const ram = new PlainRam(2 ** 25);
  const kernel = KernelPlace.of(elf)!;
  kernel.physicalDistance = physicalDistance;
  kernel.decoded(textStart + virtualDistance + 48n, linkedAt + physicalDistance + 48);
  return { ram, kernel, areas: new CodeAreas({ memory: ram }, image, true, kernel) };
}

describe('executed code', () => {
  it('Intel SDM volume 3, 2.2: modes are told by LMA, CS.L, CS.D, paging and CPL', () => {
    expect([0, 2, 2 | 4, 4 | 16 | 2, long, long | user, 2 | 4 | 16 | user, 2 | 4 | user].map(modeName)).to.deep.equal([
      '16-bit protected',
      '32-bit protected, no paging',
      '32-bit protected, paging',
      'compatibility',
      '64-bit',
      '64-bit, user',
      'compatibility, user',
      '32-bit protected, user',
    ]);
  });

  it('the same instruction of the kernel is one, at its physical address and wherever KASLR put the virtual one', () => {
    const { areas } = runningKernel();
    areas.kernelStands = true;
    const offset = Number(textStart - 0xffff_ffff_8000_0000n) + 100;
    const virtual = textStart + virtualDistance + 100n;
    const physical = BigInt(linkedAt + physicalDistance + 100);
    expect(areas.placeOf(virtual)).to.deep.equal({ area: 'kernel', offset });
    expect(areas.placeOf(physical)).to.deep.equal({ area: 'kernel', offset });
    const { code, instructions } = stretchOf(
      { from: 'kernel-entry', to: 'end', inBootServices: false },
      taken([virtual, long, 3], [physical, long, 4]),
      areas,
    );
    expect([instructions, [...code.kernel.offsets], [...code.kernel.counts]]).to.deep.equal([7, [offset], [7]]);
  });

  it('low addresses are the kernel only when it stands there: its decompressor runs within its place', () => {
    const { ram, areas } = runningKernel();
    const copy = linkedAt + physicalDistance + 0x1000;
    ram.writePhysical(copy, file);
    expect(areas.placeOf(BigInt(copy + 0x900))).to.deep.equal({ area: 'file', offset: 0x900 });
    expect(areas.placeOf(BigInt(copy + 0x123))).to.deep.equal({ area: 'file', offset: 0x123 });
    areas.kernelStands = true;
    expect(areas.placeOf(BigInt(copy + 0x900)).area).to.equal('kernel');
  });

  it('images by what the firmware enters, gates by their bytes, the rest by where it lies', () => {
    const { ram, areas } = runningKernel();
    areas.happened({ event: 'image-entry', details: {}, address: 0n, tick: 0, image: { base: 0x5000, bytes: 0x3000 } });
    areas.happened({ event: 'image-entry', details: {}, address: 0n, tick: 0, image: { base: 0x9000, bytes: 0x1000 } });
    ram.writePhysical(0x3000, gateCode(0x41));
    const places = [0x6010n, 0x9010n, 0x3000n, 0x3006n, 0x1f_0000n].map((address) => areas.placeOf(address));
    expect(places).to.deep.equal([
      { area: 'file', offset: 0x810 }, // RVA 0x1010 in .text
      { area: 'application', offset: 0x10 },
      { area: 'firmware', offset: 0x410 },
      { area: 'firmware', offset: 0x411 },
      { area: 'elsewhere', offset: 0x1f_0000 },
    ]);
    areas.gateAt(0xffff_fffe_ff00_0006n, 0x42); // a runtime gate at its virtual address
    expect(areas.placeOf(0xffff_fffe_ff00_0000n)).to.deep.equal({ area: 'firmware', offset: 0x420 });
    expect(areas.placeOf(0xffff_ffff_c010_0000n).area).to.equal('modules');
    expect(areas.placeOf(0x7fff_1234_5678n, true)).to.deep.equal({ area: 'user', offset: 0x7fff_1234_5678 });
  });

  it('units: functions, sections, gates and owners, with sums that are those of the stretch', () => {
    const { areas, kernel } = runningKernel();
    areas.happened({ event: 'image-entry', details: {}, address: 0n, tick: 0, image: { base: 0x5000, bytes: 0x3000 } });
    const slots = new Map([[0x41, { name: 'GetVariable' }]]);
    const names = new CodeNames('efi', image, kernel, { slots } as never);
    areas.gateAt(0x3006n, 0x41);
    const at = (offset: bigint): bigint => textStart + virtualDistance + offset;
    const executed = taken(
      [at(0n), long, 1],
      [at(10n), long, 2],
      [at(48n), long, 4],
      [0x6010n, long, 8],
      [0x3000n, long, 16],
      [0x4000_0000n, long | user, 32],
      [0xffff_8880_0000_0000n, long, 64],
    );
    const stretch = stretchOf({ from: 'entry', to: 'exit-boot-services', inBootServices: true }, executed, areas);
    const units = names.unitsOf(stretch);
    expect(
      units.map(({ name, subsystem, instructions, addresses }) => [name, subsystem, instructions, addresses]),
    ).to.deep.equal([
      ['elsewhere', 'elsewhere', 64, 1],
      ['user space', 'user space', 32, 1],
      ['GetVariable', 'firmware gates', 16, 1],
      ['EFI stub .text', 'EFI stub', 8, 1],
      ['function_1', 'other', 4, 1],
      ['function_0', 'other', 3, 2],
    ]);
    expect(units.reduce((sum, { instructions }) => sum + instructions, 0)).to.equal(stretch.instructions);
    expect([...stretch.modes]).to.deep.equal([
      ['64-bit', 95],
      ['64-bit, user', 32],
    ]);
    expect(names.withOffset(areas.placeOf(at(50n)).offset)).to.equal('function_1+0x2');
    expect(names.unit({ area: 'file', offset: 0x810 }, false).subsystem).to.equal('decompressor');
  });

  it('counts are taken at each point, and everything that was executed is in one stretch', () => {
    const { areas } = runningKernel();
    const takes = [taken([0x10n, 0, 5]), taken(), taken([0x20n, 2, 7])];
    const told: Stretch[] = [];
    const processor = { takeCounts: () => takes.shift() ?? taken() };
    const counter = new ExecutionCounter(processor, areas, undefined, (stretch) => told.push(stretch));
    for (const point of ['entry', 'kernel-entry', 'symbol:x86_64_start_kernel', 'start_kernel']) counter.passed(point);
    counter.ended();
    expect(told.map(({ from, to, instructions }) => [from, to, instructions])).to.deep.equal([
      ['entry', 'kernel-entry', 5],
      ['symbol:x86_64_start_kernel', 'start_kernel', 7],
    ]);
    expect(executionsOf(told[0]!.code.elsewhere)).to.equal(5);
  });
});
