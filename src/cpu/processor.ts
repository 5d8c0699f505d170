/** The processor: runs guest code through the cold tier and hands everything slow to the core and the bus. */
import { BlockStore } from './blocks.js';
import type { Core } from './core-exports.js';
import { BlockDecoder, type Refusal } from './decoder.js';
import { DEFAULT_COMPILE_AFTER, HotTier } from './hot/tier.js';
import type { GuestFault } from '../memory/guest-memory.js';
import { ramAddress, ramOffset } from '../memory/ram-map.js';
import { taken, type ExecutionCounts } from './execution-counts.js';
import { enterState } from './entry.js';
import { currentInstruction } from './current-instruction.js';
import { hostFunctions } from './host-functions.js';
import type { ExecutedInstructions } from './instruction-counts.js';
import { InterruptWindow } from './interrupt-window.js';
import { ProcessorMemory } from './memory.js';
import { instantiate } from './modules.js';
import type { ProcessorOptions } from './processor-options.js';
import { ProcessorState } from './processor-state.js';
import { RamPages } from './ram-pages.js';
import { registersOf, type RegisterView } from './registers.js';
import * as L from './state-layout.js';
import type { EntryState, Processor, ProcessorBus, Stop } from './types.js';
import { WatchedMemory, type WatchedAccess, type Watcher } from './watched-memory.js';

const LONGEST_RUN = 0x4000_0000; // ticks: BUDGET is an i32
const BATCH_TICKS = 5_000_000; // how long a hot block waits for others that will be compiled with it
/** Exits of the dispatch loop without a tick, after which the host gets control: such a guest may fault for ever. */
const MOST_EXITS = 10_000;
const GENERAL_PROTECTION = 13;
const GATE_BYTES = 6; // without its RET

const hypercallForms = { none: L.HYPERCALL_NONE, vmcall: L.HYPERCALL_VMCALL, vmmcall: L.HYPERCALL_VMMCALL } as const;

export const DEFAULT_TLB_ENTRIES = L.TLB_ENTRIES;

export class EmulatedProcessor implements Processor {
  readonly registers: RegisterView;
  readonly memory: ProcessorMemory;
  /** Registers and TLBs as data, for snapshots and digests. */
  readonly state: ProcessorState;
  readonly ramPages: RamPages;
  onDecode: ((linear: bigint, physical: number, cpl: number) => void) | undefined;
  extraTicks = 0;
  /** HLT was executed and no interrupt has been delivered since. */
  halted = false;

  private readonly wasm: WebAssembly.Memory;
  private readonly view: DataView;
  private readonly window: InterruptWindow;
  private readonly core: Core;
  private readonly dispatch: (record: number) => number;
  private readonly decoder: BlockDecoder;
  private readonly blocks: BlockStore;
  readonly hot: HotTier;
  private readonly counts: ExecutionCounts | undefined;
  private readonly bus: ProcessorBus;
  private readonly watched: WatchedMemory;
  private readonly watcher: Watcher;
  /** By place in RAM. */
  private readonly breakpoints = new Map<number, () => void>();
  private readonly seen = new Set<string>();
  private readonly breakpointHandler: number;
  private runEnd = 0;

  constructor(options: ProcessorOptions) {
    const { ramBytes, lowRamBytes = ramBytes, artifacts, bus } = options;
    const { tlbEntries = DEFAULT_TLB_ENTRIES, compileAfter = DEFAULT_COMPILE_AFTER } = options;
    this.bus = bus;
    this.breakpointHandler = artifacts.pseudo.breakpoint;
    const { memory, core, dispatch, table, functions, counts } = instantiate(options, (linear) =>
      this.hostFunctions(linear, options.onTouch),
    );
    this.wasm = memory;
    this.view = new DataView(memory.buffer);
    this.core = core;
    this.dispatch = dispatch;
    this.counts = counts;
    this.window = new InterruptWindow(this.view);
    this.decoder = new BlockDecoder(this.wasm, artifacts);
    this.blocks = new BlockStore(
      this.wasm,
      artifacts.pseudo.stale,
      (page) => {
        this.core.dropWriteTags(page);
      },
      (block) => {
        this.hot.onDrop(block);
      },
    );
    this.view.setUint32(L.RAM_BYTES, ramBytes, true);
    this.view.setUint32(L.RAM_LOW, Math.min(lowRamBytes, ramBytes), true);
    this.view.setUint32(L.TLB_MASK, tlbEntries - 1, true);
    this.view.setUint32(L.HYPERCALL, hypercallForms[options.hypercall ?? 'none'], true);
    this.hot = new HotTier(artifacts, { memory, functions }, table, this.blocks, compileAfter, counts);
    this.core.resetProcessor();
    this.blocks.clear();
    this.core.flushAll();
    this.core.updateMode();
    this.memory = new ProcessorMemory(this.wasm, { ramBytes, lowRamBytes }, this.core, bus);
    this.state = new ProcessorState(this.wasm, this.core);
    this.ramPages = new RamPages(this.wasm, { ramBytes, lowRamBytes }, () => {
      this.core.dropAllWriteTags();
    });
    this.watched = new WatchedMemory({
      memory: this.wasm,
      ram: this.memory,
      refresh: () => {
        this.core.refreshWatched();
      },
      instruction: () => this.currentInstruction(),
    });
    this.watcher = this.watched.addWatcher();
    this.registers = registersOf(this.wasm, this.core);
  }

