import type { CompileAfter } from '../../src/cpu/hot/tier.js';
import { loadProcessorArtifacts } from '../../src/host/processor-artifacts.js';
import { EmulatedProcessor } from '../../src/cpu/processor.js';
import * as layout from '../../src/cpu/state-layout.js';
import { generalRegisters, type SegmentState } from '../../src/cpu/types.js';
import type { ProcessorArtifacts } from '../../src/cpu/artifacts.js';
import { emptyBus } from '../support/empty-bus.js';
import { differences } from './fixture.js';
import { normaliseFx } from './normalise-fx.js';
import { codePages, dataPages, Flag, fxBytes, type Fault, type MachineState, type Outcome } from './state.js';
import type { Subject } from './subject.js';

/** Guest-physical addresses of the bare machine. All but the code and data pages is for CPL 0. */
const physical = {
  pml4: 0x1000,
  pdpt: 0x2000,
  directory: 0x3000,
  codeTable: 0x4000,
  dataTable: 0x5000,
  gdt: 0x6000,
  tss: 0x6100,
  idt: 0x7000,
  stackTop: 0x9000,
  supervisorPdpt: 0xa000,
  supervisorDirectory: 0xb000,
  handlers: 0x9000,
  code: 0x1_0000,
  data: 0x2_0000,
} as const;
/** Linear address of guest-physical 0 for CPL 0: where no operand of a fixture points. */
const supervisor = 0xffff_9600_0000_0000n;
const ramBytes = 0x20_0000;
const present = 1n,
  writable = 2n,
  user = 4n,
  large = 0x80n,
  noExecute = 1n << 63n;
const vectors = 32;
const handlerBytes = 16;
const vectorsWithErrorCode: readonly number[] = [8, 10, 11, 12, 13, 14, 17, 21];
const BREAKPOINT = 3;
const PAGE_FAULT = 14;
const longestRun = 100_000; // ticks; the longest REP of a fixture takes a few hundred

/** Selectors as Linux gives them to a user-mode program. */
const userCode: SegmentState = { selector: 0x33, base: 0n, limit: 0xffff_ffff, attributes: 0xa0fb };
const userCode32: SegmentState = { selector: 0x23, base: 0n, limit: 0xffff_ffff, attributes: 0xc0fb };
const userStack: SegmentState = { selector: 0x2b, base: 0n, limit: 0xffff_ffff, attributes: 0xc0f3 };
const nullSegment: SegmentState = { selector: 0, base: 0n, limit: 0, attributes: 0 };

/** The processor of this project on a bare machine whose exception handlers stop it. */
export class ProcessorSubject implements Subject {
  private readonly processor: EmulatedProcessor;
  private readonly fx: Uint8Array;
  private placedCode: Uint8Array | undefined;
  /** Vector of the exception that ended the run. */
  private caught: number[] = [];
  private readonly log: string[] = [];

  /** Ticks that the last execution took, up to its exception. */
  ticks = 0;

  private started = 0;

  /** `slice` cuts executions into runs of so many ticks. */
  constructor(
    readonly name: string,
    artifacts: ProcessorArtifacts,
    private readonly slice: () => number = () => longestRun,
    compileAfter: CompileAfter = 'never',
  ) {
    const unimplemented = (what: string): void => {
      this.log.push(what);
    };
    this.processor = new EmulatedProcessor({ ramBytes, artifacts, bus: { ...emptyBus, unimplemented }, compileAfter });
    const { wasm } = this.processor as unknown as { readonly wasm: WebAssembly.Memory };
    this.fx = new Uint8Array(wasm.buffer, layout.FX, fxBytes);
    this.mapPages();
    this.installTables();
    const { registers } = this.processor;
    registers.efer = 0xd01n; // SCE LME LMA NXE
    registers.cr4 = 0x6a0n; // PAE PGE OSFXSR OSXMMEXCPT
    registers.cr3 = BigInt(physical.pml4);
    registers.cr0 = 0x8005_0033n; // PG AM WP NE ET MP PE
    for (const name of ['ds', 'es', 'fs', 'gs'] as const) registers.setSegment(name, nullSegment);
  }

  execute(state: MachineState, code: Uint8Array, memory: Uint8Array): Outcome {
    const { registers, memory: ram } = this.processor;
    this.placeCode(state, code);
    ram.writePhysical(physical.data, memory);
    generalRegisters.forEach((name, i) => {
      registers.set(name, state.general[i] as bigint);
    });
    const is32 = state.bits === 32;
    registers.setSegment('cs', is32 ? userCode32 : userCode);
    registers.setSegment('ss', userStack);
    for (const name of ['ds', 'es'] as const) registers.setSegment(name, is32 ? userStack : nullSegment);
    registers.rip = state.rip;
    registers.rflags = BigInt(state.rflags);
    this.fx.set(state.fx);
    this.caught = [];
    this.started = this.processor.ticks;
    let stop = '';
    while (this.caught.length === 0 && this.processor.ticks < this.started + longestRun) {
      stop = this.processor.run(this.processor.ticks + this.slice());
      if (stop !== 'budget') break;
    }
    const vector = this.caught.at(-1);
    if (vector === undefined) {
      throw new Error(
        `${this.name}: stopped with '${stop}' at rip ${registers.rip.toString(16)}, no exception was delivered; ${this.log.join('; ')}`,
      );
    }
    return this.outcome(state, code, memory, vector);
  }

