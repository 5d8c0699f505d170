import { expect } from 'chai';
import { ExecutionCounts, EXECUTION_COUNT_BYTES } from '../../src/cpu/execution-counts.js';
import type { CompileAfter } from '../../src/cpu/hot/tier.js';
import type { ExecutedInstructions } from '../../src/cpu/instruction-counts.js';
import { EmulatedProcessor } from '../../src/cpu/processor.js';
import * as L from '../../src/cpu/state-layout.js';
import type { ProcessorBus, SegmentState } from '../../src/cpu/types.js';
import { buildArtifacts } from '../instructions/processor-subject.js';
import { emptyBus } from '../support/empty-bus.js';

const code = 0x1000;
const handler = 0x2000;
const HLT = 0xf4;
const flat = (attributes: number): SegmentState => ({ selector: 8, base: 0n, limit: 0xffff_ffff, attributes });

/** Times by offset in the code; an instruction that is there in several lengths or modes is the sum. */
function byOffset({ addresses, counts }: ExecutedInstructions): Record<number, number> {
  const times: Record<number, number> = {};
  addresses.forEach((address, i) => {
    const offset = Number(address) - code;
    times[offset] = (times[offset] ?? 0) + (counts[i] ?? 0);
  });
  return times;
}

const sum = ({ counts }: ExecutedInstructions): number => counts.reduce((all, times) => all + times, 0);

/** 32-bit code without paging; #DE leads to `handler`, which skips the two bytes of a division. */
function processorOf(bytes: readonly number[], compileAfter: CompileAfter, bus: Partial<ProcessorBus> = {}) {
  const processor = new EmulatedProcessor({
    ramBytes: 0x10_0000,
    artifacts: buildArtifacts(),
    compileAfter,
    observing: true,
    bus: { ...emptyBus, ...bus },
  });
  const { memory, registers } = processor;
  memory.writePhysical(code, Uint8Array.from(bytes));
  memory.writePhysical(handler, Uint8Array.of(0x83, 0x04, 0x24, 2, 0xcf)); // add dword [esp], 2; iretd
  memory.writePhysical(0x3000, Uint8Array.of(handler, handler >> 8, 8, 0, 0, 0x8e, 0, 0));
  memory.writePhysical(0x4008, Uint8Array.of(0xff, 0xff, 0, 0, 0, 0x9b, 0xcf, 0));
  registers.cr0 = 0x11n;
  registers.gdtr = { base: 0x4000n, limit: 0x17 };
  registers.idtr = { base: 0x3000n, limit: 0x7f };
  registers.setSegment('cs', flat(0xc09b));
  for (const name of ['ss', 'ds', 'es'] as const) registers.setSegment(name, flat(0xc093));
  registers.rip = BigInt(code);
  registers.set('rsp', 0x8000n);
  return processor;
}

/** Runs to the end in slices, takes the counts now and then. */
function counted(processor: EmulatedProcessor, slice: number, takeEach = 3): Record<number, number> {
  const all: Record<number, number> = {};
  let total = 0;
  const take = (): void => {
    const taken = processor.takeCounts();
    total += sum(taken);
    expect(total).to.equal(processor.ticks - processor.extraTicks);
    for (const [offset, times] of Object.entries(byOffset(taken)))
      all[Number(offset)] = (all[Number(offset)] ?? 0) + times;
  };
  let [until, slices] = [slice, 0];
  for (; processor.run(until) === 'budget'; until += slice) if (++slices % takeEach === 0) take();
  take();
  return all;
}

const ways: readonly (readonly ['never' | 'random' | number, number])[] = [
  ['never', Infinity],
  ['never', 7],
  ['never', 1],
  [1, Infinity],
  [1, 7],
  [1, 1],
  [500, Infinity],
  [500, 1013],
  ['random', 101],
];

