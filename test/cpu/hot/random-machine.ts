/** A small machine for random programs at CPL 3: it goes on behind whatever faults, and everything is compared. */
import type { ProcessorArtifacts } from '../../../src/cpu/artifacts.js';
import { cpuid } from '../../../src/cpu/cpuid.js';
import type { CompileAfter } from '../../../src/cpu/hot/tier.js';
import { EmulatedProcessor } from '../../../src/cpu/processor.js';
import * as layout from '../../../src/cpu/state-layout.js';
import { generalRegisters, type ProcessorBus, type SegmentState } from '../../../src/cpu/types.js';

/** Guest-physical, and for CPL 0 linear, addresses; CPL 3 reaches code and data only. */
export const places = {
  tables: 0x1000, // PML4, PDPT, directory, table
  gdt: 0x6000,
  tss: 0x6100,
  idt: 0x7000,
  handlers: 0x9000,
  stackTop: 0xb000,
  code: 0x1_0000, // 4 pages, also writable
  data: 0x2_0000, // 2 pages, a read-only one, then an absent one
  alias: 0x3_0000, // the code pages once more, not executable
} as const;
const codePages = 4;
const ramBytes = 0x4_0000;
const PAGE = 4096;
const present = 1n;
const writable = 2n;
const user = 4n;
const noExecute = 1n << 63n;
const vectors = 34;
const handlerBytes = 16;
const vectorsWithErrorCode: readonly number[] = [8, 10, 11, 12, 13, 14, 17, 21];
const DEBUG = 1;
const BREAKPOINT = 3;
const TIMER = 33;
const IRETQ = [0x48, 0xcf];
const DROP_ERROR_CODE = [0x48, 0x83, 0xc4, 0x08]; // ADD RSP, 8
const TRAP_FLAG = 0x100n;
const mostExceptions = 40;
/** Registers that an exception sets back: pointers. */
const repaired = [3, 5, 6, 12, 13];

const userCode: SegmentState = { selector: 0x33, base: 0n, limit: 0xffff_ffff, attributes: 0xa0fb };
const userCode32: SegmentState = { selector: 0x23, base: 0n, limit: 0xffff_ffff, attributes: 0xc0fb };
const userData: SegmentState = { selector: 0x2b, base: 0n, limit: 0xffff_ffff, attributes: 0xc0f3 };

export interface Run {
  readonly bits: 32 | 64;
  /** In encoding order. */
  readonly registers: readonly bigint[];
  readonly rflags: bigint;
  readonly start: number; // linear address of the code's first byte
  readonly code: Uint8Array;
  /** Linear addresses at which the program goes on after an exception: the next one behind it, in turn otherwise. */
  readonly resume: readonly number[];
  readonly ticks: number; // when it ends, unless an INT3 or too many exceptions come first
  readonly interruptAt?: number; // tick
}

export class RandomMachine {
  readonly processor: EmulatedProcessor;
  private readonly initial: Uint8Array;
  private readonly clean: Uint8Array;
  private current: Run | undefined;
  private exceptions: number[] = [];
  private stopped = false;
  private line = false;

  constructor(
    artifacts: ProcessorArtifacts,
    compileAfter: CompileAfter,
    tlbEntries: number,
    /** Ticks of the next slice of a run. */
    private readonly slice: () => number = () => 1e6,
  ) {
    const bus: ProcessorBus = {
      readPort: () => 0xff,
      writePort: () => undefined,
      readMmio: () => 0xff,
      writeMmio: () => undefined,
      acknowledgeInterrupt: () => this.acknowledge(),
      readMsr: () => undefined,
      writeMsr: () => false,
      readTaskPriority: () => 0,
      writeTaskPriority: () => undefined,
      cpuid,
      random: () => 0x1234_5678_9abc_def0n,
      gate: () => undefined,
      unimplemented: () => undefined,
    };
    this.processor = new EmulatedProcessor({ ramBytes, artifacts, bus, compileAfter, tlbEntries });
    this.mapPages();
    this.installTables();
    const { registers, state, memory } = this.processor;
    registers.efer = 0xd00n; // LME LMA NXE
    registers.cr4 = 0x6a0n; // PAE PGE OSFXSR OSXMMEXCPT
    registers.cr3 = BigInt(places.tables);
    registers.cr0 = 0x8005_0033n; // PG AM WP NE ET MP PE
    this.initial = state.save();
    this.clean = memory.readPhysical(0, ramBytes);
  }

  /** Runs from a fresh state. */
  run(run: Run): void {
    const { bits, registers: values, rflags, start, code, ticks, interruptAt = ticks } = run;
    const { processor } = this;
    const { registers, memory, state } = processor;
    memory.writePhysical(0, this.clean);
    memory.writePhysical(start, code);
    state.restore(this.initial);
    registers.setSegment('cs', bits === 32 ? userCode32 : userCode);
    for (const name of ['ss', 'ds', 'es'] as const) registers.setSegment(name, userData);
    registers.setSegment('fs', { ...userData, base: 0x40n });
    generalRegisters.forEach((name, i) => {
      registers.set(name, BigInt.asUintN(bits, values[i] ?? 0n));
    });
    registers.rip = BigInt(start);
    registers.rflags = rflags | 0x202n;
    this.current = run;
    this.exceptions = [];
    this.stopped = false;
    this.line = false;
    processor.setInterruptLine(false);
    const first = processor.ticks;
    this.runUntil(first + Math.min(interruptAt, ticks));
    if (interruptAt >= ticks) return;
    this.line = true;
    processor.setInterruptLine(true);
    this.runUntil(first + ticks);
  }

