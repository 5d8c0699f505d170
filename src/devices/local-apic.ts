import type { EventTarget, MmioDevice, Stateful } from './device.js';
import { LocalApicTimer, type LocalApicTimerState, type TimerHost } from './local-apic-timer.js';
import { VectorSet } from './vector-set.js';

/** Register offsets. Intel SDM volume 3, table 11-1. */
export const LocalApicRegister = {
  ID: 0x20,
  VERSION: 0x30,
  TPR: 0x80,
  APR: 0x90,
  PPR: 0xa0,
  EOI: 0xb0,
  LDR: 0xd0,
  DFR: 0xe0,
  SVR: 0xf0,
  ISR: 0x100,
  TMR: 0x180,
  IRR: 0x200,
  ESR: 0x280,
  ICR_LOW: 0x300,
  ICR_HIGH: 0x310,
  LVT_TIMER: 0x320,
  LVT_THERMAL: 0x330,
  LVT_PERFORMANCE: 0x340,
  LVT_LINT0: 0x350,
  LVT_LINT1: 0x360,
  LVT_ERROR: 0x370,
  INITIAL_COUNT: 0x380,
  CURRENT_COUNT: 0x390,
  DIVIDE: 0x3e0,
} as const;

/** MSRs of the local APIC. Intel SDM volume 4, table 2-2. */
export const LocalApicMsr = { APIC_BASE: 0x1b, TSC_DEADLINE: 0x6e0 } as const;

/** Delivery modes of ICR and redirection entries. Intel SDM volume 3, 11.6.1. */
export const DeliveryMode = { fixed: 0, lowestPriority: 1, smi: 2, nmi: 4, init: 5, startup: 6, extInt: 7 } as const;

/** ESR bits. Intel SDM volume 3, figure 11-9. */
const EsrBit = { sendIllegalVector: 1 << 5, receiveIllegalVector: 1 << 6, illegalRegister: 1 << 7 } as const;

/** Which bits of each LVT register a guest can set. Intel SDM volume 3, figure 11-8. */
const lvtWritable: Readonly<Record<number, number>> = {
  [LocalApicRegister.LVT_TIMER]: 0x7_00ff,
  [LocalApicRegister.LVT_THERMAL]: 0x1_07ff,
  [LocalApicRegister.LVT_PERFORMANCE]: 0x1_07ff,
  [LocalApicRegister.LVT_LINT0]: 0x1_a7ff,
  [LocalApicRegister.LVT_LINT1]: 0x1_a7ff,
  [LocalApicRegister.LVT_ERROR]: 0x1_00ff,
};
const lvtMask = 1 << 16;
const softwareEnable = 1 << 8; // SVR
const version = 0x14 | (5 << 16); // xAPIC with six LVT entries
const base = { bootstrap: 1n << 8n, x2apic: 1n << 10n, enable: 1n << 11n, address: 0xff_ffff_f000n } as const;
const resetBase = 0xfee0_0000n | base.bootstrap | base.enable;

/** An interrupt on its way to the processors: from an I/O APIC pin, or later an MSI. Intel SDM volume 3, 11.11. */
export interface InterruptMessage {
  readonly vector: number;
  readonly deliveryMode: number;
  readonly destination: number; // 8 bits
  readonly logical: boolean;
  readonly level: boolean;
}

export interface LocalApicState {
  readonly base: string;
  readonly registers: Readonly<Record<string, number>>;
  readonly isr: readonly number[];
  readonly tmr: readonly number[];
  readonly irr: readonly number[];
  readonly errors: number;
  readonly timer: LocalApicTimerState;
}

/**
 * The xAPIC of the only processor. Intel SDM volume 3, chapter 11. There are no other processors, so an IPI reaches this
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

  constructor(host: TimerHost) {
    this.timer = new LocalApicTimer(host, () => {
      this.fireLvt(LocalApicRegister.LVT_TIMER);
    });
    this.resetRegisters();
  }

  /** Guest-physical address of the register window. */
  get address(): number {
    return Number(this.baseMsr & base.address);
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
    return index === LocalApicMsr.TSC_DEADLINE ? this.timer.readDeadline() : undefined;
  }

  /** False means #GP: an MSR of somebody else, a reserved bit, or x2APIC mode, which CPUID does not announce. */
  writeMsr(index: number, value: bigint): boolean {
    if (index === LocalApicMsr.TSC_DEADLINE) {
      this.timer.writeDeadline(value);
      return true;
    }
    if (index !== LocalApicMsr.APIC_BASE) return false;
    if ((value & ~(base.address | base.bootstrap | base.enable)) !== 0n) return false;
    const disables = this.enabled && (value & base.enable) === 0n;
    this.baseMsr = value;
    if (disables) this.resetRegisters(); // 11.4.3: as after INIT
    this.updateLine();
    return true;
  }

  readMmio(offset: number, bytes: 1 | 2 | 4): number {
    const value = this.enabled ? this.read(offset & ~0xf, offset & 0xf) : 0xffff_ffff;
    return bytes === 4 ? value : (value >>> ((offset & 3) * 8)) & (bytes === 1 ? 0xff : 0xffff);
  }

  /** 11.4.1: registers are written by aligned 32-bit stores; anything else is undefined and ignored here. */
  writeMmio(offset: number, bytes: 1 | 2 | 4, value: number): void {
    if (!this.enabled) return;
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
    return (this.baseMsr & base.enable) !== 0n;
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
    const destination = this.register(LocalApicRegister.ICR_HIGH) >>> 24;
    const forUs = shorthand === 0 ? this.isDestination(destination, (command & 0x800) !== 0) : shorthand !== 3;
    const mode = (command >> 8) & 7;
    const isVector = mode === DeliveryMode.fixed || mode === DeliveryMode.lowestPriority;
    if (isVector && (command & 0xff) < 16) this.reportError(EsrBit.sendIllegalVector);
    else if (forUs && isVector) this.interrupt(command & 0xff, false);
    else if (forUs && !this.isInitDeassert(command)) {
      this.onUnsupported(`interprocessor interrupt to itself, delivery mode ${String(mode)}`);
    }
  }

  /** 11.6.1: INIT level de-assert only synchronised arbitration IDs; ignored since the Pentium 4. */
  private isInitDeassert(command: number): boolean {
    return ((command >> 8) & 7) === DeliveryMode.init && (command & 0x4000) === 0;
  }

  /** 11.6.2: physical IDs, or the flat and the cluster model of logical destinations. */
  private isDestination(destination: number, logical: boolean): boolean {
    if (destination === 0xff) return true;
    if (!logical) return destination === this.register(LocalApicRegister.ID) >>> 24;
    const own = this.register(LocalApicRegister.LDR) >>> 24;
    if (this.register(LocalApicRegister.DFR) >>> 28 === 0xf) return (destination & own) !== 0;
    return destination >> 4 === own >> 4 && (destination & own & 0xf) !== 0;
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
