import { expect } from 'chai';
import { pvh } from '../src/boot/pvh.js';
import { loadProcessorArtifacts } from '../src/host/processor-artifacts.js';
import { readImage } from '../src/loaders/read-image.js';
import { Machine, type MachineOptions } from '../src/machine.js';
import { platforms } from '../src/platform-description.js';
import { smallElf } from './support/images.js';

const word = (value: number): number[] => [...new Uint8Array(Uint32Array.of(value).buffer)];
const page = 0xfeff_f000;
const rounds = 40;

/** 32-bit code: `rounds` times the same accesses to the console's page and the ACPI tables, then a halt for good. */
const code = (() => {
  const body = [
    [0xb8, ...word(0x1234_5678)], // mov eax, 0x12345678
    [0x87, 0x05, ...word(page + 0x10)], // xchg [page + 0x10], eax
    [0xf0, 0x83, 0x05, ...word(page + 0x10), 1], // lock add dword [page + 0x10], 1
    [0xb8, ...word(0x1234_5679)],
    [0xb9, ...word(0xaabb_ccdd)],
    [0xf0, 0x0f, 0xb1, 0x0d, ...word(page + 0x10)], // lock cmpxchg [page + 0x10], ecx
    [0x0f, 0x94, 0x05, ...word(page + 0x18)], // sete [page + 0x18]
    [0x66, 0xc7, 0x05, ...word(page + 0x21), 0xef, 0xbe], // mov word [page + 0x21], 0xbeef
    [0x8b, 0x1d, ...word(page + 0x1f)], // mov ebx, [page + 0x1f]
    [0xf0, 0x0f, 0xba, 0x2d, ...word(page + 0x30), 7], // lock bts dword [page + 0x30], 7
    [0xbe, ...word(page + 0x10)], // mov esi, page + 0x10
    [0xbf, ...word(0x20_0000)], // mov edi, 2 MiB
    [0xb9, ...word(9)],
    [0xf3, 0xa4], // rep movsb
    [0x8b, 0x15, ...word(0xfc00_8000)], // mov edx, [the RSDP]
    [0x4d], // dec ebp
  ].flat();
  const back = -(body.length + 6);
  return [0xbd, ...word(rounds), ...body, 0x0f, 0x85, ...word(back >>> 0), 0xfa, 0xf4]; // jnz body; cli; hlt
})();

function run(compileAfter: NonNullable<MachineOptions['compileAfter']>): Machine {
  const elf = smallElf();
  elf.set(code, elf.length - 512 + 16); // at the entry
  const machine = new Machine({
    artifacts: loadProcessorArtifacts(),
    memoryBytes: 2 ** 26,
    platform: platforms.xen,
    compileAfter,
  });
  machine.boot(pvh, readImage(elf), { commandLine: '', modules: [] });
  machine.run(1_000_000);
  return machine;
}

describe('a guest in the special pages and the tables of platform xen', function () {
  this.timeout(20_000);
  for (const compileAfter of ['never', 1] as const) {
    it(`XCHG, LOCK, unaligned accesses and REP MOVS act as in RAM; compiled after: ${String(compileAfter)}`, () => {
      const machine = run(compileAfter);
      expect(machine.outcome?.outcome).to.equal('halted');
      const { registers } = machine.processor;
      const bytes = machine.platform.specialPages?.page(7) ?? new Uint8Array();
      expect([...bytes.subarray(0x10, 0x19)]).to.deep.equal([0xdd, 0xcc, 0xbb, 0xaa, 0, 0, 0, 0, 1]);
      expect([...bytes.subarray(0x1f, 0x24)]).to.deep.equal([0, 0, 0xef, 0xbe, 0]);
      expect(registers.get('rbx')).to.equal(0xbeef_0000n);
      expect(bytes[0x30]).to.equal(0x80);
      expect(machine.memory.readPhysical(0x20_0000, 9)).to.deep.equal(bytes.slice(0x10, 0x19));
      expect(registers.get('rdx')).to.equal(0x2044_5352n); // "RSD "
    });
  }
  it('the machine is saved with its platform and its pages, and restored so', () => {
    const machine = run('never');
    const restored = Machine.restore({ artifacts: loadProcessorArtifacts() }, machine.save());
    expect(restored.digest()).to.deep.equal(machine.digest());
    expect(restored.platform.uart).to.equal(undefined);
    expect(restored.platform.readMmio(page + 0x10, 4)).to.equal(0xaabb_ccdd);
  });
});
