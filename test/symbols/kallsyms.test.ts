import { expect } from 'chai';
import { readImage } from '../../src/loaders/read-image.js';
import { readKallsyms, SymbolsError } from '../../src/symbols/kallsyms.js';
import { kallsymsImage, kallsymsLayouts, testSymbols, textStart } from '../support/kallsyms-image.js';
import { cachedKernel, kernelNames } from '../support/kernels.js';
import { smallElf } from '../support/images.js';

describe('kallsyms (Linux scripts/kallsyms.c)', () => {
  for (const layout of kallsymsLayouts) {
    it(`Linux ${layout}: all names and addresses`, () => {
      const symbols = testSymbols(layout);
      const table = readKallsyms(kallsymsImage(layout, symbols));
      expect(table.count).to.equal(symbols.length);
      symbols.forEach(({ text, address }, i) => {
        expect(table.at(i)).to.deep.equal({ name: text.slice(1), type: text[0], address });
      });
    });
  }
  it('find, nearest and physicalOf', () => {
    const table = readKallsyms(kallsymsImage('6.5 to 6.19', testSymbols('6.5 to 6.19')));
    expect(table.find('function_10')?.address).to.equal(textStart);
    expect(table.find('function_9')).to.equal(undefined);
    expect(table.nearest(textStart + 50n)).to.deep.include({ offset: 2n });
    expect(table.nearest(textStart + 890n * 48n)?.symbol.name, 'the first of two').to.equal('function_900');
    expect(table.nearest(2n ** 64n - 1n)?.symbol.name).to.equal('function_2499');
    expect(table.physicalOf('function_11')).to.equal(0x100_0030);
    expect(table.physicalOf('per_cpu_1'), 'per-CPU: no address').to.equal(undefined);
    expect(table.physicalOf('nothing')).to.equal(undefined);
  });
  it('a kernel without a table, and one that is cut, throw SymbolsError', () => {
    const elf = readImage(smallElf()).elf();
    if (elf === undefined) throw new Error('no ELF');
    expect(() => readKallsyms(elf)).to.throw(SymbolsError, 'CONFIG_KALLSYMS');
    const whole = kallsymsImage('up to 6.1', testSymbols('up to 6.1'));
    for (let length = 0x1000; length < 2 ** 17; length += 0x1777) {
      try {
        readKallsyms({ ...whole, bytes: whole.bytes.subarray(0, length) });
      } catch (error) {
        expect(error).to.be.instanceOf(SymbolsError);
      }
    }
  });
  for (const name of kernelNames) {
    it(`Debian's ${name}: pvh_start_xen is where the PVH note says, the entry is startup_64`, async function () {
      this.timeout(30_000);
      const image = readImage(cachedKernel(this, name));
      await image.prepare();
      const elf = image.elf();
      if (elf === undefined) throw new Error('no ELF');
      const table = readKallsyms(elf);
      expect(table.count).to.be.at.least(80_000);
      expect(table.physicalOf('pvh_start_xen')).to.equal(elf.pvhEntry);
      expect(table.physicalOf('startup_64')).to.equal(Number(elf.entry));
      expect(table.find('_text')?.address).to.equal(textStart);
      for (const symbol of ['start_kernel', 'x86_64_start_kernel', 'rest_init', 'setup_arch', 'run_init_process']) {
        const found = table.find(symbol);
        expect(found?.type.toLowerCase(), symbol).to.equal('t');
        expect(table.nearest((found?.address ?? 0n) + 1n)?.symbol.name).to.equal(symbol);
      }
    });
  }
});
