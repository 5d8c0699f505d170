import { expect } from 'chai';
import type { CompileAfter } from '../../src/cpu/hot/tier.js';
import { EmulatedProcessor } from '../../src/cpu/processor.js';
import type { ProcessorBus, SegmentState } from '../../src/cpu/types.js';
import { buildArtifacts } from '../instructions/processor-subject.js';
import { emptyBus } from '../support/empty-bus.js';

const [pml4, pdpt, directory, table, gdt, tss, idt] = [0x1000, 0x2000, 0x3000, 0x4000, 0x5000, 0x5100, 0x6000];
const code = 0x1_0000;
const [timerHandler, stackTop, istTop] = [0x1_1000, 0x1_4000, 0x1_6000]; // below 0x1_2000 lies no page
const absent = 0x8000;
const [noExecutePage, noRam] = [0x7000, 0x9000];
const noRamPhysical = 0x100_0000;
const flat: SegmentState = { selector: 0x10, base: 0n, limit: 0xffff_ffff, attributes: 0xc093 };
const code64: SegmentState = { selector: 0x08, base: 0n, limit: 0xffff_ffff, attributes: 0xa09b };
const [PAGE_FAULT, GENERAL_PROTECTION, DOUBLE_FAULT, TIMER] = [14, 13, 8, 33];
const mostDeliveries = 1_000_000; // far more than a run may take

/** A gate of the IDT: handler, IST number, whether it is a trap gate, which leaves IF alone. */
interface Gate {
  readonly handler: number;
  readonly ist: number;
  readonly trap?: boolean;
}

/** Long mode at CPL 0 whose handlers are the gates given. */
class FaultingMachine {
  readonly processor: EmulatedProcessor;
  private line = false;

  constructor(compileAfter: CompileAfter, gates: Readonly<Record<number, Gate>>) {
    this.processor = new EmulatedProcessor({
      ramBytes: 0x2_0000,
      artifacts: buildArtifacts(),
      bus: this.bus(),
      compileAfter,
    });
    const { memory, registers } = this.processor;
    const words = (address: number, ...values: bigint[]): void => {
      memory.writePhysical(address, new Uint8Array(BigUint64Array.from(values).buffer));
    };
    words(pml4, BigInt(pdpt | 3));
    words(pdpt, BigInt(directory | 3));
    words(directory, BigInt(table | 3));
    for (let page = 0x1000; page < 0x2_0000; page += 0x1000) {
      if (page !== absent && page !== 0x1_2000) words(table + (page >> 9), BigInt(page | 3));
    }
    words(table + (noExecutePage >> 9), BigInt(noExecutePage | 3) | (1n << 63n));
    words(table + (noRam >> 9), BigInt(noRamPhysical | 3));
    words(gdt, 0n, 0x00af_9b00_0000_ffffn, 0x00cf_9300_0000_ffffn);
    words(tss + 36, BigInt(istTop));
    for (const [vector, { handler, ist, trap = false }] of Object.entries(gates)) {
      const type = trap ? 0x8f00n : 0x8e00n;
      const [low, high] = [BigInt(handler & 0xffff), BigInt(handler >>> 16)];
      words(idt + 16 * Number(vector), low | (8n << 16n) | ((BigInt(ist) | type) << 32n) | (high << 48n), 0n);
    }
    registers.gdtr = { base: BigInt(gdt), limit: 0x17 };
    registers.idtr = { base: BigInt(idt), limit: 0x3ff };
    registers.tr = { selector: 0x18, base: BigInt(tss), limit: 0x67, attributes: 0x8b };
    registers.efer = 0xd00n; // LME LMA NXE
    registers.cr4 = 0x20n; // PAE
    registers.cr3 = BigInt(pml4);
    registers.cr0 = 0x8001_0011n; // PG WP ET PE
    registers.setSegment('cs', code64);
    for (const name of ['ss', 'ds', 'es'] as const) registers.setSegment(name, flat);
    registers.rip = BigInt(code);
    registers.set('rsp', BigInt(stackTop));
    registers.rflags = 0x202n;
    this.limitDeliveries();
  }

  /** A run that never ends throws instead of hanging the tests. */
  private limitDeliveries(): void {
    const inside = this.processor as unknown as { core: { deliverException(): number } };
    const { core } = inside;
    let deliveries = 0;
    inside.core = {
      ...core,
      deliverException: () => {
        if (++deliveries > mostDeliveries) throw new Error('run() delivers exceptions without an end');
        return core.deliverException();
      },
    };
  }

  place(address: number, ...bytes: number[]): void {
    this.processor.memory.writePhysical(address, Uint8Array.from(bytes));
  }

  raiseLine(): void {
    this.line = true;
    this.processor.setInterruptLine(true);
  }

