import { expect } from 'chai';
import { pvh } from '../src/boot/pvh.js';
import { formatDigest } from '../src/digest.js';
import { loadProcessorArtifacts } from '../src/host/processor-artifacts.js';
import { readImage } from '../src/loaders/read-image.js';
import { Machine, type MachineOptions } from '../src/machine.js';
import { describeHypercall } from '../src/xen/describe.js';
import { smallElf } from './support/images.js';

const word = (value: number): number[] => [...new Uint8Array(Uint32Array.of(value).buffer)];
const [hypercallPage, sharedInfo, results, values, gdt, idt] = [
  0x30_0000, 0x31_0000, 0x20_0000, 0x20_1000, 0x21_0000, 0x21_1000,
];
const stack = 0x28_0000;
const entry = 0x10_0010;
const vector = 0x40;
const self = 0x7ff0;

// 32-bit code
const movEax = (value: number): number[] => [0xb8, ...word(value)];
const movEbx = (value: number): number[] => [0xbb, ...word(value)];
const movEcx = (value: number): number[] => [0xb9, ...word(value)];
const vmcall = [0x0f, 0x01, 0xc1];
const callEdx = [0xff, 0xd2];
const store = (address: number): number[] => [0xa3, ...word(address)]; // mov [address], eax
const [cli, sti, hlt] = [0xfa, 0xfb, 0xf4];

/** Hypercall `number` by VMCALL, or through the page; its result goes to the next word of `results`. */
class Program {
  readonly bytes: number[] = [0xbc, ...word(stack)]; // mov esp, stack
  private made = 0;

  add(...bytes: readonly number[]): this {
    this.bytes.push(...bytes);
    return this;
  }

  call(number: number, first: number, second: number, way: 'instruction' | 'page' = 'instruction'): this {
    this.add(...movEbx(first), ...movEcx(second));
    if (way === 'instruction') this.add(...movEax(number), ...vmcall);
    else this.add(0xba, ...word(hypercallPage + 32 * number), ...callEdx);
    return this.add(...store(results + 4 * this.made++));
  }
}

function start(
  program: Program,
  options: Partial<MachineOptions>,
  data: Readonly<Record<number, readonly number[]>>,
): Machine {
  const elf = smallElf();
  elf.set(program.bytes, elf.length - 512 + 16);
  const machine = new Machine({ artifacts: loadProcessorArtifacts(), memoryBytes: 2 ** 26, ...options });
  machine.boot(pvh, readImage(elf), { commandLine: '', modules: [] });
  for (const [address, words] of Object.entries(data))
    machine.memory.writePhysical(Number(address), Uint8Array.from(words.flatMap(word)));
  return machine;
}

const resultsOf = (machine: Machine, count: number): number[] => [
  ...new Int32Array(machine.memory.readPhysical(results, 4 * count).buffer),
];

const shutdown = (program: Program): Program => program.call(29, 2, values);

