import type { EventTarget, MmioDevice, Stateful } from './device.js';
import { isX2apicDestination, isXapicDestination } from './local-apic-destination.js';
import { ApicBase, isModeChange } from './local-apic-modes.js';
import {
  DeliveryMode,
  EsrBit,
  isInitDeassert,
  LocalApicMsr,
  LocalApicRegister,
  lvtMask,
  lvtWritable,
  type InterruptMessage,
} from './local-apic-registers.js';
import { LocalApicTimer, type LocalApicTimerState, type TimerHost } from './local-apic-timer.js';
import { VectorSet } from './vector-set.js';
import { x2ApicRegister } from './x2apic.js';

export { DeliveryMode, LocalApicMsr, LocalApicRegister, type InterruptMessage } from './local-apic-registers.js';

const softwareEnable = 1 << 8; // SVR
const selfShorthand = 1 << 18; // ICR
const version = 0x14 | (5 << 16); // xAPIC with six LVT entries
const resetBase = 0xfee0_0000n | ApicBase.bootstrap | ApicBase.enable;

export interface LocalApicState {
  readonly base: string;
  readonly registers: Readonly<Record<string, number>>;
  readonly isr: readonly number[];
  readonly tmr: readonly number[];
  readonly irr: readonly number[];
  readonly errors: number;
  readonly timer: LocalApicTimerState;
}

export interface LocalApicOptions {
  /** x2APIC mode exists: CPUID leaf 1, ECX bit 21. */
  readonly x2apic?: boolean;
}

/**
 * The local APIC of the only processor, as xAPIC and x2APIC. Intel SDM volume 3, chapter 11. There are no other processors, so an IPI reaches this
 * one or nobody. A spurious interrupt (11.9) cannot occur: the processor accepts a vector in the same step in which it
 * looks, so no TPR write falls between.
 */
export class LocalApic implements MmioDevice, Stateful<LocalApicState>, EventTarget {
  /** The processor's interrupt line changed. */
  onLineChange: (asserted: boolean) => void = () => undefined;
  /** EOI of a level-triggered vector: the broadcast to the I/O APICs. 11.8.5. */
  onEndOfInterrupt: (vector: number) => void = () => undefined;
  /** The guest asked for something that this machine lacks; one line for the log. */
  onUnsupported: (what: string) => void = () => undefined;

  readonly timer: LocalApicTimer;
  private readonly isr = new VectorSet();
  private readonly tmr = new VectorSet();
  private readonly irr = new VectorSet();
  /** Plain registers by offset: ID, TPR, LDR, DFR, SVR, ESR, ICR and the LVTs. */
  private readonly registers = new Map<number, number>();
  private errors = 0; // since the last ESR write
  private baseMsr = resetBase;
  private asserted = false;

  constructor(
    host: TimerHost,
    private readonly options: LocalApicOptions = {},
  ) {
    this.timer = new LocalApicTimer(host, () => {
      this.fireLvt(LocalApicRegister.LVT_TIMER);
    });
    this.resetRegisters();
  }

  /** Guest-physical address of the register window. */
  get address(): number {
    return Number(this.baseMsr & ApicBase.address);
  }

  /** A vector of sufficient priority waits. 11.8.3.1: its class is above that of PPR. */
  line(): boolean {
    return this.enabled && this.irr.highest() >> 4 > this.processorPriority() >> 4;
  }

  /** Moves the highest waiting vector from IRR to ISR; undefined when none may be delivered (it was withdrawn). */
  acknowledge(): number | undefined {
    if (!this.line()) return undefined;
    const vector = this.irr.highest();
    this.irr.set(vector, false);
    this.isr.set(vector, true);
    this.updateLine();
    return vector;
  }

  /** Accepts a fixed interrupt. Ignored while the APIC is disabled by software or for good (11.4.7). */
  interrupt(vector: number, levelTriggered: boolean): void {
    if (!this.enabled || !this.softwareEnabled) return;
    if (vector < 16) {
      this.reportError(EsrBit.receiveIllegalVector);
      return;
    }
    this.irr.set(vector, true);
    this.tmr.set(vector, levelTriggered);
    this.updateLine();
  }