  /** What the handler finds on its stack and in the registers. Intel SDM volume 3, 6.14. */
  private outcome(state: MachineState, code: Uint8Array, memory: Uint8Array, vector: number): Outcome {
    const { registers, memory: ram } = this.processor;
    const hasErrorCode = vectorsWithErrorCode.includes(vector);
    const frame = new DataView(ram.readPhysical(physical.stackTop - 48, 48).buffer);
    const word = (index: number): bigint => frame.getBigUint64(8 * index, true);
    const general = BigUint64Array.from(generalRegisters, (name) => registers.get(name));
    general[4] = word(4);
    const rip = word(1);
    const ended = vector === BREAKPOINT && !(code[0] === 0xcc && rip === state.rip + 1n);
    const fault: Fault | undefined = ended
      ? undefined
      : {
          vector,
          errorCode: hasErrorCode ? Number(word(0)) : 0,
          cr2: vector === PAGE_FAULT ? registers.cr2 : undefined,
        };
    return {
      general,
      rip: ended ? rip - 1n : rip,
      rflags: Number(word(3)) & ~Flag.RF,
      fx: normaliseFx(this.fx),
      changes: differences(memory, ram.readPhysical(physical.data, dataPages.bytes)),
      fault,
    };
  }

  private placeCode(state: MachineState, code: Uint8Array): void {
    const pages = new Uint8Array(codePages.bytes).fill(0xcc);
    const offset = Number(state.rip) - codePages.address;
    pages.set(code.subarray(0, codePages.bytes - offset), offset);
    if (this.placedCode !== undefined && Buffer.compare(pages, this.placedCode) === 0) return;
    this.processor.memory.writePhysical(physical.code, pages);
    this.placedCode = pages;
  }

  private mapPages(): void {
    const entry = (table: number, index: number, value: bigint): void => {
      this.processor.memory.writePhysical(table + 8 * index, new Uint8Array(BigUint64Array.of(value).buffer));
    };
    entry(physical.pml4, 0, BigInt(physical.pdpt) | present | writable | user);
    entry(physical.pdpt, 0, BigInt(physical.directory) | present | writable | user);
    entry(physical.pml4, Number((supervisor >> 39n) & 0x1ffn), BigInt(physical.supervisorPdpt) | present | writable);
    entry(physical.supervisorPdpt, 0, BigInt(physical.supervisorDirectory) | present | writable);
    entry(physical.supervisorDirectory, 0, present | writable | large);
    entry(physical.directory, codePages.address >> 21, BigInt(physical.codeTable) | present | writable | user);
    entry(physical.directory, dataPages.address >> 21, BigInt(physical.dataTable) | present | writable | user);
    for (let page = 0; page < codePages.bytes >> 12; page++) {
      entry(physical.codeTable, page, BigInt(physical.code + 4096 * page) | present | user);
    }
    for (let page = 0; page < dataPages.bytes >> 12; page++) {
      const rights = present | user | noExecute | (4096 * page < dataPages.readOnlyAt ? writable : 0n);
      entry(physical.dataTable, page, BigInt(physical.data + 4096 * page) | rights);
    }
  }

  /** GDT, TSS with the stack of CPL 0, and an IDT whose handlers are breakpoints. */
  private installTables(): void {
    const { registers, memory } = this.processor;
    // As Linux has it: 0x10 and 0x18 for CPL 0, 0x20 (32-bit), 0x2b and 0x33 for CPL 3.
    const gdt = BigUint64Array.of(
      0n,
      0x00cf_9b00_0000_ffffn,
      0x00af_9b00_0000_ffffn,
      0x00cf_9300_0000_ffffn,
      0x00cf_fb00_0000_ffffn,
      0x00cf_f300_0000_ffffn,
      0x00af_fb00_0000_ffffn,
      0n,
      0n,
      0n,
    );
    memory.writePhysical(physical.gdt, new Uint8Array(gdt.buffer));
    registers.gdtr = { base: supervisor + BigInt(physical.gdt), limit: gdt.byteLength - 1 };
    memory.writePhysical(
      physical.tss + 4,
      new Uint8Array(BigUint64Array.of(supervisor + BigInt(physical.stackTop)).buffer),
    );
    memory.writePhysical(physical.tss + 0x66, Uint8Array.of(0xff, 0xff)); // no I/O permission bitmap
    registers.tr = { selector: 0x40, base: supervisor + BigInt(physical.tss), limit: 0x67, attributes: 0x8b };
    const idt = new DataView(new ArrayBuffer(16 * vectors));
    for (let vector = 0; vector < vectors; vector++) {
      const handler = physical.handlers + handlerBytes * vector;
      memory.writePhysical(handler, Uint8Array.of(0xeb, 0xfe)); // JMP to itself
      const open = vector === BREAKPOINT || vector === 4; // INT3 and INTO may come from CPL 3
      idt.setUint16(16 * vector, handler, true);
      idt.setBigUint64(16 * vector + 6, supervisor >> 16n, true); // offset bits 63-16; the handlers lie below 64 KiB
      idt.setUint16(16 * vector + 2, 0x10, true);
      idt.setUint16(16 * vector + 4, open ? 0xee00 : 0x8e00, true);
      this.processor.setBreakpoint(handler, () => {
        this.caught.push(vector);
        this.ticks = this.processor.ticks - this.started;
        this.processor.requestStop();
      });
    }
    memory.writePhysical(physical.idt, new Uint8Array(idt.buffer));
    registers.idtr = { base: supervisor + BigInt(physical.idt), limit: idt.byteLength - 1 };
  }
}

let artifacts: ProcessorArtifacts | undefined;

/** The processor's modules, built from the sources once per run. */
export const buildArtifacts = (): ProcessorArtifacts => (artifacts ??= loadProcessorArtifacts());

/** One entry a tier of the processor. */
export const tiers: readonly { readonly name: string; create(): Subject }[] = [
  { name: 'cold', create: () => new ProcessorSubject('cold tier', buildArtifacts()) },
  { name: 'hot', create: () => new ProcessorSubject('hot tier', buildArtifacts(), undefined, 1) },
];