  get ticks(): number {
    return this.view.getFloat64(L.RUN_END, true) - this.view.getInt32(L.BUDGET, true);
  }

  private setTicks(tick: number): void {
    this.view.setFloat64(L.RUN_END, tick, true);
    this.view.setInt32(L.BUDGET, 0, true);
  }

  run(untilTick: number): Stop {
    const { view } = this;
    view.setUint32(L.STOP_REQUESTED, 0, true);
    this.runEnd = untilTick;
    let record = 0;
    let compileAt = 0;
    let [progress, exits] = [this.ticks, 0];
    for (;;) {
      if (this.hot.isWaiting && this.ticks >= compileAt) this.hot.compileWaiting();
      if (record === 0) {
        if (view.getUint32(L.STOP_REQUESTED, true) !== 0) return 'requested';
        if (this.window.interruptsAllowed(this.ticks) && !this.takeInterrupt()) return 'shutdown';
        if (this.halted) return 'halted';
      }
      const now = this.ticks;
      if (now >= this.runEnd && record === 0) return 'budget';
      if (now !== progress) [progress, exits] = [now, 0];
      else if (++exits > MOST_EXITS && record === 0) return 'requested';
      const longest = this.window.oneStep(this.ticks)
        ? 1
        : this.hot.isWaiting
          ? Math.max(1, compileAt - now)
          : LONGEST_RUN;
      const budget = Math.min(this.runEnd - now, longest);
      const trapping = this.window.trapFlag();
      view.setFloat64(L.RUN_END, now + budget, true);
      view.setInt32(L.BUDGET, budget, true);
      if (trapping) view.setUint32(L.TRAP_HELD, 0, true);
      const exit = this.dispatch(record);
      record = 0;
      const called = exit === L.EXIT_LEAVE && view.getUint32(L.LEAVE_REASON, true) === L.LEAVE_HYPERCALL;
      const atGate = exit === L.EXIT_LEAVE && view.getUint32(L.LEAVE_REASON, true) === L.LEAVE_GATE;
      if (called) this.bus.hypercall(); // before its single-step trap: the call is part of the instruction
      if (!atGate) view.setUint32(L.CURRENT_RECORD, 0, true);
      const stepped = trapping && this.ticks > now && view.getUint32(L.TRAP_HELD, true) === 0;
      if (stepped && this.core.deliverDebugTrap() !== 0) return 'shutdown';
      switch (exit) {
        case L.EXIT_BUDGET:
          break;
        case L.EXIT_DECODE:
          if (!this.decode(view.getUint32(L.LEAVE_RECORD, true))) return 'shutdown';
          break;
        case L.EXIT_HOT: {
          const block = this.blocks.startingAt(view.getUint32(L.LEAVE_RECORD, true));
          if (block !== undefined) {
            if (!this.hot.isWaiting) compileAt = this.ticks + BATCH_TICKS;
            this.hot.request(block);
          }
          break;
        }
        case L.EXIT_RECORD: {
          const stopped = view.getUint32(L.LEAVE_RECORD, true);
          const refused = this.decoder.refused.get(stopped);
          if (refused === undefined) record = this.pseudoRecord(stopped);
          else if (!this.raiseRefused(refused)) return 'shutdown';
          break;
        }
        default: {
          const reason = view.getUint32(L.LEAVE_REASON, true);
          if (reason === L.LEAVE_SHUTDOWN) return 'shutdown';
          if (reason === L.LEAVE_HALT) this.halted = !trapping; // a debug trap wakes it
          if (atGate) {
            this.bus.gate(view.getUint32(L.GATE_NUMBER, true));
            view.setUint32(L.CURRENT_RECORD, 0, true);
            if (view.getUint32(L.FAULT_PENDING, true) !== 0 && this.core.deliverException() !== 0) return 'shutdown';
          } else if (reason === L.LEAVE_BOUNDARY && this.ticks === now) return 'requested';
        }
      }
    }
  }