  private runUntil(end: number): void {
    const { processor } = this;
    while (processor.ticks < end && !this.stopped) {
      const stop = processor.run(Math.min(end, processor.ticks + this.slice()));
      if (stop === 'shutdown') throw new Error('triple fault');
    }
  }

  /** A handler is entered: lets it return behind the instruction, or ends the run. */
  private onException(vector: number): void {
    this.exceptions.push(vector);
    const { current, processor } = this;
    if (current === undefined || vector === BREAKPOINT || this.exceptions.length > mostExceptions) {
      this.stopped = true;
      processor.requestStop();
      return;
    }
    const frame = new DataView(processor.memory.readPhysical(places.stackTop - 40, 40).buffer);
    const rip = Number(frame.getBigUint64(0, true));
    const { resume, registers } = current;
    const next = resume.find((address) => address > rip) ?? resume[this.exceptions.length % resume.length] ?? rip;
    frame.setBigUint64(0, BigInt(next), true);
    if (vector === DEBUG) frame.setBigUint64(16, frame.getBigUint64(16, true) & ~TRAP_FLAG, true);
    frame.setBigUint64(24, BigInt.asUintN(current.bits, registers[4] ?? 0n), true);
    processor.memory.writePhysical(places.stackTop - 40, new Uint8Array(frame.buffer));
    for (const number of repaired) {
      const name = generalRegisters[number];
      if (name !== undefined) processor.registers.set(name, BigInt.asUintN(current.bits, registers[number] ?? 0n));
    }
  }

  private acknowledge(): number | undefined {
    const was = this.line;
    this.line = false;
    this.processor.setInterruptLine(false);
    return was ? TIMER : undefined;
  }

  /** Everything that a guest can tell, by name. */
  outcome(): Record<string, string> {
    const { registers, state, ticks } = this.processor;
    const { wasm } = this.processor as unknown as { readonly wasm: WebAssembly.Memory };
    const hex = (value: bigint): string => value.toString(16);
    return {
      ticks: String(ticks),
      exceptions: this.exceptions.join(' '),
      rip: hex(registers.rip),
      rflags: hex(registers.rflags),
      cr2: hex(registers.cr2),
      ...Object.fromEntries(generalRegisters.map((name) => [name, hex(registers.get(name))])),
      fx: Buffer.from(new Uint8Array(wasm.buffer, layout.FX, 416)).toString('hex'),
      state: state.digest().toString(),
      tlb: state.tlbDigest().toString(),
    };
  }

  ram(): Uint8Array {
    return this.processor.memory.readPhysical(0, ramBytes);
  }

  private mapPages(): void {
    const { tables } = places;
    const entry = (address: number, value: bigint): void => {
      this.processor.memory.writePhysical(address, new Uint8Array(BigUint64Array.of(value).buffer));
    };
    for (let level = 0; level < 3; level++) {
      entry(tables + PAGE * level, BigInt(tables + PAGE * (level + 1)) | present | writable | user);
    }
    const map = (linear: number, physical: number, rights: bigint): void => {
      entry(tables + 3 * PAGE + 8 * (linear >> 12), BigInt(physical) | present | rights);
    };
    for (let page = 0; page < places.code; page += PAGE) map(page, page, writable);
    for (let page = 0; page < codePages * PAGE; page += PAGE) {
      map(places.code + page, places.code + page, writable | user);
      map(places.alias + page, places.code + page, writable | user | noExecute);
    }
    map(places.data, places.data, writable | user | noExecute);
    map(places.data + PAGE, places.data + PAGE, writable | user | noExecute);
    map(places.data + 2 * PAGE, places.data + 2 * PAGE, user | noExecute);
  }

  private installTables(): void {
    const { memory, registers } = this.processor;
    const gdt = BigUint64Array.of(
      0n,
      0x00cf_9b00_0000_ffffn,
      0x00af_9b00_0000_ffffn,
      0x00cf_9300_0000_ffffn,
      0x00cf_fb00_0000_ffffn,
      0x00cf_f300_0000_ffffn,
      0x00af_fb00_0000_ffffn,
    );
    memory.writePhysical(places.gdt, new Uint8Array(gdt.buffer));
    registers.gdtr = { base: BigInt(places.gdt), limit: gdt.byteLength - 1 };
    memory.writePhysical(places.tss + 4, new Uint8Array(BigUint64Array.of(BigInt(places.stackTop)).buffer));
    registers.tr = { selector: 0x40, base: BigInt(places.tss), limit: 0x67, attributes: 0x8b };
    const idt = new DataView(new ArrayBuffer(16 * vectors));
    for (let vector = 0; vector < vectors; vector++) {
      const handler = places.handlers + handlerBytes * vector;
      idt.setUint16(16 * vector, handler, true);
      idt.setUint16(16 * vector + 2, 0x10, true);
      idt.setUint16(16 * vector + 4, vector === 3 || vector === 4 ? 0xee00 : 0x8e00, true);
      const drop = vectorsWithErrorCode.includes(vector) ? DROP_ERROR_CODE : [];
      memory.writePhysical(handler, Uint8Array.of(...drop, ...IRETQ));
      if (vector === TIMER) continue;
      this.processor.setBreakpoint(handler, () => {
        this.onException(vector);
      });
    }
    memory.writePhysical(places.idt, new Uint8Array(idt.buffer));
    registers.idtr = { base: BigInt(places.idt), limit: idt.byteLength - 1 };
    const data = Uint8Array.from({ length: 3 * PAGE }, (_, i) => (i * 7 + (i >> 8)) & 0xff);
    memory.writePhysical(places.data, data);
  }
}
