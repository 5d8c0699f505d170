import { expect } from 'chai';
import type { CompileAfter } from '../../src/cpu/hot/tier.js';
import { EmulatedProcessor } from '../../src/cpu/processor.js';
import type { SegmentState } from '../../src/cpu/types.js';
import { buildArtifacts } from '../instructions/processor-subject.js';
import { emptyBus } from '../support/empty-bus.js';

const code = 0x1000;
const idt = 0x3000;
const VMCALL = [0x0f, 0x01, 0xc1];
const VMMCALL = [0x0f, 0x01, 0xd9];
const flat = (attributes: number): SegmentState => ({ selector: 8, base: 0n, limit: 0xffff_ffff, attributes });

/** 32-bit code without paging; #UD and #DB lead to HLT at 0x2000 and 0x2100. */
class Caller {
  readonly processor: EmulatedProcessor;
  readonly calls: { rip: bigint; rax: bigint; ticks: number }[] = [];

  constructor(hypercall: 'vmcall' | 'vmmcall' | undefined, compileAfter: CompileAfter, bytes: readonly number[]) {
    this.processor = new EmulatedProcessor({
      ramBytes: 0x1_0000,
      artifacts: buildArtifacts(),
      compileAfter,
      ...(hypercall === undefined ? {} : { hypercall }),
      bus: {
        ...emptyBus,
        hypercall: () => {
          const { registers, ticks } = this.processor;
          this.calls.push({ rip: registers.rip, rax: registers.get('rax'), ticks });
          registers.set('rax', 7n);
        },
      },
    });
    const { memory, registers } = this.processor;
    memory.writePhysical(code, Uint8Array.from(bytes));
    memory.writePhysical(0x2000, Uint8Array.of(0xf4));
    memory.writePhysical(0x2100, Uint8Array.of(0xf4));
    for (const [vector, handler] of [
      [6, 0x2000],
      [1, 0x2100],
    ] as const) {
      memory.writePhysical(idt + 8 * vector, Uint8Array.of(handler, handler >> 8, 8, 0, 0, 0x8e, 0, 0));
    }
    memory.writePhysical(0x4008, Uint8Array.of(0xff, 0xff, 0, 0, 0, 0x9b, 0xcf, 0));
    registers.cr0 = 0x11n;
    registers.gdtr = { base: 0x4000n, limit: 0x17 };
    registers.idtr = { base: BigInt(idt), limit: 0x7f };
    registers.setSegment('cs', flat(0xc09b));
    for (const name of ['ss', 'ds', 'es'] as const) registers.setSegment(name, flat(0xc093));
    registers.rip = BigInt(code);
    registers.set('rsp', 0x8000n);
  }
}

const NOP = 0x90;
const HLT = 0xf4;

for (const tier of ['never', 1] as const) {
  describe(`VMCALL and VMMCALL, ${tier === 1 ? 'both tiers' : 'the cold tier'} (Intel SDM volume 3, 30.3; AMD64 volume 2, 15.15)`, () => {
    it('the form of the hypervisor leaves with RIP behind it, charged; registers that the hypervisor sets are there', () => {
      for (const [form, bytes] of [
        ['vmcall', VMCALL],
        ['vmmcall', VMMCALL],
      ] as const) {
        // mov eax, 1; the call; mov ebx, eax; hlt
        const { processor, calls } = new Caller(form, tier, [0xb8, 1, 0, 0, 0, ...bytes, 0x89, 0xc3, HLT]);
        expect(processor.run(100)).to.equal('halted');
        expect(calls).to.deep.equal([{ rip: BigInt(code + 8), rax: 1n, ticks: 2 }]);
        expect(processor.registers.get('rbx')).to.equal(7n);
        expect(processor.ticks).to.equal(4);
      }
    });

    it('the other form, and both without a hypervisor, are #UD with RIP at them', () => {
      for (const [form, bytes] of [
        ['vmcall', VMMCALL],
        ['vmmcall', VMCALL],
        [undefined, VMCALL],
        [undefined, VMMCALL],
      ] as const) {
        const { processor, calls } = new Caller(form, tier, [NOP, ...bytes, HLT]);
        expect(processor.run(100)).to.equal('halted');
        expect(calls).to.deep.equal([]);
        expect(processor.registers.rip).to.equal(0x2001n);
        const frame = new DataView(processor.memory.readPhysical(Number(processor.registers.get('rsp')), 4).buffer);
        expect(frame.getUint32(0, true)).to.equal(code + 1);
        expect(processor.ticks).to.equal(2); // NOP and the handler's HLT
      }
    });

    it('a loop of calls: each is made, and the count of instructions is exact', () => {
      // mov ecx, 1000; again: vmcall; inc ebx; dec ecx; jnz again; hlt
      const loop = [0xb9, 0xe8, 3, 0, 0, ...VMCALL, 0x43, 0x49, 0x75, 0xf9, HLT];
      const { processor, calls } = new Caller('vmcall', tier, loop);
      let stop = processor.run(997);
      for (let until = 2000; stop === 'budget'; until += 997) stop = processor.run(until);
      expect(stop).to.equal('halted');
      expect(calls).to.have.length(1000);
      expect(calls.map(({ ticks }) => ticks)).to.deep.equal(calls.map((_, i) => 2 + 4 * i));
      expect(processor.registers.get('rbx')).to.equal(1000n);
      expect(processor.ticks).to.equal(1 + 4 * 1000 + 1);
    });

    it('under TF the call is made before its single-step trap', () => {
      const { processor, calls } = new Caller('vmcall', tier, [...VMCALL, HLT]);
      processor.registers.rflags = 0x102n;
      expect(processor.run(100)).to.equal('halted');
      expect(calls).to.have.length(1);
      expect(processor.registers.rip).to.equal(0x2101n);
      expect(processor.registers.get('rax')).to.equal(7n);
    });

    it('every CPL leaves: who may call is for the hypervisor to say', () => {
      const { processor, calls } = new Caller('vmcall', tier, [...VMCALL, NOP, NOP]);
      processor.registers.setSegment('cs', { ...flat(0xc0fb), selector: 0xb });
      processor.registers.setSegment('ss', { ...flat(0xc0f3), selector: 0xb });
      processor.run(3);
      expect(calls).to.have.length(1);
      expect(processor.registers.cpl).to.equal(3);
    });
  });
}
