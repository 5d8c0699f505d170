import { expect } from 'chai';
import type { CompileAfter } from '../../src/cpu/hot/tier.js';
import { EmulatedProcessor } from '../../src/cpu/processor.js';
import type { SegmentState } from '../../src/cpu/types.js';
import { buildArtifacts } from '../instructions/processor-subject.js';
import { emptyBus } from '../support/empty-bus.js';

const code = 0x1000;
const flat = (attributes: number): SegmentState => ({ selector: 8, base: 0n, limit: 0xffff_ffff, attributes });
const rounds = 300;

/** A loop that asks devices in every way, and the offsets in it at which it does, by the call of the bus. */
const loop = [
  ...[0xbe, rounds & 0xff, rounds >> 8, 0, 0], // mov esi, rounds
  ...[0xe4, 0x20], // 5: in al, 0x20
  0x90,
  ...[0xe6, 0x21], // 8: out 0x21, al
  ...[0xa1, 0x00, 0x00, 0xe0, 0xfe], // 10: mov eax, [0xfee00000]
  ...[0x01, 0x05, 0x30, 0x00, 0xe0, 0xfe], // 15: add [0xfee00030], eax
  ...[0x31, 0xc0], // xor eax, eax
  ...[0x0f, 0xa2], // 23: cpuid
  ...[0xb9, 0x1b, 0, 0, 0], // mov ecx, 0x1b
  ...[0x0f, 0x32], // 30: rdmsr
  ...[0x0f, 0x30], // 32: wrmsr
  ...[0xb9, 3, 0, 0, 0], // mov ecx, 3
  ...[0xbf, 0x40, 0x00, 0xe0, 0xfe], // mov edi, 0xfee00040
  ...[0xf3, 0xab], // 44: rep stosd
  0x4e, // dec esi
  ...[0x75, 5 - 49], // jnz 5
  0xf4, // 49: hlt
];
const expected = [
  ...[
    '5 readPort',
    '8 writePort',
    '10 readMmio',
    '15 readMmio',
    '15 writeMmio',
    '23 cpuid',
    '30 readMsr',
    '32 writeMsr',
  ],
  ...['44 writeMmio', '44 writeMmio', '44 writeMmio'],
];

function observe(compileAfter: CompileAfter, slice: number): readonly string[] {
  const calls: string[] = [];
  const note = <Result>(what: string, result: Result): Result => {
    calls.push(`${String(processor.currentInstruction() - BigInt(code))} ${what}`);
    return result;
  };
  const processor = new EmulatedProcessor({
    ramBytes: 0x1_0000,
    artifacts: buildArtifacts(),
    compileAfter,
    observing: true,
    bus: {
      ...emptyBus,
      readPort: () => note('readPort', 0xff),
      writePort: () => {
        note('writePort', undefined);
      },
      readMmio: () => note('readMmio', 1),
      writeMmio: () => {
        note('writeMmio', undefined);
      },
      cpuid: () => note('cpuid', [0, 0, 0, 0]),
      readMsr: () => note('readMsr', 5n),
      writeMsr: () => note('writeMsr', true),
    },
  });
  const { memory, registers } = processor;
  memory.writePhysical(code, Uint8Array.from(loop));
  registers.cr0 = 0x11n;
  registers.setSegment('cs', flat(0xc09b));
  for (const name of ['ss', 'ds', 'es'] as const) registers.setSegment(name, flat(0xc093));
  registers.rip = BigInt(code);
  registers.set('rsp', 0x8000n);
  expect(processor.currentInstruction()).to.equal(BigInt(code));
  for (let until = slice; processor.run(until) === 'budget'; until += slice) {
    expect(processor.currentInstruction()).to.equal(registers.rip);
  }
  return calls;
}

describe('the instruction that is executed', () => {
  for (const [compileAfter, slice] of [
    ['never', Infinity],
    [1, Infinity],
    [20, Infinity],
    ['random', 11],
    [1, 1],
  ] as const) {
    it(`is known in every callback of the bus: compiled after ${String(compileAfter)}, slices of ${String(slice)}`, () => {
      const calls = observe(compileAfter, slice);
      expect(calls).to.deep.equal(Array.from({ length: rounds }, () => expected).flat());
    });
  }

  it('is the call in ProcessorBus.hypercall, and the next one in the callback of a breakpoint', () => {
    const seen: bigint[] = [];
    const processor = new EmulatedProcessor({
      ramBytes: 0x1_0000,
      artifacts: buildArtifacts(),
      observing: true,
      hypercall: 'vmcall',
      bus: {
        ...emptyBus,
        hypercall: () => {
          seen.push(processor.currentInstruction());
        },
      },
    });
    const { memory, registers } = processor;
    memory.writePhysical(code, Uint8Array.of(0x90, 0x0f, 0x01, 0xc1, 0x90, 0xf4));
    registers.cr0 = 0x11n;
    registers.setSegment('cs', flat(0xc09b));
    registers.rip = BigInt(code);
    processor.setBreakpoint(code + 4, () => {
      seen.push(processor.currentInstruction());
    });
    expect(processor.run(100)).to.equal('halted');
    expect(seen).to.deep.equal([0x1001n, 0x1004n]);
    expect(processor.currentInstruction()).to.equal(registers.rip);
  });
});