  /**
   * An edge that a hypervisor puts into the IRR: taken also while software has the APIC disabled, and delivered when the
   * processor takes it. Xen's vlapic_set_irq().
   */
  inject(vector: number): void {
    if (!this.enabled) return;
    this.irr.set(vector, true);
    this.tmr.set(vector, false);
    this.updateLine();
  }

  /** An interrupt message from the bus; nothing happens when it is for somebody else. Returns whether it was for us. */
  message(message: InterruptMessage): boolean {
    if (!this.isDestination(message.destination, message.logical)) return false;
    if (message.deliveryMode === DeliveryMode.fixed || message.deliveryMode === DeliveryMode.lowestPriority) {
      this.interrupt(message.vector, message.level);
    } else {
      this.onUnsupported(`interrupt delivery mode ${String(message.deliveryMode)}`);
    }
    return true;
  }

  /** CR8: bits 4-7 of TPR. Intel SDM volume 3, 11.8.6. */
  readTaskPriority(): number {
    return this.register(LocalApicRegister.TPR) >> 4;
  }

  writeTaskPriority(value: number): void {
    this.registers.set(LocalApicRegister.TPR, (value & 0xf) << 4);
    this.updateLine();
  }

  readMsr(index: number): bigint | undefined {
    if (index === LocalApicMsr.APIC_BASE) return this.baseMsr;
    if (index === LocalApicMsr.TSC_DEADLINE) return this.timer.readDeadline();
    const register = this.x2apic ? x2ApicRegister(index) : undefined;
    if (register?.readable !== true) return undefined;
    const low = BigInt(this.read(register.offset, 0));
    return register.wide ? (BigInt(this.register(LocalApicRegister.ICR_HIGH) >>> 0) << 32n) | low : low;
  }

  /** False means #GP: an MSR of somebody else, a reserved bit, or a mode that cannot be entered from this one. */
  writeMsr(index: number, value: bigint): boolean {
    if (index === LocalApicMsr.APIC_BASE) return this.writeBase(value);
    if (index === LocalApicMsr.TSC_DEADLINE) {
      this.timer.writeDeadline(value);
      return true;
    }
    const register = this.x2apic ? x2ApicRegister(index) : undefined;
    if (register?.writable === undefined || (value & ~register.writable) !== 0n) return false;
    const low = Number(value & 0xffff_ffffn);
    if (register.wide) this.registers.set(LocalApicRegister.ICR_HIGH, Number(value >> 32n)); // all 32 bits
    if (register.offset === LocalApicRegister.SELF_IPI) this.sendIpi(selfShorthand | low);
    else this.write(register.offset, low);
    return true;
  }

  private writeBase(value: bigint): boolean {
    const from = this.baseMsr;
    if (!isModeChange(from, value, this.options.x2apic === true)) return false;
    const disables = this.enabled && (value & ApicBase.enable) === 0n;
    this.baseMsr = value;
    if (disables) this.resetRegisters(); // 11.4.3: as after INIT
    if ((value & ~from & ApicBase.x2apic) !== 0n) this.enterX2apic();
    this.updateLine();
    return true;
  }

  /** 11.12.5.1: registers are kept, but the ID is the initial one again and the logical ID derived from it (11.12.10.2). */
  private enterX2apic(): void {
    this.registers.set(LocalApicRegister.ID, 0);
    this.registers.set(LocalApicRegister.LDR, 1);
  }

  readMmio(offset: number, bytes: 1 | 2 | 4): number {
    const value = this.enabled && !this.x2apic ? this.read(offset & ~0xf, offset & 0xf) : 0xffff_ffff;
    return bytes === 4 ? value : (value >>> ((offset & 3) * 8)) & (bytes === 1 ? 0xff : 0xffff);
  }

  /** 11.4.1: registers are written by aligned 32-bit stores; anything else is undefined and ignored here. */
  writeMmio(offset: number, bytes: 1 | 2 | 4, value: number): void {
    if (!this.enabled || this.x2apic) return; // 11.12.2: in x2APIC mode there is no window
    if (bytes === 4 && (offset & 0xf) === 0) this.write(offset, value >>> 0);
    else this.onUnsupported(`${String(bytes)}-byte store at local APIC offset 0x${offset.toString(16)}`);
  }

