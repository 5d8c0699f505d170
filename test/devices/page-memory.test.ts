import { expect } from 'chai';
import { PageMemory } from '../../src/devices/page-memory.js';
import { SpecialPage, specialFrame, SpecialPages } from '../../src/devices/special-pages.js';

describe('pages behind MMIO windows', () => {
  it('read back what was written with 1, 2 and 4 bytes, little endian, and begin as zeroes', () => {
    const memory = new PageMemory(0x1000, 2);
    memory.writeMmio(0x10, 4, 0x8899_aabb);
    memory.writeMmio(0x12, 1, 0x177);
    memory.writeMmio(0x1ffe, 2, 0xc0de);
    expect([memory.readMmio(0x10, 4), memory.readMmio(0x11, 1), memory.readMmio(0x12, 2)]).to.deep.equal([
      0x8877_aabb, 0xaa, 0x8877,
    ]);
    expect([...memory.page(1).subarray(0xffc)]).to.deep.equal([0, 0, 0xde, 0xc0]);
    expect(memory.readMmio(0x20, 4)).to.equal(0);
  });
  it('page(n) is the page itself, also after a restore', () => {
    const memory = new PageMemory(0x1000, 2);
    const page = memory.page(1);
    page[3] = 7;
    expect(memory.readMmio(0x1003, 1)).to.equal(7);
    const saved = JSON.parse(JSON.stringify(memory.save())) as ReturnType<PageMemory['save']>;
    expect(Object.keys(saved)).to.deep.equal(['1']);
    page.fill(0);
    memory.page(0)[0] = 1;
    memory.restore(saved);
    expect([page[3], memory.page(0)[0]]).to.deep.equal([7, 0]);
    expect(() => memory.page(2)).to.throw(RangeError, 'none of the 2 pages');
  });
  it('by guest-physical address: what is covered, read and written', () => {
    const memory = new PageMemory(0x1000, 1);
    memory.write(0x1ffe, Uint8Array.of(5, 6));
    expect(memory.read(0x1ffe, 2)).to.deep.equal(Uint8Array.of(5, 6));
    expect([memory.covers(0x1ffe, 2), memory.covers(0x1ffe, 3), memory.covers(0xfff, 1)]).to.deep.equal([
      true,
      false,
      false,
    ]);
  });
  it('Xen xg_dom_x86.c: eight special pages end at 0xff000000, xenstore is frame 0xfeffc, the console 0xfefff', () => {
    const pages = new SpecialPages();
    expect([pages.address, pages.pages]).to.deep.equal([0xfeff_8000, 8]);
    expect([specialFrame(SpecialPage.xenstore), specialFrame(SpecialPage.console)]).to.deep.equal([0xfeffc, 0xfefff]);
  });
});