describe('execution counts', () => {
  for (const [compileAfter, slice] of ways) {
    describe(`compiled after ${String(compileAfter)}, slices of ${String(slice)}`, () => {
      it('each instruction as often as it was retired, branches out of the middle of a block included', () => {
        const program = [
          ...[0xb9, 0xb8, 0x0b, 0, 0], // mov ecx, 3000
          ...[0xf6, 0xc1, 3], // 5: test cl, 3
          ...[0x74, 3], // 8: jz 13, three times in four not
          0x43, // 10: inc ebx
          ...[0x89, 0xd8], // 11: mov eax, ebx
          0x49, // 13: dec ecx
          ...[0x75, 5 - 16], // 14: jnz 5
          HLT,
        ];
        const processor = processorOf(program, compileAfter);
        expect(counted(processor, slice)).to.deep.equal({
          ...{ 0: 1, 5: 3000, 8: 3000, 10: 2250, 11: 2250, 13: 3000, 14: 3000, 16: 1 },
        });
        if (compileAfter === 1 || slice > 7 * 500)
          expect(processor.hot.statistics.regions > 0).to.equal(compileAfter !== 'never');
      });

      it('iterations of an instruction with REP, one tick where ECX is 0', () => {
        const program = [
          ...[0xbe, 200, 0, 0, 0], // mov esi, 200
          ...[0xb9, 40, 0, 0, 0, 0xbf, 0xe0, 0x5f, 0, 0], // 5: mov ecx, 40; 10: mov edi, 0x5fe0: over a page's end
          ...[0xf3, 0xab], // 15: rep stosd
          ...[0xf3, 0xaa], // 17: rep stosb, with ECX 0
          ...[0xb1, 30, 0xf2, 0xae], // 19: mov cl, 30; 21: repne scasb finds AL at once
          ...[0xb1, 6, 0xf3, 0x6c], // 23: mov cl, 6; 25: rep insb
          ...[0x31, 0xc0], // 27: xor eax, eax
          ...[0x4e, 0x75, 5 - 32, HLT], // 29: dec esi; 30: jnz 5
        ];
        const processor = processorOf(program, compileAfter, { readPort: () => 0 });
        expect(counted(processor, slice)).to.deep.equal({
          ...{
            0: 1,
            5: 200,
            10: 200,
            15: 8000,
            17: 200,
            19: 200,
            21: 200,
            23: 200,
            25: 1200,
            27: 200,
            29: 200,
            30: 200,
            32: 1,
          },
        });
      });

      it('not what faults, in the middle of a block', () => {
        const program = [
          ...[0xbe, 0x2c, 1, 0, 0], // mov esi, 300
          ...[0x31, 0xc9, 0x43], // 5: xor ecx, ecx; 7: inc ebx
          ...[0xf7, 0xf1], // 8: div ecx
          0x43, // 10: inc ebx
          ...[0x4e, 0x75, 5 - 14, HLT], // 11: dec esi; 12: jnz 5
        ];
        expect(counted(processorOf(program, compileAfter), slice)).to.deep.equal({
          ...{
            0: 1,
            5: 300,
            7: 300,
            10: 300,
            11: 300,
            12: 300,
            14: 1,
            [handler - code]: 300,
            [handler - code + 4]: 300,
          },
        });
      });

      it('code that was changed as what it was when it ran', () => {
        const program = [
          ...[0xb9, 100, 0, 0, 0], // mov ecx, 100
          0x43, // 5: inc ebx, or dec ebx
          ...[0x80, 0x35, 5, 0x10, 0, 0, 8], // 6: xor byte [0x1005], 8
          ...[0x49, 0x75, 5 - 16], // 13: dec ecx; 14: jnz 5
          HLT,
        ];
        expect(counted(processorOf(program, compileAfter), slice)).to.deep.equal({
          ...{ 0: 1, 5: 100, 6: 100, 13: 100, 14: 100, 16: 1 },
        });
      });

      it('when the memory of the records is used anew, and when translations are forgotten', () => {
        const program = [
          ...[0xb9, 0xb8, 0x0b, 0, 0], // mov ecx, 3000
          ...[0xe8, 5, 0, 0, 0], // 5: call 15
          ...[0x49, 0x75, 5 - 13], // 10: dec ecx; 11: jnz 5
          ...[HLT, 0x90], // 13: hlt
          ...[0x43, 0xc3], // 15: inc ebx; 16: ret
        ];
        const processor = processorOf(program, compileAfter);
        const { decoder } = processor as unknown as { readonly decoder: { cursor: number } };
        const expected = { 0: 1, 5: 3000, 10: 3000, 11: 3000, 13: 1, 15: 3000, 16: 3000 };
        const total: Record<number, number> = {};
        const add = (more: Record<number, number>): void => {
          for (const [offset, times] of Object.entries(more))
            total[Number(offset)] = (total[Number(offset)] ?? 0) + times;
        };
        for (const at of [40, 3000, 3001, 9000]) {
          processor.run(at);
          decoder.cursor = L.RECORDS_END - L.RECORD_BYTES * 100; // full
          processor.memory.writePhysical(code + 15, Uint8Array.of(0x43)); // and a block to decode
        }
        add(byOffset(processor.takeCounts()));
        processor.run(10_000);
        processor.forgetTranslations();
        while (processor.run(processor.ticks + Math.min(slice, 1000)) === 'budget')
          add(byOffset(processor.takeCounts()));
        add(byOffset(processor.takeCounts()));
        expect(total).to.deep.equal(expected);
      });
    });
  }

  it('tell the mode of the code: MODE_* bits of its block', () => {
    const processor = processorOf([0x90, HLT], 'never');
    processor.run(100);
    const { addresses, lengths, modes, counts } = processor.takeCounts();
    expect([...addresses]).to.have.members([0x1000n, 0x1001n]);
    const mode = L.MODE_CODE32 | L.MODE_STACK32 | L.MODE_NO_FXSR;
    expect([...lengths]).to.deep.equal([1, 1]);
    expect([...modes]).to.deep.equal([mode, mode]);
    expect([...counts]).to.deep.equal([1, 1]);
    expect(processor.takeCounts().addresses).to.have.length(0);
  });

  it('are exact where 32 bits are not enough', () => {
    const memory = new WebAssembly.Memory({ initial: L.RAM / 65536 + EXECUTION_COUNT_BYTES / 65536 });
    const view = new DataView(memory.buffer);
    const counts = new ExecutionCounts(memory, L.RAM);
    view.setUint8(L.RECORDS + L.REC_LENGTH, 3);
    view.setBigUint64(L.RECORDS + L.REC_NEXT_RIP, 0xffff_ffff_8100_0001n, true);
    counts.decoded(L.RECORDS, 2, L.MODE_LONG);
    const place = view.getUint32(L.PLACES, true) + (L.RECORDS >>> L.PLACE_SHIFT);
    const next = place + (L.RECORD_BYTES >>> L.PLACE_SHIFT);
    const most = 0x4000_0000;
    const run = counts.around(() => {
      view.setInt32(place, (view.getInt32(place, true) + most) | 0, true);
      view.setInt32(next, (view.getInt32(next, true) - most) | 0, true);
      view.setFloat64(L.RUN_END, view.getFloat64(L.RUN_END, true) + most, true);
      return L.EXIT_BUDGET;
    });
    for (let i = 0; i < 11; i++) run(0);
    const { addresses, counts: times } = counts.take();
    expect([...addresses]).to.deep.equal([0xffff_ffff_80ff_fffen]);
    expect([...times]).to.deep.equal([11 * most]);
  });

  it('are refused within an instruction, and by a processor that does not observe', () => {
    const problems: string[] = [];
    const processor: EmulatedProcessor = processorOf([0xe6, 0x80, HLT], 'never', {
      writePort: () => {
        try {
          processor.takeCounts();
        } catch (error) {
          problems.push((error as Error).message);
        }
      },
    });
    processor.run(100);
    expect(problems).to.deep.equal(['counts are taken between two instructions, not in a callback of a device']);
    expect(sum(processor.takeCounts())).to.equal(2);
    const plain = new EmulatedProcessor({ ramBytes: 0x1000, artifacts: buildArtifacts(), bus: emptyBus });
    expect(() => plain.takeCounts()).to.throw('observing: true');
    const { core, cold, handlers, units, pseudo, hotBase, names } = buildArtifacts();
    const artifacts = { core, cold, handlers, units, pseudo, hotBase, names };
    expect(() => new EmulatedProcessor({ ramBytes: 0x1000, artifacts, bus: emptyBus, observing: true })).to.throw(
      'observing.wasm',
    );
  });
});
