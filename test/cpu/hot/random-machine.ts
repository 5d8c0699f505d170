/** A small machine for random programs: it goes on behind whatever faults, and everything is compared. */
import type { ProcessorArtifacts } from '../../../src/cpu/artifacts.js';
import { cpuid } from '../../../src/cpu/cpuid.js';
import type { CompileAfter } from '../../../src/cpu/hot/tier.js';
import { EmulatedProcessor } from '../../../src/cpu/processor.js';
import * as layout from '../../../src/cpu/state-layout.js';
import type { ProcessorOptions } from '../../../src/cpu/processor-options.js';
import { generalRegisters, type ProcessorBus } from '../../../src/cpu/types.js';
import { seededRandom } from '../../instructions/random.js';
import { pointers } from './random-operation.js';
import { places, ports, ramBytes, selectors, vectors } from './random-places.js';
import type { Assembled, Program } from './random-program.js';
import { handlers, layOut, segmentOf, setSystemCalls } from './random-tables.js';

const PAGE = 4096;
const TRAP_FLAG = 0x100n;
const INTERRUPT_FLAG = 0x200n;
const mostExceptions = 250;

/** How a program is run. */
export interface RunOptions {
  /** It ends then, unless an INT3 or too many exceptions come first. */
  readonly ticks: number;
  /** Longest slice; 0: one run up to each interrupt. */
  readonly slice: number;
  readonly seed: number;
  readonly looks: boolean;
}

export class RandomMachine {
  readonly processor: EmulatedProcessor;
  private readonly initial: Uint8Array;
  private readonly clean: Uint8Array;
  private program: Program | undefined;
  private assembled: Assembled | undefined;
  private exceptions: number[] = [];
  private log: string[] = [];
  private ended = '';
  private line = false;
  /** Ticks at which the timer's interrupt is raised, ascending. */
  private events: number[] = [];
  private first = 0;
  private breakpoints: number[] = [];
  /** Of an observing machine: executions by address, length and mode. */
  private readonly executed = new Map<string, number>();
  private counted = 0;
  private readonly observing: boolean;

  constructor(
    artifacts: ProcessorArtifacts,
    compileAfter: CompileAfter,
    tlbEntries: number,
    more: Pick<ProcessorOptions, 'onTouch' | 'observing'> = {},
  ) {
    const bus = this.bus();
    this.processor = new EmulatedProcessor({ ramBytes, artifacts, bus, compileAfter, tlbEntries, ...more });
    this.observing = more.observing ?? false;
    if (this.observing) {
      this.processor.onDecode = (_linear, physical) => {
        if ((physical & 15) === 0) this.count();
      };
    }
    const { registers, state, memory } = this.processor;
    layOut(this.processor);
    for (const { vector, address } of handlers) {
      if (vector === vectors.timer) continue;
      this.processor.setBreakpoint(address, () => {
        this.onException(vector);
      });
    }
    registers.efer = 0xd01n; // SCE LME LMA NXE
    setSystemCalls(this.processor);
    registers.cr4 = 0x6a0n; // PAE PGE OSFXSR OSXMMEXCPT
    registers.cr3 = BigInt(places.tables);
    registers.cr0 = 0x8005_0033n; // PG AM WP NE ET MP PE
    this.initial = state.save();
    this.clean = memory.readPhysical(0, ramBytes);
  }

  /** Runs a program from a fresh state. */
  run(program: Program, assembled: Assembled, { ticks, slice, seed, looks }: RunOptions): void {
    const { processor } = this;
    this.program = program;
    this.assembled = assembled;
    this.reset(program, assembled);
    this.exceptions = [];
    this.log = [];
    this.ended = '';
    this.line = false;
    this.executed.clear();
    this.counted = 0;
    if (this.observing) processor.takeCounts(); // of the program before
    processor.setInterruptLine(false);
    this.first = processor.ticks;
    this.events = program.interrupts.map((tick) => this.first + tick).sort((a, b) => a - b);
    const random = seededRandom(seed);
    this.setBreakpoints(assembled);
    const end = this.first + ticks;
    while (this.ended === '' && processor.ticks < end) {
      const now = processor.ticks;
      while ((this.events[0] ?? Infinity) <= now) {
        this.events.shift();
        this.line = true;
        processor.setInterruptLine(true);
      }
      if (looks && slice > 0 && random.chance(1 / 16)) this.look();
      const next = Math.min(this.events[0] ?? Infinity, end);
      const stop = processor.run(slice === 0 ? next : Math.min(next, now + 1 + random.below(slice)));
      this.expectSettledFlags();
      if (this.observing && slice > 0 && random.chance(1 / 4)) this.count();
      if (stop === 'shutdown') this.ended = 'shutdown';
      else if (stop === 'halted' && (this.events[0] ?? Infinity) > processor.ticks) {
        const asleep = this.events.length === 0 || (processor.registers.rflags & INTERRUPT_FLAG) === 0n;
        if (asleep) this.ended = 'halted';
        else processor.skipTo(Math.min(this.events[0] ?? Infinity, end)); // the run may have scheduled one
      }
    }
    this.count();
  }