for (const compileAfter of ['never', 1] as const) {
  describe(`a 32-bit guest under Xen, compiled after: ${String(compileAfter)}`, () => {
    it('calls through its hypercall page and by VMCALL; pointers to devices and beyond RAM are -EFAULT', () => {
      const program = new Program()
        .add(...movEcx(0x4000_0000), ...movEax(hypercallPage), 0x31, 0xd2, 0x0f, 0x30) // xor edx, edx; wrmsr
        .call(17, 0, 0, 'page') // version
        .call(17, 6, values + 0x10) // features
        .call(17, 6, 0xfee0_0000) // the local APIC
        .call(17, 6, 0x2000_0000) // beyond RAM
        .call(17, 6, 0x0400_0000 - 4); // across its end
      const lines: string[] = [];
      const machine = start(
        shutdown(program),
        { xen: {}, compileAfter, onHypercall: (call) => lines.push(describeHypercall(call)) },
        { [values]: [0] },
      );
      machine.run(10_000);
      expect(machine.outcome).to.deep.equal({ outcome: 'powered-off', reason: 'SCHEDOP_shutdown(poweroff)' });
      expect(resultsOf(machine, 5)).to.deep.equal([0x4_0011, 0, -14, -14, -14]);
      expect(machine.memory.readPhysical(values + 0x14, 4)).to.deep.equal(Uint8Array.from(word(0x1_2305)));
      expect(lines[0]).to.equal('XENVER_version(arg=0) -> 0x40011 [hypercall 17]');
      expect(lines.at(-1)).to.match(/^SCHEDOP_shutdown\(arg=0x201000, reason=0\)/);
    });

    it('the callback vector around the local APIC: a timer rings while the guest sleeps, until it takes note', () => {
      const handlerAt = (program: Program): number => entry + program.bytes.length;
      // inc dword [results + 0x80]; clear upcall_pending, the selector and the pending word; iret
      const handler = [
        ...[0xff, 0x05, ...word(results + 0x80)],
        ...[sharedInfo, sharedInfo + 4, sharedInfo + 2048].flatMap((at) => [0xc7, 0x05, ...word(at), ...word(0)]),
        0xcf,
      ];
      const program = new Program()
        .call(12, 7, values + 0x10) // shared_info
        .call(34, 0, values + 0x30) // HVM_PARAM_CALLBACK_IRQ
        .call(32, 1, values + 0x40); // VIRQ_TIMER
      // vcpu_op's structure is the third argument
      program.add(...movEbx(8), ...movEcx(0), 0xba, ...word(values + 0x50), ...movEax(24), ...vmcall);
      program.add(sti, hlt, cli);
      shutdown(program);
      const at = handlerAt(program);
      program.add(...handler);
      const machine = start(
        program,
        { xen: {}, compileAfter },
        {
          [values]: [0],
          [values + 0x10]: [self, 0, 0, sharedInfo >>> 12],
          [values + 0x30]: [self, 0, vector, 2 << 24],
          [values + 0x40]: [0, 0, 0],
          [values + 0x50]: [5_000_000, 0, 0],
          [gdt]: [0, 0, 0xffff, 0x00cf_9b00],
          [idt + 8 * vector]: [(8 << 16) | (at & 0xffff), (at & 0xffff_0000) | 0x8e00],
        },
      );
      const { registers } = machine.processor;
      registers.gdtr = { base: BigInt(gdt), limit: 0xf };
      registers.idtr = { base: BigInt(idt), limit: 0x7ff };
      registers.setSegment('cs', { ...registers.segment('cs'), selector: 8 });
      machine.run(10_000);
      expect(machine.outcome).to.equal(undefined);
      expect(machine.idleUntil()).to.equal(5_000_000);
      machine.skipTo(6_000_000);
      machine.run(10_000);
      expect(machine.outcome?.outcome).to.equal('powered-off');
      expect(resultsOf(machine, 3)).to.deep.equal([0, 0, 0]);
      expect(machine.memory.readPhysical(results + 0x80, 4)).to.deep.equal(Uint8Array.from(word(1)));
      expect(machine.ticks).to.be.within(5_000_000, 5_000_100);
    });

    it('a list of 3000 calls is made in six executions of VMCALL, 512 at a time', () => {
      const list = 0x40_0000;
      const entries = Array.from({ length: 3000 }, () => [17, -1, 0, 0, 0, 0, 0, 0]).flat();
      const machine = start(
        shutdown(new Program().call(13, list, 3000)),
        { xen: {}, compileAfter },
        {
          [list]: entries,
          [values]: [0],
        },
      );
      machine.run(1000);
      expect(resultsOf(machine, 1)).to.deep.equal([0]);
      expect(machine.memory.readPhysical(list + 32 * 2999 + 4, 4)).to.deep.equal(Uint8Array.from(word(0x4_0011)));
      // mov esp; mov ebx, ecx, eax; six VMCALLs; mov [results], eax; mov ebx, ecx, eax; VMCALL
      expect(machine.instructions).to.equal(1 + 3 + 6 + 1 + 3 + 1);
    });

    it('HLT with interrupts disabled is the end of the last virtual processor', () => {
      const machine = start(new Program().add(cli, hlt), { xen: {}, compileAfter }, {});
      machine.run(1000);
      expect(machine.outcome?.outcome).to.equal('powered-off');
    });
  });
}

describe('a guest without Xen', () => {
  it('gets #UD from VMCALL and #GP from the MSR', () => {
    for (const bytes of [vmcall, [...movEcx(0x4000_0000), 0x0f, 0x30]]) {
      const machine = start(new Program().add(...bytes), {}, {});
      machine.run(1000);
      expect(machine.outcome?.outcome).to.equal('triple-fault');
    }
  });

  it('a machine under Xen is saved and restored with its domain', () => {
    const program = new Program().call(12, 7, values + 0x10).call(32, 1, values + 0x40);
    const machine = start(
      program.add(0xeb, 0xfe),
      { xen: { name: 'guest' } },
      { [values + 0x10]: [self, 0, 0, sharedInfo >>> 12], [values + 0x40]: [0, 0, 0] },
    );
    machine.run(1000);
    const restored = Machine.restore({ artifacts: loadProcessorArtifacts() }, machine.save());
    expect(restored.xen?.store.read('/local/domain/1/name')).to.equal('guest');
    for (const each of [machine, restored]) each.run(100_000);
    expect(formatDigest(restored.digest())).to.equal(formatDigest(machine.digest()));
  });
});