  private bus(): ProcessorBus {
    return {
      ...emptyBus,
      acknowledgeInterrupt: () => {
        const was = this.line;
        this.line = false;
        this.processor.setInterruptLine(false);
        return was ? TIMER : undefined;
      },
    };
  }
}

const NOP = 0x90;
const loadFromAbsent = [0x48, 0x8b, 0x04, 0x25, absent & 0xff, absent >> 8, 0, 0]; // MOV RAX, [absent]

for (const compileAfter of ['never', 1] as const) {
  describe(`a guest that faults for ever, compiled after ${String(compileAfter)}`, () => {
    for (const [what, handler] of [
      ['is not present', absent],
      ['must not be executed', noExecutePage],
      ['is not RAM', noRam],
    ] as const) {
      it(`gives the host control when the page of its #PF and #GP handlers ${what}, on an IST stack`, () => {
        const gate = { handler, ist: 1 };
        const gates = Object.fromEntries(
          [PAGE_FAULT, GENERAL_PROTECTION, DOUBLE_FAULT, 6].map((vector) => [vector, gate]),
        );
        const { processor, place } = bound(new FaultingMachine(compileAfter, gates));
        place(code, NOP, NOP, ...loadFromAbsent);
        for (let turn = 0; turn < 3; turn++) {
          expect(processor.run(1000)).to.equal('requested');
          expect(processor.ticks).to.equal(2);
          expect(processor.registers.rip).to.equal(BigInt(handler));
        }
      });
    }

    it('gives the host control when the first instruction of a #PF handler faults itself', () => {
      const { processor, place } = bound(
        new FaultingMachine(compileAfter, { [PAGE_FAULT]: { handler: code + 0x100, ist: 1 } }),
      );
      place(code, NOP, ...loadFromAbsent);
      place(code + 0x100, ...loadFromAbsent);
      expect(processor.run(1000)).to.equal('requested');
      expect(processor.ticks).to.equal(1);
    });

    // Each delivery pushes a frame, until that faults: #PF while #PF is delivered. Intel SDM volume 3, table 6-5.
    it('shuts down when the frames of its faults fill the stack and no #DF handler is there', () => {
      const { processor, place } = bound(
        new FaultingMachine(compileAfter, { [PAGE_FAULT]: { handler: absent, ist: 0 } }),
      );
      place(code, NOP, ...loadFromAbsent);
      expect(processor.run(1000)).to.equal('shutdown');
      expect(processor.ticks).to.equal(1);
    });

    it('enters its #DF handler when the frames of its faults fill the stack', () => {
      const gates = { [PAGE_FAULT]: { handler: absent, ist: 0 }, [DOUBLE_FAULT]: { handler: code + 0x200, ist: 1 } };
      const { processor, place } = bound(new FaultingMachine(compileAfter, gates));
      place(code, NOP, ...loadFromAbsent);
      place(code + 0x200, NOP, 0xf4); // HLT
      expect(processor.run(1000)).to.equal('halted');
      expect(processor.registers.rip).to.equal(BigInt(code + 0x202));
    });

    it('takes an interrupt between two faults where its gate leaves IF set', () => {
      const gates = {
        [PAGE_FAULT]: { handler: absent, ist: 1, trap: true },
        [TIMER]: { handler: timerHandler, ist: 0 },
      };
      const machine = new FaultingMachine(compileAfter, gates);
      const { processor } = machine;
      machine.place(code, NOP, ...loadFromAbsent);
      machine.place(timerHandler, NOP, 0xf4);
      expect(processor.run(1000)).to.equal('requested');
      machine.raiseLine();
      expect(processor.run(1000)).to.equal('halted');
      expect(processor.registers.rip).to.equal(BigInt(timerHandler + 2));
    });

    it('does not end the run of one that only faults often', () => {
      // The handler lets its IRET return behind the faulting load: 8 bytes further.
      const { processor, place } = bound(
        new FaultingMachine(compileAfter, { [PAGE_FAULT]: { handler: code + 0x100, ist: 1 } }),
      );
      place(code, ...loadFromAbsent, 0xeb, 0xf6); // JMP to the load
      place(code + 0x100, 0x48, 0x83, 0x44, 0x24, 8, 8, 0x48, 0x83, 0xc4, 8, 0x48, 0xcf);
      expect(processor.run(200_000)).to.equal('budget');
      expect(processor.ticks).to.equal(200_000);
    });
  });
}

/** The machine's parts, for tests that take them apart. */
function bound(machine: FaultingMachine): { processor: EmulatedProcessor; place: FaultingMachine['place'] } {
  return { processor: machine.processor, place: machine.place.bind(machine) };
}