  onEvent(): void {
    this.timer.onEvent();
  }

  save(): LocalApicState {
    return {
      base: this.baseMsr.toString(),
      registers: Object.fromEntries([...this.registers].map(([offset, value]) => [String(offset), value])),
      isr: this.isr.save(),
      tmr: this.tmr.save(),
      irr: this.irr.save(),
      errors: this.errors,
      timer: this.timer.save(),
    };
  }

  restore(state: LocalApicState): void {
    this.baseMsr = BigInt(state.base);
    this.registers.clear();
    for (const [offset, value] of Object.entries(state.registers)) this.registers.set(Number(offset), value);
    this.isr.restore(state.isr);
    this.tmr.restore(state.tmr);
    this.irr.restore(state.irr);
    this.errors = state.errors;
    this.timer.restore(state.timer);
    this.asserted = this.line();
    this.onLineChange(this.asserted);
  }

  private get enabled(): boolean {
    return (this.baseMsr & ApicBase.enable) !== 0n;
  }

  private get x2apic(): boolean {
    return (this.baseMsr & ApicBase.x2apic) !== 0n;
  }

  private get softwareEnabled(): boolean {
    return (this.register(LocalApicRegister.SVR) & softwareEnable) !== 0;
  }

  private register(offset: number): number {
    return this.registers.get(offset) ?? 0;
  }

  /** PPR, 11.8.3.1: the higher of TPR and the class in service. */
  private processorPriority(): number {
    const taskPriority = this.register(LocalApicRegister.TPR);
    const inService = Math.max(0, this.isr.highest());
    return taskPriority >> 4 >= inService >> 4 ? taskPriority : inService & 0xf0;
  }

  private updateLine(): void {
    const asserted = this.line();
    if (asserted === this.asserted) return;
    this.asserted = asserted;
    this.onLineChange(asserted);
  }

  private read(offset: number, rest: number): number {
    const R = LocalApicRegister;
    if (rest > 3) return 0; // only the first four bytes of each 16 are a register
    if (offset >= R.ISR && offset < R.TMR) return this.isr.word((offset - R.ISR) >> 4);
    if (offset >= R.TMR && offset < R.IRR) return this.tmr.word((offset - R.TMR) >> 4);
    if (offset >= R.IRR && offset < R.ESR) return this.irr.word((offset - R.IRR) >> 4);
    switch (offset) {
      case R.VERSION:
        return version;
      case R.PPR:
      case R.APR: // 11.6.2.4: no arbitration happens among one
        return this.processorPriority();
      case R.EOI: // write only
        return 0;
      case R.INITIAL_COUNT:
        return this.timer.readInitialCount();
      case R.CURRENT_COUNT:
        return this.timer.readCurrentCount();
      case R.DIVIDE:
        return this.timer.readDivideConfiguration();
      default: {
        const value = this.registers.get(offset);
        if (value === undefined) this.reportError(EsrBit.illegalRegister);
        return (value ?? 0) >>> 0;
      }
    }
  }

  private write(offset: number, value: number): void {
    const R = LocalApicRegister;
    switch (offset) {
      case R.ID:
      case R.LDR:
        this.registers.set(offset, (value & 0xff00_0000) >>> 0);
        return;
      case R.DFR:
        this.registers.set(offset, (value | 0x0fff_ffff) >>> 0);
        return;
      case R.TPR:
        this.registers.set(offset, value & 0xff);
        this.updateLine();
        return;
      case R.EOI:
        this.endOfInterrupt();
        return;
      case R.SVR:
        this.writeSpuriousVector(value);
        return;
      case R.ESR: // 11.5.3: a write shows what has gathered since the last one
        this.registers.set(offset, this.errors);
        this.errors = 0;
        return;
      case R.ICR_HIGH:
        this.registers.set(offset, (value & 0xff00_0000) >>> 0);
        return;
      case R.ICR_LOW:
        this.registers.set(offset, value & 0xc_cfff); // delivery status stays idle: sending takes no time
        this.sendIpi(value);
        return;
      case R.INITIAL_COUNT:
        this.timer.writeInitialCount(value);
        return;
      case R.DIVIDE:
        this.timer.writeDivideConfiguration(value);
        return;
      default: {
        const writable = lvtWritable[offset];
        if (writable !== undefined) this.writeLvt(offset, value & writable);
        else if (!this.isReadOnly(offset)) this.reportError(EsrBit.illegalRegister);
      }
    }
  }

