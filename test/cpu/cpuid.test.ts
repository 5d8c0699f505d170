import { expect } from 'chai';
import { announcedFeatures, cpuid } from '../../src/cpu/cpuid.js';

const text = (...registers: number[]) =>
  String.fromCharCode(...registers.flatMap((value) => [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff)));

describe('CPUID (Intel SDM volume 2)', () => {
  it('leaf 0: GenuineIntel', () => {
    const [, ebx, ecx, edx] = cpuid(0, 0);
    expect(text(ebx, edx, ecx)).to.equal('GenuineIntel');
  });
  it('leaf 1: family 6 model 0x1c stepping 10, features exactly as decided', () => {
    const [eax, ebx, ecx, edx] = cpuid(1, 0);
    expect(eax).to.equal(0x0001_06ca);
    expect(ebx >>> 24).to.equal(0);
    expect(ecx).to.equal(0x4100_2000);
    expect(edx).to.equal(0x0781_ab79);
  });
  it('the hypervisor bit is clear and no hypervisor leaf answers', () => {
    expect(cpuid(1, 0)[2] >>> 31).to.equal(0);
    expect(cpuid(0x4000_0000, 0)).to.deep.equal([0, 0, 0, 0]);
  });
  it('leaf 15H gives a TSC of 1 GHz from a 25 MHz crystal', () => {
    const [denominator, numerator, crystal] = cpuid(0x15, 0);
    expect((crystal * numerator) / denominator).to.equal(1e9);
    expect(cpuid(0x16, 0)[0]).to.equal(1000);
  });
  it('leaf 6: ARAT; leaf 7: nothing', () => {
    expect(cpuid(6, 0)[0]).to.equal(4);
    expect(cpuid(7, 0)).to.deep.equal([0, 0, 0, 0]);
  });
  it('leaf 4: cache sizes are ways * line * sets, the list ends with type 0', () => {
    const size = (subleaf: number) => {
      const [, ebx, ecx] = cpuid(4, subleaf);
      return ((ebx >>> 22) + 1) * ((ebx & 0xfff) + 1) * (ecx + 1);
    };
    expect([size(0), size(1), size(2)]).to.deep.equal([32768, 32768, 2 << 20]);
    expect(cpuid(4, 3)[0]).to.equal(0);
  });
  it('leaf 0BH: one thread, one core, then an invalid level', () => {
    expect(cpuid(0xb, 0)).to.deep.equal([0, 1, 0x100, 0]);
    expect(cpuid(0xb, 1)).to.deep.equal([0, 1, 0x201, 0]);
    expect(cpuid(0xb, 2)).to.deep.equal([0, 0, 2, 0]);
  });
  it('extended leaves: SYSCALL, NX, LM, invariant TSC, address sizes, brand', () => {
    expect(cpuid(0x8000_0001, 0)[3]).to.equal(0x2010_0800);
    expect(cpuid(0x8000_0007, 0)[3]).to.equal(0x100);
    expect(cpuid(0x8000_0008, 0)[0]).to.equal(0x3028);
    const brand = [2, 3, 4].map((leaf) => text(...cpuid(0x8000_0000 + leaf, 0))).join('');
    expect(brand).to.match(/^efikit[^\0]*\0+$/);
  });
  it('a basic leaf beyond the last one repeats the last one', () => {
    expect(cpuid(0x17, 0)).to.deep.equal(cpuid(0x16, 0));
    expect(cpuid(-1 >>> 0, 0)).to.deep.equal(cpuid(0x16, 0));
  });
  it('no feature is listed twice', () => {
    const keys = announcedFeatures.map(({ leaf, register, bit }) => `${String(leaf)} ${register} ${String(bit)}`);
    expect(new Set(keys).size).to.equal(keys.length);
  });
});