  /** Takes the counts, whose sum is what was retired, at any moment between two instructions. */
  private count(): void {
    if (!this.observing) return;
    const { processor, executed } = this;
    const { addresses, lengths, modes, counts } = processor.takeCounts();
    addresses.forEach((address, i) => {
      const key = `${address.toString(16)}/${String(lengths[i])}/${String(modes[i])}`;
      executed.set(key, (executed.get(key) ?? 0) + (counts[i] ?? 0));
      this.counted += counts[i] ?? 0;
    });
    const retired = processor.ticks - processor.extraTicks - this.first;
    if (this.counted !== retired) throw new Error(`${String(this.counted)} counted, ${String(retired)} retired`);
  }

  /** What an observing machine counted. */
  executions(): string {
    return [...this.executed]
      .map(([key, times]) => `${key}: ${String(times)}`)
      .sort()
      .join(', ');
  }

  private reset(
    { bits, kernel, registers: values, flags, mxcsr, vectors: halves }: Program,
    { base, start, parts }: Assembled,
  ): void {
    const { registers, memory, state } = this.processor;
    this.processor.forgetTranslations();
    const wanted = this.clean.slice();
    for (const { physical, bytes } of parts) wanted.set(bytes, physical);
    const current = memory.readPhysical(0, ramBytes);
    for (let page = 0; page < ramBytes; page += PAGE) {
      const bytes = wanted.subarray(page, page + PAGE);
      if (Buffer.compare(bytes, current.subarray(page, page + PAGE)) !== 0) memory.writePhysical(page, bytes);
    }
    state.restore(this.initial);
    this.processor.halted = false;
    this.processor.extraTicks = 0;
    registers.setSegment(
      'cs',
      segmentOf(kernel ? (bits === 32 ? 'code32' : 'code64') : bits === 32 ? 'userCode32' : 'userCode64'),
    );
    for (const name of ['ss', 'ds', 'es', 'gs'] as const)
      registers.setSegment(name, segmentOf(kernel ? 'data' : 'userData'));
    registers.setSegment('fs', { ...segmentOf('userData'), base: 0x40n });
    generalRegisters.forEach((name, i) => {
      registers.set(name, this.initialRegister(i, values, base, bits));
    });
    registers.rip = base + BigInt(start);
    registers.rflags = BigInt(flags) | 0x202n;
    this.view.setUint32(layout.FX_MXCSR, mxcsr, true);
    halves.forEach((half, i) => {
      this.view.setBigUint64(layout.XMM + 8 * i, half, true);
    });
  }

  /** The core's memory. */
  private get view(): DataView {
    const { wasm } = this.processor as unknown as { readonly wasm: WebAssembly.Memory };
    return new DataView(wasm.buffer);
  }

  private initialRegister(number: number, values: readonly bigint[], base: bigint, bits: 32 | 64): bigint {
    const value = values[number] ?? 0n;
    return BigInt.asUintN(bits, number === 4 || pointers.includes(number) ? base + value : value);
  }

  /** A handler is entered: lets it return behind the instruction, or ends the run. */
  private onException(vector: number): void {
    this.count();
    const { assembled, program, processor } = this;
    this.exceptions.push(vector);
    if (assembled === undefined || program === undefined) throw new Error('no program');
    if (vector === vectors.breakpoint || this.exceptions.length > mostExceptions) {
      this.ended = 'exception';
      processor.requestStop();
      return;
    }
    const { base, addresses } = assembled;
    const at = places.exceptionStackTop - 40;
    const frame = new DataView(processor.memory.readPhysical(at, 40).buffer);
    const offset = frame.getBigUint64(0, true) - base;
    const behind = addresses.find((address) => BigInt(address) > offset);
    const next = behind ?? addresses[this.exceptions.length % addresses.length] ?? 0;
    frame.setBigUint64(0, base + BigInt(next), true);
    if (vector === vectors.debug) frame.setBigUint64(16, frame.getBigUint64(16, true) & ~TRAP_FLAG, true);
    if (vector === vectors.toKernel) {
      frame.setBigUint64(8, BigInt(program.bits === 32 ? selectors.code32 : selectors.code64), true);
      frame.setBigUint64(32, BigInt(selectors.data), true);
    }
    frame.setBigUint64(24, this.initialRegister(4, program.registers, base, program.bits), true);
    processor.memory.writePhysical(at, new Uint8Array(frame.buffer));
    for (const number of pointers) {
      const name = generalRegisters[number];
      if (name === undefined) continue;
      processor.registers.set(name, this.initialRegister(number, program.registers, base, program.bits));
    }
  }