  private isReadOnly(offset: number): boolean {
    const R = LocalApicRegister;
    const single: readonly number[] = [R.VERSION, R.APR, R.PPR, R.CURRENT_COUNT];
    return single.includes(offset) || (offset >= R.ISR && offset < R.ESR);
  }

  /** 11.4.7.2: while disabled by software every LVT mask bit is set and stays so. */
  private writeLvt(offset: number, value: number): void {
    this.registers.set(offset, this.softwareEnabled ? value : value | lvtMask);
    if (offset === LocalApicRegister.LVT_TIMER) this.timer.setMode((value >> 17) & 3);
  }

  private writeSpuriousVector(value: number): void {
    this.registers.set(LocalApicRegister.SVR, value & 0x3ff);
    if (this.softwareEnabled) return;
    for (const offset of Object.keys(lvtWritable)) {
      this.registers.set(Number(offset), this.register(Number(offset)) | lvtMask);
    }
  }

  private endOfInterrupt(): void {
    const vector = this.isr.highest();
    if (vector < 0) return;
    this.isr.set(vector, false);
    if (this.tmr.has(vector)) this.onEndOfInterrupt(vector);
    this.updateLine();
  }

  private fireLvt(offset: number): void {
    const entry = this.register(offset);
    if ((entry & lvtMask) === 0) this.interrupt(entry & 0xff, false);
  }

  private reportError(bit: number): void {
    const isNew = (this.errors & bit) === 0; // an LVT error with an illegal vector must not recurse
    this.errors |= bit;
    if (isNew) this.fireLvt(LocalApicRegister.LVT_ERROR);
  }

  /** 11.6.1: destination shorthands none, self, all including self, all excluding self. */
  private sendIpi(command: number): void {
    const shorthand = (command >> 18) & 3;
    const high = this.register(LocalApicRegister.ICR_HIGH);
    const destination = this.x2apic ? high : high >>> 24;
    const forUs = shorthand === 0 ? this.isDestination(destination, (command & 0x800) !== 0) : shorthand !== 3;
    const mode = (command >> 8) & 7;
    const isVector = mode === DeliveryMode.fixed || mode === DeliveryMode.lowestPriority;
    if (isVector && (command & 0xff) < 16) this.reportError(EsrBit.sendIllegalVector);
    else if (forUs && isVector) this.interrupt(command & 0xff, false);
    else if (forUs && !isInitDeassert(command)) {
      this.onUnsupported(`interprocessor interrupt to itself, delivery mode ${String(mode)}`);
    }
  }

  private isDestination(destination: number, logical: boolean): boolean {
    const R = LocalApicRegister;
    const own = { id: this.register(R.ID), logicalId: this.register(R.LDR), format: this.register(R.DFR) };
    return this.x2apic ? isX2apicDestination(destination, logical, own) : isXapicDestination(destination, logical, own);
  }

  /** State after reset. Intel SDM volume 3, 11.4.7.1. */
  private resetRegisters(): void {
    const R = LocalApicRegister;
    this.isr.clear();
    this.tmr.clear();
    this.irr.clear();
    this.errors = 0;
    this.registers.clear();
    for (const offset of [R.ID, R.TPR, R.LDR, R.ESR, R.ICR_LOW, R.ICR_HIGH]) this.registers.set(offset, 0);
    this.registers.set(R.DFR, 0xffff_ffff);
    this.registers.set(R.SVR, 0xff);
    for (const offset of Object.keys(lvtWritable)) this.registers.set(Number(offset), lvtMask);
    this.timer.reset();
  }
}