  /**
   * Guest-linear address of the instruction that is being executed, exact in every callback of the bus, or of the next one
   * between two. Only with ProcessorOptions.observing; else RIP, which is exact between two alone.
   */
  currentInstruction(): bigint {
    return currentInstruction(this.view);
  }

  /**
   * What was retired since the last call, between two instructions: between two runs, at a breakpoint, in onDecode, at a
   * gate or a hypercall. Its sum is the growth of ticks - extraTicks.
   */
  takeCounts(): ExecutedInstructions {
    return taken(this.counts);
  }

  runNoLaterThan(tick: number): void {
    if (tick >= this.runEnd) return;
    const now = this.ticks;
    this.runEnd = Math.max(tick, now);
    const end = this.view.getFloat64(L.RUN_END, true);
    if (this.runEnd >= end) return;
    this.view.setFloat64(L.RUN_END, this.runEnd, true);
    this.view.setInt32(L.BUDGET, this.runEnd - now, true);
  }

  faultAtGate({ vector, errorCode, address }: GuestFault): void {
    this.registers.rip -= BigInt(GATE_BYTES);
    this.view.setBigUint64(L.FAULT_ADDRESS, address, true);
    this.core.raise(vector, errorCode, 1);
  }

  /** For a gate that is being served: the guest executes it once more. */
  repeatGate(): void {
    this.registers.rip -= BigInt(GATE_BYTES);
  }

  requestStop(): void {
    this.view.setUint32(L.STOP_REQUESTED, 1, true);
    this.runNoLaterThan(this.ticks);
  }

  /** Drops everything that was decoded or compiled, and what was learnt about it; the guest cannot tell. */
  forgetTranslations(): void {
    this.counts?.reset();
    this.hot.forget();
    this.blocks.clear();
    this.decoder.reset();
  }

  skipTo(tick: number): void {
    const skipped = tick - this.ticks;
    if (skipped <= 0) return;
    this.extraTicks += skipped;
    this.setTicks(tick);
  }

  setInterruptLine(asserted: boolean): void {
    this.view.setUint32(L.INTERRUPT_LINE, asserted ? 1 : 0, true);
    if (asserted && this.window.interruptFlag()) this.runNoLaterThan(this.ticks);
  }

  setBreakpoint(physical: number, callback: (() => void) | undefined): void {
    const place = ramOffset(this.memory, physical);
    if (place === undefined) return; // nothing is executed there
    if (callback === undefined) this.breakpoints.delete(place);
    else this.breakpoints.set(place, callback);
    this.blocks.invalidate(place, 1);
  }

  /** Another one who watches bytes of RAM, besides watch(), unwatch() and onWatched. */
  addWatcher(): Watcher {
    return this.watched.addWatcher();
  }

  /** From now on onWatched is called for guest accesses to these bytes of RAM (guest-physical), instruction fetches apart. */
  watch(physical: number, bytes: number): void {
    this.watcher.watch(physical, bytes);
  }

  unwatch(physical: number, bytes: number): void {
    this.watcher.unwatch(physical, bytes);
  }

  get onWatched(): ((access: WatchedAccess) => void) | undefined {
    return this.watcher.onWatched;
  }

  set onWatched(callback: ((access: WatchedAccess) => void) | undefined) {
    this.watcher.onWatched = callback;
  }

  enter(state: EntryState): void {
    this.halted = false;
    enterState(this.registers, state);
    this.core.flushAll();
    this.core.updateMode();
  }