  /** What must not show in the run. */
  private look(): void {
    const { state, ramPages } = this.processor;
    ramPages.digest();
    state.restore(state.save());
  }

  private setBreakpoints({ breakpoints }: Assembled): void {
    for (const address of this.breakpoints) this.processor.setBreakpoint(address, undefined);
    this.breakpoints = [...new Set(breakpoints)];
    for (const address of this.breakpoints) {
      this.processor.setBreakpoint(address, () => {
        this.note(`breakpoint ${address.toString(16)}`);
        this.count();
      });
    }
  }

  /** A device changes a byte of RAM. */
  private flip(address: number): void {
    if (address >= ramBytes) return;
    const { memory } = this.processor;
    memory.writePhysical(address, Uint8Array.of((memory.readPhysical(address, 1)[0] ?? 0) ^ 1));
  }

  private acknowledge(): number | undefined {
    const was = this.line;
    this.line = false;
    this.processor.setInterruptLine(false);
    this.note('interrupt');
    return was ? vectors.timer : undefined;
  }

  /** Pending flags are an affair between hot functions: whoever else has control finds none. */
  private expectSettledFlags(): void {
    const { wasm } = this.processor as unknown as { readonly wasm: WebAssembly.Memory };
    const kind = new DataView(wasm.buffer).getUint32(layout.PENDING_KIND, true);
    if (kind !== 0) throw new Error(`flags are pending outside hot code, kind ${String(kind)}`);
  }

  /** What devices see must not depend on the tier either: which access, and when. */
  private note(what: string): void {
    this.expectSettledFlags();
    this.log.push(`${String(this.processor.ticks - this.first)} ${what}`);
  }

  private bus(): ProcessorBus {
    /** What a device answers depends on the time. */
    const answer = (address: number, bytes: number): number => {
      const value = Math.imul(address + 1, 0x9e37_79b1) + Math.imul(this.processor.ticks - this.first, 0x0100_0193);
      this.note(`read ${address.toString(16)} ${String(bytes)}`);
      return bytes === 4 ? value >>> 0 : value & ((1 << (8 * bytes)) - 1);
    };
    const write = (address: number, bytes: number, value: number): void => {
      this.note(`write ${address.toString(16)} ${String(bytes)} ${value.toString(16)}`);
    };
    return {
      readPort: answer,
      writePort: (port, bytes, value) => {
        write(port, bytes, value);
        if (port === ports.stop) this.processor.requestStop();
        if (port === ports.dma) this.flip(value);
        if (port !== ports.timer) return;
        const tick = this.processor.ticks + 1 + (value & 0x3ff);
        this.events.push(tick);
        this.events.sort((a, b) => a - b);
        this.processor.runNoLaterThan(tick);
      },
      readMmio: answer,
      writeMmio: write,
      acknowledgeInterrupt: () => this.acknowledge(),
      readMsr: (index) => (index === 0x1b ? 0xfee0_0900n : undefined),
      writeMsr: (index) => index === 0x1b,
      readTaskPriority: () => 0,
      writeTaskPriority: () => undefined,
      cpuid,
      hypercall: () => undefined,
      random: () => 0x1234_5678_9abc_def0n,
      gate: () => undefined,
      unimplemented: () => undefined,
    };
  }

  /** Everything that a guest can tell, by name, and the log of written pages; `tlb` alone depends on the TLBs' size. */
  outcome(): Record<string, string> {
    const { registers, state, ticks, extraTicks, ramPages } = this.processor;
    const hex = (value: bigint): string => value.toString(16);
    return {
      ended: this.ended,
      ticks: String(ticks - this.first),
      extraTicks: String(extraTicks),
      exceptions: this.exceptions.join(' '),
      devices: this.log.join(', '),
      rip: hex(registers.rip),
      rflags: hex(registers.rflags),
      cr2: hex(registers.cr2),
      ...Object.fromEntries(generalRegisters.map((name) => [name, hex(registers.get(name))])),
      fx: Buffer.from(new Uint8Array(this.view.buffer, layout.FX, 416)).toString('hex'),
      state: state.digest().toString(),
      tlb: state.tlbDigest().toString(),
      pages: ramPages.digest(),
    };
  }

  ram(): Uint8Array {
    return this.processor.memory.readPhysical(0, ramBytes);
  }
}