  /** The tick at which the guest's TSC reads `tsc`; negative when it never did. */
  tscToTicks(tsc: bigint): number {
    return Number(BigInt.asIntN(64, tsc - this.view.getBigInt64(L.TSC_OFFSET, true)));
  }

  /** The guest's TSC now. */
  timeStamp(): bigint {
    return BigInt.asUintN(64, BigInt(this.ticks) + this.view.getBigInt64(L.TSC_OFFSET, true));
  }

  /** False after a triple fault. */
  private takeInterrupt(): boolean {
    const vector = this.bus.acknowledgeInterrupt();
    if (vector === undefined) return true;
    this.halted = false;
    return this.core.deliverInterrupt(vector) === 0;
  }

  /** No block for RIP: finds or decodes it, or raises the fetch's fault. False after a triple fault. */
  private decode(physical: number): boolean {
    const { view } = this;
    if (view.getUint32(L.FAULT_PENDING, true) !== 0) return this.core.deliverException() === 0;
    const linear = view.getBigUint64(L.RIP, true);
    const mode = view.getUint32(L.MODE, true);
    let block = this.blocks.find(linear, physical, mode);
    if (block === undefined) {
      if (this.decoder.full) {
        this.counts?.reset();
        this.hot.clear();
        this.blocks.clear();
        this.decoder.reset();
      }
      this.onDecode?.(linear, ramAddress(this.memory, physical), view.getUint32(L.CPL, true));
      if (!this.breakpoints.has(physical)) block = this.blocks.addWithin(linear, physical, mode);
    }
    if (block === undefined) {
      const decoded = this.decoder.decode({
        linear,
        physical,
        mode,
        nextPage: () => this.nextPage(linear),
        isBreakpoint: (address) => this.breakpoints.has(address),
      });
      if (decoded.faultsBehind) return this.core.deliverException() === 0;
      block = this.blocks.add(linear, physical, mode, decoded);
      this.counts?.decoded(decoded.record, decoded.records, mode);
    }
    this.blocks.index(block);
    this.hot.onIndex(block);
    return true;
  }

  /** Guest-physical address of the page after the one of `linear`; undefined when fetching it faults. */
  private nextPage(linear: bigint): number | undefined {
    const next = BigInt.asUintN(64, (linear & ~0xfffn) + 4096n);
    const physical = this.core.fetchTranslateAt(Number(next & 0xffff_ffffn), Number(next >> 32n)) >>> 0;
    return physical >= 0xffff_fffe ? undefined : physical;
  }

  /** An instruction that the decoder refused is executed: its fault. False after a triple fault. */
  private raiseRefused({ vector, unimplemented }: Refusal): boolean {
    if (unimplemented !== undefined) this.unimplemented(unimplemented);
    this.core.raise(vector, 0, vector === GENERAL_PROTECTION ? 1 : 0);
    return this.core.deliverException() === 0;
  }

  /** A pseudo-record stopped the loop; answers where to go on (0: at RIP). */
  private pseudoRecord(record: number): number {
    const isBreakpoint = (): boolean => this.view.getUint32(record + L.REC_HANDLER, true) === this.breakpointHandler;
    if (!isBreakpoint()) {
      // The second page of a straddling instruction is mapped elsewhere now.
      const block = this.blocks.blockOfRecord(record);
      if (block !== undefined) this.blocks.drop(block);
      return 0;
    }
    const { rip } = this.registers;
    const physical = this.core.fetchTranslateAt(Number(rip & 0xffff_ffffn), Number(rip >> 32n)) >>> 0;
    this.breakpoints.get(physical)?.();
    return isBreakpoint() ? record + L.RECORD_BYTES : 0;
  }

  private hostFunctions(memory: WebAssembly.Memory, onTouch: ProcessorOptions['onTouch']): Record<string, unknown> {
    return hostFunctions({
      bus: this.bus,
      view: new DataView(memory.buffer),
      codeWritten: (place, bytes) => {
        this.blocks.invalidate(place, bytes);
      },
      watched: (place, bytes, write, implicit) => {
        this.watched.tell(place, bytes, write, implicit);
      },
      unimplemented: (what) => {
        this.unimplemented(what);
      },
      instruction: () => this.currentInstruction(),
      onTouch,
    });
  }

  private unimplemented(text: string): void {
    if (this.seen.has(text)) return;
    this.seen.add(text);
    this.bus.unimplemented(text);
  }
}
